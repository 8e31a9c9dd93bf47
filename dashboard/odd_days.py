"""What a product's forecast learned from: empty shelves, what was left out or limited, events."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from core import auth, demand_events, exclusions, successors
from core.auth import Actor
from core.demand_events import Shown
from core.exclusions import Left, Sale
from core.forecast.training import HORIZON_DAYS
from dashboard import editing, event_form, event_words, leaving_out, looks, ui
from dashboard.looks import ProductPage
from db.session import reading

SALES_DAYS = 365  # how far back sales are offered
MOST_SALES = 50


@dataclass(frozen=True)
class Known:
    """What people and the forecast say about the product's past days."""

    left: list[Left]
    limited: list[tuple[date, float, float]]
    events: list[Shown]
    replaced: Any  # the product it replaces, or None
    sales: list[Sale]


def draw(page: ProductPage, person: Actor, today: date) -> None:
    """The section; whoever may edit forecasts can leave demand out and say what the product replaces."""
    may_edit = auth.may(person, "edit forecast") and page.detail.product.is_active
    mine = editing.desk(f"odd days {page.detail.product.uid}")
    known = _look(page, today, with_sales=mine.get("open") == leaving_out.LEAVE_OUT)
    with ui.heading("What the forecast learned from"):
        if may_edit and mine.get("open") != leaving_out.LEAVE_OUT:
            st.button(
                "Leave demand out", icon=":material/event_busy:", key="odd_leave_out",
                on_click=leaving_out.open_, args=(mine, leaving_out.LEAVE_OUT, today - timedelta(days=1)),
            )  # fmt: skip
    if may_edit and mine.get("open") == leaving_out.LEAVE_OUT:
        leaving_out.draw(page.detail.product.id, known.sales, mine, today)
    editing.draw_answer(mine, key="odd_days")
    st.markdown(_shelf(page, today))
    for left in known.left:
        _draw_left(page, left, mine, today, may_edit=may_edit)
    for day, demand, counted in known.limited:
        _draw_limited((day, demand, counted), mine, may_edit=may_edit)
    for event in known.events:
        _draw_event(event, today)
    _draw_replaced(page, known, mine, today, may_edit=may_edit)


def _look(page: ProductPage, today: date, *, with_sales: bool) -> Known:
    product = page.detail.product
    since, until = today - timedelta(days=looks.CHART_DAYS), today + timedelta(days=HORIZON_DAYS)
    with reading() as session:
        sales = []
        if with_sales:
            sales = exclusions.sales(session, product.id, today - timedelta(days=SALES_DAYS), MOST_SALES)
        return Known(
            exclusions.of_product(session, product.id),
            exclusions.limited(session, product.id),
            demand_events.of_product(session, product, since, until),
            successors.predecessor(session, product.id),
            sales,
        )


# -- What there is -------------------------------------------------------------------------------------------


def _shelf(page: ProductPage, today: date) -> str:
    """Days without stock of the last 90 days, or of as many as there are, and what they lost; today is not
    over."""
    write, path = ui.formats(), page.path[[day < today for day in page.path.day]]
    if not len(path):
        return ":gray[It was never in stock before today: there is nothing to learn from yet.]"
    is_young = len(path) < looks.CHART_DAYS
    days_known = f"its first {write.number(len(path))} days" if is_young else "the last 90 days"
    if len(path) == 1:
        days_known = "its first day"
    without = int((~path.in_stock.astype(bool)).sum())
    if not without:
        every = "on" if len(path) == 1 else "on every one of"
        return f":gray[In stock {every} {days_known}: each of them showed its demand.]"
    days = "1 day" if without == 1 else f"{write.number(without)} days"
    lost = float(path.lost.sum())
    unit = ui.unit_md(page.detail.product.unit_of_measure, lost)
    about = f"about **{ui.safe_md(write.number(lost, 0 if lost >= 10 else 1))}**{unit} were lost"
    said = about if lost >= 0.05 else "hardly anything was lost"
    return f"**{days} without stock** in {days_known}, on which {said}. :gray[These days count as unseen.]"


