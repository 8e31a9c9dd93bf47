"""The lines to order: a tick, a quantity to edit in place, and what can be done with each."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date

import streamlit as st

from core import auth
from core.auth import Actor
from core.buying.advice_lines import Line
from dashboard import editing, pickers, reorder_choices, reorder_plan, reorder_why, reorder_words, ui
from dashboard.reorder_choices import SNOOZES
from dashboard.reorder_plan import ALL, HORIZONS, ROWS_PER_PAGE, Group

WIDTHS = (0.3, 2.45, 0.85, 1.35, 1.5, 1.7, 1.15, 1.15)
FIELD_PIXELS = 78
ORDER = "Worst first: out, late, order now; in each the most sales at stake first."
ASKED = "line"  # the word of the address that opens one
HEADERS = ("", "Product", "On hand", "Runs out", "Order", "Costs", "Order by", "")
HELP = {
    "Runs out": "In 8 of 10 cases between these days; under it how likely before an order of today arrives.",
    "Order by": "The last day to order in time, 9 times of 10; after that the vendor's order day.",
}


def draw(group: Group, person: Actor, today: date, sends: Mapping[str, date]) -> None:
    """The page of the group's lines that the address asks for, and under it the pages.

    `sends`: the next day on which each vendor takes orders, by its uid.
    """
    opened = opened_place(group.lines)
    if opened is None and ASKED in st.query_params:
        _draw_elsewhere()
    rows = page(group.lines, opened)
    may_buy, mine = auth.may(person, "buy"), reorder_plan.desk()
    may_take = {"order": may_buy, "transfer": auth.may(person, "move stock")}
    if mine.get("about") not in [reorder_plan.place_of(line) for line in rows]:
        # What was snoozed is no longer here; its answer and its Undo are.
        editing.draw_answer(mine, key="lines")
    st.caption(ORDER)
    with st.container(key="lines", gap=None):
        with st.container(key="line-head"):
            for column, words in zip(st.columns(WIDTHS, gap="xsmall"), HEADERS, strict=True):
                column.markdown(f":gray[{words}]", help=HELP.get(words))
        for line in rows:
            _draw_line(
                line, may_buy=may_buy, may_take=may_take[line.action], with_vendor=group.word == ALL,
                is_open=reorder_plan.place_of(line) == opened, today=today,
                sends_on=sends.get(reorder_plan.word_of(line)),
            )  # fmt: skip
    pickers.page_links(len(group.lines), ROWS_PER_PAGE)


def page(lines: Sequence[Line], opened: str | None) -> Sequence[Line]:
    """The rows of the page in the address; without one, of the page that holds the opened line."""
    number = pickers.page()
    if "page" not in st.query_params and opened:
        places = [reorder_plan.place_of(line) for line in lines]
        number = places.index(opened) // ROWS_PER_PAGE + 1
        if number > 1:
            pickers.remember("page", number)
    first = (number - 1) * ROWS_PER_PAGE
    if first and first >= len(lines):
        pickers.refuse("page", f"There is no page {number}, so the first one is shown.")
        first = 0
    return lines[first : first + ROWS_PER_PAGE]


def opened_place(lines: Sequence[Line]) -> str | None:
    """Which of these lines the address opens. A product's uid alone names its order, else its first transfer;
    with a warehouse behind a point it names one line."""
    asked = st.query_params.get(ASKED)
    named = [line for line in lines if asked in (reorder_plan.place_of(line), str(line.product_uid))]
    first = min(named, key=lambda line: line.action != "order", default=None)
    return reorder_plan.place_of(first) if first else None


def _draw_elsewhere() -> None:
    """The address names a line that is not among those shown."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="elsewhere"):
        st.markdown("The line you opened is not among these: in a draft, snoozed, or needed later.")
        st.button("Show everything", key="show_everything", on_click=_show_everything)


def _show_everything() -> None:
    asked = st.query_params[ASKED]
    st.query_params.from_dict({"days": max(HORIZONS, key=int), "lines": "all", ASKED: asked})


