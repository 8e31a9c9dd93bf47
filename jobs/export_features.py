"""`python -m jobs export-features`: the training channel as Parquet files, to learn elsewhere from."""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core import cursors
from core.anomaly import looking, training
from core.anomaly.habits import Habits
from core.doctor import feature_export, ledger_lines
from core.doctor.feature_export import MOVEMENTS, TRAIN, Export
from core.errors import BadInput, RuleBroken
from db.session import reading
from jobs.anomalies import LEAST_LINES

LONG = 1800  # seconds one statement may take
PAGE = 20_000  # movements in memory at once, with the lines before them: some hundred megabytes
SEED = 7
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
DAY = 86_400
Say = Callable[[str, int, int], None]
"""What is being written, how far, and of how much."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="an empty or new folder")
    parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="first day (UTC) of the rows")
    parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="last day (UTC) of the rows")
    parser.add_argument("--seed", type=int, default=SEED, help="of the mistakes that are made up (default 7)")


def main(args: argparse.Namespace) -> int:
    """Export, and say how much; refusals are one sentence and exit code 1."""
    console, began = Console(), time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading")

        def say(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        manifest = export(args.out, args.since, args.until, datetime.now(UTC), say, seed=args.seed)
    told = ", ".join(f"{count:,} rows of {name}" for name, count in manifest["rows"].items())
    said = f"{told} are in {args.out} ({time.monotonic() - began:.0f} s)"
    console.print(said, highlight=False, markup=False, soft_wrap=True)
    return 0


def export(
    out: Path, since: date | None, until: date | None, now: datetime, say: Say, *, seed: int = SEED
) -> dict[str, Any]:
    """Write the export into `out` and give its manifest. Lines after `until` are not known to any row."""
    first, last = since or FIRST_DAY, until or LAST_DAY
    if first > last:
        raise BadInput(f"The first day, {first}, is after the last one, {last}.")
    with Export(out) as writing:
        today = now.astimezone(UTC).date()
        habits, learned_from = _train(writing, first, until, today, seed, say)
        with reading() as session:
            last_id = cursors.horizon(session)
        _movements(writing, habits, first, last, last_id, today, say)
        _weeks(writing, first, last, last_id, say)
        about = {
            "seed": seed,
            "since": f"{since}" if since else None,
            "until": f"{until}" if until else None,
            "learned_from": learned_from,
        }
        return writing.finish(habits, about, now)


def _train(
    writing: Export, first: date, until: date | None, today: date, seed: int, say: Say
) -> tuple[Habits, dict[str, Any]]:
    """Rows to learn from, made as the local training makes them; gives the habits behind them."""
    say("reading", 0, 0)
    with reading(LONG) as session:
        sheet = ledger_lines.training(session, today, until=until)
    if len(sheet.lines) < LEAST_LINES:
        raise RuleBroken(
            f"{len(sheet.lines):,} movements are too few to learn from: it takes {LEAST_LINES:,}."
        )
    say("making mistakes to learn from", 0, 0)
    habits = Habits.learn(sheet.lines, len(sheet.lines))
    table = training.training_table(sheet.lines, sheet.shelf, seed)
    is_asked = table.at >= _seconds(first)
    if not is_asked.any():
        raise RuleBroken(f"Nothing is learned from after {first}: ask for an earlier first day.")
    columns = feature_export.train_columns(table)
    writing.add(TRAIN, table.at[is_asked], {name: column[is_asked] for name, column in columns.items()})
    at = sheet.lines.at
    return habits, {"movements": len(at), "from": _moment(at.min()), "to": _moment(at.max())}


def _movements(
    writing: Export, habits: Habits, first: date, last: date, last_id: int, today: date, say: Say
) -> None:
    """The features of every movement, a page of the ledger at a time."""
    after_id = 0
    while after_id < last_id:
        say("features of movements", after_id, last_id)
        with reading(LONG) as session:
            sheet = ledger_lines.after(session, after_id, last_id, PAGE, today)
        after_id = sheet.until_id
        at = sheet.lines.at[sheet.targets]
        asked = sheet.targets[(at >= _seconds(first)) & (at < _seconds(last) + DAY)]
        if len(asked):
            parts = looking.each(sheet.lines, asked, sheet.shelf, habits)
            found = np.concatenate([part.features for part in parts])
            ids, at = sheet.lines.id[asked], sheet.lines.at[asked]
            writing.add(MOVEMENTS, at, feature_export.movement_columns(ids, at, found))


def _weeks(writing: Export, first: date, last: date, last_id: int, say: Say) -> None:
    """The aggregates by week, as the database has made them."""
    say("weeks of products", 0, 0)
    with reading(LONG) as session:
        for found in feature_export.weeks(session, last_id, _monday(first), last + timedelta(days=1)):
            writing.add_weeks(found)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _moment(seconds: np.floating) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds")
