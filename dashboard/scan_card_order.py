"""The card of a scan that may be part of a delivery: receive it against the order, or as loose stock.

The answer holds for the delivery: other products of the same order are received against it without a
question, and what is loose stays loose, until the delivery is taken off the desk (`forget`).

    desk["delivery"] = {"orders": uid -> number, "lines": product and place -> what was ordered there,
                        "loose": [product and place]}
"""

from decimal import Decimal
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.buying import order_looks
from core.buying.order_looks import OpenLine
from dashboard import scan_desk, ui
from db.session import reading

ASK = "ask"
OTHERS_SHOWN = 3  # orders besides the oldest: more than these are worked off from the order's own page


def question(desk: dict[str, Any], session: Session, product_id: int, warehouse_id: int) -> str | None:
    """Against which line of an order (its uid) a receipt is booked; ASK where a person decides, None: loose.

    Once the line of this delivery is complete, what comes on top of it is asked about as well.
    """
    mine, place = _delivery(desk), _place(product_id, warehouse_id)
    if place in mine["loose"]:
        return None
    lines = order_looks.open_lines(session, product_id, warehouse_id)
    for line in lines:
        if str(line.order_uid) in mine["orders"]:
            _remember(mine, place, line)
            return str(line.line_uid)
    return ASK if lines or place in mine["lines"] else None


def deliveries(desk: dict[str, Any]) -> dict[str, str]:
    """The orders that are being received: uid -> number, for the chips."""
    return dict(_delivery(desk)["orders"])


def forget(desk: dict[str, Any]) -> None:
    """The delivery is over: the next receipt is asked about anew."""
    desk.pop("delivery", None)


def _delivery(desk: dict[str, Any]) -> dict[str, Any]:
    return desk.setdefault("delivery", {"orders": {}, "lines": {}, "loose": []})


def _place(product_id: int, warehouse_id: int) -> str:
    return f"{product_id} {warehouse_id}"


def _remember(mine: dict[str, Any], place: str, line: OpenLine) -> None:
    mine["lines"][place] = {"number": line.number, "ordered": str(line.quantity)}


# -- The card ------------------------------------------------------------------------------------------------


def draw(desk: dict[str, Any], entry: dict[str, Any]) -> None:
    """The oldest order first; yes is the main button."""
    product_id, place = entry["product_id"], entry["warehouse_id"]
    with reading() as session:
        lines = order_looks.open_lines(session, product_id, place)
    pieces = Decimal(entry["quantity"] or entry["pieces"])
    if lines:
        st.markdown(_asked(entry, lines[0], pieces))
    else:
        st.markdown(_on_top(desk, entry, pieces))
    if entry.get("refused"):
        ui.refused(entry["refused"])
    amount = ui.formats().quantity(pieces)
    with st.container(horizontal=True):
        for nth, line in enumerate(lines[: OTHERS_SHOWN + 1]):
            label = (
                f"Receive {amount} on {line.number}" if nth == 0 else f"On {line.number} ({_expects(line)})"
            )
            st.button(
                label, key=f"order_take_{line.line_uid}", type="primary" if nth == 0 else "secondary",
                on_click=_receive, args=(desk, entry["key"], _place(product_id, place), line),
            )  # fmt: skip
        st.button(
            "No, book it as loose stock" if lines else "Book it as loose stock", key="order_loose",
            type="secondary" if lines else "primary",
            on_click=_loose, args=(desk, entry["key"], _place(product_id, place)),
        )  # fmt: skip
        st.button("Cancel", key="order_drop", on_click=scan_desk.drop, args=(desk, entry["key"]))


def _expects(line: OpenLine) -> str:
    return f"expects {ui.formats().quantity(line.open)}"


def _asked(entry: dict[str, Any], line: OpenLine, pieces: Decimal) -> str:
    """PO-2026-0012 from Acme expects 40 Desk lamp here: receive 12 against it?"""
    write = ui.formats()
    order = ui.safe_md(f"{line.number} from {line.vendor}")
    wanted = ui.safe_md(f"{_expects(line)} {entry['name']} in {line.warehouse_code}")
    words = f"**{order}** {wanted}: receive **{ui.safe_md(write.quantity(pieces))}** against it?"
    facts = []
    if line.received:
        facts.append(f"{write.quantity(line.received)} of {write.quantity(line.quantity)} came before")
    if due := line.promised_on or line.expected_on:
        facts.append(f"due {write.weekday(due)}")
    if facts:
        words += f"  \n:gray[{ui.safe_md(' · '.join(facts))}]"
    if pieces > line.open:
        words += f" &nbsp; :orange-badge[{ui.safe_md(write.quantity(pieces - line.open))} more than ordered]"
    return words


def _on_top(desk: dict[str, Any], entry: dict[str, Any], pieces: Decimal) -> str:
    """Nothing is open: the line is complete, or somebody else has received it meanwhile."""
    write, name = ui.formats(), ui.safe_md(entry["name"])
    line = _delivery(desk)["lines"].get(_place(entry["product_id"], entry["warehouse_id"]))
    more = ui.safe_md(write.quantity(pieces))
    if line is None:
        return f"No order expects **{name}** here any more. Book **{more}** all the same?"
    ordered = ui.safe_md(write.quantity(Decimal(line["ordered"])))
    return (
        f"All **{ordered}** {name} of **{ui.safe_md(line['number'])}** are here already. "
        f"Book **{more}** more than ordered?"
    )


def _receive(desk: dict[str, Any], key: str, place: str, line: OpenLine) -> None:
    """Yes: from now on what this order expects is received against it."""
    mine = _delivery(desk)
    mine["orders"][str(line.order_uid)] = line.number
    _remember(mine, place, line)
    scan_desk.go_on(desk, key, order_line_uid=str(line.line_uid))


def _loose(desk: dict[str, Any], key: str, place: str) -> None:
    """No: this product is not of an order, here and until the delivery is over."""
    mine = _delivery(desk)
    if place not in mine["loose"]:
        mine["loose"].append(place)
    scan_desk.go_on(desk, key)