def _draw_line(
    line: Line, *, may_buy: bool, may_take: bool, with_vendor: bool, is_open: bool, today: date,
    sends_on: date | None,
) -> None:  # fmt: skip
    place = reorder_plan.place_of(line)
    mine = reorder_plan.desk()
    name = _key(line)
    with st.container(key=f"row-{name}", gap="xsmall"):
        tick, product, there, runs, amount, cost, by, act = st.columns(WIDTHS, gap="xsmall")
        with tick:
            if may_take and reorder_plan.can_be_taken(line):
                _draw_tick(line, place, mine)
        with product:
            st.markdown(reorder_words.product(line))
        there.markdown(reorder_words.stock(line))
        runs.markdown(reorder_words.run_out(line, today))
        with amount:
            _draw_quantity(line, name, mine, may_buy=may_buy)
        cost.markdown(reorder_words.cost(line, with_vendor=with_vendor))
        by.markdown(reorder_words.when(line, today, sends_on))
        with act:
            _draw_actions(line, name, place, mine, is_open=is_open, may_buy=may_buy)
        _draw_state(line, name, mine, may_buy=may_buy)
        if mine.get("about") == place:
            editing.draw_answer(mine, key=f"line-{name}")
        if is_open:
            reorder_why.draw(line, mine, today, may_buy=may_buy)


def _draw_tick(line: Line, place: str, mine: dict) -> None:
    key, ticked = f"tick_{_key(line)}", place not in mine["left_out"]
    if st.session_state.get(key) != ticked:
        st.session_state[key] = ticked
    st.checkbox(
        f"Order {line.name}",
        key=key,
        label_visibility="collapsed",
        on_change=reorder_choices.tick,
        args=(mine, place, key),
    )


def _draw_quantity(line: Line, name: str, mine: dict, *, may_buy: bool) -> None:
    """The quantity in a field that is written when it is left; emptied, it is what is computed."""
    if line.state in ("in draft", "ordered"):
        drafted = reorder_words.quantity(line, line.order_quantity)
        advised = reorder_words.quantity(line)
        told = f"**{ui.safe_md(drafted)}**"
        st.markdown(told if drafted == advised else f"{told}  \n:gray[{ui.safe_md(advised)} advised]")
        return
    if not may_buy:
        st.markdown(f"**{ui.safe_md(reorder_words.quantity(line))}**")
        return
    key, shown = f"quantity_{name}", float(line.quantity)
    is_refused = mine.get("about") == reorder_plan.place_of(line) and "refused" in mine
    # What was refused stays as it was typed; set anew without need, it would take back what is being typed.
    if not is_refused and st.session_state.get(key) != shown:
        st.session_state[key] = shown
    unit = ui.formats().unit(line.unit, line.quantity)
    # Each piece of a line is sent on its own, 25 times: no box around a field that has no unit beside it.
    box = st.container(horizontal=True, vertical_alignment="center", gap="xsmall") if unit else nullcontext()
    with box:
        st.number_input(
            f"Order of {line.name}{', ' + unit if unit else ''}", value=None, key=key, format="%.12g",
            step=float(line.multiple or 1), placeholder="computed", label_visibility="collapsed",
            on_change=reorder_choices.edit, args=(mine, line, key), width=FIELD_PIXELS,
        )  # fmt: skip
        if unit:
            st.markdown(f":gray[{ui.safe_md(unit)}]")


def _draw_actions(line: Line, name: str, place: str, mine: dict, *, is_open: bool, may_buy: bool) -> None:
    with st.container(horizontal=True, gap="xsmall", horizontal_alignment="right"):
        st.button(
            "Close" if is_open else "Why", key=f"why-{name}", type="tertiary",
            on_click=pickers.remember, args=(ASKED, None if is_open else place),
        )  # fmt: skip
        if may_buy and line.state == "open":
            st.menu_button(
                "", reorder_choices.snoozes(line), key=f"snooze-{name}", type="tertiary",
                icon=":material/snooze:",
                format_func=SNOOZES.get, help="Snooze", on_click=reorder_choices.snooze_by_menu,
                args=(mine, line, f"snooze-{name}"),
            )  # fmt: skip


def _draw_state(line: Line, name: str, mine: dict, *, may_buy: bool) -> None:
    """What is special about the line, with the button that ends it."""
    words = reorder_words.state(line)
    if words is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"line-state-{name}"):
        st.markdown(words)
        if line.order_uid is not None:
            st.page_link(
                "views/order.py", label="Open the order", icon=":material/arrow_forward:",
                query_params={"id": str(line.order_uid)},
            )  # fmt: skip
        elif may_buy and line.state == "snoozed":
            st.button(
                "Wake",
                key=f"wake-{name}",
                type="tertiary",
                icon=":material/alarm:",
                on_click=reorder_choices.wake,
                args=(mine, line),
            )
        elif may_buy and line.is_edited:
            st.button(
                "Reset",
                key=f"reset-{name}",
                type="tertiary",
                icon=":material/replay:",
                on_click=reorder_choices.reset,
                args=(mine, line),
            )


def _key(line: Line) -> str:
    """A line's name in widgets: product and warehouse, which stay when the advice is made anew."""
    return f"{line.product_id}-{line.warehouse_id}"
