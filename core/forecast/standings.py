"""The leaderboard: a row for each method with its reason, and how far the pool's promises held."""

from dataclasses import dataclass

import numpy as np

from core.forecast import backtest, contenders
from core.forecast.admission import (
    FEWEST_PRODUCTS,
    LEAST_GAIN,
    Ballot,
    Change,
    Decision,
    against,
    decide,
)
from core.forecast.models import DEFAULT
from core.forecast.verdicts import MemberScore, Report

POOL, NAIVE = "pool", "naive"
LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))
BINS = 10
SAME = 0.005  # half a percent is not worth a word
TITLES = {
    POOL: "Runout's pool",
    NAIVE: "Simple rule",
    "blocks": "Own weeks drawn again",
    "occurrence": "Chance and size of a sale",
    "analogs": "Products like this one",
    "waking": "How long a pause lasts",
    **contenders.TITLES,
}


@dataclass(frozen=True)
class Board:
    """All answers on the same tasks. `naive` (tasks,): the day of the simple rule; `ms` by name and product;
    `failed`: by name the number of products on which it gave no answer."""

    ballot: Ballot
    naive: np.ndarray
    ms: dict[str, float]
    failed: dict[str, int]


def report(board: Board, sample: dict, origins: tuple[str, ...]) -> Report:
    """Rows best first, the decision about the line-up with its reasons, and the pool's calibration."""
    ballot = board.ballot
    decision = decide(ballot, DEFAULT, (*contenders.CHEAP, *contenders.SLOW))
    rows = [_row(name, board, decision) for name in ballot.reached]
    rows.sort(key=lambda row: (row.comparable_crps is None, row.comparable_crps or 0.0))
    there = ~np.isnan(ballot.reached[POOL][:, 0])
    if not there.any():  # it failed on every product
        return Report(tuple(rows), (), (), sample, origins)
    told, actual = ballot.reached[POOL][there], ballot.actual[there]
    return Report(
        tuple(rows), tuple(calibration(told, actual)), tuple(reliability(told, actual)), sample, origins
    )


def _row(name: str, board: Board, decision: Decision) -> MemberScore:
    ballot = board.ballot
    pool, mine = ballot.reached[POOL], ballot.reached[name]
    there = ~np.isnan(mine[:, 0])
    products = len(np.unique(ballot.product[there]))
    told, actual = mine[there], ballot.actual[there]
    about: dict = dict.fromkeys(
        ("crps", "skill", "coverage", "brier_14", "bias", "against_pool", "against_error", "comparable_crps")
    )
    if len(told):
        crps = backtest.crps(told, actual)
        low, middle, high = backtest.quantiles(told, backtest.LEVELS)
        rule = np.abs(board.naive[there] - actual).mean()
        of_pool = backtest.crps(pool, ballot.actual)
        both = there & ~np.isnan(of_pool)
        mine_there = backtest.crps(mine[both], ballot.actual[both])
        worse, error = against(mine_there, of_pool[both], ballot.product[both]) or (None, None)
        soon = (told[:, backtest.SOON_DAYS] - (actual <= backtest.SOON_DAYS)) ** 2
        about = {
            "crps": crps.mean(),
            "skill": None if rule <= 0 else 1 - crps.mean() / rule,
            "coverage": ((low <= actual) & (actual <= high)).mean(),
            "brier_14": soon.mean(),
            "bias": (middle - actual).mean(),
            "against_pool": worse,
            "against_error": error,
            "comparable_crps": None if worse is None else np.nanmean(of_pool) * (1 + worse),
        }
    rounded = {key: None if value is None else round(float(value), 4) for key, value in about.items()}
    return MemberScore(
        name=name,
        title=_title(name),
        tasks=len(told),
        products=products,
        ms_per_product=round(board.ms[name], 2) if name in board.ms else None,
        failed=board.failed.get(name, 0),
        is_default=name in DEFAULT,
        admitted=name in decision.line_up,
        reason=_reason(name, rounded["against_pool"], products, decision),
        sample=f"{_count(products, 'product')}, {_count(len(told), 'forecast')}",
        **rounded,
    )


def _title(name: str) -> str:
    return TITLES.get(name, name.capitalize())


# -- Reasons -------------------------------------------------------------------------------------------------


