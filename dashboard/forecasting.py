"""How good the forecasts of the whole shop are: the headline, what was promised and happened, the methods."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from core import scorecard
from core.forecast.verdicts import MemberScore, Report
from core.forecast_report import Level, Shop
from dashboard import looks, trust, ui
from dashboard.charts import calibration as calibration_chart
from dashboard.charts import leaderboard as leaderboard_chart

POOL, RULE = "pool", "naive"  # names in the report
PROMISED = 0.8  # of ranges that are meant to hold
CLOSE = 0.05  # a chance that is off by less can be taken at its word
NAMES = {"issued": "ranges as shown", "backtest": "test on the past"}
HELP = {
    "calibration": "Each dot is a day of the range: the stock was said to be used up by it with this chance. "
    "On the dotted line it was, as often as said. Above it, stock ran out earlier than said.",
    "reliability": "Of all stocks that were given such a chance to run out within 14 days: how many did. "
    "The bar at a dot is what chance alone may have done, if every case stands for itself.",
    "methods": "Each method forecast the same past, knowing only what was known then. Less error is better. "
    "What is used is a pool of several: no single one is best for every product, nor every season.",
}  # fmt: skip


# -- The headline --------------------------------------------------------------------------------------------


def counted(shop: Shop) -> tuple[int, int, str | None]:
    """(right, of, source) that the headline speaks of: the issued ranges once there are 20, else the test."""
    if shop.ranges.of >= scorecard.LEAST_RANGES:
        return shop.ranges.right, shop.ranges.of, "issued"
    scores = shop.training.scores if shop.training else {}
    tasks = int(scores.get("tasks") or 0)
    if tasks and scores.get("coverage") is not None:
        return round(scores["coverage"] * tasks), tasks, "backtest"
    return 0, 0, None


def headline(shop: Shop) -> str:
    """How often ranges were right, in one sentence of Markdown."""
    right, of, source = counted(shop)
    if source is None:
        return "Nobody knows yet how good they are"
    write = ui.formats()
    figures = f"{write.number(right)} of {write.number(of)} ranges ({write.share(right / of)}, promised 80 %)"
    return ui.safe_md(f"Right {figures}" if source == "issued" else f"In a test on the past right {figures}")


def source_words(shop: Shop) -> str:
    """What the headline counts, and what is not counted yet."""
    write, ranges = ui.formats(), shop.ranges
    source = counted(shop)[2]
    waiting = f"{write.number(ranges.open)} more are not over yet" if ranges.open else ""
    if source == "issued":
        parts = [
            f"Ranges as they were shown since {write.day(ranges.since)}, each counted when its days are over"
        ]
        parts += [waiting] if waiting else []
        if ranges.void:
            parts.append(f"{write.number(ranges.void)} could not be judged")
        return "; ".join(parts) + "."
    if source == "backtest":
        told = "Forecasts were made again with what was known in the past, and compared with what happened"
        of = write.number(ranges.of) if ranges.of else "none"
        now = f"{of} {'is' if ranges.of == 1 else 'are'} so far" + (f", {waiting}" if waiting else "")
        return f"{told}. Ranges that are shown count when {scorecard.LEAST_RANGES} of them are over: {now}."
    return (
        "A test on the past takes products with 112 days of history; the ranges that are shown from now on "
        f"are counted when their days are over, from {scorecard.LEAST_RANGES} on."
    )


# -- Promised and happened -----------------------------------------------------------------------------------


def draw_pictures(shop: Shop, report: Report | None) -> None:
    """Calibration and reliability side by side."""
    ranges = _points(shop.calibration, report.calibration if report else (), "level", "share")
    soon = _points(shop.reliability, report.reliability if report else (), "chance", "happened")
    if not len(ranges) and not len(soon):
        st.subheader("Do ranges hold as often as promised?", anchor=False, help=HELP["calibration"])
        ui.empty(
            "Nothing to compare yet.",
            "This is drawn after a training of all with a test on the past, or when 20 ranges are over.",
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_range_finding(shop), anchor=False, help=HELP["calibration"])
        _draw(ranges, "said: used up by that day", "was used up by then", "calibration")
    with right:
        st.subheader(_soon_finding(soon), anchor=False, help=HELP["reliability"])
        _draw(soon, "said: runs out within 14 days", "ran out within 14 days", "reliability")


def _points(issued: Sequence[Level], tested: Sequence[dict[str, Any]], said: str, came: str) -> pd.DataFrame:
    rows = [("issued", level.promised, level.happened, level.tasks) for level in issued]
    rows += [("backtest", level[said], level[came], level["tasks"]) for level in tested]
    return pd.DataFrame(rows, columns=["source", "promised", "happened", "tasks"])


def _draw(points: pd.DataFrame, promised: str, happened: str, key: str) -> None:
    about = {"names": NAMES, "promised": promised, "happened": happened, "dark": ui.is_dark(),
             "separators": ui.formats().separators}  # fmt: skip
    figure = looks.picture((key, points, about), lambda: calibration_chart.figure(points, **about))
    told = ", ".join(
        f"promised {p:.0%} happened {h:.0%}" for p, h in zip(points.promised, points.happened, strict=True)
    )
    ui.picture(figure, f"What was promised and what happened: {told}.", key=key)


def _range_finding(shop: Shop) -> str:
    right, of, source = counted(shop)
    if source is None:
        return "Do ranges hold as often as promised?"
    low, high = calibration_chart.likely_share(right, of)
    if low <= PROMISED <= high or abs(right / of - PROMISED) < CLOSE:
        return "Ranges hold as often as promised"
    return (
        "Ranges hold less often than promised"
        if right / of < PROMISED
        else "Ranges hold more often than promised"
    )


def _soon_finding(points: pd.DataFrame) -> str:
    source = "issued" if (points.source == "issued").any() else "backtest"
    of = points[points.source == source]
    if not of.tasks.sum():
        return "Can a chance be taken at its word?"
    gap = (of.happened - of.promised) * of.tasks / of.tasks.sum()
    if gap.abs().sum() < CLOSE:
        return "A chance can be taken at its word"
    return "Stock runs out more often than said" if gap.sum() > 0 else "Stock runs out less often than said"


# -- The methods ---------------------------------------------------------------------------------------------


def draw_methods(report: Report | None) -> None:
    """The leaderboard: who is in the pool, who was judged only, and why."""
    st.subheader(_methods_finding(report), anchor=False, help=HELP["methods"])
    if report is None or not report.members:
        ui.empty(
            "No test of the methods yet.",
            "The weekly training compares them on the past; training what moved does not.",
        )
        return
    st.markdown(f":gray[{ui.safe_md(sample_words(report))}]")
    methods, rule = standing(report)
    about = {"rule": rule, "rule_words": f"simple rule {trust.days(rule)}" if rule else "",
             "dark": ui.is_dark(), "separators": ui.formats().separators}  # fmt: skip
    figure = looks.picture(("methods", methods, about), lambda: leaderboard_chart.figure(methods, **about))
    told = ", ".join(f"{row.title} {row.words}" for row in methods.itertuples())
    ui.picture(figure, f"Average error of each method: {told}.", key="methods")
    with st.expander("Each method, and why it is in the pool or not", icon=":material/list:"):
        st.markdown("\n".join(f"- {member_words(member)}" for member in report.members))


def standing(report: Report) -> tuple[pd.DataFrame, float | None]:
    """The methods for the chart, best first, and the average error of the simple rule, in days.

    Errors are those on the pool's tasks; where a method was tried on fewer products, scaled to them.
    """
    pool, rule = report.of_member(POOL), report.of_member(RULE)
    rows = [
        {"title": member.title, "crps": member.comparable_crps, "is_used": member.admitted or member is pool,
         "words": _error(member, pool)}
        for member in report.members
        if member.comparable_crps is not None and member is not rule
    ]  # fmt: skip
    return pd.DataFrame(rows), rule.comparable_crps if rule else None


def _error(member: MemberScore, pool: MemberScore | None) -> str:
    about = "about " if pool and member.products < pool.products else ""
    return f"{about}{trust.days(member.comparable_crps)}"


def _methods_finding(report: Report | None) -> str:
    pool = report.of_member(POOL) if report else None
    if pool is None or pool.skill is None:
        return "Which method is best?"
    if pool.skill < scorecard.NOTICEABLE_SKILL:
        return "No method is clearly better than the simple rule"
    return f"What is used beats the simple rule by {ui.safe_md(ui.formats().share(pool.skill))}"


def sample_words(report: Report) -> str:
    """On what the methods were judged."""
    write, sample = ui.formats(), report.sample
    count = {name: write.number(sample.get(name)) for name in ("products", "of_products", "tasks")}
    days = ", ".join(write.day(date.fromisoformat(day)) for day in report.origins)
    told = (
        f"Forecasts pretended on {days}, {sample.get('horizon_days')} days ahead: {count['tasks']} of them, "
        f"for {count['products']} of {count['of_products']} products."
    )
    fewest = min((member.products for member in report.members if member.products), default=None)
    if fewest is not None and fewest < sample.get("products", 0):
        told += (
            f" Slow methods were tried on {write.number(fewest)} products and more; theirs is marked 'about'."
        )
    return told


def member_words(member: MemberScore) -> str:
    """One method in a line of Markdown: whether it is used, how it did and why that follows."""
    write = ui.formats()
    if member.name == POOL:
        badge = ":blue-badge[Draws the forecasts]"
    elif member.name == RULE:
        badge = ":gray-badge[The rule to beat]"
    else:
        badge = ":blue-badge[In the pool]" if member.admitted else ":gray-badge[Judged only]"
    parts = [member.sample]
    if member.crps is not None:
        parts = [f"off by {trust.days(member.crps)}", f"ranges right {write.share(member.coverage)}", *parts]
    if member.ms_per_product is not None:
        parts.append(
            f"{write.number(member.ms_per_product, 1 if member.ms_per_product < 10 else 0)} ms a product"
        )
    if member.failed:
        parts.append(f"no answer for {write.number(member.failed)}")
    return (
        f"**{ui.safe_md(member.title)}** {badge} {ui.safe_md(member.reason)}  \n"
        f":gray[{ui.safe_md(' · '.join(parts))}]"
    )
