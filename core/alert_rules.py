"""When a product needs an alert, what the alert says and what becomes of it: arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.triage import LATE_CHANCE, WANTED_DAYS

LOW_STOCK, PREDICTED, ANOMALY, LEDGER = "low_stock", "predicted_depletion", "anomaly", "ledger"
RANK = {"info": 0, "warning": 1, "critical": 2}
# A sleeper that was to be woken "when it gets worse" wakes when the chance rose by this much.
CHANCE_STEP = 0.15
# By how many days a run-out must move beyond the threshold before its alert ends.
STEADY_DAYS = 2
PLACES_NAMED = 3
DAYS_OF_A_MONTH = 30


@dataclass(frozen=True)
class Place:
    """One warehouse with a threshold of its own."""

    code: str
    on_hand: Decimal
    threshold: Decimal


@dataclass(frozen=True)
class Facts:
    """What the rules know about one product: its stock of now and its stored run-out, as far as it has one.

    `threshold` is that of the whole shop, None when there is none; `chance` that it runs out before an order
    placed today arrives; `daily_rate` the expected demand per day.
    """

    product_id: int
    sku: str
    is_active: bool
    on_hand: Decimal
    threshold: Decimal | None = None
    places: tuple[Place, ...] = ()
    status: str | None = None
    p10_on: date | None = None
    p50_on: date | None = None
    p90_on: date | None = None
    chance: float | None = None
    lead_time_days: int | None = None
    daily_rate: Decimal | None = None
    money_at_risk: Decimal = Decimal(0)

    @property
    def is_unwanted(self) -> bool:
        """The forecast expects not even one piece to go in a quarter; without a forecast nobody knows."""
        return self.daily_rate is not None and self.daily_rate * WANTED_DAYS < 1


@dataclass(frozen=True)
class Finding:
    """Something that holds now and deserves an alert; `figures` are the numbers of the message as JSON.

    `news_at`: since when the newest part of it is known, where it may grow without getting more severe.
    """

    severity: str
    message: str
    figures: dict[str, Any]
    chance: float | None = None
    money_at_risk: Decimal = Decimal(0)
    news_at: datetime | None = None


@dataclass(frozen=True)
class Asleep:
    """Until when an alert sleeps: a date, a chance (the one it had then), or whichever comes first."""

    until: date | None
    chance: float | None


# -- What holds ----------------------------------------------------------------------------------------------


def severity_of_stock(on_hand: Decimal, threshold: Decimal) -> str | None:
    """critical: nothing on hand; warning: at or below half the threshold; info: at or below it; else None."""
    if on_hand > threshold:
        return None
    if on_hand <= 0:
        return "critical"
    return "warning" if on_hand * 2 <= threshold else "info"


def crosses(before: Decimal, after: Decimal, threshold: Decimal) -> bool:
    """Whether a booking took the stock over a line of the threshold, in either direction."""
    return severity_of_stock(before, threshold) != severity_of_stock(after, threshold)


def low_stock(facts: Facts) -> Finding | None:
    """The finding when the shop is at or below its threshold, or a warehouse at or below its own."""
    if not facts.is_active:
        return None
    severities, said = [], []
    if facts.threshold is not None and (of_shop := severity_of_stock(facts.on_hand, facts.threshold)):
        severities.append(of_shop)
        said.append(f"{plain(facts.on_hand)} on hand, at or below the threshold of {plain(facts.threshold)}")
    places = _low_places(facts)
    severities += [severity for severity, _ in places]
    said += [
        f"{plain(place.on_hand)} in {place.code}, threshold {plain(place.threshold)}"
        for _, place in places[:PLACES_NAMED]
    ]
    if not severities:
        return None
    if len(places) > PLACES_NAMED:
        said.append(f"and {len(places) - PLACES_NAMED} more warehouses")
    if facts.daily_rate:
        said.append(f"sells about {_rate(facts.daily_rate)}")
    figures = {
        "on_hand": plain(facts.on_hand),
        "threshold": _plain_or_none(facts.threshold),
        "daily_rate": _plain_or_none(facts.daily_rate),
        "places": [
            {"code": place.code, "on_hand": plain(place.on_hand), "threshold": plain(place.threshold)}
            for _, place in places
        ],
    }
    severity = max(severities, key=RANK.__getitem__)
    return Finding(severity, f"{facts.sku}: {'; '.join(said)}", figures, facts.chance, facts.money_at_risk)


def predicted(facts: Facts, today: date, alert_days: int, *, is_heard: bool = False) -> Finding | None:
    """The finding when the most likely day of running out is at most `alert_days` away, or the product late.

    A late one runs out before an order placed today could arrive: with a long lead time that is known long
    before the day itself is near.

    `is_heard`: there is an alert about it, which ends a little further away than it began; or a product at
    the edge would be news every other day.
    """
    furthest = today + timedelta(days=alert_days + (STEADY_DAYS if is_heard else 0))
    if not facts.is_active or facts.p50_on is None:
        return None
    if facts.p50_on > furthest and facts.status != "late":
        return None
    if facts.status == "out" and facts.on_hand > 0:
        return None  # something arrived since the run-out was computed, within the last minute
    is_late = facts.status == "late" or (facts.chance is not None and facts.chance >= LATE_CHANCE)
    if facts.status == "out" or is_late:
        severity = "critical"
    elif (facts.p50_on - today).days * 2 <= alert_days:
        severity = "warning"
    else:
        severity = "info"
    if facts.status == "out":
        said = ["nothing on hand"]
        if facts.daily_rate:
            said.append(f"about {_rate(facts.daily_rate)} would sell")
    else:
        said = [f"runs out {_span(facts.p10_on, facts.p90_on)}most likely {_day(facts.p50_on)}"]
    arrives_on = None
    if facts.lead_time_days is not None:
        arrives_on = today + timedelta(days=facts.lead_time_days)
        said.append(f"an order placed today arrives {_day(arrives_on)}")
    figures = {
        "p10_on": _iso(facts.p10_on),
        "p50_on": _iso(facts.p50_on),
        "p90_on": _iso(facts.p90_on),
        "arrives_on": _iso(arrives_on),
        "lead_time_days": facts.lead_time_days,
        "on_hand": plain(facts.on_hand),
        "daily_rate": _plain_or_none(facts.daily_rate),
    }
    return Finding(severity, f"{facts.sku}: {'; '.join(said)}", figures, facts.chance, facts.money_at_risk)


# -- What no longer holds ------------------------------------------------------------------------------------


def why_not_low(facts: Facts) -> str:
    """In words, for a product that `low_stock` finds nothing about."""
    if not facts.is_active:
        return "The product is no longer active"
    if facts.threshold is not None:
        return f"{plain(facts.on_hand)} on hand again, above the threshold of {plain(facts.threshold)}"
    if facts.places:
        place = min(facts.places, key=lambda place: place.on_hand - place.threshold)
        return (
            f"{plain(place.on_hand)} in {place.code} again, above its threshold of {plain(place.threshold)}"
        )
    return "The product has no threshold any more"


def why_not_predicted(facts: Facts, alert_days: int) -> str:
    """In words, for a product that `predicted` finds nothing about."""
    if not facts.is_active:
        return "The product is no longer active"
    if facts.is_unwanted:
        return f"Not even one piece is expected to sell in {WANTED_DAYS} days"
    if facts.status == "out":
        return f"{plain(facts.on_hand)} on hand again"
    if facts.p50_on is not None:
        return f"Most likely runs out {_day(facts.p50_on)}, more than {alert_days} days away"
    if facts.daily_rate is None:
        return "There is no forecast any more"
    return f"{plain(facts.on_hand)} on hand, more than the forecast expects to sell"


# -- What becomes of an alert --------------------------------------------------------------------------------


def is_worse(finding: Finding, severity: str) -> bool:
    """Whether the finding is more severe than an alert was."""
    return RANK[finding.severity] > RANK[severity]


def is_news(finding: Finding, severity: str, figures: Mapping[str, Any]) -> bool:
    """Whether the finding is more severe than an alert was, or has a part that came after it spoke.

    `figures` are those of the alert.
    """
    if is_worse(finding, severity) or finding.news_at is None or "news_at" not in figures:
        return is_worse(finding, severity)
    return finding.news_at > datetime.fromisoformat(figures["news_at"])


def next_state(state: str, asleep: Asleep, finding: Finding, today: date, *, is_news: bool) -> str:
    """The state of an open alert whose condition (still) holds.

    Somebody who acknowledged an alert knew of its severity and of all its parts then: what is news makes it
    active again. A sleeper wakes at its date. One that sleeps until things get worse wakes when the chance
    rose by 15 points (or to certainty), or with news; one with a date only sleeps through that.
    """
    if state == "acknowledged" and is_news:
        return "active"
    if state == "snoozed" and (
        (asleep.until is not None and today >= asleep.until)
        or (asleep.chance is not None and (is_news or _rose(asleep.chance, finding.chance)))
    ):
        return "active"
    return state


def _rose(then: float, now: float | None) -> bool:
    return now is not None and now > then and round(now, 6) >= round(min(then + CHANCE_STEP, 1.0), 6)


# -- Words ---------------------------------------------------------------------------------------------------


def plain(number: Decimal) -> str:
    """A quantity without trailing zeros: 9, 2.5."""
    return f"{number.normalize():f}"


def facts_of(row: Mapping[str, Any]) -> Facts:
    """The facts from a row of `alert_facts.sql`."""
    values = {name: row[name] for name in Facts.__dataclass_fields__ if name != "places"}
    return Facts(places=_places_of(row["places"]), **values)


def _places_of(places: Sequence[Mapping[str, str]] | None) -> tuple[Place, ...]:
    return tuple(
        Place(place["code"], Decimal(place["on_hand"]), Decimal(place["threshold"])) for place in places or ()
    )


def _low_places(facts: Facts) -> list[tuple[str, Place]]:
    """The warehouses at or below their thresholds with their severities, the worst first."""
    found = [(severity_of_stock(place.on_hand, place.threshold), place) for place in facts.places]
    low = [(severity, place) for severity, place in found if severity]
    return sorted(low, key=lambda pair: (-RANK[pair[0]], pair[1].on_hand - pair[1].threshold, pair[1].code))


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _rate(per_day: Decimal) -> str:
    """2.1 a day, 1.2 a month where it is rare."""
    per, number = ("month", per_day * DAYS_OF_A_MONTH) if per_day < Decimal("0.1") else ("day", per_day)
    return f"{plain(number.quantize(Decimal('0.1')))} a {per}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _span(first: date | None, last: date | None) -> str:
    """ "24–29 Nov, " before the most likely day; empty when both ends are that day or unknown."""
    if first is None:
        return ""
    if last is None:
        return f"{_day(first)} or later, "
    if first == last:
        return ""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_day(last)}, "
    return f"{_day(first)} – {_day(last)}, "
