"""Demand left out of a product's history, and the product it replaces: the forms, and what they did."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import exclusions, products, successors
from core.auth import Actor
from core.exclusions import Left, Sale
from dashboard import editing, remaking, ui
from dashboard.editing import Answer

DAYS, SALE = "Days", "One sale"
LEAVE_OUT, REPLACES = "leave out", "replaces"
YEARS_BACK = 10


def draw(product_id: int, sales: list[Sale], mine: dict, today: date) -> None:
    """Days, or one of these sales, and why."""
    form = mine["form"]
    with st.container(border=True, key="leave-out"):
        what = st.segmented_control(
            "What", [DAYS, SALE], default=DAYS, key=f"odd_what_{form}", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
        if what == SALE and not sales:
            st.markdown(":gray[Nothing was sold in the last 12 months that still counts.]")
        elif what == SALE:
            by_id = {sale.movement_id: sale for sale in sales}
            st.selectbox(
                "Sale, the largest first", list(by_id), index=None, key=f"odd_sale_{form}",
                format_func=lambda i: _sale(by_id[i]), placeholder="Choose a sale",
            )  # fmt: skip
        else:
            left, right = st.columns(2)
            about = {
                "min_value": today - timedelta(days=365 * YEARS_BACK),
                "max_value": today,
                "format": "YYYY-MM-DD",
            }
            left.date_input("From", mine["day"], key=f"odd_from_{form}", **about)
            right.date_input("Until (empty: one day)", None, key=f"odd_until_{form}", **about)
        st.text_input(
            "Reason", key=f"odd_reason_{form}", placeholder="Why this demand will not come again",
            max_chars=exclusions.REASON_CHARACTERS,
        )  # fmt: skip
        _draw_buttons(mine, "Leave it out", _leave_out, (mine, product_id, today))


def _draw_buttons(mine: dict, label: str, on_click: Any, args: tuple) -> None:
    with st.container(horizontal=True):
        st.button(label, type="primary", key=f"odd_do_{mine['open']}", on_click=on_click, args=args)
        st.button("Close", key="odd_close", on_click=_close, args=(mine,))


def _sale(sale: Sale) -> str:
    write = ui.formats()
    parts = [write.weekday(sale.on), write.quantity(sale.quantity), sale.customer, sale.reference]
    return " · ".join(part for part in parts if part)


def open_(mine: dict, what: str, day: date) -> None:
    """Open one of the forms; `day` is where days begin."""
    editing.renew(mine)
    mine["open"] = what
    mine["day"] = day
    mine.pop("answer", None)
    mine.pop("refused", None)


def _close(mine: dict) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


# -- Writes --------------------------------------------------------------------------------------------------


def _leave_out(mine: dict, product_id: int, today: date) -> None:
    form = mine["form"]
    said = {
        name: st.session_state.get(f"odd_{name}_{form}")
        for name in ("what", "sale", "from", "until", "reason")
    }

    def work(session: Session, person: Actor) -> Answer:
        then = _then(session, product_id, today)
        why = said["reason"] or ""
        if said["what"] == SALE:
            sale = editing.needed(said["sale"], "Sale", "choose")
            out = exclusions.leave_out_sale(session, person, product_id, sale, reason=why)
        else:
            start = editing.needed(said["from"], "From")
            out = exclusions.leave_out_days(
                session, person, product_id, start, said["until"], reason=why, today=today
            )
        undo = partial(_undo_leaving, exclusion_uid=str(out.uid), product_id=product_id, today=today)
        return Answer("Left out.", undo, then)

    if editing.write(mine, work) is not None:
        _close(mine)


def _undo_leaving(
    session: Session, person: Actor, *, exclusion_uid: str, product_id: int, today: date
) -> Answer:
    then = _then(session, product_id, today)
    exclusions.undo(session, person, exclusion_uid)
    return Answer("Counted again.", None, then)


def count_again(mine: dict, product_id: int, left: Left, today: date) -> None:
    """Let what was left out count again."""

    def work(session: Session, person: Actor) -> Answer:
        said = _undo_leaving(session, person, exclusion_uid=str(left.uid), product_id=product_id, today=today)
        again = partial(
            _leave_out_again, product_id=product_id, movement_id=left.movement_id, starts_on=left.starts_on,
            ends_on=left.ends_on, reason=left.reason, today=today,
        )  # fmt: skip
        return Answer(said.words, again, said.then)

    editing.write(mine, work)


def _leave_out_again(
    session: Session, person: Actor, *, product_id: int, movement_id: int | None, starts_on: date,
    ends_on: date, reason: str, today: date,
) -> Answer:  # fmt: skip
    then = _then(session, product_id, today)
    if movement_id is not None:
        exclusions.leave_out_sale(session, person, product_id, movement_id, reason=reason)
    else:
        exclusions.leave_out_days(session, person, product_id, starts_on, ends_on, reason=reason, today=today)
    return Answer("Left out again.", None, then)


def draw_replaces(product_id: int, mine: dict, today: date) -> None:
    """Which product it replaces."""
    form = mine["form"]
    st.text_input(
        "Replaces the product", key=f"odd_sku_{form}", placeholder="SKU of the old one",
        help="A new product goes on from the demand of the one it came after.", width=320,
    )  # fmt: skip
    _draw_buttons(mine, "Take over its history", _take_over, (mine, product_id, today))


def _take_over(mine: dict, product_id: int, today: date) -> None:
    sku = (st.session_state.get(f"odd_sku_{mine['form']}") or "").strip()
    replace(mine, product_id, sku, today)


def replace(mine: dict, product_id: int, sku: str | None, today: date) -> None:
    """Let the product replace the one with this SKU, or none."""

    def work(session: Session, person: Actor) -> Answer:
        then = _then(session, product_id, today)
        before = successors.predecessor(session, product_id)
        old = products.by_sku(session, editing.needed(sku, "SKU")) if sku is not None else None
        successors.take_over(session, person, product_id, old and old.uid)
        undo = partial(
            _undo_replacing, product_id=product_id, predecessor_uid=before and str(before.uid), today=today
        )
        words = editing.changed(
            "Replaces", before.sku if before else "nothing", old.sku if old else "nothing"
        )
        return Answer(words, undo, then)

    if editing.write(mine, work) is not None:
        _close(mine)


def _undo_replacing(
    session: Session, person: Actor, *, product_id: int, predecessor_uid: str | None, today: date
) -> Answer:
    then = _then(session, product_id, today)
    successors.take_over(session, person, product_id, predecessor_uid)
    return Answer("Undone.", None, then)


def _then(session: Session, product_id: int, today: date) -> partial[str]:
    """After the commit: the forecasts of the product and of those that have its history, made anew."""
    return remaking.one(session, product_id, successors.followers(session, product_id), today)
