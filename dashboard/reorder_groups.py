"""Vendors first: what is to be ordered of each, what that solves, and how far it is to its limits."""

from datetime import date
from decimal import Decimal

import streamlit as st

from core.buying.advice_lines import Vendor
from dashboard import reorder_plan, reorder_words, ui
from dashboard.reorder_plan import ALL, Group, Plan


def draw(plan: Plan, chosen: Group, today: date) -> None:
    """A card for each group. On a phone the chosen one alone, with the way back to all."""
    if chosen.word == ALL:
        with st.container(key="vendors", gap="small"):
            _draw_cards(plan, chosen, today)
        return
    with st.container(key="wide-vendors", gap="small"):
        _draw_cards(plan, chosen, today)
    with st.container(key="narrow-vendor", gap="small"):
        st.button(
            "All vendors", key="vendors-all", icon=":material/arrow_back:", type="tertiary",
            on_click=reorder_plan.choose, args=(ALL,),
        )  # fmt: skip
        if chosen.lines:
            st.markdown(_words(chosen))
            _draw_limits(chosen, today)


def _draw_cards(plan: Plan, chosen: Group, today: date) -> None:
    for place, group in enumerate((plan.everything, *plan.groups)):
        with st.container(key=f"vendor-card-{place}", gap="xsmall"):
            st.button(
                _words(group),
                key=f"vendor-{place}",
                type="primary" if group.word == chosen.word else "secondary",
                width="stretch",
                wrap=True,
                on_click=reorder_plan.choose,
                args=(group.word,),
            )
            _draw_limits(group, today)


def _words(group: Group) -> str:
    """Name, money, lines, and what ordering them solves."""
    write = ui.formats()
    name = "All lines" if group.word == ALL else ui.safe_md(group.name)
    count = len(group.ticked) or len(group.lines)
    told = [ui.safe_md(reorder_words.lines(count))]
    if solved := reorder_words.problems(group.problems):
        told.append(solved)
    money = f"**{ui.safe_md(write.money(group.value))}** " if group.value else ""
    return f"{name}  \n{money}:gray[{told[0]}]" + (f"  \n{told[1]}" if len(told) > 1 else "")


def _draw_limits(group: Group, today: date) -> None:
    """The next limit of the vendor as a thin bar with words, and when it takes orders."""
    if group.terms is None or not group.ticked:
        return
    limit = next_limit(group.value, group.terms)
    if limit is not None:
        share, words = limit
        if share < 1:
            st.progress(share, text=words)
        else:
            st.caption(f":material/check: {words}")
    if words := order_day(group.terms, today):
        st.caption(words)


def next_limit(value: Decimal, terms: Vendor) -> tuple[float, str] | None:
    """The first limit that an order of this value does not reach: (how far it is, words); the share is 1 once
    all are reached, and None where the vendor has none."""
    write = ui.formats()
    for limit, noun in ((terms.order_minimum, "its minimum"), (terms.free_freight_from, "free freight")):
        if limit and value < limit:
            away, all_ = write.money(limit - value), write.money(limit)
            return float(value / limit), f"{ui.safe_md(away)} to {noun} of {ui.safe_md(all_)}"
    if terms.free_freight_from:
        return 1.0, "Free freight reached"
    return (1.0, "Its minimum is reached") if terms.order_minimum else None


def order_day(terms: Vendor, today: date) -> str:
    """When the vendor takes the next order, and when it is shut."""
    write = ui.formats()
    told = []
    if terms.send_on:
        day = "today" if terms.send_on <= today else write.day_from(terms.send_on, today)
        told.append(f"Order day {day}")
    if shutdown := terms.shutdown:
        told.append(f"shut {write.span(*shutdown, today)}")
    return ui.safe_md(", ".join(told))