def _line() -> Any:
    """What belongs left and right in one line; on a phone one under the other."""
    return st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")


def _draw_left(page: ProductPage, left: Left, mine: dict, today: date, *, may_edit: bool) -> None:
    write, uid = ui.formats(), str(left.uid)
    if left.movement_id is not None:
        unit = ui.unit_md(page.detail.product.unit_of_measure, left.quantity)
        what = f"sale of {ui.safe_md(write.quantity(left.quantity))}{unit}, {_days(left, today)}"
    else:
        what = _days(left, today)
    with st.container(border=True, key=f"left-{uid}"), _line():
        st.markdown(
            f":gray-badge[Left out] **{what}**  \n{ui.safe_md(left.reason)} "
            f":gray[· {ui.safe_md(left.who)}, {ui.safe_md(write.day(left.at.date()))}]",
            width="content",
        )
        if may_edit:
            st.button(
                "Count it again", key=f"again-{uid}", icon=":material/undo:",
                on_click=leaving_out.count_again, args=(mine, page.detail.product.id, left, today),
            )  # fmt: skip


def _days(left: Left, today: date) -> str:
    write = ui.formats()
    if left.starts_on == left.ends_on:
        return ui.safe_md(write.weekday(left.starts_on))
    return ui.safe_md(write.span(left.starts_on, left.ends_on, today))


def _draw_limited(found: tuple[date, float, float], mine: dict, *, may_edit: bool) -> None:
    write, (day, demand, counted) = ui.formats(), found
    with st.container(border=True, key=f"limited-{day}"), _line():
        st.markdown(
            f":orange-badge[One-off] **{ui.safe_md(write.weekday(day))}: {ui.safe_md(write.quantity(demand))}"
            f" asked for, counted as {ui.safe_md(write.quantity(counted))}**  \n"
            ":gray[Ten times above every other day it is taken for a slip; the second largest day counts.]",
            width="content",
        )
        if may_edit:
            st.button(
                "Leave the day out", key=f"limited-out-{day}", on_click=leaving_out.open_,
                args=(mine, leaving_out.LEAVE_OUT, day),
            )  # fmt: skip


def _draw_event(event: Shown, today: date) -> None:
    words = event_words.learned(event, event_form.lesson(event, today), today)
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key=f"odd-event-{event.uid}"
    ):
        st.markdown(f":blue-badge[{event_words.KINDS[event.kind]}]", width="content")
        st.page_link(
            "views/events.py", label=f"**{ui.safe_md(f'{event.name}, {event_words.days(event, today)}')}**",
            query_params={"id": str(event.uid)},
        )  # fmt: skip
        st.markdown(f":gray[{ui.safe_md(words)}]", width="content")


def _draw_replaced(page: ProductPage, known: Known, mine: dict, today: date, *, may_edit: bool) -> None:
    if known.replaced is not None:
        with st.container(border=True, key="replaces"), _line():
            st.markdown(
                f":gray-badge[Replaces] **{ui.safe_md(f'{known.replaced.sku} {known.replaced.name}')}**"
                "  \n:gray[Its demand, and that of what it replaced, is part of this history.]",
                width="content",
            )
            if may_edit:
                st.button(
                    "Replaces nothing", key="replaces_nothing", icon=":material/link_off:",
                    on_click=leaving_out.replace,
                    args=(mine, page.detail.product.id, None, today),
                )  # fmt: skip
    elif may_edit and mine.get("open") == leaving_out.REPLACES:
        leaving_out.draw_replaces(page.detail.product.id, mine, today)
    elif may_edit:
        st.button(
            "It replaces another product", icon=":material/link:", key="odd_replaces", type="tertiary",
            on_click=leaving_out.open_, args=(mine, leaving_out.REPLACES, today),
        )  # fmt: skip
