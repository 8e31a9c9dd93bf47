"""How well rankings of lines find injected errors and repair them, under the daily budgets of the study.

Lines are ranked within each finished day, all days together for the measures without a budget. Among equal
scores the line booked first comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

BUDGETS = (3, 10, 20)  # findings a day
BUDGET = 10  # of the measures that are printed by kind
MONEY_PLACES = 3  # of the budget, where likely errors and money at stake share it, as in the product
SURE = 0.9
PENNY = 0.01
UNDONE_MINUTES = 60


@dataclass(frozen=True)
class Ranking:
    """What a detector says of the lines from the cut on; arrays of one length.

    `rows`: places in the frame, ascending. `column`, `value`: the cell that the first repair changes and what
    it would hold; both "" where no repair is known. Quantity 0: the line should not be there.
    """

    rows: np.ndarray
    score: np.ndarray
    kind: np.ndarray
    column: np.ndarray
    value: np.ndarray

    def table(self) -> pd.DataFrame:
        """As the stable entry point writes it."""
        return pd.DataFrame(
            {
                "line": self.rows,
                "score": self.score,
                "kind": self.kind,
                "field": self.column,
                "repaired_value": self.value,
            }
        )


@dataclass(frozen=True)
class Marked:
    """A ranking beside the truth; arrays over its lines."""

    score: np.ndarray
    day: np.ndarray
    kind: np.ndarray  # the injected one, "" for a line nobody touched
    money: np.ndarray  # what the injected error is worth
    is_exact: np.ndarray  # its first repair restores what was there
    at_stake: np.ndarray  # money that the proposed repair moves

    @property
    def is_wrong(self) -> np.ndarray:
        return self.kind != ""


def marked(frame: pd.DataFrame, ranking: Ranking, truth: pd.DataFrame) -> Marked:
    """Hold a ranking against the truth of `anomaly_injector.Injected`."""
    places = np.searchsorted(ranking.rows, truth["line"])
    kind = np.full(len(ranking.rows), "", object)
    money, is_exact = np.zeros(len(kind)), np.zeros(len(kind), bool)
    kind[places], money[places] = truth["kind"], truth["money"]
    for place, column, value in zip(places, truth["column"], truth["value"], strict=True):
        is_exact[place] = ranking.column[place] == column and _same(ranking.value[place], value, column)
    days = pd.factorize(frame["InvoiceDate"].iloc[ranking.rows].str[:10])[0]
    return Marked(ranking.score, days, kind, money, is_exact, at_stake(frame, ranking))


def _same(proposed: str, right: str, column: str) -> bool:
    if column == "StockCode":
        return proposed == right
    return abs(float(proposed) - float(right)) < (PENNY / 2 if column == "UnitPrice" else 1e-6)


def at_stake(frame: pd.DataFrame, ranking: Ranking) -> np.ndarray:
    """Money that each proposed repair moves; the whole line where it names no quantity or price."""
    held = {
        column: pd.to_numeric(frame[column].iloc[ranking.rows], errors="coerce").fillna(0).to_numpy(float)
        for column in ("Quantity", "UnitPrice")
    }
    total = held["Quantity"] * held["UnitPrice"]
    repaired = dict(held)
    for column in held:
        is_changed = ranking.column == column
        values = pd.to_numeric(pd.Series(ranking.value[is_changed]), errors="coerce").fillna(0)
        repaired[column] = held[column].copy()
        repaired[column][is_changed] = values
    moved = np.abs(repaired["Quantity"] * repaired["UnitPrice"] - total)
    is_known = np.isin(ranking.column, list(held))
    return np.where(is_known, moved, np.abs(total))


def rank_in_day(score: np.ndarray, day: np.ndarray) -> np.ndarray:
    """1 for the line with the highest score of its day."""
    order = np.lexsort((np.arange(len(score)), -score, day))
    firsts = np.r_[True, day[order][1:] != day[order][:-1]] if len(order) else np.zeros(0, bool)
    ranks = np.empty(len(score), np.int64)
    ranks[order] = (
        np.arange(len(order)) - np.maximum.accumulate(np.where(firsts, np.arange(len(order)), 0)) + 1
    )
    return ranks


def figures(one: Marked) -> dict[str, float]:
    """The measures of one ranking; shares of all injected errors unless the name says otherwise."""
    order = np.argsort(-one.score, kind="stable")
    is_hit = one.is_wrong[order]
    total, days = int(is_hit.sum()), int(one.day.max(initial=-1)) + 1
    if not total:
        raise ValueError("No errors were injected: nothing to measure.")
    precision = np.cumsum(is_hit) / np.arange(1, len(is_hit) + 1)
    sure = np.flatnonzero(precision >= SURE)
    ranks = rank_in_day(one.score, one.day)
    found = {
        "ap": float(precision[is_hit].mean()) if total else np.nan,
        "r_precision": float(precision[total - 1]),
        "recall_at_p90": float(is_hit[: sure[-1] + 1].sum() / total) if len(sure) else 0.0,
    }
    for budget in BUDGETS:
        is_shown = ranks <= budget
        found |= {
            f"precision@{budget}": float(one.is_wrong[is_shown].mean()),
            f"recall@{budget}": float((is_shown & one.is_wrong).sum() / total),
            f"money@{budget}": _money_share(one, is_shown),
        }
    is_found = (ranks <= BUDGET) & one.is_wrong
    found["found_and_exact@10"] = float((is_found & one.is_exact).sum() / total)
    found["exact_of_found@10"] = float(one.is_exact[is_found].mean()) if is_found.any() else np.nan
    money_ranks = rank_in_day(one.score * one.at_stake, one.day)
    for budget in BUDGETS:
        is_shown = money_ranks <= budget
        found[f"by money: recall@{budget}"] = float((is_shown & one.is_wrong).sum() / total)
        found[f"by money: money@{budget}"] = _money_share(one, is_shown)
    is_shared = shared(one)
    found["shared: recall@10"] = float((is_shared & one.is_wrong).sum() / total)
    found["shared: money@10"] = _money_share(one, is_shared)
    found["shared: found_and_exact@10"] = float((is_shared & one.is_wrong & one.is_exact).sum() / total)
    for budget in BUDGETS:
        found[f"threshold@{budget}"] = threshold(one.score, budget * days)
        found[f"true a day@{budget}"] = float(
            one.is_wrong[one.score >= found[f"threshold@{budget}"]].sum() / days
        )
    return found


def shared(one: Marked) -> np.ndarray:
    """What is shown where two lists share the budget: a day's likeliest lines, then the dearest others."""
    is_likely = rank_in_day(one.score, one.day) <= BUDGET - MONEY_PLACES
    rest = np.where(is_likely, -1.0, one.score * one.at_stake)
    return is_likely | (rank_in_day(rest, one.day) <= MONEY_PLACES) & (rest >= 0)


