"""The command `import-sales`: a file of sales lines into the ledger, or a report of what it would do."""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from core import auth
from core.errors import BadInput, RunoutError
from core.imports import sales, table_files
from core.imports.sales import ImportStopped, Options, Outcome
from core.imports.sales_lines import Choices
from core.inputs import shown
from db.session import reading, transaction

STEPS = ("reading", "understanding", "comparing", "reconstructing", "booking", "remembering")
SECONDS = 1800
NAMED_CODES = 8
SENTENCE_CHARACTERS = 5_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "file", nargs="+", type=Path, help="CSV (also .gz) or XLSX with one sales line per row"
    )
    parser.add_argument("--dry-run", action="store_true", help="report what would happen and change nothing")
    parser.add_argument(
        "--source", default="sales", help="where the lines come from; part of each line's key"
    )
    parser.add_argument(
        "--warehouse", metavar="CODE", help="where the sales left the shelf (default: the default)"
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=HEADER",
        help="column of: document, code, description, quantity, moment, unit_price, customer or warehouse",
    )  # fmt: skip
    parser.add_argument("--shift-to-today", action="store_true", help="move old days by a multiple of 364")
    parser.add_argument(
        "--date-format", metavar="ORDER", help="ymd, dmy, mdy or a pattern such as %%d-%%b-%%Y"
    )
    parser.add_argument("--decimal", choices=[".", ","], help="the decimal mark of quantities and prices")
    parser.add_argument("--encoding", help="of a CSV file, where it cannot be found out")
    parser.add_argument("--delimiter", help="of a CSV file, where it cannot be found out")
    parser.add_argument("--sheet", help="of a workbook (default: the first visible one)")
    parser.add_argument(
        "--non-product", action="append", default=[], metavar="CODE", help="skip this code too"
    )
    parser.add_argument("--product", action="append", default=[], metavar="CODE", help="never skip this code")
    parser.add_argument(
        "--counted-corrections", action="store_true",
        help="where more was sold than is on hand, book what is missing as a counted correction",
    )  # fmt: skip
    parser.add_argument(
        "--without-errors",
        type=int,
        metavar="N",
        help="import without exactly these N lines that have errors",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.csv", help="write skipped lines and errors there"
    )


def main(args: argparse.Namespace) -> int:
    """Import each file in its own transaction; 0 when all went in, 1 when one was refused."""
    console = Console()
    try:
        options = _options(args)
        for path in args.file:
            _one(console, path, args, options)
    except ImportStopped as stopped:
        _show(console, stopped.outcome)
        _write_report(console, args.report, stopped.outcome)
        console.print(f"[red]{_plain(stopped.sentence)}[/red]")
        return 1
    except RunoutError as refused:
        console.print(f"[red]{_plain(refused.sentence)}[/red]")
        return 1
    return 0


def _options(args: argparse.Namespace) -> Options:
    if args.report is not None and len(args.file) > 1:
        raise BadInput("--report tells of one file: import the files one by one.")
    if args.report is not None and (args.report.is_dir() or not args.report.absolute().parent.is_dir()):
        raise BadInput(f"--report: there is no folder to write '{args.report}' to.")
    columns = {}
    for given in args.map:
        field, equals, header = given.partition("=")
        if not equals:
            raise BadInput(f"--map wants FIELD=HEADER, not '{given}'.")
        columns[field.strip()] = header
    choices = Choices(
        columns=columns,
        decimal=args.decimal,
        date_format=args.date_format,
        non_product_codes=frozenset(args.non_product),
        product_codes=frozenset(args.product),
    )
    return Options(
        source=args.source,
        warehouse=args.warehouse,
        shift_to_today=args.shift_to_today,
        without_errors=args.without_errors,
        counted_corrections=args.counted_corrections,
        choices=choices,
    )


def _one(console: Console, path: Path, args: argparse.Namespace, options: Options) -> None:
    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{path.name}: reading", total=len(STEPS))

        def progress(step: str) -> None:
            bar.update(task, completed=STEPS.index(step), description=f"{path.name}: {step}")

        file = table_files.read(path, encoding=args.encoding, delimiter=args.delimiter, sheet=args.sheet)
        now = datetime.now(UTC)
        door = reading(SECONDS) if args.dry_run else transaction(SECONDS)
        with door as session:
            if args.dry_run:
                outcome = sales.look(session, file, options, now, progress)
            else:
                actor = auth.system_actor(session)
                outcome = sales.book(session, actor, file, options, now, progress)
    _show(console, outcome)
    _write_report(console, args.report, outcome)
    console.print(f"{_verdict(args, outcome)} ({time.monotonic() - began:.0f} s)")


def _verdict(args: argparse.Namespace, outcome: Outcome) -> str:
    if args.dry_run:
        return "This was a dry run: nothing was changed."
    return "Imported." if outcome.applied else "Nothing to do: every line was imported before or is skipped."


def _show(console: Console, outcome: Outcome) -> None:
    """What the file does, as a table."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    read_as = ", ".join(f"{name} {value}" for name, value in outcome.facts.items())
    table.add_row("read as", _plain(read_as))
    table.add_row(
        "columns", _plain(", ".join(f"{name} = {header}" for name, header in outcome.columns.items()))
    )
    table.add_row("mode", outcome.mode)
    if outcome.first_on:
        table.add_row("days", f"{outcome.first_on} to {outcome.last_on}")
    if outcome.shift_days:
        table.add_row("moved by", f"{outcome.shift_days:,} days")
    for name, count in outcome.counts.items():
        table.add_row(name, f"{count:,}")
    for kind, rules in (("skipped", outcome.skipped), ("error", outcome.errors)):
        for rule, count in sorted(rules.items(), key=lambda item: -item[1]):
            table.add_row(f"  {kind}: {rule}", f"{count:,}{_named(outcome, rule)}")
    console.print(table)


def _named(outcome: Outcome, rule: str) -> str:
    """The commonest values that a rule was about."""
    values = outcome.issues.loc[outcome.issues["rule"] == rule, "value"].dropna()
    if rule in ("already_imported", "write_off", "zero_price", "zero_quantity") or values.empty:
        return ""
    counts = values.value_counts()
    shown = ", ".join(str(value)[:40] for value in counts.index[:NAMED_CODES])
    return _plain(f"  ({shown}{' ...' if len(counts) > NAMED_CODES else ''})")


def _plain(text: str) -> str:
    """Text from a file is never markup, and never a command to the terminal."""
    return shown(text, SENTENCE_CHARACTERS).replace("[", r"\[")


def _write_report(console: Console, path: Path | None, outcome: Outcome) -> None:
    if path is not None:
        path.write_text(sales.report(outcome), encoding="utf-8")
        console.print(f"{len(outcome.issues):,} skipped lines, errors and notes are in {_plain(str(path))}")
