"""The table of a comparison: one row a vendor, best first, and what marks it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from core.buying.comparison import Comparison, Row
from dashboard import grid, looks, pickers, ui, vendor_words

NARROW = {"Vendor": 150, "Total": 100, "Arrives": 106}
PILL_TINT = {
    "light": {"Recommended": "#DCE7FD", "Chosen by hand": "#FEF0C3", "Expired": "#FEE4E2",
              "Ends soon": "#FFE6D5"},
    "dark": {"Recommended": "#1D3461", "Chosen by hand": "#544710", "Expired": "#5B2523",
             "Ends soon": "#5A3417"},
}  # fmt: skip

PLAIN = {"light": "#101828", "dark": "#E6E9EF"}


def pills(row: Row, today: date) -> list[str]:
    """What marks a row."""
    marks = []
    if row.costed.is_recommended:
        marks.append("Recommended")
    if row.offer.is_preferred:
        marks.append("Chosen by hand")
    state = vendor_words.validity(row.offer.valid_until, today)
    return marks if state == "valid" else [*marks, vendor_words.STATES[state]]


def shown(found: Comparison, today: date) -> pd.DataFrame:
    """The rows as text, one column for each that the table has."""
    write = ui.formats()
    rows = [(row.offer, row.costed) for row in found.rows]
    return pd.DataFrame(
        {
            "Vendor": [costed.name for _, costed in rows],
            "": [pills(row, today) for row in found.rows],
            "Order": [write.quantity(costed.quantity) for _, costed in rows],
            "Unit price": [_price(costed.unit_price) for _, costed in rows],
            "Total": [write.money(costed.total) for _, costed in rows],
            "More": [more(costed) for _, costed in rows],
            "Arrives": [arrives(costed, today) for _, costed in rows],
            "Out before": [write.share(costed.chance) for _, costed in rows],
            "On time": [vendor_words.on_time(offer.record.on_time_share) for offer, _ in rows],
            "Lead time": [lead_time(offer) for offer, _ in rows],
            "Sells": [sells(offer) for offer, _ in rows],
            "Quote": [age(offer, today) for offer, _ in rows],
        }
    )


def _price(amount: Decimal | None) -> str:
    return ui.formats().price(None) if amount is None else vendor_words.price(
        amount.quantize(Decimal("0.0001")), looks.the_shop().currency
    )  # fmt: skip


def more(costed: Any) -> str:
    """Against the best row, in money and days."""
    if costed.more_money is None:
        return "no price"
    if costed.is_best:
        return "best"
    write = ui.formats()
    parts = [
        f"+{write.money(costed.more_money)}" if costed.more_money >= 0 else write.money(costed.more_money)
    ]
    if costed.more_days:
        parts.append(f"{write.change(costed.more_days)} {'day' if abs(costed.more_days) == 1 else 'days'}")
    return ", ".join(parts)


def arrives(costed: Any, today: date) -> str:
    """The middle day and the one that nine of ten keep."""
    arrival = costed.candidate.arrival
    return ui.formats().span(arrival.on, max(arrival.late_on, arrival.on), today)


def lead_time(offer: Any) -> str:
    """Quoted and measured days: 28 / 29 days, slow 32."""
    quoted = ui.formats().number(offer.lead_time_days)
    measured = vendor_words.measured(offer.record)
    return f"{quoted} / {measured}" if measured else quoted


def sells(offer: Any) -> str:
    """In which quantities."""
    write, parts = ui.formats(), []
    if offer.minimum_order_quantity is not None:
        parts.append(f"from {write.quantity(offer.minimum_order_quantity)}")
    if offer.order_multiple is not None:
        parts.append(f"by {write.quantity(offer.order_multiple)}")
    if len(offer.steps) > 1:
        parts.append(f"{len(offer.steps)} prices")
    return ", ".join(parts)


def age(offer: Any, today: date) -> str:
    """How old the quote is, or that its days are over."""
    if offer.valid_until is not None and vendor_words.validity(offer.valid_until, today) != "valid":
        return vendor_words.holds(offer.valid_until, today)
    return f"{ui.formats().duration(offer.age_days)} old"


def draw(found: Comparison, today: date) -> None:
    """The table; a click puts the vendor of a row into the address."""
    frame = shown(found, today)
    if not any(frame[""]):
        frame = frame.drop(columns="")
    theme = "dark" if ui.is_dark() else "light"
    states = [vendor_words.validity(row.offer.valid_until, today) for row in found.rows]
    # The browser draws tables itself and knows no inherited colour.
    inks = [PLAIN[theme] if state == "valid" else vendor_words.INK[theme][state] for state in states]
    turn = st.session_state.setdefault("comparison_turn", 0)
    rows = hash(tuple((row.offer.uid, row.costed.quantity) for row in found.rows))
    row, _ = grid.draw(
        frame, NARROW, _config(), key=f"comparison_{turn}_{rows}",
        narrow_words={"Vendor": (_narrow_names(found, today), inks)},
    )  # fmt: skip
    if row is not None:
        st.session_state["comparison_turn"] = turn + 1
        pickers.remember("vendor", found.rows[row].offer.vendor.uid)
        st.rerun()


def _narrow_names(found: Comparison, today: date) -> list[str]:
    """Names with their marks in words, where pills do not fit."""
    told = []
    for row in found.rows:
        marks = pills(row, today)
        told.append(f"{row.costed.name} ({', '.join(marks).lower()})" if marks else row.costed.name)
    return told


def _config() -> dict[str, Any]:
    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    tints = PILL_TINT["dark" if ui.is_dark() else "light"]
    return {
        "Vendor": text("Vendor", 160),
        "": st.column_config.MultiselectColumn(
            "", width=116, options=list(tints), color=list(tints.values())
        ),
        "Order": text("Order", 60, "right", "What would be ordered there: minimum, multiple, price steps."),
        "Unit price": text("Unit price", 82, "right", "At that quantity, in your currency."),
        "Total": text(
            "Total", 80, "right",
            "Goods, freight, the work of an order, keeping what is too much, and sales lost meanwhile.",
        ),
        "More": text("More", 122, "left", "Against the best, in money and days."),
        "Arrives": text("Arrives", 98, "left", "The middle day, and the one that nine of ten keep."),
        "Out before": text("Out before", 84, "right", "The chance to run out before it could deliver."),
        "On time": text("On time", 66, "right", "Deliveries that came by the promised day."),
        "Lead time": text("Lead time", 150, "left", "Quoted / measured, and what nine of ten came within."),
        "Sells": text("Sells", 108, "left", "From the minimum on, in multiples, at so many prices."),
        "Quote": text("Quote", 92, "left", "Since when the price holds."),
    }  # fmt: skip
