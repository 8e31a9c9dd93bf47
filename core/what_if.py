"""What if: the run-out of a product under another demand, lead time or order, from the paths of now.

One look fetches what there is to go by (`base`), the rest is arithmetic: nothing is stored or changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from core import inputs, paths, predictions, triage
from core.errors import BadInput
from core.forecast import ordering
from core.forecast.depletion import Receipts, available_by_day, expected_lost, first_passage, run_out
from core.forecast.depletion import RunOut as Passage
from core.forecast.history import decimals_of
from core.posting import exact, plain

DEMAND_PERCENT = (-90, 300)
LEAD_TIME_DAYS = (0, 365)
SERVICE_PERCENT = (Decimal(50), Decimal("99.9"))
USUAL_SERVICE_PERCENT = Decimal(95)


@dataclass(frozen=True)
class Scenario:
    """What is assumed; None is what is known today, so that `Scenario()` changes nothing.

    `demand_percent` is the change of demand (50: half as much again). An order of `quantity` placed on
    `order_on` (None: today) arrives after the lead time; without a quantity none is placed. With
    `service_percent` and `until_on` it is asked how much to order.
    """

    demand_percent: int = 0
    lead_time_days: int | None = None
    order_on: date | None = None
    quantity: Decimal | None = None
    service_percent: Decimal = USUAL_SERVICE_PERCENT
    until_on: date | None = None


@dataclass(frozen=True)
class Base:
    """What there is to go by: demand paths from today on, stock, what is on its way, the lead time.

    `decimals` are those in which the product is sold (0: whole pieces).
    """

    today: date
    cumulative: np.ndarray
    on_hand: Decimal
    receipts: Receipts
    lead_time_days: int
    unit_price: Decimal | None
    decimals: int = 0

    @property
    def last_on(self) -> date:
        """The last day of the forecast."""
        return self.today + timedelta(days=self.cumulative.shape[1] - 1)

    def day(self, on: date) -> int:
        """A date as a day of the paths: 1 is today."""
        return (on - self.today).days + 1


@dataclass(frozen=True)
class Outcome:
    """What comes of it. `lost`: units asked for and not there until the end of the answer's `until_on`;
    `money_lost`: their price, None where none is known."""

    verdict: triage.Verdict
    passage: Passage
    lost: float
    money_lost: Decimal | None


@dataclass(frozen=True)
class Advice:
    """How much to order: `quantity`, arriving on `arrives_on`, is all that is asked for from then until the
    end of `until_on` in `percent` of the futures. In `chance_before` of them the stock is used up before it
    arrives, which no quantity can help."""

    quantity: Decimal
    arrives_on: date
    until_on: date
    percent: Decimal
    chance_before: float


@dataclass(frozen=True)
class Answer:
    """The scenario beside what is. `fan` is the scenario's, as in `predictions.Outlook`; `advice` is None
    when the order would arrive after the forecast's last day."""

    scenario: Scenario
    before: Outcome
    after: Outcome
    fan: pd.DataFrame
    until_on: date
    arrives_on: date
    advice: Advice | None


def base(session: Session, product_id: int, today: date, warehouse_id: int | None = None) -> Base | None:
    """What a scenario of this product starts from; None without a forecast that reaches today."""
    line, planned = paths.one(session, product_id, today, warehouse_id)
    if line["paths"] is None:
        return None
    cumulative = paths.demand(line, today, planned.get(product_id))
    if not cumulative.shape[1]:
        return None
    price = line["unit_price"] if line["unit_price"] is not None else line["unit_cost"]
    decimals = decimals_of(np.append(paths.from_today(line, today), float(line["on_hand"])))
    return Base(
        today=today,
        cumulative=cumulative,
        on_hand=line["on_hand"],
        receipts=paths.receipts(line, today),
        lead_time_days=line["lead_time_days"],
        unit_price=price,
        decimals=decimals,
    )


def answer(known: Base, scenario: Scenario) -> Answer:
    """The scenario, computed, beside what is."""
    lead = known.lead_time_days if scenario.lead_time_days is None else scenario.lead_time_days
    arrives_on = arrival(known, scenario)
    until_on = scenario.until_on or _usual_end(known, scenario.order_on or known.today, lead)
    # Scaled paths are not rounded to whole pieces: run-out days need no whole ones.
    cumulative = known.cumulative
    if scenario.demand_percent:
        cumulative = cumulative * (1 + scenario.demand_percent / 100)
    assumed = replace(known, cumulative=cumulative, lead_time_days=lead)
    advice = None
    if arrives_on <= known.last_on:
        advice = _advice(assumed, arrives_on, max(until_on, arrives_on), scenario.service_percent)
    receipts = list(known.receipts)
    if scenario.quantity:
        receipts.append((known.day(arrives_on), float(scenario.quantity)))
    ordered = replace(assumed, receipts=receipts)
    return Answer(
        scenario=scenario,
        before=_outcome(known, until_on),
        after=_outcome(ordered, until_on),
        fan=predictions.fan_of(cumulative, known.on_hand, receipts, known.today),
        until_on=until_on,
        arrives_on=arrives_on,
        advice=advice,
    )


