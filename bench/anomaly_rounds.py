"""The rounds of the measure: injected errors over several seeds, kinds left out of training, real errors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from bench import anomaly_injector, anomaly_lines, anomaly_rivals, anomaly_score, anomaly_shipped
from bench.anomaly_lines import Stream
from bench.anomaly_score import Ranking
from core.anomaly.lines import KINDS

SHIPPED = "runout"
HIDDEN = {
    "digits swapped": ("digits_swapped",),
    "wrong sign": ("wrong_sign",),
    "price": ("price_typo",),
    "x10": ("times_ten", "times_pack"),
    "x100": ("times_ten", "digit_doubled"),
}
"""Injected kind -> the kinds that training must not know; x10 lands where x12 does, x100 beside 11 for 1."""
HIDDEN_SEEDS = 2
REAL = (
    ("2011-01-10", "541431", "23166"),  # 74,215 pieces
    ("2011-06-01", "556444", "22502"),  # 60 baskets of 60 pieces at 649.50, meant was one
    ("2011-06-01", "556484", "22920"),  # 1,515 for 15
    ("2011-09-01", "581483", "23843"),  # 80,995 pieces
)
"""Errors that real people made in the real sales: a cut before each, invoice and product."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Setting:
    """What is measured on: the lines, the cut and the errors put in."""

    frame: pd.DataFrame
    cut: pd.Timestamp
    rate: float
    mix: Mapping[str, float]
    workers: int = 1
    keep: Path | None = None
    say: Say = anomaly_shipped.silent

    def shipped(self, stream: Stream, hidden: tuple[str, ...] = ()) -> Ranking:
        kinds = [kind for kind in KINDS if kind not in hidden]
        return anomaly_shipped.rank(stream, kinds=kinds, workers=self.workers, keep=self.keep, say=self.say)

    def rankings(self, stream: Stream) -> dict[str, Ranking]:
        """Of every detector, the shipped one last."""
        return anomaly_rivals.rankings(stream) | {SHIPPED: self.shipped(stream)}

    @cached_property
    def clean(self) -> dict[str, Ranking]:
        """The rankings of the lines as they are, with nothing injected."""
        return self.rankings(anomaly_lines.stream(self.frame, self.cut))

    def injected(self, seed: int) -> tuple[anomaly_injector.Injected, Stream]:
        made = anomaly_injector.inject(self.frame, self.cut, self.rate, seed, self.mix)
        return made, anomaly_lines.stream(made.frame, self.cut)


@dataclass(frozen=True)
class Round:
    """What came of one seed: figures and counts by kind of every detector."""

    injected: int
    figures: dict[str, dict[str, float]]
    kinds: dict[str, pd.DataFrame]


def rounds(setting: Setting, seeds: int) -> Iterator[Round]:
    """Every detector on the same injected lines, one round a seed."""
    clean = setting.clean
    days = pd.factorize(setting.frame["InvoiceDate"].iloc[clean[SHIPPED].rows].str[:10])[0]
    for seed in range(1, seeds + 1):
        made, stream = setting.injected(seed)
        figures, kinds = {}, {}
        for name, ranking in setting.rankings(stream).items():
            one = anomaly_score.marked(made.frame, ranking, made.truth)
            found = anomaly_score.figures(one)
            figures[name] = found | anomaly_score.clean_a_day(found, clean[name].score, days)
            kinds[name] = anomaly_score.by_kind(one)
        setting.say(f"Seed {seed}: {len(made.truth)} errors.")
        yield Round(len(made.truth), figures, kinds)


