"""Which of the five statuses a product is in: arithmetic over its run-out, one definition for all screens."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.forecast.depletion import RunOut

# "Late" when the odds are at least even that an order placed today comes too late.
LATE_CHANCE = 0.5
# "Order now" when the last day to order with 90 % certainty is within the next weekly review.
REVIEW_DAYS = 7
# Nobody wants a product of which not even one piece is expected to sell in a quarter.
WANTED_DAYS = 90

MEANING = {
    "out": "Nothing on hand, and people want it.",
    "late": "Runs out before an order placed today could arrive.",
    "order_now": "The last day to order without running out is near.",
    "fine": "Covered.",
    "excess": "More than the next 120 days can use.",
    "unknown": "Too little history to say.",
}


@dataclass(frozen=True)
class Verdict:
    """Status and the dates a buyer acts on. A date is None when it lies beyond the forecast's horizon."""

    status: str
    p10_on: date | None
    p50_on: date | None
    p90_on: date | None
    order_by_on: date | None


def judge(
    run_out: RunOut | None, on_hand: Decimal, lead_time_days: int, today: date, *, sold_before: bool
) -> Verdict:
    """The verdict on one product.

    Args:
        run_out: from the paths, day 1 being today; None when there is no forecast.
        on_hand: units on the shelf now.
        lead_time_days: days until an order placed today arrives.
        sold_before: whether it ever had demand (decides about an empty shelf without a forecast).

    `order_by_on` is the last day on which an order still arrives before the stock is used up in nine of ten
    futures; it lies in the past when that day was missed.
    """
    if run_out is None:
        is_out = on_hand <= 0 and sold_before
        return Verdict("out" if is_out else "unknown", None, None, None, None)
    is_wanted = run_out.daily_rate * WANTED_DAYS >= 1
    if on_hand <= 0:
        if not is_wanted:
            return Verdict("fine", None, None, None, None)
        return Verdict("out", today, today, today, today)
    p10_on, p50_on, p90_on = (_on(day, today) for day in (run_out.p10, run_out.p50, run_out.p90))
    order_by_on = p10_on - timedelta(days=lead_time_days) if p10_on else None
    if run_out.chance_before_replenishment >= LATE_CHANCE:
        status = "late"
    elif order_by_on is not None and order_by_on <= today + timedelta(days=REVIEW_DAYS):
        status = "order_now"
    elif p10_on is None:
        status = "excess"
    else:
        status = "fine"
    return Verdict(status, p10_on, p50_on, p90_on, order_by_on)


def _on(day: int | None, today: date) -> date | None:
    return today + timedelta(days=max(day, 1) - 1) if day is not None else None
