"""Scans in words: what became of each, as a table shows it, a drawer and a download."""

from typing import Any

import pandas as pd

from dashboard import ui
from dashboard.formats import is_missing

MODE = {
    "look_up": "Look up", "in": "In", "out": "Out", "transfer": "Transfer", "count": "Count",
    "link": "Link a code",
}  # fmt: skip
OUTCOME = {
    "found": "Found", "booked": "Booked", "linked": "Linked", "unknown": "Not known",
    "ambiguous": "Not clear", "refused": "Refused", "ignored": "Ignored",
}  # fmt: skip
SOURCE = {
    "camera": "Camera", "photo": "Photo", "wedge": "Scanner", "typed": "Typed", "list": "List", "http": "API",
}  # fmt: skip
NAMES = {
    "scan_id": "Scan", "scanned_at": "Scanned (UTC)", "person": "By", "mode": "Mode", "outcome": "Outcome",
    "code": "Code", "symbology": "Symbology", "source": "Source", "sku": "SKU", "product_name": "Product",
    "warehouse_code": "Warehouse", "to_warehouse_code": "To warehouse", "quantity": "Quantity",
    "pack_factor": "Pieces in a scan", "change": "Change", "stock_before": "Before", "stock_after": "After",
    "reason_code": "Reason", "reference_type": "Reference type", "reference_id": "Reference", "lot": "Lot",
    "serial": "Serial", "expires_on": "Expires", "undone_at": "Undone (UTC)", "said": "Said",
}  # fmt: skip


def product(row: Any) -> str:
    """The product by its name; a code that means none stands for itself."""
    return row.code if is_missing(row.product_name) else row.product_name


def became(row: Any) -> str:
    """What became of a scan, in a few words: −3, counted 12, Not known."""
    write = ui.formats()
    if row.mode == "count" and row.outcome in ("booked", "found") and not is_missing(row.quantity):
        return f"Counted {write.quantity(row.quantity)}"
    if row.outcome != "booked":
        return OUTCOME[row.outcome]
    if row.mode == "transfer":
        return f"Moved {write.quantity(row.quantity)}"
    return write.change(row.change)


def is_undone(row: Any) -> bool:
    """Taken back, through the scan or elsewhere."""
    return not is_missing(row.undone_at) or bool(row.is_reversed)


def where(row: Any) -> str:
    """WH-A, or WH-A → WH-B."""
    places = [code for code in (row.warehouse_code, row.to_warehouse_code) if not is_missing(code)]
    return " → ".join(places)


def in_words(row: Any) -> str:
    """One scan as Markdown, for its drawer."""
    write, safe = ui.formats(), ui.safe_md
    about = [MODE[row.mode], *([where(row)] if where(row) else []), OUTCOME[row.outcome].lower()]
    parts = [f"**{safe(product(row))}**", safe(", ".join(about))]
    if not is_missing(row.said):
        parts.append(safe(row.said))
    facts = [
        ("Code", None if is_missing(row.product_name) else row.code),
        ("Read as", row.symbology),
        ("Pieces in a scan", None if row.pack_factor in (None, 1) else write.quantity(row.pack_factor)),
        ("Lot", row.lot),
        ("Serial", row.serial),
        ("Expires", None if is_missing(row.expires_on) else write.day(row.expires_on)),
        ("Reference", None if row.reference_type == "scan" else row.reference_id),
    ]
    parts += [f"{label}: {safe(value)}" for label, value in facts if not is_missing(value)]
    parts.append(f":gray[{safe(row.person)}, {safe(write.moment(row.scanned_at))}, {SOURCE[row.source]}]")
    if not is_missing(row.undone_at):
        parts.append(f":gray[Taken back {safe(write.moment(row.undone_at))}]")
    elif row.is_reversed:
        parts.append(":gray[Taken back in the ledger]")
    return "  \n".join(parts)


def for_download(found: pd.DataFrame) -> pd.DataFrame:
    """The scans as a spreadsheet wants them."""
    frame = found[list(NAMES)].copy()
    for name in ("scanned_at", "undone_at"):
        frame[name] = ["" if is_missing(at) else at.strftime("%Y-%m-%d %H:%M:%S") for at in frame[name]]
    for name, words in (("mode", MODE), ("outcome", OUTCOME), ("source", SOURCE)):
        frame[name] = frame[name].map(words)
    return frame.rename(columns=NAMES)
