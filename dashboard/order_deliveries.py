"""What arrived of an order, one delivery after the other, with Undo."""

from itertools import groupby
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import order_receipts
from core.buying.order_looks import Detail
from dashboard import editing, looks, order_words, ui
from dashboard.editing import Answer

DELIVERIES_SHOWN = 10


def draw(detail: Detail, person: Actor) -> None:
    """Each delivery with what came, and Undo for whoever may book."""
    if not detail.receipts:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("**Deliveries**", width="content")
        st.page_link(
            "views/labels.py", label="Labels for what arrived", icon=":material/label:",
            query_params={"order": str(detail.order.uid)},
        )  # fmt: skip
    mine, write = editing.desk(f"deliveries {detail.order.uid}"), ui.formats()
    names = {line.uid: line for line in detail.lines}
    parts = [list(part) for _, part in groupby(detail.receipts, key=lambda one: one.posting_id)]
    for part in parts[:DELIVERIES_SHOWN]:
        first, counts = part[0], [one for one in part if one.undone_at is None]
        said = ", ".join(
            f"{write.quantity(one.quantity)} {names[one.line_uid].name} in {one.warehouse_code}"
            for one in (counts or part)
        )
        when = f"{write.ago(first.received_at, looks.now())} by {first.received_by}"
        words = f"**{ui.safe_md(when)}** &nbsp; {ui.safe_md(said)}"
        with st.container(horizontal=True, vertical_alignment="center", key=f"delivery-{first.posting_id}"):
            st.markdown(words if counts else f":gray[{words} (undone)]", width="stretch")
            if counts and auth.may(person, "move stock"):
                st.button("Undo", key=f"undo-delivery-{first.posting_id}", icon=":material/undo:",
                          on_click=_undo_delivery, args=(mine, first.posting_id))  # fmt: skip
    if len(parts) > DELIVERIES_SHOWN:
        st.markdown(f":gray[and {len(parts) - DELIVERIES_SHOWN} before]")
    editing.draw_answer(mine, key="deliveries")


def _undo_delivery(mine: dict[str, Any], posting_id: int) -> None:
    def work(session: Session, person: Actor) -> Answer:
        undone = order_receipts.undo_booking(session, person, posting_id, now=looks.now())
        lines = [line for booked in undone for line in booked.lines]
        words = f"Undone: {order_words.count(len(lines), 'line')} of it on the way again."
        return Answer(words, is_idle=not lines)

    editing.write(mine, work)
