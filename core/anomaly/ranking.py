"""Which odd movements people are asked to look at: the likeliest and the dearest, within what a day can hold.

Arithmetic: no session, no clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_CHANCE = 0.1
"""Below it nobody is asked: nine of ten would be asked for nothing. Quiet days stay quiet."""
LEAST_CHANCE_OF_MONEY = 0.05
"""Where much money is at stake a look is worth it a little sooner."""
STRONGER = 2.0
"""So much more (odds, expected loss) it takes to drive a finding out: else the list would flicker all day."""
WRONGED = math.log(3.0)
CONFIRMED = math.log(1.5)
"""What one decision about the same product and kind does to the odds: "this was real" divides them by
three, a repair multiplies them by one and a half."""
MOST_TAUGHT = math.log(30.0)
PRIOR_DECISIONS = 20
"""After so many decisions the measured rate has as much to say as the model's own chances."""
MOST_SHIFT = math.log(5.0)


@dataclass(frozen=True)
class Odd:
    """A movement that somebody could look at, or a finding that was raised before.

    `listed`: on which list it was raised, "likely" or "money"; `is_open`: nobody has decided it yet.
    """

    chance: float
    money: float
    listed: str = ""
    is_open: bool = True

    @property
    def loss(self) -> float:
        """What is lost, expected, when nobody looks."""
        return self.chance * self.money


@dataclass(frozen=True)
class Chosen:
    """Places of the candidates that are raised, each with its list; places of earlier findings that go."""

    raised: dict[int, str]
    dropped: tuple[int, ...]


def choose(
    candidates: Sequence[Odd], earlier: Sequence[Odd], findings_a_day: int, money_a_day: int
) -> Chosen:
    """Who of one day's candidates is shown, given the day's earlier findings.

    Two lists share the budget: `money_a_day` places are kept for what is dearest, the others for what is
    likeliest. A place that is free is taken; when none is, somebody clearly stronger drives out the weakest
    that nobody has decided yet. It goes rather than staying beside it: the budget is what people said they
    can look at, and what is weak now was only ever the best of a few hours. What was decided keeps its place.
    """
    raised: dict[int, str] = {}
    dropped: list[int] = []
    left = [n for n, odd in enumerate(candidates) if odd.chance >= LEAST_CHANCE_OF_MONEY]
    for listed, places in (("likely", findings_a_day - money_a_day), ("money", money_a_day)):
        fit = [n for n in left if n not in raised and _fits(candidates[n], listed)]
        fit.sort(key=lambda n: -_strength(candidates[n], listed))
        taken = [n for n, odd in enumerate(earlier) if odd.listed == listed]
        weakest = sorted(
            (n for n in taken if earlier[n].is_open), key=lambda n: _strength(earlier[n], listed)
        )
        free = max(0, places - len(taken))
        for n in fit:
            if free:
                free -= 1
            elif weakest and _is_clearly_stronger(candidates[n], earlier[weakest[0]], listed):
                dropped.append(weakest.pop(0))
            else:
                break
            raised[n] = listed
    return Chosen(raised, tuple(dropped))


def taught(accepted: int, real: int) -> float:
    """What earlier decisions about the same product and kind add to the log odds."""
    return max(-MOST_TAUGHT, min(MOST_TAUGHT, accepted * CONFIRMED - real * WRONGED))


def measured(right: int, chances: Sequence[float]) -> float:
    """What decided findings add to all log odds: `right` of them were errors, their chances say how many
    should have been."""
    if not chances:
        return 0.0
    mean = min(max(sum(chances) / len(chances), 0.01), 0.99)
    share = (right + PRIOR_DECISIONS * mean) / (len(chances) + PRIOR_DECISIONS)
    share = min(max(share, 0.001), 0.999)
    return max(-MOST_SHIFT, min(MOST_SHIFT, _logit(share) - _logit(mean)))


def shifted(chance: float, log_odds: float) -> float:
    """A chance after something was added to its log odds."""
    if not 0 < chance < 1:
        return chance
    return 1 / (1 + math.exp(-(_logit(chance) + log_odds)))


def _fits(odd: Odd, listed: str) -> bool:
    return odd.chance >= (LEAST_CHANCE if listed == "likely" else LEAST_CHANCE_OF_MONEY)


def _strength(odd: Odd, listed: str) -> float:
    return odd.chance if listed == "likely" else odd.loss


def _is_clearly_stronger(odd: Odd, other: Odd, listed: str) -> bool:
    if listed == "money":
        return odd.loss >= STRONGER * max(other.loss, 1e-9)
    return _odds(odd.chance) >= STRONGER * _odds(other.chance)


def _odds(chance: float) -> float:
    return chance / max(1 - chance, 1e-9)


def _logit(chance: float) -> float:
    return math.log(chance / (1 - chance))
