"""An order that was sent: its lines, days that change, and what will not come."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from core import auth
from core.auth import Actor
from core.buying import order_lines, orders
from core.buying.order_looks import Detail, Line
from dashboard import editing, grid, looks, order_words, ui
from dashboard.editing import Answer

NARROW = {"Product": 176, "Open": 84, "Expected": 96}
REASON = {"give up": "Why it will not come", "cancel": "Why it is cancelled"}


def desk(detail: Detail) -> dict[str, Any]:
    """What this session does with an order, but for its lines and what it counts."""
    return editing.desk(f"order {detail.order.uid}")


# -- Lines ---------------------------------------------------------------------------------------------------


def draw_lines(detail: Detail, person: Actor, today: date) -> None:
    """The lines as a table; a click opens one below."""
    mine = desk(detail)
    if not detail.lines:
        st.markdown(":gray[Nothing was on it.]")
        return
    money = order_words.in_currency(detail.order.currency)
    write, lines = ui.formats(), detail.lines
    frame = pd.DataFrame(
        {
            "Product": [line.name for line in lines],
            "SKU": [line.sku for line in lines],
            "Ordered": [write.quantity(line.quantity) for line in lines],
            "Received": [_received(line) for line in lines],
            "Open": [write.quantity(line.open) if line.open else "" for line in lines],
            "Expected": [_expected(line) for line in lines],
            "To": [line.warehouse_code for line in lines],
            "Price": [money.price(line.unit_price) for line in lines],
            "Value": [money.money(line.value) for line in lines],
        }
    )
    # A new name after each click takes back the mark, or the click would count at every run.
    turn = st.session_state.setdefault("order_lines_turn", 0)
    row, _ = grid.draw(
        frame, NARROW, _config(), key=f"order_lines_{turn}_{len(lines)}",
        grey=[line.open == 0 for line in lines],
    )  # fmt: skip
    if row is not None:
        st.session_state["order_lines_turn"] = turn + 1
        mine["line"] = str(lines[row].uid)
        editing.renew(mine)
        st.rerun()
    chosen = next((line for line in lines if str(line.uid) == mine.get("line")), None)
    if chosen is not None:
        _draw_line(mine, detail, chosen, person, today)


def _received(line: Line) -> str:
    """12, or 14 (2 over), or 8 (4 given up)."""
    write = ui.formats()
    more = f" ({write.quantity(line.over)} over)" if line.over else ""
    gone = f" ({write.quantity(line.given_up)} given up)" if line.given_up else ""
    return f"{write.quantity(line.received)}{more}{gone}" if line.received or gone else ""


def _expected(line: Line) -> str:
    if not line.open or line.expected_on is None:
        return ""
    late = " (late)" if line.late_days else ""
    return f"{ui.formats().weekday(line.expected_on)}{late}"


def _config() -> dict[str, Any]:
    def text(name: str, width: int, alignment: str = "left", help_: str | None = None) -> Any:
        return st.column_config.TextColumn(name, width=width, alignment=alignment, help=help_)

    return {
        "Product": text("Product", 250),
        "SKU": text("SKU", 100),
        "Ordered": text("Ordered", 84, "right"),
        "Received": text("Received", 130, "right"),
        "Open": text("Open", 84, "right", "Still to come; it counts in every run-out."),
        "Expected": text("Expected", 140),
        "To": text("To", 84),
        "Price": text("Price", 90, "right"),
        "Value": text("Value", 100, "right"),
    }


def _draw_line(mine: dict[str, Any], detail: Detail, line: Line, person: Actor, today: date) -> None:
    """One line: its product, and for buyers its day, its note, and giving up its rest."""
    form, may_buy = mine["form"], auth.may(person, "buy") and line.open > 0
    with st.container(border=True, key="order-line"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(order_words.product(line), width="content")
            st.button("Close", key="line_close", on_click=_close_line, args=(mine,))
        if line.note:
            st.markdown(f":gray[{ui.safe_md(line.note)}]")
        if may_buy:
            _draw_day(f"line_day_{form}", line.expected_on, today)
        with st.container(horizontal=True):
            if may_buy:
                st.button("Save the day", type="primary", key="line_save", on_click=_save_day,
                          args=(mine, line, f"line_day_{form}"))  # fmt: skip
                rest = ui.formats().quantity(line.open)
                st.button(f"Give up the open {rest}", key="line_give_up", on_click=_give_up,
                          args=(mine, str(detail.order.uid), [str(line.uid)], None))  # fmt: skip
            st.page_link("views/product.py", label="Open the product", icon=":material/package_2:",
                         query_params={"id": str(line.product_uid)})  # fmt: skip


def _draw_day(key: str, day: date | None, today: date) -> None:
    st.date_input(
        "Expected on", day, key=key, format="YYYY-MM-DD", width=200,
        min_value=min(day or today, today), max_value=today + timedelta(days=order_lines.MOST_DAYS_AHEAD),
    )  # fmt: skip


def _close_line(mine: dict[str, Any]) -> None:
    mine.pop("line", None)


def _save_day(mine: dict[str, Any], line: Line, key: str) -> None:
    day, uid, before = st.session_state.get(key), str(line.uid), line.expected_on

    def work(session: Session, person: Actor) -> Answer:
        wanted = editing.needed(day, "Expected on")
        if wanted == before:
            return Answer("The day is as it was.", is_idle=True)
        order_lines.change(session, person, uid, looks.now(), looks.today(), expected_on=wanted)
        write = ui.formats()
        words = editing.changed(ui.safe_md(line.sku), write.weekday(before), write.weekday(wanted))
        can_undo = before is not None and before >= looks.today()
        return Answer(words, partial(_day_back, uid=uid, day=before) if can_undo else None)

    if editing.write(mine, work) is not None:
        _close_line(mine)


def _day_back(session: Session, person: Actor, *, uid: str, day: date) -> Answer:
    order_lines.change(session, person, uid, looks.now(), looks.today(), expected_on=day)
    return Answer(f"Expected on {ui.safe_md(ui.formats().weekday(day))} again.")


# -- The order as a whole ------------------------------------------------------------------------------------


def draw_changes(detail: Detail, today: date) -> None:
    """What a buyer may do with an order that is awaited, and the form of what was chosen."""
    mine, state = desk(detail), detail.order.state
    opened = mine.get("open")
    with st.container(horizontal=True, key="order-changes"):
        if state in order_words.IS_COMING:
            for label, icon, opens in (
                ("Change the day", ":material/event:", "day"),
                ("Give up the rest", ":material/remove_shopping_cart:", "give up"),
                ("Words and mail", ":material/mail:", "mail"),
            ):
                st.button(label, icon=icon, key=f"change-{opens}", on_click=open_, args=(mine, opens))
        if state in ("draft", "sent"):
            st.button("Cancel order", icon=":material/close:", key="change-cancel", on_click=open_,
                      args=(mine, "cancel"))  # fmt: skip
        if state == "cancelled" or any(line.given_up for line in detail.lines):
            st.button("It comes after all", icon=":material/replay:", key="reopen", on_click=_reopen,
                      args=(mine, str(detail.order.uid)))  # fmt: skip
    if opened == "day" and state in order_words.IS_COMING:
        _draw_delay(mine, detail, today)
    elif opened in REASON:
        _draw_ending(mine, detail, opened)


def open_(mine: dict[str, Any], what: str) -> None:
    """Open one of the forms, or close it again."""
    mine["open"] = None if mine.get("open") == what else what
    editing.renew(mine)
    mine.pop("answer", None)
    mine.pop("refused", None)


def _draw_delay(mine: dict[str, Any], detail: Detail, today: date) -> None:
    """The vendor announced another day: it counts for everything that is open."""
    key = f"order_day_{mine['form']}"
    with st.container(border=True, key="order-delay"):
        _draw_day(key, detail.order.expected_on, today)
        with st.container(horizontal=True):
            st.button("Change it for all open lines", type="primary", key="order_day_save", on_click=_delay,
                      args=(mine, detail, key))  # fmt: skip
            st.button("Close", key="order_day_close", on_click=open_, args=(mine, "day"))


def _delay(mine: dict[str, Any], detail: Detail, key: str) -> None:
    day, uid, before = st.session_state.get(key), str(detail.order.uid), detail.order.expected_on
    days = [(str(line.uid), line.expected_on) for line in detail.lines if line.open and line.expected_on]

    def work(session: Session, person: Actor) -> Answer:
        wanted = editing.needed(day, "Expected on")
        orders.change(session, person, uid, looks.now(), expected_on=wanted)
        write = ui.formats()
        # What is over cannot be expected again.
        can_undo = before is not None and all(
            kept >= looks.today() for kept in (before, *dict(days).values())
        )
        undo = partial(_days_back, uid=uid, day=before, days=days) if can_undo else None
        return Answer(editing.changed("Expected", write.weekday(before), write.weekday(wanted)), undo)

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _days_back(
    session: Session, person: Actor, *, uid: str, day: date, days: list[tuple[str, date]]
) -> Answer:
    """The order's day, and each line's own."""
    orders.change(session, person, uid, looks.now(), expected_on=day)
    for line_uid, kept in days:
        order_lines.change(session, person, line_uid, looks.now(), looks.today(), expected_on=kept)
    return Answer(f"Expected on {ui.safe_md(ui.formats().weekday(day))} again.")


def _draw_ending(mine: dict[str, Any], detail: Detail, what: str) -> None:
    """The reason, and the button that says what will be gone."""
    open_lines = [line for line in detail.lines if line.open]
    if what == "give up" and not open_lines:
        return
    number, uid, key = detail.order.number, str(detail.order.uid), f"because_{mine['form']}"
    with st.container(border=True, key="order-ending"):
        st.text_input(REASON[what], key=key, placeholder="For whoever reads it later", width=420,
                      max_chars=orders.NOTE_CHARACTERS)  # fmt: skip
        with st.container(horizontal=True):
            if what == "cancel":
                st.button(f"Cancel {number}", type="primary", key="cancel_order", on_click=_cancel,
                          args=(mine, uid, key))  # fmt: skip
            else:
                words = order_words.count(len(open_lines), "open line")
                st.button(f"Give up {words}", type="primary", key="give_up", on_click=_give_up,
                          args=(mine, uid, None, key))  # fmt: skip
            st.button("Keep it", key="ending_close", on_click=open_, args=(mine, what))


def _cancel(mine: dict[str, Any], uid: str, key: str) -> None:
    because = st.session_state.get(key)

    def work(session: Session, person: Actor) -> Answer:
        order = orders.cancel(session, person, uid, looks.now(), because=because)
        return Answer(f"{ui.safe_md(order.number)} is cancelled.", partial(_comes_again, uid=uid, lines=None))

    if editing.write(mine, work) is not None:
        mine.pop("open", None)


def _give_up(mine: dict[str, Any], uid: str, lines: list[str] | None, key: str | None) -> None:
    because = st.session_state.get(key) if key else None

    def work(session: Session, person: Actor) -> Answer:
        order = orders.give_up(session, person, uid, looks.now(), lines=lines, because=because)
        state = order_words.STATES[order.state].lower()
        words = f"Given up: no forecast counts on it any more. {ui.safe_md(order.number)} is {state}."
        return Answer(words, partial(_comes_again, uid=uid, lines=lines))

    if editing.write(mine, work) is not None:
        mine.pop("open", None)
        _close_line(mine)


def _reopen(mine: dict[str, Any], uid: str) -> None:
    editing.write(mine, partial(_comes_again, uid=uid, lines=None))


def _comes_again(session: Session, person: Actor, *, uid: str, lines: list[str] | None) -> Answer:
    order = orders.reopen(session, person, uid, looks.now(), lines=lines)
    return Answer(f"{ui.safe_md(order.number)} is {order_words.STATES[order.state].lower()} again.")
