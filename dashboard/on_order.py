"""Stock on its way, on the page of its product: noted down, changed, received, and what it does."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, expected, predictions
from core.auth import Actor
from core.posting import plain
from core.triage import Verdict
from dashboard import editing, looks, order_trouble, ui
from dashboard.editing import Answer
from dashboard.looks import ProductPage

NEW = "new"
USUAL_DAYS = 7  # the day a new form suggests


def draw(page: ProductPage, person: Actor, today: date) -> None:
    """The section; for somebody who may not plan it is there only when something is on its way."""
    may_plan = auth.may(person, "edit catalogue") and page.detail.product.is_active
    mine = editing.desk(f"on order {page.detail.product.uid}")
    ordered = order_trouble.of_product(page, today)
    is_quiet = not page.expected and not ordered.gone and not ordered.orders
    if is_quiet and not may_plan and "answer" not in mine and "refused" not in mine:
        return
    with ui.heading("On order"), st.container(horizontal=True, vertical_alignment="center"):
        order_trouble.draw_order_link(page, person)
        if may_plan and mine.get("open") != NEW:
            st.button(
                "Add stock on its way", icon=":material/add:", key="on_order_add", on_click=_open,
                args=(mine, NEW),
            )  # fmt: skip
    order_trouble.draw_of_product(ordered)
    if not page.expected and mine.get("open") != NEW:
        st.markdown(":gray[Nothing is on its way.]")
    for receipt in page.expected:
        _draw_line(page, receipt, ordered.orders.get(receipt.order_line_id), mine, person, today)
    if page.expected:
        _draw_effect(page, today)
    if mine.get("open") == NEW:
        _draw_plan(page, mine, None, today)
    editing.draw_answer(mine, key="on_order")


def arrivals(page: ProductPage, today: date) -> list[tuple[date, float, str]]:
    """What the stock path draws as steps: (day from today on, quantity, words)."""
    write = ui.formats()
    return [
        (max(day, today), float(quantity), f"{write.change(quantity)}{' overdue' if day < today else ''}")
        for day, quantity in page.outlook.due
    ]


def _draw_line(
    page: ProductPage, receipt: Any, order: dict | None, mine: dict, person: Actor, today: date
) -> None:
    """One delivery with its buttons; what belongs to an order is changed there."""
    write, uid = ui.formats(), str(receipt.uid)
    place = _place(page, receipt.warehouse_id)
    unit = ui.unit_md(page.detail.product.unit_of_measure, receipt.quantity)
    words = (
        f"**{ui.safe_md(write.quantity(receipt.quantity))}**{unit} on "
        f"**{ui.safe_md(write.day_from(receipt.expected_on, today))}** to {ui.safe_md(place)}"
    )
    if receipt.expected_on < today:
        words += " &nbsp; :orange-badge[Overdue]"
    is_ordered = receipt.order_line_id is not None
    if is_ordered and order is not None:
        words += f"  \n:gray[from {ui.safe_md(order['vendor'])}]"
    elif receipt.note:
        words += f"  \n:gray[{ui.safe_md(receipt.note)}]"
    with st.container(border=True, key=f"on-order-{uid}"):
        st.markdown(words)
        if mine.get("open") == uid:
            _draw_plan(page, mine, receipt, today)
            return
        if mine.get("open") == f"receive {uid}":
            _draw_receive(page, mine, receipt)
            return
        with st.container(horizontal=True):
            for label, icon, right, opens in (
                ("Receive", ":material/input:", "move stock", f"receive {uid}"),
                ("Change", ":material/edit:", "edit catalogue", uid),
            ):
                if auth.may(person, right) and not (is_ordered and opens == uid):
                    st.button(label, icon=icon, key=f"{label}-{uid}", on_click=_open, args=(mine, opens))
            if is_ordered and order is not None:
                order_trouble.link(order["number"], str(order["uid"]))
            if not is_ordered and auth.may(person, "edit catalogue"):
                st.button(
                    "Cancel delivery", icon=":material/close:", key=f"cancel-{uid}", on_click=_write,
                    args=(mine, page, partial(expected.cancel, receipt_uid=uid), partial(
                        expected.reopen, receipt_uid=uid), f"Cancelled: {words}"),
                )  # fmt: skip


def _draw_effect(page: ProductPage, today: date) -> None:
    """What the deliveries do to the run-out, in one line."""
    outlook = page.outlook
    if not outlook.due or outlook.passage is None:
        return
    with_it, without = when(outlook.verdict, today), when(outlook.without_due, today)
    if with_it == without:
        st.markdown(f":gray[It comes too late to move the run-out: {ui.safe_md(with_it)}.]")
    else:
        st.markdown(
            f":gray[Runs out] **{ui.safe_md(with_it)}** "
            f":gray[with what is on its way, {ui.safe_md(without)} without it.]"
        )


def when(verdict: Verdict, today: date) -> str:
    """When it runs out, in the middle of a sentence."""
    if verdict.status == "out":
        return "now"
    if verdict.status == "unknown":
        return "unknown"
    if verdict.p10_on is None:
        return "in over 3 months"
    return ui.formats().span(verdict.p10_on, verdict.p90_on, today)


def _place(page: ProductPage, warehouse_id: int) -> str:
    return next((level.code for level in page.detail.levels if level.warehouse_id == warehouse_id), "?")


# -- The forms -----------------------------------------------------------------------------------------------


def _draw_plan(page: ProductPage, mine: dict, receipt: Any, today: date) -> None:
    """How much comes where, and when: a new delivery, or a change of one."""
    form, levels = mine["form"], {level.warehouse_id: level for level in page.detail.levels}
    places = list(levels)
    left, middle, right = st.columns(3)
    with left:
        kept = receipt.quantity if receipt else None
        editing.number_field("Quantity", kept, key=f"on_order_quantity_{form}", placeholder="0")
    with middle:
        st.date_input(
            "Expected on", value=receipt.expected_on if receipt else today + timedelta(days=USUAL_DAYS),
            min_value=min(receipt.expected_on, today) if receipt else today,
            max_value=today + timedelta(days=expected.MOST_DAYS_AHEAD),
            key=f"on_order_day_{form}", format="YYYY-MM-DD",
        )  # fmt: skip
    with right:
        st.selectbox(
            "Warehouse", places, format_func=lambda place: levels[place].code,
            index=places.index(receipt.warehouse_id) if receipt and receipt.warehouse_id in levels else 0,
            key=f"on_order_place_{form}",
        )  # fmt: skip
    st.text_input(
        "Note on the delivery", value=(receipt.note or "") if receipt else "", key=f"on_order_note_{form}",
        placeholder="Order number, supplier ...",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Save" if receipt else "Add", type="primary", key="on_order_save", on_click=_save,
            args=(mine, page, receipt),
        )  # fmt: skip
        st.button("Close", key="on_order_close", on_click=_close, args=(mine,))


def _draw_receive(page: ProductPage, mine: dict, receipt: Any) -> None:
    form = mine["form"]
    editing.number_field(
        "Arrived", receipt.quantity, key=f"on_order_arrived_{form}", placeholder="0", width=200,
        help_="Less leaves the rest on its way.",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Book it in", type="primary", key="on_order_receive", on_click=_receive,
            args=(mine, page, receipt),
        )  # fmt: skip
        st.button("Close", key="on_order_close", on_click=_close, args=(mine,))


def _open(mine: dict, what: str) -> None:
    editing.renew(mine)
    mine["open"] = what
    mine.pop("answer", None)
    mine.pop("refused", None)


def _close(mine: dict) -> None:
    mine.pop("open", None)
    mine.pop("refused", None)


def _save(mine: dict, page: ProductPage, receipt: Any) -> None:
    """Add or change a delivery as the form says."""
    form, product_id, write = mine["form"], page.detail.product.id, ui.formats()
    today = looks.today()
    said = {
        name: st.session_state.get(f"on_order_{field}_{form}")
        for name, field in (("quantity", "quantity"), ("expected_on", "day"), ("warehouse_id", "place"),
                            ("note", "note"))
    }  # fmt: skip
    said["quantity"] = editing.number(said["quantity"])

    def work(session: Session, person: Actor) -> Answer:
        editing.needed(said["quantity"], "Quantity")
        editing.needed(said["expected_on"], "Expected on")
        before = predictions.outlook(session, product_id, today).verdict
        if receipt is None:
            kept = expected.add(session, person, product_id, today=today, **said)
            undo = partial(expected.cancel, receipt_uid=kept.uid)
        else:
            # Only what is another now: the day of an overdue delivery may stay.
            news = {name: value for name, value in said.items() if name != "expected_on"}
            if said["expected_on"] != receipt.expected_on:
                news["expected_on"] = said["expected_on"]
            kept = expected.change(session, person, receipt.uid, today, **news)
            olds = {name: getattr(receipt, name) for name in news}
            undo = partial(expected.change, receipt_uid=receipt.uid, **olds)
        words = f"{write.quantity(kept.quantity)} on {write.weekday(kept.expected_on)}"
        effect = _effect(session, product_id, before, today)
        return Answer(
            f"**{ui.safe_md(words)}**{effect}", partial(_undo, verb=undo, product_id=product_id, today=today)
        )

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _write(mine: dict, page: ProductPage, verb: Any, undo: Any, words: str) -> None:
    """One of the verbs that need no form, with the one that takes it back."""
    product_id, today = page.detail.product.id, looks.today()

    def work(session: Session, person: Actor) -> Answer:
        before = predictions.outlook(session, product_id, today).verdict
        verb(session, person, today=today)
        effect = _effect(session, product_id, before, today)
        return Answer(words + effect, partial(_undo, verb=undo, product_id=product_id, today=today))

    editing.write(mine, work)


def _receive(mine: dict, page: ProductPage, receipt: Any) -> None:
    """Book what arrived. The form's number is the key: a double click books once."""
    form, now = mine["form"], looks.now()
    arrived = editing.number(st.session_state.get(f"on_order_arrived_{form}"))

    def work(session: Session, person: Actor) -> Answer:
        quantity = editing.needed(arrived, "Arrived")
        booked = expected.receive(session, person, receipt.uid, key=form, quantity=quantity, now=now)
        (line,) = booked.lines
        words = editing.changed(
            f"In {ui.safe_md(_place(page, line.warehouse_id))}", plain(line.before), plain(line.after)
        )
        return Answer(words, partial(_take_back, movement_id=line.movement_id))

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _take_back(session: Session, person: Actor, movement_id: int) -> Answer:
    (line,) = expected.undo_receive(session, person, movement_id, now=looks.now()).lines
    return Answer(f"Undone: {editing.changed('', plain(line.before), plain(line.after)).strip()}")


def _undo(session: Session, person: Actor, *, verb: Any, product_id: int, today: date) -> Answer:
    before = predictions.outlook(session, product_id, today).verdict
    verb(session, person, today=today)
    return Answer("Undone" + _effect(session, product_id, before, today))


def _effect(session: Session, product_id: int, before: Verdict, today: date) -> str:
    """What a write did to the run-out of the shop: before -> after."""
    after = predictions.outlook(session, product_id, today).verdict
    then, now = when(before, today), when(after, today)
    return "" if then == now else f" &nbsp; {editing.changed('runs out', then, now)}"