def _money_share(one: Marked, is_shown: np.ndarray) -> float:
    return float(one.money[is_shown & one.is_wrong].sum() / one.money.sum())


def threshold(score: np.ndarray, lines: int) -> float:
    """The score that this many lines reach."""
    return float(np.sort(score)[::-1][min(lines, len(score)) - 1])


def clean_a_day(
    found: Mapping[str, float], clean_score: np.ndarray, clean_day: np.ndarray
) -> dict[str, float]:
    """Findings a day in the same weeks with nothing injected, at the thresholds of the injected ones."""
    days = int(clean_day.max(initial=-1)) + 1
    return {
        f"clean a day@{budget}": float((clean_score >= found[f"threshold@{budget}"]).sum() / days)
        for budget in BUDGETS
    }


def by_kind(one: Marked) -> pd.DataFrame:
    """`n, top_r, at_10, exact` by injected kind: how many there are, are found, are repaired right."""
    total = int(one.is_wrong.sum())
    is_top = np.zeros(len(one.score), bool)
    is_top[np.argsort(-one.score, kind="stable")[:total]] = True
    is_shown = rank_in_day(one.score, one.day) <= BUDGET
    wrong = one.is_wrong
    return (
        pd.DataFrame(
            {
                "kind": one.kind[wrong],
                "n": 1,
                "top_r": is_top[wrong],
                "at_10": is_shown[wrong],
                "exact": (is_shown & one.is_exact)[wrong],
                "exact_of_all": one.is_exact[wrong],
            }
        )
        .groupby("kind")
        .sum()
    )


def undone(frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Which of the rows are sales that an equal return of the same customer took back within the hour."""
    table = pd.DataFrame(
        {
            "quantity": pd.to_numeric(frame["Quantity"]),
            "at": pd.to_datetime(frame["InvoiceDate"], format="ISO8601", utc=True),
            "code": frame["StockCode"],
            "customer": frame["CustomerID"],
            "row": np.arange(len(frame)),
        }
    )
    table = table[table["customer"] != ""]
    sales = table[table["quantity"] > 0].rename(columns={"at": "sold_at"})
    back = table[table["quantity"] < 0].assign(quantity=lambda one: -one["quantity"])
    pairs = sales.merge(back, on=["code", "customer", "quantity"], suffixes=("", "_back"))
    waited = pairs["at"] - pairs["sold_at"]
    is_soon = (waited >= pd.Timedelta(0)) & (waited <= pd.Timedelta(minutes=UNDONE_MINUTES))
    is_later = pairs["row_back"] > pairs["row"]
    return np.isin(rows, pairs.loc[is_soon & is_later, "row"])


def average_precision(score: np.ndarray, is_hit: np.ndarray) -> float:
    """Mean precision at the places of the hits."""
    hits = is_hit[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()) if hits.any() else np.nan


def mean_and_spread(rounds: Sequence[Mapping[str, float]]) -> pd.DataFrame:
    """`mean` and `sd` over the seeds, one row a measure."""
    table = pd.DataFrame(list(rounds))
    return pd.DataFrame({"mean": table.mean(), "sd": table.std(ddof=1) if len(table) > 1 else np.nan})
