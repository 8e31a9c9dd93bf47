"""How purchase orders are put into words: their state, how late they are, money in the vendor's currency."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import posting
from core.errors import BadInput
from dashboard import ui
from dashboard.adjusting import WHOLE_UNITS
from dashboard.formats import Formats

STATES = {
    "draft": "Draft",
    "sent": "Sent",
    "partly_received": "Partly received",
    "received": "Received",
    "cancelled": "Cancelled",
}
LATE = "Late"
IS_COMING = ("sent", "partly_received")
COLOUR = {
    "draft": "blue",
    "sent": "blue",
    "partly_received": "blue",
    "received": "green",
    "cancelled": "gray",
}
TINT = {
    "light": {"Draft": "#EAECF0", "Sent": "#DCE7FD", "Partly received": "#DCE7FD", "Received": "#D5F5EC",
              "Cancelled": "#EAECF0", LATE: "#FFE6D5"},
    "dark": {"Draft": "#2F3849", "Sent": "#1D3461", "Partly received": "#1D3461", "Received": "#12453F",
             "Cancelled": "#2F3849", LATE: "#5A3417"},
}  # fmt: skip


def in_currency(currency: str) -> Formats:
    """The shop's way to write money, in the vendor's currency."""
    return replace(ui.formats(), currency=currency)


def badges(state: str, late_days: int) -> str:
    """The state of an order as Markdown, and how late it is."""
    said = f":{COLOUR[state]}-badge[{STATES[state]}]"
    return f"{said} :orange-badge[{LATE} by {ui.formats().duration(late_days)}]" if late_days else said


def pills(order: Any) -> list[str]:
    """The state of an order as pills of a table, and that it is late."""
    return [STATES[order.state], *([LATE] if is_late(order) else [])]


def ink(order: Any, theme: str) -> str:
    """The colour of its words in a table, where pills do not fit."""
    return ui.INK[theme]["late" if is_late(order) else "fine" if order.state == "received" else "unknown"]


def state_column(label: str) -> Any:
    """Column of a table whose cells are `pills`."""
    tints = TINT["dark" if ui.is_dark() else "light"]
    return st.column_config.MultiselectColumn(
        label, width=150, options=list(tints), color=list(tints.values())
    )


def is_late(order: Any) -> bool:
    return order.state in IS_COMING and bool(order.late_days)


def count(number: int, one: str, more: str | None = None) -> str:
    """1 line, 12 lines."""
    return f"{ui.formats().number(number)} {one if number == 1 else more or f'{one}s'}"


def product(line: Any) -> str:
    """Name and SKU of a line as Markdown, and what the vendor calls it where that is something else."""
    codes = [line.sku, *([line.vendor_sku] if line.vendor_sku not in (None, line.sku) else [])]
    return f"**{ui.safe_md(line.name)}** &nbsp; :gray[{ui.safe_md(' · '.join(codes))}]"


def refuse_parts(sku: str, unit_of_measure: str, quantity: str | None) -> None:
    """Refuse 2.5 of what is counted in whole pieces."""
    if unit_of_measure not in WHOLE_UNITS or quantity is None:
        return
    amount = posting.exact(quantity, sku)
    if amount != amount.to_integral_value():
        raise BadInput(f"{sku} is counted in whole numbers: {posting.plain(amount)} is not one.")