def hidden(setting: Setting, seeds: int = HIDDEN_SEEDS) -> pd.DataFrame:
    """Kinds that training did not know: `recall@10` of the kind and `all@10` of all, with and without it."""
    rows = []
    for seed in range(1, seeds + 1):
        made, stream = setting.injected(seed)
        told = {"": setting.shipped(stream)} | {
            name: setting.shipped(stream, kinds) for name, kinds in HIDDEN.items() if name in setting.mix
        }
        marks = {
            name: anomaly_score.marked(made.frame, ranking, made.truth) for name, ranking in told.items()
        }
        for name in list(marks)[1:]:
            rows.append(
                {
                    "kind": name,
                    "with": _recall(marks[""], name),
                    "without": _recall(marks[name], name),
                    "all with": _recall(marks[""]),
                    "all without": _recall(marks[name]),
                }
            )
    return pd.DataFrame(rows).groupby("kind", sort=False).mean()


def _recall(one: anomaly_score.Marked, kind: str | None = None) -> float:
    """Recall at ten findings a day, of one kind or of all."""
    is_asked = one.is_wrong if kind is None else one.kind == kind
    ranks = anomaly_score.rank_in_day(one.score, one.day)
    return float((ranks <= anomaly_score.BUDGET)[is_asked].mean()) if is_asked.any() else np.nan


def real(setting: Setting) -> pd.DataFrame:
    """Rank in its day of every real error that the lines hold: by chance, and by chance x money at stake."""
    rows = []
    for cut in dict.fromkeys(day for day, _, _ in REAL):
        cases = [
            (invoice, code) for day, invoice, code in REAL if day == cut and _has(setting.frame, invoice)
        ]
        if not cases:
            continue
        last = _until(setting.frame, [invoice for invoice, _ in cases])
        frame = setting.frame.iloc[:last]
        stream = anomaly_lines.stream(frame, pd.Timestamp(cut, tz="UTC"))
        told = setting.rankings(stream)
        for invoice, code in cases:
            is_line = (frame["InvoiceNo"] == invoice) & (frame["StockCode"] == code)
            row = int(np.flatnonzero(is_line)[0])
            line = frame.iloc[row]
            name = f"{line['Quantity']} of {code} at {line['UnitPrice']}, {line['InvoiceDate'][:10]}"
            rows += [{"error": name, "detector": by} | _ranks(frame, one, row) for by, one in told.items()]
    return pd.DataFrame(rows)


def _has(frame: pd.DataFrame, invoice: str) -> bool:
    return bool((frame["InvoiceNo"] == invoice).any())


def _until(frame: pd.DataFrame, invoices: list[str]) -> int:
    """Lines up to the end of the last day of these invoices: what comes later changes no rank."""
    days = frame["InvoiceDate"].str[:10]
    last = days[frame["InvoiceNo"].isin(invoices)].max()
    return int(np.flatnonzero(days <= last)[-1]) + 1


def _ranks(frame: pd.DataFrame, ranking: Ranking, row: int) -> dict[str, object]:
    day = pd.factorize(frame["InvoiceDate"].iloc[ranking.rows].str[:10])[0]
    place = int(np.searchsorted(ranking.rows, row))
    money = ranking.score * anomaly_score.at_stake(frame, ranking)
    return {
        "likely": int(anomaly_score.rank_in_day(ranking.score, day)[place]),
        "money": int(anomaly_score.rank_in_day(money, day)[place]),
        "of": int((day == day[place]).sum()),
        "kind": ranking.kind[place],
        "repair": f"{ranking.column[place]} {ranking.value[place]}".strip(),
    }


def natural(setting: Setting) -> pd.DataFrame:
    """Sales that were taken back within the hour: a weak label, many are changes of mind. Only to be told."""
    rows = {}
    for name, ranking in setting.clean.items():
        is_hit = anomaly_score.undone(setting.frame, ranking.rows)
        top = np.argsort(-ranking.score, kind="stable")
        days = setting.frame["InvoiceDate"].iloc[ranking.rows].str[:10].nunique()
        rows[name] = {
            "labels": int(is_hit.sum()),
            "AP": anomaly_score.average_precision(ranking.score, is_hit),
            "in the top 100": int(is_hit[top[:100]].sum()),
            f"in the top {anomaly_score.BUDGET} a day": int(is_hit[top[: anomaly_score.BUDGET * days]].sum()),
        }
    return pd.DataFrame(rows).T
