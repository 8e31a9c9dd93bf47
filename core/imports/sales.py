"""Files of sales brought into the shop: what a file would do, and doing it, whole or not at all."""

import dataclasses
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit, auth, shop, stock, warehouses
from core.auth import Actor
from core.datasets.formulas import marked
from core.errors import BadInput, BulkRefused, RuleBroken
from core.imports import sales_booking, sales_plan, sales_rows
from core.imports.sales_plan import FIRST_WAREHOUSE, NOT_YET, Options, Outcome, Plan
from core.imports.table_files import TableFile
from core.imports.table_text import ISSUE_COLUMNS
from db.models import Import

__all__ = ["ISSUE_COLUMNS", "ImportStopped", "Options", "Outcome", "book", "look", "report", "safe_csv"]


def print_nothing(_step: str) -> None:
    """Nobody watches."""


class ImportStopped(BadInput):
    """The file has errors, so nothing was booked; `outcome` lists them."""

    def __init__(self, sentence: str, outcome: Outcome):
        super().__init__(sentence)
        self.outcome = outcome


def look(
    session: Session,
    file: TableFile,
    options: Options,
    now: datetime,
    progress: Callable[[str], None] = print_nothing,
) -> Outcome:
    """What importing the file would do. Changes nothing; errors are part of the answer."""
    return sales_plan.make(session, file, options, now, progress).outcome


def book(
    session: Session,
    actor: Actor,
    file: TableFile,
    options: Options,
    now: datetime,
    progress: Callable[[str], None] = print_nothing,
    *,
    into: tuple[int, uuid.UUID] | None = None,
    planned: Callable[[Plan], None] | None = None,
) -> Outcome:
    """Bring the file's sales into the ledger as one posting; lines imported before have no effect.

    Unknown products are created, and a first warehouse where the shop has none. Where nothing has moved yet,
    and for what was sold before anything had, opening stock and receipts are reconstructed; elsewhere the
    lines are booked against the stock of now.

    `into` is the id and uid of an import that exists already: only its lines are remembered here.
    `planned` is told the plan before it is judged.

    Raises:
        ImportStopped: lines have errors and `options.without_errors` is not exactly their number.
        BadInput: the file cannot be understood, or stock moved while it was looked at.
        RuleBroken: another import is under way.
    """
    auth.must(actor, "import")
    # Two imports at once would both find a line new; the second would wait for minutes.
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended('import', 0))")):
        raise RuleBroken("Another import is under way: bring this file in when it has ended.")
    plan = sales_plan.make(session, file, options, now, progress)
    if planned is not None:
        planned(plan)
    found, allowed = plan.outcome.error_lines, options.without_errors
    if found and allowed != found:
        raise ImportStopped(_stopped(file, plan.outcome, allowed), plan.outcome)
    if plan.bookable.rows.empty:
        return plan.outcome
    progress("booking")
    return _apply(session, actor, file, options, plan, progress, into)


def _stopped(file: TableFile, outcome: Outcome, allowed: int | None) -> str:
    first = outcome.issues[outcome.issues["kind"] == "error"].iloc[0]
    value = f" '{first['value']}'" if isinstance(first["value"], str) else ""
    where = f"line {first['line_number']}, {first['field'] or 'line'}{value}: {first['message']}"
    lines = (
        "1 line has an error" if outcome.error_lines == 1 else f"{outcome.error_lines:,} lines have errors"
    )
    said = f", not {allowed:,}" if allowed is not None else ""
    return (
        f"{file.name}: nothing was imported, {lines}{said}; the first is {where}. "
        f"Correct the file, or import without these lines (--without-errors {outcome.error_lines})."
    )


def _apply(
    session: Session,
    actor: Actor,
    file: TableFile,
    options: Options,
    plan: Plan,
    progress: Callable[[str], None],
    into: tuple[int, uuid.UUID] | None,
) -> Outcome:
    started_at = datetime.now(UTC)
    import_id, uid = into or (None, uuid.uuid4())
    product_ids = sales_rows.create_products(session, plan)
    posting = _posting(plan, product_ids, _first_warehouse(session, actor, plan))
    try:
        stock.post_lines(session, actor, "import", posting, f"import {uid}", bytes.fromhex(file.sha256))
    except BulkRefused as refused:
        raise BadInput(
            f"{file.name}: nothing was imported, stock moved while the file was looked at. Try again. "
            f"({refused.sentence})"
        ) from refused
    progress("remembering")
    outcome = dataclasses.replace(plan.outcome, applied=True, import_uid=uid)
    if import_id is None:
        import_id = _record(session, actor, file, options, outcome, started_at)
    booked = plan.bookable.rows["line"].to_numpy()
    sales_rows.remember_lines(session, import_id, plan.lines["key"].to_numpy()[booked[booked >= 0]])
    return outcome


