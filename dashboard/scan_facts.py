"""What the band says of the last code, as plain values that a session can keep."""

from decimal import Decimal
from typing import Any

from core.posting import plain
from core.scanning.scan_answers import Taken

# What a scan was booked with, so that one more of it, or another quantity, is the same in all else.
ASKED = (
    "code", "symbology", "source", "mode", "warehouse_id", "to_warehouse_id", "reason_code", "order_line_uid",
    "product_id",
)  # fmt: skip
FIGURES = ("change", "before", "after", "to_before", "to_after", "on_hand", "reorder_threshold", "order_left")
WORDS = ("sku", "name", "unit", "warehouse_code", "to_warehouse_code", "order_number", "said")


def of(entry: dict[str, Any], taken: Taken) -> dict[str, Any]:
    """The facts of a scan that was taken. `kind` is its outcome: found, booked, linked, refused, ignored."""
    scan = taken.scan
    facts = {name: entry.get(name) for name in ASKED} | _said(taken)
    facts |= {"kind": scan.outcome, "uid": str(scan.uid), "product_id": scan.product_id}
    facts["odd"] = entry.get("odd")
    if taken.order_line_uid is not None:
        facts["order_line_uid"] = str(taken.order_line_uid)
    return facts


def undone(taken: Taken) -> dict[str, Any]:
    """The facts of a scan that was taken back."""
    return _said(taken) | {"kind": "undone", "uid": str(taken.scan.uid), "mode": taken.scan.mode}


def refused(sentence: str, code: str | None = None) -> dict[str, Any]:
    return {"kind": "refused", "said": sentence, "code": code}


def chosen(what: str, word: str) -> dict[str, Any]:
    """A label chose something: the "mode", the "place" one is at, or where a transfer goes ("to")."""
    return {"kind": "chosen", "what": what, "word": word}


def _said(taken: Taken) -> dict[str, Any]:
    scan = taken.scan
    facts = {name: _plain(getattr(taken, name)) for name in FIGURES}
    facts |= {name: getattr(taken, name) for name in WORDS}
    facts |= {
        "product_uid": taken.product_uid and str(taken.product_uid),
        "is_low": taken.is_low,
        "threshold_of": taken.threshold_of,
        "can_undo": taken.can_undo,
        "quantity": _plain(scan.quantity),
        "pack_factor": _plain(scan.pack_factor),
        "lot": scan.lot,
        "serial": scan.serial,
        "expires_on": scan.expires_on and scan.expires_on.isoformat(),
        "levels": _levels(taken),
    }
    return facts


def _levels(taken: Taken) -> list[tuple[str, str]]:
    """What lies where: (warehouse, quantity)."""
    if taken.resolved is None or taken.resolved.product is None:
        return []
    return [(level.code, plain(level.quantity)) for level in taken.resolved.product.levels]


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
