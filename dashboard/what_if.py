"""What if, on a product's page: another demand, lead time or order beside what is. The address holds it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from core import what_if
from core.posting import plain
from core.triage import Verdict
from core.what_if import Advice, Answer, Base, Outcome, Scenario
from dashboard import pickers, ui
from dashboard.charts import stock as stock_chart
from dashboard.looks import ProductPage
from db.session import reading

OPEN = "whatif"
CHANCES = (("chance_7", "Out in 7 days"), ("chance_14", "Out in 14 days"), ("chance_30", "Out in 30 days"),
           ("chance_before_replenishment", "Out before an order of today arrives"))  # fmt: skip


@dataclass(frozen=True)
class Overlay:
    """The scenario of the address, computed: `picture` is what the stock path draws of it, None when nothing
    is assumed; `refused` are the words of the address that were ignored, each with its sentence."""

    known: Base
    answer: Answer
    refused: dict[str, str]
    picture: stock_chart.WhatIf | None


def overlay(page: ProductPage, today: date) -> Overlay | None:
    """The scenario that the address asks for; None while the panel is shut, and without a forecast."""
    if OPEN not in st.query_params or page.outlook.passage is None:
        return None
    place = pickers.warehouse_in_address()
    with reading() as session:
        known = what_if.base(session, page.detail.product.id, today, place.id if place else None)
    if known is None:
        return None
    scenario, refused = what_if.read(known, st.query_params.to_dict())
    answer = what_if.answer(known, scenario)
    changes = answer.after != answer.before
    return Overlay(known, answer, refused, _picture(known, answer) if changes else None)


def draw(page: ProductPage, asked: Overlay | None) -> None:
    """The switch, and under it what is assumed, how much to order, and what comes of it beside what is."""
    if page.outlook.passage is None:
        return
    st.session_state[f"what_if_{OPEN}"] = asked is not None
    st.toggle("What if", key=f"what_if_{OPEN}", on_change=_switched)
    if asked is None:
        return
    with st.container(border=True, key="what-if"):
        _draw_fields(asked.known, asked.answer)
        if asked.refused:
            ui.refused(" ".join(asked.refused.values()))
        _draw_advice(page, asked.known, asked.answer)
        st.markdown(_table(asked.known, asked.answer))
        said = asked.answer.scenario != Scenario() or asked.refused
        st.button("Reset", icon=":material/replay:", key="what_if_reset", on_click=_reset, disabled=not said)


# -- What is assumed -----------------------------------------------------------------------------------------


def _draw_fields(known: Base, answer: Answer) -> None:
    """One field a word of the address; it shows what the address says, or what is."""
    scenario, write = answer.scenario, ui.formats()
    lead = known.lead_time_days if scenario.lead_time_days is None else scenario.lead_time_days
    with st.grid(3, min_column_width=190, gap="small"):
        _field(
            st.slider, "Demand, change in %", "demand", scenario.demand_percent, 0, step=1, format="%+d %%",
            min_value=what_if.DEMAND_PERCENT[0], max_value=what_if.DEMAND_PERCENT[1],
        )  # fmt: skip
        _field(
            st.number_input, "Lead time in days", "lead", lead, known.lead_time_days, value=None, step=1,
            placeholder=str(known.lead_time_days),
        )  # fmt: skip
        _field(
            st.number_input, "Service level in %", "service", float(scenario.service_percent),
            float(what_if.USUAL_SERVICE_PERCENT), value=None, step=1.0, format="%.12g",
            placeholder=str(what_if.USUAL_SERVICE_PERCENT),
            help="The chance that everything that is asked for is there.",
        )  # fmt: skip
        days = {"min_value": known.today, "max_value": known.last_on, "format": "YYYY-MM-DD"}
        _field(st.date_input, "Order on", "order", scenario.order_on or known.today, known.today, **days)
        _field(
            st.number_input, "Order quantity", "quantity",
            float(scenario.quantity) if scenario.quantity else None, None, value=None, step=1.0,
            format="%.12g", placeholder="none",
            help=f"It arrives on {write.day(answer.arrives_on)}, after the lead time.",
        )  # fmt: skip
        _field(
            st.date_input, "Should last until", "until", answer.until_on,
            None if scenario.until_on else answer.until_on, **days,
            help="Left alone: until the next order could arrive, placed when this one does.",
        )  # fmt: skip


def _field(widget: Any, label: str, word: str, shown: Any, usual: Any, **about: Any) -> None:
    key = f"what_if_{word}"
    # Only what differs is set: set anew, it would take back what somebody moved on to in the meantime.
    if st.session_state.get(key) != shown:
        st.session_state[key] = shown
    widget(label, key=key, on_change=_changed, args=(word, key, usual), **about)


def _changed(word: str, key: str, usual: Any) -> None:
    """The address is what counts; what is usual needs no word. Refused words of others are forgotten."""
    value = st.session_state[key]
    if isinstance(value, float):
        value = repr(value).removesuffix(".0")
    pickers.remember(word, None if value is None or value in (usual, _written(usual)) else value)


def _written(usual: Any) -> Any:
    return repr(usual).removesuffix(".0") if isinstance(usual, float) else usual


def _switched() -> None:
    opened = st.session_state[f"what_if_{OPEN}"]
    _reset()
    pickers.remember(OPEN, 1 if opened else None)


def _reset() -> None:
    for word in what_if.WORDS:
        pickers.remember(word, None)


def _use(quantity: str) -> None:
    pickers.remember("quantity", quantity)


# -- What comes of it ----------------------------------------------------------------------------------------


def _draw_advice(page: ProductPage, known: Base, answer: Answer) -> None:
    """How much to order, in one sentence, and the button that assumes it."""
    advice, write = answer.advice, ui.formats()
    if advice is None:
        end = ui.safe_md(write.day(known.last_on))
        st.markdown(f"The order would arrive after **{end}**, the last day that is forecast.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_advice(page, known, answer.scenario, advice))
        if advice.quantity and advice.quantity != answer.scenario.quantity:
            st.button(
                f"Try {ui.safe_md(write.quantity(advice.quantity))}", key="what_if_use", on_click=_use,
                args=(plain(advice.quantity),),
            )  # fmt: skip


def _advice(page: ProductPage, known: Base, scenario: Scenario, advice: Advice) -> str:
    write = ui.formats()
    level = ui.safe_md(f"{plain(advice.percent)} %")
    until = ui.safe_md(write.weekday(advice.until_on))
    words = f"**No order is needed**: all that is asked for until **{until}** is there with {level} chance."
    if advice.quantity:
        quantity = ui.safe_md(write.quantity(advice.quantity))
        unit = ui.unit_md(page.detail.product.unit_of_measure, advice.quantity)
        order_on = scenario.order_on or known.today
        when = "today" if order_on == known.today else f"on {ui.safe_md(write.weekday(order_on))}"
        arrives = ui.safe_md(write.weekday(advice.arrives_on))
        words = (
            f"Order **{quantity}**{unit} {when}: it arrives **{arrives}**, and with {level} chance "
            f"all that is asked for from then until **{until}** is there."
        )
    if advice.chance_before >= 1 - float(advice.percent) / 100:
        gone = ui.safe_md(write.share(advice.chance_before))
        is_empty = advice.quantity and known.on_hand <= 0 and not known.receipts
        before = (
            "Nothing is on hand until then." if is_empty else f"It may be used up before that: {gone} chance."
        )
        words += f" :orange[{before}]"
    return words


def _table(known: Base, answer: Answer) -> str:
    """What is, and what would be, as Markdown; what differs is bold."""
    write = ui.formats()
    until = f"Lost until {write.day(answer.until_on)}"
    lines = ["| | Now | What if |", "|:--|--:|--:|"]
    before, after = (_told(known, outcome, until) for outcome in (answer.before, answer.after))
    for label, now in before.items():
        then = after[label]
        shown = ui.safe_md(then) if then == now else f"**{ui.safe_md(then)}**"
        lines.append(f"| {ui.safe_md(label)} | {ui.safe_md(now)} | {shown} |")
    return "\n".join(lines)


def _told(known: Base, outcome: Outcome, until: str) -> dict[str, str]:
    verdict, passage, write = outcome.verdict, outcome.passage, ui.formats()
    by = verdict.order_by_on
    money = f" ({write.money(outcome.money_lost)})" if outcome.money_lost else ""
    return {
        "Runs out": _when(verdict, known.today),
        "Most likely": _likely(verdict, known.last_on),
        **{label: write.share(getattr(passage, name)) for name, label in CHANCES},
        until: f"{write.number(outcome.lost, 1)}{money}",
        "Demand": write.rate(passage.daily_rate),
        "Cover": write.cover(passage.days_of_cover, known.on_hand),
        "Order by": ("now" if by <= known.today else write.weekday(by)) if by else "no need yet",
    }


def _when(verdict: Verdict, today: date) -> str:
    if verdict.status == "out":
        return "now"
    if verdict.p10_on is None:
        return "over 3 months"
    return ui.formats().span(verdict.p10_on, verdict.p90_on, today)


def _likely(verdict: Verdict, last_on: date) -> str:
    """The most likely day; where it lies beyond what is forecast, that it does."""
    write = ui.formats()
    return write.weekday(verdict.p50_on) if verdict.p50_on else f"after {write.day(last_on)}"


def _picture(known: Base, answer: Answer) -> stock_chart.WhatIf:
    verdict = answer.after.verdict
    out = verdict.status == "out"
    words = "what if" if out else f"what if: {_when(verdict, known.today)}"
    quantity = answer.scenario.quantity
    order = ()
    if quantity and answer.arrives_on <= known.last_on:
        order = ((answer.arrives_on, float(quantity), f"{ui.formats().change(quantity)} ordered"),)
    days = (None, None, None) if out else (verdict.p10_on, verdict.p50_on, verdict.p90_on)
    return stock_chart.WhatIf(answer.fan, days, words, order)
