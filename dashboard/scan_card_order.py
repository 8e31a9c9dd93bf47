"""The card of a scan that may be part of a delivery: receive it against the order, or as loose stock."""

from decimal import Decimal
from typing import Any

import streamlit as st

from core.buying import order_looks
from core.buying.order_looks import OpenLine
from dashboard import scan_delivery, scan_desk, ui
from db.session import reading

OTHERS_SHOWN = 3  # orders besides the oldest: more than these are worked off from the order's own page


def draw(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """The oldest order first; yes is the main button."""
    with reading() as session:
        lines = order_looks.open_lines(session, entry["product_id"], entry["warehouse_id"])
    pieces = Decimal(entry["quantity"] or entry["pieces"])
    st.markdown(_asked(entry, lines[0], pieces) if lines else _on_top(desk, entry, pieces))
    if entry.get("refused"):
        ui.refused(entry["refused"])
    amount = ui.formats().quantity(pieces)
    with st.container(horizontal=True):
        for nth, line in enumerate(lines[: OTHERS_SHOWN + 1]):
            label = f"On {line.number} ({_expects(line)})" if nth else f"Receive {amount} on {line.number}"
            st.button(
                label, key=f"order_take_{line.line_uid}", type="secondary" if nth else "primary",
                on_click=_receive, args=(desk, entry, line),
            )  # fmt: skip
        st.button(
            "No, book it as loose stock" if lines else "Book it as loose stock", key="order_loose",
            type="secondary" if lines else "primary", on_click=_keep_loose, args=(desk, entry),
        )  # fmt: skip
        st.button("Cancel", key="order_drop", on_click=scan_desk.drop, args=(desk, entry["key"]))


def _expects(line: OpenLine) -> str:
    return f"expects {ui.formats().quantity(line.open)}"


def _asked(entry: dict[str, Any], line: OpenLine, pieces: Decimal) -> str:
    """PO-2026-0012 from Acme expects 40 Desk lamp in WH-A: receive 12 against it?"""
    write = ui.formats()
    order = ui.safe_md(f"{line.number} from {line.vendor}")
    wanted = ui.safe_md(f"{_expects(line)} {entry['name']} in {line.warehouse_code}")
    words = f"**{order}** {wanted}: receive **{ui.safe_md(write.quantity(pieces))}** against it?"
    if pieces > line.open:
        words += f" &nbsp; :orange-badge[{ui.safe_md(write.quantity(pieces - line.open))} more than ordered]"
    facts = []
    if line.received:
        facts.append(f"{write.quantity(line.received)} of {write.quantity(line.quantity)} came before")
    if due := line.promised_on or line.expected_on:
        facts.append(f"due {write.weekday(due)}")
    return f"{words}  \n:gray[{ui.safe_md(' · '.join(facts))}]" if facts else words


def _on_top(desk: dict[str, Any], entry: dict[str, Any], pieces: Decimal) -> str:
    """Nothing is open: the line is complete, or somebody else has received it meanwhile."""
    write, name = ui.formats(), ui.safe_md(entry["name"])
    more = ui.safe_md(write.quantity(pieces))
    known = scan_delivery.before(desk, entry["product_id"], entry["warehouse_id"])
    if known is None:
        return f"No order expects **{name}** here any more. Book **{more}** all the same?"
    number, ordered = known
    all_of_it = ui.safe_md(write.quantity(Decimal(ordered)))
    return (
        f"All **{all_of_it}** {name} of **{ui.safe_md(number)}** are here already. "
        f"Book **{more}** more than ordered?"
    )


def _receive(desk: dict[str, Any], entry: dict[str, Any], line: OpenLine) -> None:
    scan_delivery.receive(desk, entry["product_id"], line)
    scan_desk.go_on(desk, entry["key"], order_line_uid=str(line.line_uid))


def _keep_loose(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    scan_delivery.keep_loose(desk, entry["product_id"], entry["warehouse_id"])
    scan_desk.go_on(desk, entry["key"])
