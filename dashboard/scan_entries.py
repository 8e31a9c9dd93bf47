"""Codes on the desk until they are done: put there once, answered, dropped, finished (see scan_desk).

Streamlit is not touched here, so that no run can be ended in the middle.
"""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.errors import BadInput
from core.posting import plain, positive
from core.scanning.scan_booking import BOOKING, REASONS, Request

# Kinds of entries that wait for a person. Nothing overtakes those in BLOCKS; the others are put aside.
CARDS = ("unknown", "ambiguous", "transfer", "order", "quantity")
BLOCKS = ("place", "transfer", "order", "quantity", "trouble")
MOST_FINISHED = 2_000  # codes whose second arrival is noticed here; the database knows all of them
MOST_BOOKED = 50  # that the label "undo" can take back, one after the other
STICKY = ("mode", "warehouse_id", "to_warehouse_id", "reason_code", "times")


def begin(desk: dict[str, Any]) -> dict[str, Any]:
    """The desk with everything it holds, empty where nothing is there yet."""
    fresh: dict[str, Any] = {"mode": "look_up", "warehouse_id": None, "to_warehouse_id": None, "each": "code"}
    fresh |= {"waiting": [], "finished": [], "booked": [], "counts": {}, "reasons": {}}
    fresh |= {"told": {"n": 0, "ok": True}}
    for name, value in fresh.items():
        desk.setdefault(name, value)
    return desk


def put(desk: dict[str, Any], code: Any, source: str, kept: str | None = None) -> None:
    """Let a code wait, unless it is known; `kept` is what `about` said before the page was loaded again."""
    key = str(code.key)
    if key in desk["finished"] or key in known(desk):
        return
    entry = dict.fromkeys(
        (*STICKY, "kind", "product_id", "quantity", "order_line_uid", "sentence", "refused")
    )
    entry |= {"key": key, "code": code.text, "symbology": code.symbology, "source": source}
    entry |= {"times": code.times, "pieces": "1", "also": [], "name": None, "sku": None, "unit": None}
    desk["waiting"].append(entry | _read_about(kept))
    desk.pop("refused", None)  # the next code is another matter


def known(desk: dict[str, Any]) -> set[str]:
    """Keys of codes that wait or are counted and not booked."""
    waiting = {key for entry in desk["waiting"] for key in (entry["key"], *entry["also"])}
    return waiting | {code["key"] for line in desk["counts"].values() for code in line["codes"]}


def about(entry: dict[str, Any]) -> str:
    """What an entry is meant for, in words that a browser can keep and hand back."""
    return json.dumps([entry[name] for name in STICKY])


def _read_about(kept: str | None) -> dict[str, Any]:
    """What `about` wrote; it comes back from a browser, so anything else means nothing."""
    try:
        mode, place, to_place, reason, times = json.loads(kept or "")
        positive(str(times))
    except (ValueError, TypeError, BadInput):
        return {}
    if not isinstance(mode, str) or not all(one is None or type(one) is int for one in (place, to_place)):
        return {}
    if reason is not None and reason not in REASONS.get(mode, ()):
        return {}
    return dict(zip(STICKY, (mode, place, to_place, reason, str(times)), strict=True))


def stamp(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """The code is meant for what is chosen now, whatever is chosen later."""
    mode = entry["mode"] = desk["mode"]
    entry["warehouse_id"] = desk["warehouse_id"] if mode in BOOKING else None
    entry["to_warehouse_id"] = desk["to_warehouse_id"] if mode == "transfer" else None
    entry["reason_code"] = desk["reasons"].get(mode)


def fill_places(desk: dict[str, Any]) -> None:
    """What waits to hear where it is, or where it goes, hears it."""
    for entry in desk["waiting"]:
        if entry["mode"] in BOOKING and entry["warehouse_id"] is None:
            entry["warehouse_id"] = desk["warehouse_id"]
        if entry["kind"] == "place" and entry["warehouse_id"] is not None:
            entry["kind"] = None
        if entry["kind"] == "transfer" and desk["to_warehouse_id"] not in (None, entry["warehouse_id"]):
            entry["to_warehouse_id"] = desk["to_warehouse_id"]


def answer(desk: dict[str, Any], key: str, changes: dict[str, Any]) -> None:
    """What a person said of an entry that waits; it is looked at again."""
    entry = next((entry for entry in desk["waiting"] if entry["key"] == key and entry["kind"]), None)
    if entry is None:
        return
    for other in of_same_code(desk, entry):
        other["kind"] = None  # linked once, it is known to all of them
    entry |= changes | {"asked": entry["kind"], "kind": None, "refused": None}
    if entry["mode"] == "transfer" and changes.get("to_warehouse_id"):
        desk["to_warehouse_id"] = changes["to_warehouse_id"]


def of_same_code(desk: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The other scans of a code that nobody knows."""
    if entry["kind"] != "unknown":
        return []
    same = ("unknown", entry["code"])
    return [one for one in desk["waiting"] if (one["kind"], one["code"]) == same and one is not entry]


def add_up(desk: dict[str, Any], waits: dict[str, Any], entry: dict[str, Any]) -> None:
    """The same code once more, while a card asks how many: one more of what it proposes."""
    one = Decimal(waits["pieces"]) / (1 + len(waits["also"]))
    waits |= {"pieces": plain(Decimal(waits["pieces"]) + one), "quantity": None}
    waits["also"].append(entry["key"])
    remove(desk, entry)


def drop(desk: dict[str, Any], key: str) -> None:
    """An entry waits no more."""
    for entry in [entry for entry in desk["waiting"] if entry["key"] == key]:
        finish(desk, entry)


def finish(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """An entry is done: its codes need not be kept anywhere."""
    forget(desk, [entry["key"], *entry["also"]])
    remove(desk, entry)


def forget(desk: dict[str, Any], keys: list[str]) -> None:
    """Codes that are done; should they come again, they are not new."""
    desk["finished"] = [*desk["finished"], *keys][-MOST_FINISHED:]


def remove(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    desk["waiting"] = [other for other in desk["waiting"] if other["key"] != entry["key"]]


def tell(desk: dict[str, Any], *, ok: bool) -> None:
    """One more answer, for ear and hand."""
    desk["told"] = {"n": desk["told"]["n"] + 1, "ok": ok}


def request(entry: dict[str, Any]) -> Request:
    """What is asked of the shop for an entry."""
    return Request(
        key=UUID(entry["key"]), mode=entry["mode"], code=entry["code"], source=entry["source"],
        symbology=entry["symbology"], warehouse_id=entry["warehouse_id"],
        to_warehouse_id=entry["to_warehouse_id"], quantity=entry["quantity"],
        reason_code=entry["reason_code"], order_line_uid=entry["order_line_uid"],
        product_id=entry["product_id"],
    )  # fmt: skip
