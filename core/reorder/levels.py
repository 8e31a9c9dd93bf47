"""What every order-up-to level of a product would do: lines lost and stock held, from its demand paths.

Ordered is every `review_days` days, up to a level, stock on its way counted. What is ordered on the evening
of day 0 arrives `lead` days later, so it serves the demand of days lead + 1 .. lead + review_days, and the
level must last until the end of these. Every path comes with one lead time, so that doubt about the demand
and doubt about the vendor are one doubt. A day on which a product was asked for counts as one order line,
served by the share of it that was there. One review a day is continuous review.

Paths know how demand scatters around a product's level, but not all that the level itself will do: a season
that nobody has seen yet, a product in fashion. So the paths count at five strengths around the one drawn.
Played through on eight shops at the same share of lines (bench.policy), a doubt of 0.25 needs 2 to 9 % less
stock than none where levels move, and 1 to 3 % more where nothing ever changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

LEVELS = 64  # candidates per product; twice as many save nothing that can be measured
BATCH = 250  # products at a time: what is worked on stays in the processor's cache
LEAD_SCENARIOS = 20
FINE = 1e-9  # of a grain: what floats lose when decimals are added up
LEVEL_DOUBT = 0.25  # deviation of the logarithm of a product's future level, beyond what its paths show
STRENGTHS = np.array([-1.2816, -0.5244, 0.0, 0.5244, 1.2816])  # middles of five equal slices of a normal
LARGEST_TABLE = 4  # entries a mark: for larger quantities it is quicker to search
LOW_SHARES = np.array([0.0, 0.25, 0.5, 0.75])  # of the lowest demand: levels for those who cannot pay for it


@dataclass(frozen=True)
class Curves:
    """What each level does; rows are products, columns its levels in rising order (some may be equal).

    Figures are means per day of the cycle that one order covers, so that products ordered in different
    rhythms can be compared. Row by row the same whichever products share the call.

    `levels` (products, levels): units, in whole grains, from 0 to the largest demand that was drawn.
    `lost_lines`, `lost_units`: what is not served, never rising with the level.
    `on_hand`: mean units on the shelf, never falling with the level.
    `lines`, `units` (products,): what is asked for.
    `is_short` (products,): the paths end before lead time and review have passed; the lead time was cut to
    what they reach, so the true level is higher. Whoever shows such a level has to say so.
    """

    levels: np.ndarray
    lost_lines: np.ndarray
    lost_units: np.ndarray
    on_hand: np.ndarray
    lines: np.ndarray
    units: np.ndarray
    is_short: np.ndarray

    def __len__(self) -> int:
        return len(self.levels)

    def take(self, rows: np.ndarray | slice) -> "Curves":
        """The curves of some of the products."""
        return Curves(*(getattr(self, field.name)[rows] for field in fields(self)))


def joined(parts: Iterable[Curves]) -> Curves:
    """The curves of several calls as one."""
    parts = list(parts)
    return Curves(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Curves)))


def curves(
    cumulative: np.ndarray,
    leads_days: np.ndarray | Sequence[int],
    review_days: int,
    grains: np.ndarray | Sequence[float] | float = 1.0,
    doubt: float = LEVEL_DOUBT,
) -> Curves:
    """Curves of many products at once.

    Args:
        cumulative: cumulative demand (products, paths, days), day 1 being the first day after the review.
            The paths of a product must be in random order: the first is paired with the shortest lead.
        leads_days: equally likely lead times (products, scenarios) in days, whole and at least 0, or one per
            product (products,); see `leads`.
        review_days: every how many days is ordered, at least 1.
        grains: the smallest quantity that can be held, per product (1: whole pieces, 0.1: one decimal).
        doubt: about the level of demand, on top of the paths'; 0 takes them as they are.

    Raises:
        ValueError: shapes do not fit, there is no path or no day, or a number is out of range.
    """
    cumulative = np.asarray(cumulative)
    if cumulative.ndim != 3 or not cumulative.shape[1] or not cumulative.shape[2]:
        raise ValueError(
            "Demand paths must be a table (products, paths, days) with at least one path and day."
        )
    products, paths, days = cumulative.shape
    if review_days < 1:
        raise ValueError(f"Orders are placed every {review_days} days; it must be at least 1.")
    scenarios = np.asarray(leads_days)
    scenarios = scenarios[:, None] if scenarios.ndim == 1 else scenarios
    if len(scenarios) != products or (scenarios < 0).any():
        raise ValueError("Lead times must be at least 0 days, one row per product.")
    steps = np.broadcast_to(np.asarray(grains, float), (products,))
    if not (steps > 0).all():
        raise ValueError("The smallest quantity of a product must be above 0.")
    if not doubt >= 0:
        raise ValueError(f"Doubt about the level is at least 0, not {doubt}.")
    strengths = np.exp(doubt * STRENGTHS) if doubt else np.ones(1)
    reach = min(review_days, days)
    by_path = scenarios[:, np.arange(paths) * scenarios.shape[1] // paths].astype(int)
    is_short = by_path.max(axis=1, initial=0) + review_days > days
    by_path = np.minimum(by_path, days - reach)
    parts = [
        _batch(cumulative[rows], by_path[rows], reach, steps[rows], strengths, is_short[rows])
        for rows in (slice(start, start + BATCH) for start in range(0, max(products, 1), BATCH))
    ]
    return joined(parts)


@lru_cache(maxsize=4096)
def leads(days: float, variation: float, scenarios: int = LEAD_SCENARIOS) -> np.ndarray:
    """Equally likely lead times in whole days around a quoted one: middles of a gamma's equal slices.

    `variation` is the standard deviation as a share of the mean; 0 is a vendor who is always on time.
    """
    if days <= 0 or variation <= 0:
        drawn = np.full(scenarios, max(round(days), 0))
    else:
        from scipy.stats import gamma

        middles = (np.arange(scenarios) + 0.5) / scenarios
        drawn = np.rint(gamma.ppf(middles, 1 / variation**2, scale=days * variation**2)).astype(int)
    drawn.flags.writeable = False  # all callers share it
    return drawn


def in_grains(levels: np.ndarray, grains: np.ndarray | float) -> np.ndarray:
    """Levels rounded up to what can be held."""
    return np.ceil(levels / grains - FINE) * grains


def _batch(
    cumulative: np.ndarray,
    leads_days: np.ndarray,
    review: int,
    grains: np.ndarray,
    strengths: np.ndarray,
    is_short: np.ndarray,
) -> Curves:
    marks = _marks(cumulative, leads_days, review)
    levels = _levels(marks[:, -1], grains, strengths)
    asked = np.diff(marks, axis=1)
    is_asked = asked > 0
    cycle = marks.shape[2] * review  # days of all paths
    # A level meets demand that is f times as strong as S / f meets the demand that was drawn.
    grid = (levels[:, None, :] / strengths[:, None]).reshape(len(levels), -1)
    order = np.argsort(grid, axis=1, kind="stable")
    rows = np.arange(len(grid))[:, None] * grid.shape[1]
    place_of = np.argsort(order, axis=1) + rows
    grid = grid.take(order + rows)
    place = _places(grid, marks)
    # (S - before)+ - (S - after)+ is what a level S serves of a day's demand: sums of such ramps are counted
    # at the marks once for all levels, instead of once per level.
    per_unit = is_asked / np.where(is_asked, asked, 1)
    of_lines = np.zeros(marks.shape)
    of_lines[:, :-1] = per_unit
    of_lines[:, 1:] -= per_unit
    first = _counted(grid, marks[:, 0], place[:, 0])
    last = _counted(grid, marks[:, -1], place[:, -1])
    # Half of what is sold on a day lies there on average.
    shelf = _counted(grid, marks, place) - (first + last) / 2

    def mean(counted: np.ndarray, scale: np.ndarray) -> np.ndarray:
        slopes, starts = np.cumsum(counted, axis=2)
        ramps = (grid * slopes - starts).take(place_of).reshape(len(levels), len(strengths), -1)
        return (ramps * scale[:, None]).mean(axis=1) / cycle

    lines = is_asked.sum(axis=(1, 2)) / cycle
    units = (marks[:, -1] - marks[:, 0]).sum(axis=1) * strengths.mean() / cycle
    served = mean(_counted(grid, marks, place, of_lines), np.ones_like(strengths))
    return Curves(
        levels,
        _falling(lines[:, None] - served),
        _falling(units[:, None] - mean(first - last, strengths)),
        np.maximum.accumulate(np.maximum(mean(shelf, strengths), 0.0), axis=1),
        lines,
        units,
        is_short,
    )


def _marks(cumulative: np.ndarray, leads_days: np.ndarray, review: int) -> np.ndarray:
    """Demand used up (products, review + 1, paths): when the order arrives, then day by day.

    Whole numbers stay whole. The paths come last: numpy is quick along long rows only.
    """
    products, paths, days = cumulative.shape
    start = np.arange(products * paths).reshape(products, 1, paths) * days - 1
    marks = cumulative.reshape(-1).take(start + leads_days[:, None, :] + np.arange(review + 1)[:, None])
    marks[:, 0][leads_days == 0] = 0
    return marks if np.issubdtype(marks.dtype, np.signedinteger) else marks.astype(float)


def _levels(until_next: np.ndarray, grains: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Candidates: demand until the next order arrives in one path or another, dense where it is large."""
    drawn = until_next[:, :, None] * strengths
    ordered = np.sort(drawn.reshape(len(drawn), -1), axis=1)
    count = LEVELS - len(LOW_SHARES)
    share = 1 - (1 - np.linspace(0, 1, count)) ** 1.5
    ranks = np.rint(share * (ordered.shape[1] - 1)).astype(int)
    found = np.concatenate([ordered[:, :1] * LOW_SHARES, ordered[:, ranks]], axis=1)
    return in_grains(found, grains[:, None])