def _record(
    session: Session,
    actor: Actor,
    file: TableFile,
    options: Options,
    outcome: Outcome,
    started_at: datetime,
) -> int:
    """Keep what was brought in by the command, and what was said about its lines; the id of the row."""
    uid = outcome.import_uid
    row = Import(
        uid=uid,
        actor_id=actor.id,
        kind="sales",
        source=options.source,
        file_name=file.name[:255],
        file_sha256=file.sha256,
        mode=outcome.mode,
        column_map=outcome.columns,
        options=_told(options) | {"read as": outcome.facts},
        shift_days=outcome.shift_days,
        state="applied",
        counts=outcome.counts | {"skipped": outcome.skipped, "errors": outcome.errors},
        first_on=outcome.first_on,
        last_on=outcome.last_on,
        started_at=started_at,
        finished_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    sales_rows.remember_issues(session, row.id, outcome.issues)
    audit.note(session, actor.id, "imported", "import", uid, after=row.counts | {"file": row.file_name})
    return row.id


def _first_warehouse(session: Session, actor: Actor, plan: Plan) -> int | None:
    """The id of the warehouse made for a shop that has none."""
    if not (plan.lines["warehouse_id"] == NOT_YET).any():
        return None
    zone = shop.get(session).time_zone
    return warehouses.create(session, actor, code=FIRST_WAREHOUSE, name="Main warehouse", time_zone=zone).id


def _posting(plan: Plan, product_ids: np.ndarray, first_warehouse_id: int | None) -> pd.DataFrame:
    """The rows of the posting as `posting_line` wants them."""
    rows, lines = plan.bookable.rows, plan.lines
    pairs = lines.drop_duplicates("pair").set_index("pair")
    pair = pairs.loc[rows["pair"]]
    # Invented rows name the document they stand beside.
    about = rows["about"].to_numpy(np.int64)
    beside = lines[["document", "customer", "unit_price"]].reindex(about)
    is_line = (rows["line"] >= 0).to_numpy()
    has_price = is_line & (beside["unit_price"] >= 0).to_numpy()
    price = np.full(len(rows), None, object)
    price[has_price] = sales_booking.exact_text(beside["unit_price"][has_price].to_numpy(np.int64))
    return pd.DataFrame(
        {
            "line_no": np.arange(len(rows)),
            "product_id": product_ids[pair["product"].to_numpy()],
            "warehouse_id": pair["warehouse_id"].replace({NOT_YET: first_warehouse_id}).to_numpy(),
            "type": rows["type"].to_numpy(),
            "reason_code": rows["reason_code"].to_numpy(),
            "change": sales_booking.exact_text(rows["change"].to_numpy(np.int64)),
            "unit_price": price,
            "occurred_at": sales_booking.moment_text(rows["at"].to_numpy()),
            "reason": rows["reason"].to_numpy() if "reason" in rows else None,
            "reference_type": np.where(about >= 0, "document", None),
            "reference_id": beside["document"].to_numpy(),
            "customer": np.where(is_line & (beside["customer"] != "").to_numpy(), beside["customer"], None),
            "returns_id": rows["returns_id"].astype("Int64").array,
            "reverses_line": rows["reverses_line"].array,
            "returns_line": rows["returns_line"].array,
        }
    )


def report(outcome: Outcome) -> str:
    """Skipped lines, errors and notes as CSV, safe to open in a spreadsheet."""
    return safe_csv(outcome.issues)


def safe_csv(issues: pd.DataFrame) -> str:
    """Issues (`ISSUE_COLUMNS`) as CSV in which no text of the file can be taken for a formula."""
    safe = issues.copy()
    for column in ("value", "message"):
        safe[column] = [marked(said) if isinstance(said, str) else said for said in safe[column]]
    return safe.to_csv(index=False)


def _told(options: Options) -> dict:
    """The options as JSON."""
    told = dataclasses.asdict(options)
    told["choices"] = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in told["choices"].items()
    }
    return told