def arrival(known: Base, scenario: Scenario) -> date:
    """The day on which an order of the scenario arrives."""
    lead = known.lead_time_days if scenario.lead_time_days is None else scenario.lead_time_days
    return (scenario.order_on or known.today) + timedelta(days=lead)


def _usual_end(known: Base, order_on: date, lead_time_days: int) -> date:
    """Until the next order could arrive, placed when this one does, or a weekly review after it was."""
    days = lead_time_days + max(lead_time_days, triage.REVIEW_DAYS)
    return min(order_on + timedelta(days=days), known.last_on)


def _outcome(known: Base, until_on: date) -> Outcome:
    passage = run_out(
        known.cumulative, float(known.on_hand), known.receipts, lead_time_days=known.lead_time_days
    )
    verdict = triage.judge(passage, known.on_hand, known.lead_time_days, known.today, sold_before=True)
    available = available_by_day(float(known.on_hand), known.receipts, known.cumulative.shape[1])
    lost = float(
        expected_lost(known.cumulative[None], available[None, None], np.array([known.day(until_on)]))[0]
    )
    money = None
    if known.unit_price is not None:
        money = (predictions.rounded(lost, 4) * known.unit_price).quantize(Decimal("0.0001"))
    return Outcome(verdict, passage, lost, money)


def _advice(known: Base, arrives_on: date, until_on: date, percent: Decimal) -> Advice:
    arrives, until = known.day(arrives_on), known.day(until_on)
    stock = float(known.on_hand)
    needs = ordering.needed(known.cumulative, stock, known.receipts, arrives, until)
    enough = ordering.quantity(needs, float(percent) / 100, known.decimals)
    available = available_by_day(stock, known.receipts, known.cumulative.shape[1])
    gone = first_passage(known.cumulative, available) < arrives if stock > 0 else np.array([arrives > 1])
    return Advice(
        predictions.rounded(enough, known.decimals), arrives_on, until_on, percent, float(np.mean(gone))
    )


# -- A scenario as an address writes it ----------------------------------------------------------------------


def read(known: Base, said: Mapping[str, str]) -> tuple[Scenario, dict[str, str]]:
    """The scenario that words like `demand=30` or `order=2026-11-23` describe, and what was refused.

    A word that cannot be what was meant counts as not said; its sentence is in the second answer.
    """
    values: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for word, (name, parse) in WORDS.items():
        if said.get(word):
            try:
                values[name] = parse(said[word].strip(), known)
            except BadInput as refusal:
                refused[word] = refusal.sentence
    scenario = Scenario(**values)
    if scenario.until_on is not None and scenario.until_on < (arrives_on := arrival(known, scenario)):
        refused["until"] = f"Should last until: the order arrives on {arrives_on}, after {scenario.until_on}."
        scenario = replace(scenario, until_on=None)
    return scenario, refused


def _demand(text: str, _: Base) -> int:
    return _whole(text, "Demand", *DEMAND_PERCENT)


def _lead_time(text: str, _: Base) -> int:
    return _whole(text, "Lead time", *LEAD_TIME_DAYS)


def _whole(text: str, what: str, least: int, most: int) -> int:
    number = exact(text, what)
    if number != int(number) or not least <= number <= most:
        raise BadInput(f"{what}: {inputs.shown(text)} is not a whole number from {least} to {most}.")
    return int(number)


def _quantity(text: str, _: Base) -> Decimal | None:
    number = exact(text, "Order quantity")
    if number < 0:
        raise BadInput(f"Order quantity: {plain(number)} is less than 0.")
    return number or None


def _service(text: str, _: Base) -> Decimal:
    number = exact(text, "Service level")
    least, most = SERVICE_PERCENT
    if not least <= number <= most:
        raise BadInput(f"Service level: {inputs.shown(text)} is not a percentage from {least} to {most}.")
    return number


def _order_on(text: str, known: Base) -> date:
    return _day(text, "Order on", known)


def _until_on(text: str, known: Base) -> date:
    return _day(text, "Should last until", known)


def _day(text: str, what: str, known: Base) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{what}: '{inputs.shown(text)}' is not a date like {known.today}.") from None
    if not known.today <= day <= known.last_on:
        raise BadInput(f"{what}: {day} is not between today and {known.last_on}, the forecast's last day.")
    return day


WORDS = {
    "demand": ("demand_percent", _demand),
    "lead": ("lead_time_days", _lead_time),
    "order": ("order_on", _order_on),
    "quantity": ("quantity", _quantity),
    "service": ("service_percent", _service),
    "until": ("until_on", _until_on),
}
"""The words of an address that say what is assumed: the field, and how it is read."""
