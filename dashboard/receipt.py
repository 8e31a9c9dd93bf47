"""How a product's figures came about: the terms, so that they can be added up by hand."""

from datetime import date
from typing import Any

import streamlit as st

from core.forecast.edits import Week
from dashboard import trust, ui
from dashboard.looks import ProductPage


def finding(page: ProductPage, today: date) -> str:
    """The stock path in one sentence."""
    verdict, write = page.outlook.verdict, ui.formats()
    if verdict.status == "out":
        return "Nothing on hand"
    if page.outlook.passage is None:
        return "Stock of the last 90 days"
    if verdict.p10_on is None:
        return f"Lasts beyond {ui.safe_md(write.day(page.outlook.fan.day.iloc[-1]))}"
    if verdict.p50_on is None:
        return f"May run out from {ui.safe_md(write.day_from(verdict.p10_on, today))} on"
    return f"Most likely runs out {ui.safe_md(write.day_from(verdict.p50_on, today))}"


def draw(page: ProductPage) -> None:
    """The terms behind the dates, folded away."""
    with st.expander("How this is computed", icon=":material/receipt_long:"):
        st.markdown("\n".join(f"- {line}" for line in lines(page)))


def lines(page: ProductPage) -> list[str]:
    """Each term as a line of Markdown; texts of people are escaped."""
    outlook, write = page.outlook, ui.formats()
    unit = ui.unit_md(page.detail.product.unit_of_measure, outlook.on_hand)
    held = [f"{ui.safe_md(lv.code)} {_q(lv.quantity)}" for lv in page.detail.levels if lv.quantity]
    told = [f"**On hand** {_q(outlook.on_hand)}{unit}" + (f" = {' + '.join(held)}" if len(held) > 1 else "")]
    if outlook.due:
        told.append(
            f"**On its way** {' + '.join(_due(*one) for one in outlook.due)}, counted from its day on"
        )
    passage, verdict = outlook.passage, outlook.verdict
    if passage is None:
        return [*told, f"**No forecast**: {ui.safe_md(outlook.reason)}."]
    rate = ui.safe_md(write.number(passage.daily_rate, 2))
    several = ui.unit_md(page.detail.product.unit_of_measure)
    told.append(f"**Expected demand** {rate}{several} a day, the mean of 200 possible futures over 28 days")
    if outlook.edits:
        told.append(f"**Changed by hand** {'; '.join(_edit(week) for week in outlook.edits)}")
    if passage.days_of_cover is not None:
        cover = ui.safe_md(write.number(passage.days_of_cover, 1))
        told.append(f"**Cover** {cover} days = {_q(outlook.on_hand)} ÷ {rate}")
    if verdict.p10_on:
        told.append(_run_out_line(page))
    told.append(_order_line(page))
    told.append(_risk_line(page))
    as_of = ui.safe_md(write.day(outlook.as_of))
    told.append(f"**Method** {ui.safe_md(outlook.reason)}; data up to {as_of}")
    told.extend(_scores(page))
    return told


def _due(day: date, quantity: Any) -> str:
    return f"{_q(quantity)} on {ui.safe_md(ui.formats().weekday(day))}"


def _edit(week: Week) -> str:
    """What somebody made of a week: computed -> what counts."""
    write = ui.formats()
    before, after = (ui.safe_md(write.number(units, 1)) for units in (week.computed, week.result))
    return f"week of {ui.safe_md(write.day(week.week_on))} {before} → {after}"


def _run_out_line(page: ProductPage) -> str:
    verdict, write = page.outlook.verdict, ui.formats()
    days = [write.weekday(on) for on in (verdict.p10_on, verdict.p50_on, verdict.p90_on)]
    shown = [ui.safe_md(day if on else "beyond the horizon") for day, on in
             zip(days, (verdict.p10_on, verdict.p50_on, verdict.p90_on), strict=True)]  # fmt: skip
    return f"**Used up** in 1 of 10 futures by {shown[0]}, in 5 by {shown[1]}, in 9 by {shown[2]}"


def _order_line(page: ProductPage) -> str:
    outlook, write = page.outlook, ui.formats()
    lead = f"{outlook.lead_time_days} days"
    if outlook.verdict.order_by_on is None:
        return (
            f"**Order by** no date yet: 9 of 10 futures last longer than the forecast; an order takes {lead}"
        )
    first, by = (ui.safe_md(write.weekday(d)) for d in (outlook.verdict.p10_on, outlook.verdict.order_by_on))
    return f"**Order by** {by} = {first} − {lead} until an order arrives"


def _risk_line(page: ProductPage) -> str:
    outlook, product, write = page.outlook, page.detail.product, ui.formats()
    lost = ui.safe_md(write.number(outlook.passage.expected_lost, 2))
    price = product.unit_price if product.unit_price is not None else product.unit_cost
    if price is None:
        return f"**At risk** {lost} pieces until an order of today arrives; no price is known"
    return (
        f"**At risk** {ui.safe_md(write.money(outlook.money_at_risk))} = {lost} expected to be asked for "
        f"and not there until an order of today arrives × {ui.safe_md(write.price(price))}"
    )


def _scores(page: ProductPage) -> list[str]:
    """How often such ranges were right, and how far off they were when they were tried on the past."""
    record, scores, write = page.record, page.outlook.scores or {}, ui.formats()
    words = trust.record_words(record)
    told = [f"**How often right** {words}" + (" (8 of 10 are meant to be)" if record.source else "")]
    if scores.get("crps") is not None and scores.get("crps_naive") is not None:
        ours, rule = (ui.safe_md(write.number(scores[name], 1)) for name in ("crps", "crps_naive"))
        told.append(f"**Error** {ours} days on average, against {rule} of the simple rule ({trust.RULE})")
    return told


def _q(quantity: Any) -> str:
    return ui.safe_md(ui.formats().quantity(quantity))
