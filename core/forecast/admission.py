"""Who takes part in the pool: the fixed line-up, unless the shop's own past clearly says otherwise.

Pools are compared on chances that were drawn once per member: the pool of some members is the mean of theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# Eight contenders are asked each week: at one standard error one of them would get in by luck on most.
CLEAR_ERRORS = 2.0
LEAST_GAIN = 0.01  # less is not worth another line-up than last week's, however sure it is
FEWEST_PRODUCTS = 30
MOST_ADMITTED = 2
FEWEST_MEMBERS = 2


@dataclass(frozen=True)
class Change:
    """What a change of the line-up does to the score: `gain` is the share of the CRPS that goes away.

    `error` is its standard error over products, which are what a shop has many of; `products` how many.
    """

    gain: float
    error: float
    products: int

    @property
    def is_sure(self) -> bool:
        """Whether luck does not explain it, for better or worse."""
        return abs(self.gain) > CLEAR_ERRORS * self.error

    @property
    def is_clear(self) -> bool:
        """Whether it is worth making: surely better, by enough, on enough products."""
        return self.is_sure and self.gain >= LEAST_GAIN and self.products >= FEWEST_PRODUCTS


@dataclass(frozen=True)
class Decision:
    """The line-up, and what adding or leaving out each single member would have done."""

    line_up: tuple[str, ...]
    changes: dict[str, Change] = field(default_factory=dict)


@dataclass(frozen=True)
class Ballot:
    """Chances of every member on the same tasks.

    `reached`: by member (tasks, horizon + 1), NaN where it did not take part. `actual` and `product`
    (tasks,): the day on which the stock ran out, and the number of the product. `n_paths`: futures behind
    each chance.
    """

    reached: Mapping[str, np.ndarray]
    actual: np.ndarray
    product: np.ndarray
    n_paths: int

    def crps(self, members: Sequence[str]) -> np.ndarray:
        """CRPS in days of the pool of these members (tasks,), freed of what few paths add to it.

        Members that did not take part in a task are left out of it; NaN without any. A share F of n paths
        has the variance F (1 - F) / n, which the square would count as error, and more of it in a pool of
        few members (Ferro 2014, QJRMS 140, 1917-1923).
        """
        total = spread = count = 0.0
        for member in members:
            reached = self.reached[member]
            there = ~np.isnan(reached[:, :1])
            share = np.where(there, reached, 0.0)
            total, count = total + share, count + there
            spread = spread + share * (1 - share)
        with np.errstate(invalid="ignore", divide="ignore"):
            pooled = total / count
            excess = spread / (self.n_paths - 1) / count**2
        happened = np.arange(pooled.shape[1]) >= self.actual[:, None]
        return ((pooled - happened) ** 2 - excess).sum(axis=1)

    def change(self, before: Sequence[str], after: Sequence[str], about: str) -> Change:
        """What replacing one line-up by another does, on the tasks in which the member `about` took part."""
        asked = np.flatnonzero(~np.isnan(self.reached[about][:, 0]))
        part = self.of(asked)
        old, new = part.crps(before), part.crps(after)
        both = np.isfinite(old) & np.isfinite(new)
        if not both.any():
            return Change(0.0, 0.0, 0)
        better = per_product((old - new)[both], part.product[both])
        base = per_product(old[both], part.product[both]).mean()
        if base <= 0:
            return Change(0.0, 0.0, len(better))
        error = better.std(ddof=1) / np.sqrt(len(better)) if len(better) > 1 else 0.0
        return Change(float(better.mean() / base), float(error / base), len(better))

    def of(self, tasks: np.ndarray) -> "Ballot":
        """The same for some of the tasks."""
        some = {name: reached[tasks] for name, reached in self.reached.items()}
        return Ballot(some, self.actual[tasks], self.product[tasks], self.n_paths)


def against(mine: np.ndarray, other: np.ndarray, product: np.ndarray) -> tuple[float, float] | None:
    """Scores of one method against another's on the same tasks: 0.12 is 12 % worse, and its standard error.

    The error is that of the mean over products, which are what a shop has many of; None when the other was
    never wrong.
    """
    base = other.mean() if len(other) else 0.0
    if base <= 0:
        return None
    code = np.unique(product, return_inverse=True)[1]
    total = np.bincount(code, mine - other) / len(other)
    error = total.std(ddof=1) * np.sqrt(len(total)) if len(total) > 1 else 0.0
    return float(mine.mean() / base - 1), float(error / base)


def per_product(values: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Mean of the values of each product."""
    _, code = np.unique(product, return_inverse=True)
    return np.bincount(code, values) / np.bincount(code)


def decide(ballot: Ballot, default: Sequence[str], contenders: Sequence[str]) -> Decision:
    """The line-up for this shop.

    A contender is let in when adding it at equal weight makes the pool clearly better: by 1 % or more, and
    more than twice the standard error, over at least 30 products. The best one comes first and the others are
    asked again with it, at most two. A default member goes when the pool is as clearly better without it; one
    at a time.
    """
    default = tuple(name for name in default if name in ballot.reached)
    contenders = [name for name in contenders if name in ballot.reached]
    changes = {name: ballot.change(default, (*default, name), name) for name in contenders}
    without = {
        name: ballot.change(default, tuple(one for one in default if one != name), name)
        for name in default
        if len(default) > 1
    }
    line_up = list(default)
    weak = [name for name, change in without.items() if change.is_clear]
    if weak and len(line_up) > FEWEST_MEMBERS:
        line_up.remove(max(weak, key=lambda name: without[name].gain))
    for _ in range(MOST_ADMITTED):
        offers = {name: ballot.change(line_up, (*line_up, name), name)
                  for name in contenders if name not in line_up}  # fmt: skip
        clear = {name: change for name, change in offers.items() if change.is_clear}
        if not clear:
            break
        best = max(clear, key=lambda name: clear[name].gain)
        line_up.append(best)
        changes[best] = clear[best]
    return Decision(tuple(line_up), changes | without)
