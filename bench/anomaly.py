"""How many errors of data entry does the shipped detector find and repair? Beside four plain ways in one run.

    python -m bench.anomaly --data online_retail.csv.gz               # the protocol of the study, five seeds
    python -m bench.anomaly --data online_retail.csv.gz --quick       # one seed, nothing else
    python -m bench.anomaly --data FILE --cut 2011-10-01 --rate 5000 --mix heads --only rounds
    python -m bench.anomaly --lines FILE --cut DATE --out FILE        # score lines that have errors in them

FILE is csv (or csv.gz) in booking order with InvoiceNo, StockCode, Quantity (signed: negative is a return),
InvoiceDate (ISO 8601, UTC where no zone is said), UnitPrice and CustomerID (may be empty); other columns are
ignored. Without --data an invented shop is used. Whether an invoice begins with C is never looked at.

Measuring: from the cut on one sale in --rate gets an error (bench.anomaly_injector shares nothing with what
the detector trains on); wrong lines stay wrong in all later history. The detectors learn before the cut and
score each line knowing only what was booked before it. Lines are ranked within each finished day.

Scoring (--lines): learns before DATE, then writes one row for EVERY line of DATE or later, in booking order:
line, score, kind, field, repaired_value.
  line            place of the row in FILE, counted from 0 (the header is not counted)
  score           chance that the line is wrong: the higher, the sooner to be looked at
  kind            the likeliest error, empty for fees, postage and lines of no quantity (their score is 0)
  field           the column of FILE that the first repair changes: Quantity, UnitPrice or StockCode;
                  empty where no repair is known
  repaired_value  what that column would hold (signed quantity; Quantity 0: the line should not be there)
With fewer than 1,000 lines before DATE the detector is learned as soon as so many have been booked, and again
at ten times as many; until then lines are ranked by what they are worth.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bench import (
    anomaly_injector,
    anomaly_lines,
    anomaly_rounds,
    anomaly_score,
    anomaly_shipped,
    anomaly_speed,
)
from bench.anomaly_rounds import SHIPPED, Setting
from bench.anomaly_shop import an_invented_shop

STUDY_CUT = "2011-09-01"
LEARNED_SHARE = 0.7  # of the days, where no cut is given
PARTS = ("rounds", "hidden", "real", "natural", "speed")
SHOWN = (
    "ap", "r_precision", "recall_at_p90", "found_and_exact@10", "exact_of_found@10",
    "precision@3", "recall@3", "money@3", "precision@10", "recall@10", "money@10",
    "precision@20", "recall@20", "money@20",
    "by money: recall@3", "by money: money@3", "by money: recall@10", "by money: money@10",
    "shared: recall@10", "shared: money@10", "shared: found_and_exact@10",
    "true a day@3", "clean a day@3", "true a day@10", "clean a day@10", "true a day@20", "clean a day@20",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    wishes = _parser().parse_args(arguments)
    try:
        if wishes.lines:
            score(wishes)
        else:
            measure(wishes)
    except (ValueError, OSError) as refusal:
        raise SystemExit(str(refusal)) from refusal


def score(wishes: argparse.Namespace) -> None:
    """The stable entry point: errors are in the lines already, each later one gets a score and a repair."""
    if not wishes.cut or not wishes.out:
        raise ValueError("--lines needs --cut DATE and --out FILE as well.")
    started = time.perf_counter()
    frame = anomaly_lines.read(wishes.lines)
    cut = _moment(wishes.cut)
    stream = anomaly_lines.stream(frame, cut)
    ranking = anomaly_shipped.rank(stream, workers=wishes.workers, keep=wishes.keep, say=_say)
    table = with_the_rest(ranking, anomaly_lines.rows_from(frame, cut))
    table.to_csv(wishes.out, index=False)
    seconds = time.perf_counter() - started
    print(f"{stream.start:,} lines to learn from, {len(table):,} scored, {seconds:.0f} s: {wishes.out}")


def with_the_rest(ranking: anomaly_score.Ranking, rows: np.ndarray) -> pd.DataFrame:
    """The ranking as a table, with score 0 for those of these rows that it does not speak of."""
    table = ranking.table().set_index("line").reindex(rows)
    return table.fillna({"score": 0.0, "kind": "", "field": "", "repaired_value": ""}).reset_index(
        names="line"
    )


def measure(wishes: argparse.Namespace) -> None:
    """Everything that is printed; --only and --quick choose from it."""
    frame = anomaly_lines.goods(wishes.data) if wishes.data else an_invented_shop()
    setting = Setting(
        frame,
        _moment(wishes.cut) if wishes.cut else _cut(frame),
        1 / wishes.rate,
        anomaly_injector.MIXES[wishes.mix],
        wishes.workers,
        wishes.keep,
        _say,
    )
    parts = wishes.only or (PARTS[:1] if wishes.quick else PARTS)
    told = {part: SECTIONS[part](setting, 1 if wishes.quick else wishes.seeds) for part in parts}
    if wishes.json:
        wishes.json.write_text(json.dumps(told, indent=1, default=float))


def _rounds(setting: Setting, seeds: int) -> dict:
    every = list(anomaly_rounds.rounds(setting, seeds))
    injected = [one.injected for one in every]
    names = list(every[0].figures)
    spreads = {name: anomaly_score.mean_and_spread([one.figures[name] for one in every]) for name in names}
    print(f"\n{len(every)} seeds, {min(injected)} to {max(injected)} errors each. Mean over the seeds")
    means = pd.DataFrame({name: spread["mean"] for name, spread in spreads.items()})
    means[f"sd of {SHIPPED}"] = spreads[SHIPPED]["sd"]
    print(means.loc[list(SHOWN)].round(3).to_string())
    kinds = {name: sum_of([one.kinds[name] for one in every]) for name in names}
    print("\nFound at 10 a day by kind, share of n; of the shipped one also in the top R, and repaired right")
    shares = pd.DataFrame({name: table["at_10"] / table["n"] for name, table in kinds.items()})
    own = kinds[SHIPPED]
    shares.insert(0, "n", own["n"])
    shares["top R"] = own["top_r"] / own["n"]
    shares["right of found"] = own["exact"] / own["at_10"]
    shares["right of all"] = own["exact_of_all"] / own["n"]
    print(shares.round(2).to_string())
    return {"injected": injected, "figures": means.to_dict(), "kinds": shares.to_dict()}


def sum_of(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Counts by kind over the seeds, in the injector's order."""
    total = pd.concat(tables).groupby(level=0).sum()
    return total.reindex([kind for kind in anomaly_injector.KINDS if kind in total.index])


