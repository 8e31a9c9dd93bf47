"""Findings in words: what went wrong, how likely it is, and what the repair changes. Ready for Markdown."""

from decimal import Decimal
from typing import Any

from core.doctor.finding_rows import Row
from dashboard import ui

KINDS = {
    "times_pack": "Too much by a pack",
    "wrong_unit": "Packs booked as pieces",
    "times_ten": "A zero too many or too few",
    "digit_doubled": "A digit typed twice",
    "digits_swapped": "Digits swapped",
    "wrong_sign": "Wrong direction",
    "wrong_warehouse": "Wrong warehouse",
    "wrong_product": "Wrong product",
    "booked_twice": "Booked twice",
    "price_typo": "Price mistyped",
    "unknown": "Odd, no known slip",
}
STATES = {
    "open": "To decide",
    "accepted": "Repaired",
    "dismissed": "Dismissed",
    "lapsed": "Lapsed",
}
LISTS = {"likely": "Most likely errors", "money": "Money at stake"}
REASONS = {
    "real": "It is real",
    "corrected_elsewhere": "Corrected elsewhere",
    "not_worth_it": "Wrong, but not worth a repair",
    "other": "Something else",
}
LATE_SECONDS = 3600  # booked later than that after it happened, both moments are said
# From this chance on it is said so.
CHANCES = ((0.9, "almost certainly an error"), (0.7, "very likely an error"), (0.5, "likely an error"),
           (0.2, "possibly an error"), (0.0, "odd, but maybe real"))  # fmt: skip


def chance(score: float) -> str:
    """92 %, very likely an error."""
    words = next(words for least, words in CHANCES if score >= least)
    return f"{ui.formats().share(score)}, {words}"


def direction(change: Decimal) -> str:
    """1,200 out."""
    return f"{ui.formats().quantity(abs(change))} {'out' if change < 0 else 'in'}"


def swap(row: Row) -> tuple[str, str] | None:
    """What the repair puts in place of what, as plain text; None when no repair is known."""
    write, new = ui.formats(), row.repair
    if row.field in ("quantity", "sign"):
        wanted = Decimal(new["change"])
        same_way = row.change * wanted > 0
        return (write.quantity(abs(row.change)) if same_way else direction(row.change)), direction(wanted)
    if row.field == "price":
        was = "no price" if row.unit_price is None else write.price(row.unit_price)
        return was, f"{write.price(Decimal(new['unit_price']))} a piece"
    if row.field == "product":
        return row.sku, new["sku"]
    if row.field == "warehouse":
        return row.warehouse_code, new["warehouse_code"]
    return (direction(row.change), "not booked") if row.field == "whole" else None


def repair(row: Row) -> str:
    """What the repair changes, before → after, with what that does to the stock."""
    if (ends := swap(row)) is None:
        return "No repair is known: look at the document, and correct the movement there."
    words = f"**{ui.safe_md(ends[0])} → {ui.safe_md(ends[1])}**"
    if row.field in ("quantity", "sign"):
        return words + _on_hand(row.warehouse_code, Decimal(row.repair["change"]) - row.change)
    if row.field == "whole":
        return words + _on_hand(row.warehouse_code, -row.change)
    if row.field in ("product", "warehouse"):
        return f"{words} &nbsp; {ui.safe_md(direction(row.change))}"
    return words


def _on_hand(code: str, change: Decimal) -> str:
    """back on hand +1,100"""
    words = "back on hand" if change > 0 else "on hand"
    return f" &nbsp; :gray[{words}] {ui.safe_md(ui.formats().change(change))} :gray[in {ui.safe_md(code)}]"


def who(row: Row, now: Any) -> str:
    """Who booked it when, and by which document."""
    write = ui.formats()
    parts = [f"booked by {row.person} {write.ago(row.recorded_at, now)}"]
    if abs((row.recorded_at - row.occurred_at).total_seconds()) > LATE_SECONDS:
        parts.append(f"happened {write.ago(row.occurred_at, now)}")
    parts += [word for word in (row.reference_id, row.customer) if word]
    return " · ".join(ui.safe_md(part) for part in parts)


def decided(row: Row, now: Any) -> str:
    """What became of it: who, when, why."""
    at = ui.formats().ago(row.decided_at, now)
    if row.state == "lapsed":
        return f"Lapsed {ui.safe_md(at)}: the movement was reversed or corrected elsewhere."
    by = ui.safe_md(row.decided_by or "somebody")
    if row.state == "accepted":
        return f"Repaired by {by} {ui.safe_md(at)}."
    why = REASONS[row.dismissed_as].lower()
    note = f" {ui.safe_md(row.note)}" if row.note else ""
    return f"Dismissed by {by} {ui.safe_md(at)}: {why}.{note}"
