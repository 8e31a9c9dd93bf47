"""How far a product's run-out dates can be trusted: the sentence beside each range, and its scorecard."""

from datetime import date
from typing import Any

import streamlit as st

from core import scorecard
from core.auth import Actor
from core.scorecard import Limited, Range, Record, Scorecard
from dashboard import ui
from dashboard.looks import ProductPage
from db.session import reading

LIMITED_SHOWN = 5
AS_SAID = "as said"
NOBODY_KNOWS = "nobody knows yet how good such ranges are: too little history"
RULE = "stock on hand over the mean demand of the last 28 days"
HELP = {
    "error": "Average error in days, doubt counted (CRPS): a range that is wide, or far from the day the "
    f"stock ran out, costs more. The simple rule is {RULE}.",
    "ranges": "A range is meant to hold in 8 of 10 cases: much less is too sure, much more is too careful.",
    "bias": "The most likely day beside the day on which it ran out, on average over the test on the past.",
    "mase": "Error of the expected demand of a day, as a share of that of 'the same as a week ago' (MASE): "
    "below 1 is better. The simple rule is the mean of the last 28 days.",
    "ranges_shown": "Each range that was shown here is kept and judged when its days are over. One that "
    "nobody can judge does not count: the shelf was empty for another reason, so it hid the demand.",
    "sentence": "In 8 of 10 cases the stock is used up between these days. The count tells how often such "
    "ranges held: those shown for this product once there are 20, before that those of products like it, "
    "before that a test on the past.",
}
STATES = {
    "open": ":gray-badge[Open]",
    "inside": ":green-badge[Right]",
    "early": ":orange-badge[Ran out earlier]",
    "late": ":orange-badge[Lasted longer]",
    "void": ":gray-badge[Not judged]",
}


# -- The sentence --------------------------------------------------------------------------------------------


def sentence(page: ProductPage, today: date, *, of_a_place: bool) -> str | None:
    """Range, most likely day, and how often such ranges were right, as Markdown; None where none is given.

    `of_a_place`: the range is of one warehouse, while ranges are judged for the product as a whole.
    """
    verdict, fan = page.outlook.verdict, page.outlook.fan
    if page.outlook.passage is None or fan is None or verdict.status == "out":
        return None
    return f"{_promise(verdict, fan.day.iloc[-1], today)}; {record_words(page.record, of_a_place=of_a_place)}"


def _promise(verdict: Any, horizon_on: date, today: date) -> str:
    write = ui.formats()
    if verdict.p10_on is None:
        return f"Lasts beyond **{ui.safe_md(write.day(horizon_on))}** (9 of 10 times)"
    span = ui.safe_md(write.span(verdict.p10_on, verdict.p90_on, today))
    if verdict.p50_on is None:
        return f"Runs out **{span}** (80 %), most likely after {ui.safe_md(write.day(horizon_on))}"
    return f"Runs out **{span}** (80 %), most likely **{ui.safe_md(write.day(verdict.p50_on))}**"


def record_words(record: Record, *, of_a_place: bool = False) -> str:
    """How often such ranges were right and how that is known, in the middle of a sentence."""
    if record.source is None:
        return NOBODY_KNOWS
    write = ui.formats()
    right, of = (ui.safe_md(write.number(count)) for count in (record.right, record.of))
    return {
        "issued": f"{'ranges of all warehouses together' if of_a_place else 'ranges like this'} were right "
        f"**{right} of the last {of} times**",
        "issued_class": f"ranges of products like this were right **{right} of the last {of} times**",
        "backtest": f"in a test on the past such ranges were right **{right} of {of} times**",
        "backtest_class": f"in a test on the past ranges of products like this were right "
        f"**{right} of {of} times**",
    }[record.source]


# -- The section ---------------------------------------------------------------------------------------------


def draw(page: ProductPage, _person: Actor, today: date) -> None:
    """The product's scorecard: a verdict in words, figures, reasons, and what became of its ranges."""
    with reading() as session:
        card = scorecard.of_product(session, page.detail.product.id, today)
    st.subheader(_finding(card), anchor=False, help=f"The simple rule: {RULE}.")
    if card.warning:
        st.warning(ui.safe_md(card.warning), icon=":material/warning:")
    if card.tasks:
        _draw_figures(card)
    else:
        st.markdown(
            ":gray[Its past is too short to try forecasts on it: that takes 56 days of history, and 56 more "
            "in which they can be compared with what happened.]"
        )
    st.markdown("\n".join(f"- {line}" for line in _reasons(card)))
    _draw_ranges(card, today)
    st.page_link("views/forecasts.py", label="All forecasts", icon=":material/arrow_forward:")


