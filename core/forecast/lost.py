"""What would usually have been asked for on a day: what an empty shelf lost, what a promotion is held to."""

import numpy as np

HALF_LIFE_DAYS = 28.0  # near days tell more, on both sides of the gap; the naive rule's window
WEEKDAY_PRIOR_DAYS = 0.5  # days of the general level that a weekday's own days are weighed against
CLOSED_AFTER_WEEKS = 6  # weekdays in stock without a sale: by chance 1 in 64 when it sells every other day
BUSY_SHARE = 0.5
FORGOTTEN_DAYS = 180  # further from any day in stock nobody knows what would have been asked for


def lost(demand: np.ndarray, in_stock: np.ndarray, seen: np.ndarray, end_weekday: int) -> np.ndarray:
    """Units lost on each day (days,): the usual demand of a day without stock, 0 on every other day.

    Args:
        demand: units per day of one product, its last day a `end_weekday` (0 = Monday).
        in_stock: False on days without stock, when demand is a lower bound.
        seen: False on days that say nothing of regular demand (without stock, left out, promotions).
    """
    out = np.zeros(len(demand))
    empty = np.flatnonzero(~in_stock)
    out[empty] = np.maximum(usual(demand, seen, end_weekday, empty) - demand[empty], 0.0)
    return out


def usual(demand: np.ndarray, seen: np.ndarray, end_weekday: int, places: np.ndarray) -> np.ndarray:
    """Usual demand of the days at `places`, from the days that were seen before and after them.

    A weighted mean of the same weekday, a day's weight halving every 28 days of distance, with half a day's
    worth of all weekdays together, so that few days do not decide alone. A weekday on which a product that
    otherwise sells every other day has never sold is closed: 0. So is what is half a year from any day seen.
    """
    known = np.flatnonzero(seen)
    if not known.size or not places.size:
        return np.zeros(len(places))
    weekday = (end_weekday - np.arange(len(demand) - 1, -1, -1)) % 7
    distance = np.abs(places[:, None] - known[None, :])
    # Relative to the nearest day, or all weights of a distant day would vanish.
    weights = 0.5 ** ((distance - distance.min(axis=1, keepdims=True)) / HALF_LIFE_DAYS)
    level = weights @ demand[known] / weights.sum(axis=1)
    weights *= weekday[places][:, None] == weekday[known][None, :]
    same = (weights @ demand[known] + WEEKDAY_PRIOR_DAYS * level) / (weights.sum(axis=1) + WEEKDAY_PRIOR_DAYS)
    same[_closed(demand, known, weekday)[weekday[places]]] = 0.0
    same[distance.min(axis=1) > FORGOTTEN_DAYS] = 0.0
    return same


def _closed(demand: np.ndarray, known: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    """Weekdays (7,) on which the product never sells though it would."""
    days = np.bincount(weekday[known], minlength=7)
    sold = np.bincount(weekday[known], weights=demand[known] > 0, minlength=7)
    never = (sold == 0) & (days >= CLOSED_AFTER_WEEKS)
    others = days[~never].sum()
    is_busy = others > 0 and sold.sum() >= BUSY_SHARE * others
    return never & is_busy
