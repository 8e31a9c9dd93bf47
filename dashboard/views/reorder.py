"""What to order today: vendors, the lines of each with why, and one press that makes the draft orders."""

from collections import Counter
from datetime import date

import streamlit as st

from core import auth
from core.buying import advice_lines
from dashboard import (
    looks,
    reorder_drafts,
    reorder_filler,
    reorder_groups,
    reorder_lines,
    reorder_plan,
    reorder_run,
    reorder_settings,
    signin,
    ui,
)
from dashboard.reorder_plan import NOBODY, Asked, Group, Plan
from db.session import reading

LONGEST_HORIZON = max(int(days) for days in reorder_plan.HORIZONS)
WORDS = (
    "What to order today",
    "What to order of whom, how much and by when, so that the goal is reached with the least stock. "
    "Stock counts a warehouse together with those it supplies. Nothing is sent from here: you make drafts.",
)


def draw_plan(plan: Plan, asked: Asked) -> None:
    chosen = reorder_plan.group_in_address(plan)
    with title:
        reorder_drafts.draw_button(plan, chosen, person)
    reorder_drafts.draw_outcome()
    if not plan.everything.lines:
        draw_nothing(asked)
        return
    left, right = st.columns([1, 3.9], gap="medium")
    with left:
        reorder_groups.draw(plan, chosen, today)
    with right:
        draw_group(plan, chosen, asked)


def draw_group(plan: Plan, chosen: Group, asked: Asked) -> None:
    if not chosen.lines:
        ui.empty(
            "Nothing is left here.", "What was here is in drafts, snoozed, or not to be ordered yet.",
            button="See all lines", on_click=lambda: reorder_plan.choose(reorder_plan.ALL),
        )  # fmt: skip
        return
    if plan.is_cut:
        most = ui.formats().number(reorder_plan.MOST_LINES)
        st.caption(f"These are the {most} most urgent lines; a shorter horizon or a search shows others.")
    if chosen.word == NOBODY or not any(line.vendor_uid for line in plan.everything.lines):
        draw_without_offers(plan)
    reorder_filler.draw(chosen, asked, person, today)
    reorder_lines.draw(chosen, person, today, plan.sends)
    reorder_drafts.draw_footer(plan, chosen, person, f"runout-reorder-{today:%Y-%m-%d}.csv")


def draw_without_offers(plan: Plan) -> None:
    """Lines that nobody offers cannot be ordered: where offers come from."""
    if plan.group(NOBODY) is None:
        return
    with st.container(border=True, key="no-offers"):
        st.markdown("**Nobody offers these products yet.**")
        st.markdown(":gray[A draft needs a vendor and a price. Bring in a price list, or add an offer.]")
        with st.container(horizontal=True):
            if auth.may(person, "import"):
                st.page_link(
                    "views/imports.py", label="Bring in a price list", icon=":material/upload_file:",
                    query_params={"kind": "prices"},
                )  # fmt: skip
            st.page_link("views/vendors.py", label="Vendors", icon=":material/storefront:")


# -- Nothing to order ----------------------------------------------------------------------------------------


def draw_nothing(asked: Asked) -> None:
    """Why there is no line, and the one step that helps."""
    if asked.is_filtered:
        ui.empty(
            "No line fits these filters.", "Take one away, or search for part of a name or SKU.",
            button="Clear the filters", on_click=st.query_params.clear,
        )  # fmt: skip
        return
    if not is_forecast():
        draw_without_forecasts()
        return
    following = next_lines(asked)
    when = "today" if not asked.horizon_days else f"within {asked.horizon_days} days"
    if following is None:
        hint = f"Nothing is needed within {LONGEST_HORIZON} days either."
        ui.empty(f"Nothing to order {when}.", hint, button="See all products", page="views/products.py")
        return
    write, (day, count) = ui.formats(), following
    noun = "product" if count == 1 else "products"
    ui.empty(
        f"Nothing to order {when}.",
        f"Next expected order: {ui.safe_md(write.weekday(day))} ({write.number(count)} {noun}).",
        button=f"Look {LONGEST_HORIZON} days ahead",
        on_click=lambda: st.query_params.update(days=str(LONGEST_HORIZON)),
    )


def next_lines(asked: Asked) -> tuple[date, int] | None:
    """The first day on which something is to be ordered, and of how many products."""
    if asked.horizon_days >= LONGEST_HORIZON:
        return None
    with reading() as session:
        found = advice_lines.lines(
            session, today, horizon_days=LONGEST_HORIZON, limit=reorder_plan.MOST_LINES
        ).rows
    days = Counter(line.needed_on for line in found if line.needed_on is not None)
    return (min(days), days[min(days)]) if days else None


def is_forecast() -> bool:
    """Whether any product has a forecast: without one there is advice too, and it says nothing."""
    fresh = looks.freshness(today)
    return fresh["without_forecast"] < fresh["products"]


def draw_without_forecasts() -> None:
    ui.empty(
        "Nothing can be advised yet.",
        "Orders follow from forecasts, and no product has one. That takes 30 days of history and two days "
        "with sales.",
        button="See forecasts", page="views/forecasts.py",
    )  # fmt: skip


def draw_before_the_first() -> None:
    """No advice yet: because there are no forecasts, or because nobody made it so far."""
    if not is_forecast():
        draw_without_forecasts()
    elif auth.may(person, "buy"):
        ui.empty("No advice yet.", "It is made every night after the forecasts. Compute it now.")
    else:
        ui.empty("No advice yet.", "It is made every night after the forecasts, or when a manager asks.")


person = signin.require()
today = looks.today()
with ui.title_line(*WORDS):
    title = st.container()
asked = reorder_plan.filters()
plan = reorder_plan.look(asked, today)
if plan.head is None:
    draw_before_the_first()
else:
    draw_plan(plan, asked)
reorder_run.draw(plan.head, person)
if plan.head is not None:
    reorder_settings.draw(plan.head, person)
