"""Trend, weekdays and season of a product, on its page: asked for with one button, drawn by a worker."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from core import auth, demand_patterns
from core.auth import Actor
from dashboard import editing, looks, signin, ui, waiting
from dashboard.charts import patterns as charts
from dashboard.looks import ProductPage
from db.session import reading

HEADING = "Trend, weekdays and season"
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
AGO = {13: "three months ago", 52: "a year ago"}  # in weeks, what the trend is compared with
SAME = 0.1  # a change of less than a tenth is none


def draw(page: ProductPage, person: Actor, today: date) -> None:  # noqa: ARG001  (as every section)
    """The section: the pictures that are kept, how far new ones are, or the button that has them drawn."""
    product = page.detail.product
    mine = editing.desk(f"patterns {product.uid}")
    with reading() as session:
        kept = demand_patterns.latest(session, product.id)
        run = demand_patterns.last_run(session, product.uid)
    is_open = run is not None and run.state in waiting.OPEN
    may_ask = auth.may(person, "train") and product.is_active and not is_open
    with ui.heading(HEADING):
        if kept is not None and may_ask and demand_patterns.is_old(kept, looks.now()):
            _button("Draw them anew", page, mine)
    if "refused" in mine:
        ui.refused(mine["refused"])
    if is_open:
        st.fragment(_follow, run_every=waiting.LOOK_SECONDS)(str(product.uid))
    elif run is not None and run.state != "done":
        ui.refused(f"The last drawing ended early. {run.message or ''}".strip())
    if kept is not None and kept.parts is not None:
        _draw_pictures(kept.parts, kept.as_of)
        _draw_source(kept.parts, kept.as_of)
    elif kept is not None:
        reason = kept.reason or "no history"
        ui.empty("There is too little to draw yet.", f"{ui.safe_md(reason[:1].upper() + reason[1:])}.")
    elif not is_open:
        _draw_nothing(page, mine, may_ask=may_ask)


def _draw_nothing(page: ProductPage, mine: dict[str, Any], *, may_ask: bool) -> None:
    words = "What grows or fades, which weekdays sell, and the time of year."
    if may_ask:
        ui.empty(
            "These pictures are drawn when somebody asks.", words, button="Draw them",
            on_click=partial(_ask, mine, str(page.detail.product.uid)),
        )  # fmt: skip
    elif not page.detail.product.is_active:
        ui.empty("Nothing is drawn of a product that is not sold any more.", words)
    else:
        ui.empty("Nobody has asked for these pictures yet.", "A manager can have them drawn here.")


def _button(words: str, page: ProductPage, mine: dict[str, Any]) -> None:
    st.button(
        words, icon=":material/draw:", key="draw_pattern", on_click=_ask,
        args=(mine, str(page.detail.product.uid)),
    )  # fmt: skip


def _ask(mine: dict[str, Any], product_uid: str) -> None:
    editing.write(
        mine, lambda session, person: demand_patterns.ask(session, person, product_uid, looks.now())
    )


def _follow(product_uid: str) -> None:
    """How far the drawing is; when it has ended the whole page shows what came of it."""
    signin.still("read")
    with reading() as session:
        run = demand_patterns.last_run(session, product_uid)
    if run is None or run.state not in waiting.OPEN:
        st.rerun()
    waiting.bar("Drawing", None, None, queued=run.state == "queued")


# -- The pictures --------------------------------------------------------------------------------------------


def _draw_pictures(parts: dict[str, Any], as_of: date) -> None:
    about = {"dark": ui.is_dark(), "separators": ui.formats().separators}
    points = [(date.fromisoformat(day), *values) for day, *values in parts["trend"]]
    factors, ranges = parts["weekday"], parts["weekday_range"]
    shown: list[tuple[str, str, Callable[[], Any]]] = [
        (trend_finding(points, as_of),
         "Demand per day without weekdays and season; dotted: if it goes on like this.",
         lambda: charts.trend(points, as_of=as_of, **about)),
        (weekday_finding(factors, ranges),
         "Demand of each weekday against the week's mean, and what chance leaves open.",
         lambda: charts.weekdays(factors, ranges, **about)),
    ]  # fmt: skip
    if parts["yearly"]:
        year = [(date.fromisoformat(day), factor) for day, factor in parts["yearly"]]
        shown.append((season_finding(year), "Demand over the year against its mean.",
                      lambda: charts.season(year, **about)))  # fmt: skip
    if parts["holidays"]:
        effects = parts["holidays"]
        shown.append((holiday_finding(effects), "What public holidays change.",
                      lambda: charts.holidays(effects, **about)))  # fmt: skip
    columns = 3 if len(shown) == 3 else 2
    with st.container(key="patterns"), st.grid(columns, min_column_width=280, gap="medium"):
        for place, (finding, words, figure) in enumerate(shown):
            with st.container():
                st.markdown(f"**{ui.safe_md(finding)}**")
                ui.picture(looks.picture((words, parts, as_of, about), figure), words, key=f"pattern_{place}")
                st.caption(words)


def _draw_source(parts: dict[str, Any], as_of: date) -> None:
    write = ui.formats()
    words = f"Drawn by Prophet from {write.number(parts['days'])} days up to {write.day(as_of)}."
    if parts["yearly"] is None:
        words += " A season of the year takes two years of history."
    st.caption(f"{ui.safe_md(words)} Run-out dates do not come from these pictures.")


def trend_finding(points: list[tuple[date, float, float, float]], as_of: date) -> str:
    """What the trend did in the last months, or else in the last year."""
    past = [point[2] for point in points if point[0] <= as_of]
    compared = {weeks: words for weeks, words in AGO.items() if weeks < len(past)}
    if not compared:
        compared = {len(past) - 1: f"{len(past) - 1} weeks ago"}
    for weeks, words in compared.items():
        then, now = past[-1 - weeks], past[-1]
        if now <= 0 or now < SAME * then:
            return "Hardly sells any more"
        if then <= 0:
            return f"Sells again, after hardly at all {words}"
        if abs(now / then - 1) >= SAME:
            return f"Sells {_more(now / then - 1)} than {words}"
    return f"Sells about as much as {next(iter(compared.values()))}"


def weekday_finding(factors: list[float], ranges: list[list[float]]) -> str:
    """The weekday that stands out most, as far as chance does not explain it."""
    closed = [day for day, (_, high) in zip(DAYS, ranges, strict=True) if high < SAME / 2]
    clear = [
        (abs(factor - 1), day, factor)
        for day, factor, (low, high) in zip(DAYS, factors, ranges, strict=True)
        if (low > 1 or high < 1) and abs(factor - 1) >= SAME and day not in closed
    ]
    if not clear and not closed:
        return "No weekday clearly stands out"
    if not clear:
        return f"{' and '.join(closed[:2])} sell nothing"
    _, day, factor = max(clear)
    return f"{day} sell {_percent(factor - 1)} {'above' if factor > 1 else 'below'} the week's mean"


def season_finding(year: list[tuple[date, float]]) -> str:
    """The month in which most is asked for."""
    months = {month: [factor for day, factor in year if day.month == month] for month in range(1, 13)}
    means = {month: sum(factors) / len(factors) for month, factors in months.items() if factors}
    best = max(means, key=lambda month: means[month])
    if means[best] - 1 < SAME:
        return "About the same all year"
    return f"Most in {MONTHS[best - 1]}, {_percent(means[best] - 1)} above the year's mean"


def holiday_finding(effects: list[list[Any]]) -> str:
    """The holiday that changes most."""
    name, share = max(effects, key=lambda one: abs(one[1]))
    return f"{name}: {_more(share)} than usual"


def _more(change: float) -> str:
    return f"{_percent(change)} {'more' if change > 0 else 'less'}"


def _percent(share: float) -> str:
    return f"{abs(share):.0%}".replace("%", " %")