def _places(levels: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """For every mark how many levels lie below it, counted on from product to product."""
    if len(marks) and np.issubdtype(marks.dtype, np.integer):
        top = marks[:, -1].max(axis=1).astype(int)
        start = np.cumsum(top + 2) - (top + 2)
        if start[-1] + top[-1] < marks.size * LARGEST_TABLE:
            return _looked_up(levels, marks, top, start)
    found = [np.searchsorted(own, mark.ravel()) for own, mark in zip(levels, marks, strict=True)]
    own = np.array(found, dtype=np.int64).reshape(marks.shape)
    return own + (np.arange(len(levels)) * (levels.shape[1] + 1))[:, None, None]


def _looked_up(levels: np.ndarray, marks: np.ndarray, top: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The same for whole numbers, from a table with one entry for each up to the `top` of every product."""
    above = np.minimum(np.floor(levels), top[:, None]).astype(int) + 1  # the first that a level lies below
    table = np.bincount((above + start[:, None]).ravel(), minlength=start[-1] + top[-1] + 2)
    table[start[1:]] += 1
    return np.cumsum(table).take(marks + start[:, None, None])


def _counted(
    levels: np.ndarray, marks: np.ndarray, place: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Weights (2, products, levels) of the marks between a level and the one before, and weights * marks.

    Summed up they say what the ramps weight * max(level - mark, 0) come to at every level.
    """
    products, count = levels.shape
    heights = marks if weights is None else weights * marks
    sums = [
        np.bincount(place.ravel(), None if one is None else one.ravel(), products * (count + 1))
        for one in (weights, heights)
    ]
    return np.array(sums, float).reshape(2, products, count + 1)[:, :, :count]


def _falling(lost: np.ndarray) -> np.ndarray:
    return np.minimum.accumulate(np.maximum(lost, 0.0), axis=1)