def _reason(name: str, against_pool: float | None, products: int, decision: Decision) -> str:
    if name == POOL:
        parts = ", ".join(_title(one) for one in decision.line_up)
        judged = "" if set(decision.line_up) == set(DEFAULT) else " Judged here with the fixed line-up."
        return f"Draws the forecasts, in equal shares of: {parts}.{judged}"
    if name == NAIVE:
        return "Stock over the mean of 28 days: one date without any doubt, the rule to beat."
    change = decision.changes.get(name)
    if change is None or not products:
        where = "In the fixed line-up, but there" if name in DEFAULT else "There"
        return f"{where} was nothing to judge it on."
    if name in DEFAULT:
        return _of_default(name, change, decision)
    return _of_contender(name, against_pool, change, decision)


def _of_default(name: str, change: Change, decision: Decision) -> str:
    found = _in_words(change)
    if name not in decision.line_up:
        return f"Left out: without it run-out dates are {found}."
    if change.products < FEWEST_PRODUCTS:
        return f"In the fixed line-up; {_too_few(change)}."
    return f"In the fixed line-up; without it run-out dates would be {found}."


def _of_contender(name: str, against_pool: float | None, change: Change, decision: Decision) -> str:
    if name in decision.line_up:
        return f"Let in: with it run-out dates are {_in_words(change)}."
    alone = "as good as the pool's"
    if against_pool is not None and abs(against_pool) >= SAME:
        alone = f"{_percent(against_pool)} {'worse' if against_pool > 0 else 'better'} than the pool's"
    so = "so it only draws the pictures" if name == "prophet" else "so it stays out"
    if change.products < FEWEST_PRODUCTS:
        return f"Alone, run-out dates {alone}; {_too_few(change)}, {so}."
    return (
        f"Alone, run-out dates {alone} on {_count(change.products, 'product')}; "
        f"in the pool it would make them {_in_words(change, with_products=False)}, {so}."
    )


def _in_words(change: Change, *, with_products: bool = True) -> str:
    """ "1.2 % worse on 300 products", or that the difference is within chance."""
    on = f" on {_count(change.products, 'product')}" if with_products else ""
    size = f"{_percent(change.gain)} {'better' if change.gain > 0 else 'worse'}{on}"
    if abs(change.gain) < SAME / 10:
        return f"the same{on}"
    if not change.is_sure:
        return f"{size}, which may be chance"
    return f"{size}, too little to change anything" if 0 < change.gain < LEAST_GAIN else size


def _too_few(change: Change) -> str:
    return f"{_count(change.products, 'product')} could be judged, too few to change anything"


def _percent(share: float) -> str:
    return f"{abs(share):.0%}".replace("%", " %") if abs(share) >= 0.095 else f"{100 * abs(share):.1f} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# -- How far the promises held -------------------------------------------------------------------------------


def calibration(reached: np.ndarray, actual: np.ndarray) -> list[dict[str, float]]:
    """For levels 0.05 .. 0.95: the share of tasks whose stock was used up by that quantile; equal is right.

    Days are whole, so a quantile falls within a day: that day counts in proportion (the randomised PIT of
    Czado, Gneiting & Held 2009, Biometrics 65, 1254-1261). Beyond the horizon is one long day.
    """
    padded = np.concatenate([reached, np.ones((len(reached), 1))], axis=1)
    place = np.arange(len(reached))
    before, by = padded[place, actual - 1], padded[place, actual]
    points = []
    for level in LEVELS:
        width = np.where(by > before, by - before, 1.0)
        part = np.where(by > before, np.clip((level - before) / width, 0.0, 1.0), level >= by)
        points.append({"level": level, "share": round(float(part.mean()), 4), "tasks": len(reached)})
    return points


def reliability(reached: np.ndarray, actual: np.ndarray, days: int = backtest.SOON_DAYS) -> list[dict]:
    """How often stock was used up within 14 days, by the chance that was told, in ten bins."""
    chance, happened = reached[:, days], actual <= days
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    return [
        {"chance": round(float(chance[place == one].mean()), 4),
         "happened": round(float(happened[place == one].mean()), 4), "tasks": int((place == one).sum())}
        for one in range(BINS)
        if (place == one).any()
    ]  # fmt: skip