def _finding(card: Scorecard) -> str:
    return ui.safe_md(card.badge[:1].upper() + card.badge[1:])


def _draw_figures(card: Scorecard) -> None:
    write = ui.formats()
    times = f"{card.tasks} times" if card.tasks != 1 else "once"
    st.markdown(f":gray[Tried on its past {times}, each time with what was known then:]")
    with st.container(key="scorecard"), st.grid(4, min_column_width=150, gap="small"):
        _figure("Off by, on average", days(card.crps), f"the simple rule {days(card.crps_naive)}", "error")
        _figure("Ranges right", f"{card.inside} of {card.tasks}", "8 of 10 are meant to be", "ranges")
        side = lean(card.bias)
        _figure("Runs out", side, "on average" if side == AS_SAID else "than said, on average", "bias")
        if card.mase is not None:
            beside = f"the simple rule {write.number(card.mase_naive, 2)}"
            _figure("Error of a day's demand", write.number(card.mase, 2), beside, "mase")
    if card.mase_note:
        st.caption(ui.safe_md(card.mase_note))


def _figure(label: str, value: str, beside: str, help_: str) -> None:
    st.metric(label, value, ui.safe_md(beside), delta_color="off", delta_arrow="off", help=HELP[help_])


def days(error: float | None) -> str:
    """An average error in days: with a decimal where it is small."""
    if error is None:
        return ui.formats().number(None)
    figure = ui.formats().number(error, 0 if error >= 10 else 1)
    return f"{figure} {'day' if figure == '1' else 'days'}"


def lean(bias: float | None) -> str:
    """To which side of its dates a product runs out: 2 days earlier."""
    if bias is None:
        return ui.formats().number(None)
    whole = round(abs(bias))
    if not whole:
        return AS_SAID
    return f"{whole} {'day' if whole == 1 else 'days'} {'earlier' if bias > 0 else 'later'}"


def _reasons(card: Scorecard) -> list[str]:
    """Which methods and why, what would help, and what was held to be one-off."""
    told = [f"**Method** {ui.safe_md(card.reason.rstrip('.'))}."]
    if card.would_help:
        told.append(f"**What would help** {ui.safe_md(card.would_help)}")
    if card.limited:
        told.append(f"**Held to be one-off** {_limited(card.limited)}")
    return told


def _limited(limited: tuple[Limited, ...]) -> str:
    write = ui.formats()
    said = [
        f"{ui.safe_md(write.day(one.day))}: {ui.safe_md(write.quantity(one.demand))} sold, "
        f"{ui.safe_md(write.number(one.counted, 1))} learned from"
        for one in limited[-LIMITED_SHOWN:]
    ]
    more = len(limited) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "")


def _draw_ranges(card: Scorecard, today: date) -> None:
    """What was said in the last weeks and what became of it."""
    if not card.ranges:
        st.markdown("**Ranges as they were shown** :gray[None yet: the first is kept tonight.]")
        return
    told = "**Ranges as they were shown**"
    if card.own_of:
        told += f" &nbsp; right {card.own_right} of the last {card.own_of}"
    st.markdown(told, help=HELP["ranges_shown"])
    st.markdown("\n".join(f"- {range_words(one, today)}" for one in card.ranges))


def range_words(one: Range, today: date) -> str:
    """One range in a line of Markdown: when it was said, what, and what became of it."""
    write = ui.formats()
    span = ui.safe_md(write.span(one.p10_on, one.p90_on, today))
    said = f"{ui.safe_md(write.day(one.issued_on))} said **{span}**"
    if one.state == "open":
        became = "not over yet"
    elif one.ran_out_on:
        became = f"ran out {ui.safe_md(write.day(one.ran_out_on))}"
    elif one.state == "void":
        became = _within(one.why) if one.why else "cannot be judged"
    else:
        became = "had not run out by then"
    return f"{said}, {became} &nbsp; {STATES[one.state]}"


def _within(sentence: str) -> str:
    """A sentence as a part of another one."""
    return ui.safe_md(sentence[:1].lower() + sentence[1:].rstrip("."))
