"""What the kinds of files have in common: what a file would do, and doing it unless it has errors."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import shop
from core.errors import BadInput, RuleBroken
from core.imports import opening_stock, price_list, product_list, sales, sales_booking, sales_plan
from core.imports.import_found import PREVIEW_ROWS, Found
from core.imports.import_steps import Step, alone
from core.imports.sales import ImportStopped
from core.imports.sales_lines import Choices
from core.imports.sales_plan import Options, Outcome, Plan
from core.imports.table_files import TableFile

Progress = Callable[[str], None]


class Stopped(BadInput):
    """The file has other errors than were agreed to, so nothing was done; `found` lists them."""

    def __init__(self, sentence: str, found: Found):
        super().__init__(sentence)
        self.found = found


def look(session: Session, file: TableFile, step: Step, now: datetime, progress: Progress) -> Found:
    """What the file would do. Changes nothing; errors are part of the answer."""
    if step.kind == "sales":
        return _found(sales_plan.make(session, file, _sales_options(step), now, progress))
    progress("comparing")
    if step.kind == "prices":
        return _prices(session, file, step, now).found
    lists: Any = opening_stock if step.kind == "stock" else product_list
    return lists.plan(session, file, step.mapping, step.options, lock=False).found


def book(session: Session, file: TableFile, step: Step, now: datetime, progress: Progress) -> Found:
    """Bring the file in, whole or not at all.

    Raises:
        Stopped: lines have errors and `step.without_errors` is not exactly their number.
        RuleBroken: another import is under way.
        BadInput: the shop changed while the file was looked at.
    """
    if not alone(session):
        raise RuleBroken("Another import is under way: bring this file in when it has ended.")
    if step.kind == "sales":
        return _book_sales(session, file, step, now, progress)
    progress("comparing")
    if step.kind == "stock":
        stocked = opening_stock.plan(session, file, step.mapping, step.options, lock=True)
        _stop_unless_agreed(step, stocked.found)
        progress("booking")
        opening_stock.book(session, step.actor, stocked, step.uid)
        return stocked.found
    if step.kind == "prices":
        priced = _prices(session, file, step, now)
        _stop_unless_agreed(step, priced.found)
        progress("booking")
        price_list.book(session, priced, import_id=step.import_id, actor=step.actor)
        return priced.found
    listed = product_list.plan(session, file, step.mapping, step.options, lock=True)
    _stop_unless_agreed(step, listed.found)
    progress("booking")
    product_list.book(session, listed)
    return listed.found


def _prices(session: Session, file: TableFile, step: Step, now: datetime) -> price_list.Plan:
    return price_list.plan(session, file, step.mapping, step.options, shop.today(shop.get(session), now))


def _stop_unless_agreed(step: Step, found: Found) -> None:
    if found.error_lines and found.error_lines != step.without_errors:
        raise Stopped(_sentence(step, found.error_lines), found)


def _sentence(step: Step, errors: int) -> str:
    lines = "1 line has an error" if errors == 1 else f"{errors:,} lines have errors"
    agreed = f", not the {step.without_errors:,} that were agreed to" if step.without_errors else ""
    return f"Nothing was imported: by now {lines}{agreed}. Check the file again."


# -- Sales ---------------------------------------------------------------------------------------------------


def _book_sales(session: Session, file: TableFile, step: Step, now: datetime, progress: Progress) -> Found:
    plan: list[Plan] = []
    options = _sales_options(step)
    into = step.import_id, step.uid
    try:
        outcome = sales.book(
            session, step.actor, file, options, now, progress, into=into, planned=plan.append
        )
    except ImportStopped as stopped:
        raise Stopped(_sentence(step, stopped.outcome.error_lines), _found(plan[0])) from stopped
    return _found(plan[0], outcome)


def _sales_options(step: Step) -> Options:
    chosen = step.options
    return Options(
        source=chosen["source"],
        warehouse=chosen["warehouse"],
        shift_to_today=chosen["shift_to_today"],
        without_errors=step.without_errors,
        counted_corrections=chosen["counted_corrections"],
        choices=Choices(
            columns=step.mapping,
            guess_columns=False,
            decimal=chosen["decimal"],
            date_format=chosen["date_format"],
            non_product_codes=frozenset(chosen["non_product_codes"]),
            product_codes=frozenset(chosen["product_codes"]),
        ),
    )


def _found(plan: Plan, outcome: Outcome | None = None) -> Found:
    outcome = outcome or plan.outcome
    return Found(
        counts=outcome.counts,
        issues=outcome.issues,
        preview=_preview(plan),
        mode=outcome.mode,
        shift_days=outcome.shift_days,
        first_on=outcome.first_on,
        last_on=outcome.last_on,
        facts=outcome.facts,
    )


def _preview(plan: Plan) -> list[dict]:
    """The first sales and returns in the order of the file."""
    rows = plan.bookable.rows
    booked = rows.loc[rows["line"] >= 0, "line"].to_numpy()
    lines = plan.lines.iloc[booked].nsmallest(PREVIEW_ROWS, "line_number")
    quantities = sales_booking.plain_text(-lines["change"].to_numpy())
    days = lines["day"].to_numpy("int64").astype("datetime64[D]")
    return [
        {"line": int(line), "day": str(day), "document": document, "code": code, "quantity": quantity,
         "warehouse": place or None}
        for line, day, document, code, quantity, place in zip(
            lines["line_number"], days, lines["document"], lines["code"], quantities, lines["warehouse"],
            strict=True,
        )
    ]  # fmt: skip