def _hidden(setting: Setting, seeds: int) -> dict:
    table = anomaly_rounds.hidden(setting, min(seeds, anomaly_rounds.HIDDEN_SEEDS))
    return _shown("Kinds left out of training: recall at 10 a day, of the kind and of all", table)


def _real(setting: Setting, _: int) -> dict:
    table = anomaly_rounds.real(setting)
    if table.empty:
        print("\nThe real errors of the study are not in these lines.")
        return {}
    return _shown("Rank in its day of errors that real people made: by chance, by chance x money", table)


def _natural(setting: Setting, _: int) -> dict:
    return _shown(
        "Sales taken back within the hour (a weak label, for the record)", anomaly_rounds.natural(setting)
    )


def _shown(title: str, table: pd.DataFrame) -> dict:
    print(f"\n{title}\n{table.round(4).to_string()}")
    return table.reset_index().to_dict("list")


def _speed(setting: Setting, _: int) -> dict:
    stream = anomaly_lines.stream(setting.frame, setting.cut)
    detector = anomaly_shipped.learned(stream, stream.start, workers=setting.workers, keep=setting.keep)
    return anomaly_speed.measure(setting.frame, stream, detector)


SECTIONS = dict(zip(PARTS, (_rounds, _hidden, _real, _natural, _speed), strict=True))


def _cut(frame: pd.DataFrame) -> pd.Timestamp:
    """That of the study where the lines reach so far, else after the first seven tenths of the days."""
    days = pd.to_datetime(frame["InvoiceDate"].str[:10], utc=True).drop_duplicates().sort_values()
    study = _moment(STUDY_CUT)
    return study if days.iloc[0] < study < days.iloc[-1] else days.iloc[int(len(days) * LEARNED_SHARE)]


def _moment(text: str) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(text)
    except ValueError as trouble:
        raise ValueError(f"--cut {text!r} is not a date such as 2011-09-01.") from trouble
    return moment.tz_localize("UTC") if moment.tz is None else moment


def _say(what: str) -> None:
    print(what, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.anomaly",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, help="lines without errors to measure on; an invented shop by default")
    add("--lines", type=Path, help="lines with errors in them, to be scored into --out")
    add("--out", type=Path, help="csv that --lines is scored into")
    add("--cut", help="day YYYY-MM-DD: learned from is what comes before it")
    add("--rate", type=float, default=500, help="one sale in so many gets an error (500)")
    add("--seeds", type=int, default=5, help="rounds with other errors (5)")
    add("--mix", choices=anomaly_injector.MIXES, default="study", help="which errors, and how often each")
    add("--only", choices=PARTS, nargs="+", help="these parts alone")
    add("--quick", action="store_true", help="one seed, the first part alone")
    add("--workers", type=int, default=1, help="processes that learn and score (1)")
    add("--keep", type=Path, help="folder where learned detectors are kept for the next run of the same code")
    add("--json", type=Path, help="file for all figures")
    return parser


if __name__ == "__main__":
    main()
