"""Files that people bring in: uploaded, read, checked, applied or discarded. A worker does the slow steps.

Every step is a run of the job `import` about the file's uid (`import_steps`). A step changes the shop
in the transaction that ends it, so nothing is ever half-applied.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePath

import pandas as pd
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core import audit, auth, inputs, job_runs
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from core.imports import import_fields, import_state, sales, table_files
from core.imports.import_fields import FIELDS, OPTIONS, Field, Option
from core.imports.import_state import STEPS, Column, Shown
from db.models import Import, ImportFile, ImportIssue, JobRun, Person

__all__ = ["FIELDS", "OPTIONS", "Column", "Field", "Option", "Shown"]

JOB = "import"
MOST_BYTES = table_files.LIMITS.file_bytes
MOST_UNPACKED = table_files.LIMITS.unpacked_bytes
MOST_WAITING = 20  # files of the shop that are neither applied nor discarded: their bytes are in the database
MOST_ISSUES = 1_000

ENDED = ("applied", "discarded")


def upload(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    file_name: str,
    content: bytes,
    now: datetime,
    options: Mapping[str, object] | None = None,
) -> uuid.UUID:
    """Keep a file and ask for it to be read; answers its uid. `options`: what is settled about it already.

    Refuses what is empty, too large, or by its first bytes neither text, gzip nor a workbook, and a file
    while too many others wait.
    """
    auth.must(actor, "import")
    if kind not in import_fields.KINDS:
        raise BadInput(f"'{inputs.shown(kind)}' is no kind of file; they are {', '.join(FIELDS)}.")
    name = inputs.shown(PurePath(file_name.replace("\\", "/")).name or "file", 255)
    table_files.refuse_at_the_door(name, len(content), content[:4096])
    waiting = session.scalar(select(func.count()).where(Import.state.not_in(ENDED)))
    if waiting >= MOST_WAITING:
        raise RuleBroken(f"{waiting} files wait to be imported: import or discard some of them first.")
    row = Import(
        actor_id=actor.id,
        kind=kind,
        source="",
        file_name=name,
        file_sha256=hashlib.sha256(content).hexdigest(),
        file_size=len(content),
        options=import_fields.options(kind, options or {}),
        state="uploaded",
        started_at=now,
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["uid"])
    session.add(ImportFile(import_id=row.id, content=content))
    said = {"file": name, "kind": kind, "bytes": len(content)}
    audit.note(session, actor.id, "uploaded", "import", row.uid, after=said)
    _ask(session, actor, row, now)
    return row.uid


def current(session: Session, actor: Actor, uid: uuid.UUID | str) -> Shown:
    """One file as it stands."""
    auth.must(actor, "import")
    row = _row(session, uid)
    return import_state.shown(row, session.get_one(Person, row.actor_id).name, _last_run(session, row))


def listing(session: Session, actor: Actor, limit: int = 20) -> list[Shown]:
    """The newest files first, those that the command brought in among them."""
    auth.must(actor, "import")
    rows = session.execute(
        select(Import, Person.name)
        .join(Person, Person.id == Import.actor_id)
        .order_by(Import.id.desc())
        .limit(limit)
    ).all()
    return [import_state.shown(row, name, _last_run(session, row)) for row, name in rows]


def read_again(
    session: Session, actor: Actor, uid: uuid.UUID | str, *, options: Mapping[str, object], now: datetime
) -> None:
    """Ask for the file to be read with another encoding, delimiter or sheet."""
    row = _at_rest(session, actor, uid, ("failed", "read", "checked", "refused"))
    row.options = import_fields.options(row.kind, import_state.chosen(row) | dict(options))
    row.state, row.problem, row.headers, row.column_map = "reading", None, None, {}
    _forget_outcome(session, row)
    _ask(session, actor, row, now)


def check(
    session: Session,
    actor: Actor,
    uid: uuid.UUID | str,
    *,
    mapping: Mapping[str, str],
    options: Mapping[str, object],
    now: datetime,
) -> None:
    """Remember which column means what, and ask for a check: what the file would do, without doing it.

    Refuses a mapping in which a needed field has no column or one column holds two fields.
    """
    row = _at_rest(session, actor, uid, ("read", "checked", "refused"))
    headers = [column["header"] for column in (row.headers or {}).get("columns", ())]
    row.column_map = import_fields.settled(row.kind, mapping, headers)
    row.options = import_fields.options(row.kind, options)
    row.source = str(row.options.get("source") or "")
    row.state, row.problem = "checking", None
    _forget_outcome(session, row)
    _ask(session, actor, row, now)


def apply(
    session: Session, actor: Actor, uid: uuid.UUID | str, *, without_errors: int | None, now: datetime
) -> None:
    """Ask for a checked file to be applied; a second click finds the first one's work.

    Refuses a file with errors unless `without_errors` is exactly the number of lines that have them.
    """
    auth.must(actor, "import")
    row = _locked(session, uid)
    if row.state == "applying":
        return
    _refuse_unless(row, ("checked",))
    errors = row.counts.get("lines with errors", 0)
    if errors and without_errors != errors:
        raise RuleBroken(
            f"{inputs.shown(row.file_name)}: {_lines(errors)} errors. Correct the file, or say that it is to "
            f"be imported without exactly these {errors:,}."
        )
    row.options = row.options | {"without_errors": errors or None}
    row.state, row.problem = "applying", None
    _ask(session, actor, row, now)


def discard(session: Session, actor: Actor, uid: uuid.UUID | str, now: datetime) -> None:
    """Put a file away, its bytes too; a step that is under way is ended and leaves nothing behind.

    Refuses one that was applied. Discarding twice is once.
    """
    auth.must(actor, "import")
    row = _locked(session, uid)
    if row.state == "discarded":
        return
    if row.state == "applied":
        raise RuleBroken(f"{inputs.shown(row.file_name)} was imported: it cannot be discarded any more.")
    before = row.state
    row.state, row.finished_at = "discarded", now
    session.execute(delete(ImportFile).where(ImportFile.import_id == row.id))
    for run in session.scalars(_runs(row).where(JobRun.state.in_(("queued", "running"))).with_for_update()):
        if run.state == "queued":
            run.state, run.finished_at, run.message = "cancelled", now, f"Discarded by {actor.name}."
        else:
            run.cancel_requested = True  # its worker sees that within a second and ends the process
    said = {"state": before}, {"file": row.file_name, "state": "discarded"}
    audit.note(session, actor.id, "discarded", "import", row.uid, before=said[0], after=said[1])


def issues(
    session: Session,
    actor: Actor,
    uid: uuid.UUID | str,
    kind: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[pd.DataFrame, int]:
    """What was said about lines (line_number, kind, rule, field, value, message), and how many there are."""
    auth.must(actor, "import")
    row = _row(session, uid)
    if not 1 <= limit <= MOST_ISSUES or offset < 0:
        raise BadInput(f"A page has 1 to {MOST_ISSUES:,} rows and starts at 0 or later.")
    about = [ImportIssue.import_id == row.id]
    if kind is not None:
        about.append(ImportIssue.kind == inputs.text(kind, "Kind", 40))
    total = session.scalar(select(func.count()).select_from(ImportIssue).where(*about))
    return _issue_frame(session, about, limit, offset), total


def report(session: Session, actor: Actor, uid: uuid.UUID | str) -> str:
    """Everything that was said about lines, as CSV that is safe to open in a spreadsheet."""
    auth.must(actor, "import")
    row = _row(session, uid)
    return sales.safe_csv(_issue_frame(session, [ImportIssue.import_id == row.id], None, 0))


def _issue_frame(session: Session, about: list, limit: int | None, offset: int) -> pd.DataFrame:
    columns = [getattr(ImportIssue, name) for name in sales.ISSUE_COLUMNS]
    question = select(*columns).where(*about).order_by(ImportIssue.line_number, ImportIssue.rule)
    found = session.execute(question.limit(limit).offset(offset)).all()
    return pd.DataFrame(found, columns=sales.ISSUE_COLUMNS)


def _lines(number: int) -> str:
    return "1 line has" if number == 1 else f"{number:,} lines have"


# -- Rows and their runs -------------------------------------------------------------------------------------


def _row(session: Session, uid: uuid.UUID | str) -> Import:
    wanted = inputs.uid(uid, "an import")
    row = session.scalar(select(Import).where(Import.uid == wanted).execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such import.")
    return row


def _locked(session: Session, uid: uuid.UUID | str) -> Import:
    """The row, which nobody else changes until we commit, standing where its last run left it."""
    row = _row(session, uid)
    session.refresh(row, with_for_update={"key_share": True})
    row.state, row.problem = import_state.standing(row, _last_run(session, row))
    return row


def _at_rest(session: Session, actor: Actor, uid: uuid.UUID | str, states: tuple[str, ...]) -> Import:
    auth.must(actor, "import")
    row = _locked(session, uid)
    _refuse_unless(row, states)
    return row


def _refuse_unless(row: Import, states: tuple[str, ...]) -> None:
    if row.state not in states:
        now = f"{STEPS[row.state].lower()} is under way" if row.state in STEPS else f"it is {row.state}"
        raise RuleBroken(f"{inputs.shown(row.file_name)}: {now}, so this has to wait or cannot be done.")


def _runs(row: Import):
    return select(JobRun).where(JobRun.job == JOB, JobRun.subject == str(row.uid))


def _last_run(session: Session, row: Import) -> JobRun | None:
    if row.state not in STEPS:
        return None
    return session.scalar(
        _runs(row).order_by(JobRun.id.desc()).limit(1).execution_options(populate_existing=True)
    )


def _ask(session: Session, actor: Actor, row: Import, now: datetime) -> None:
    # Two files may be brought in at one moment, and a job has one run for each.
    while session.scalar(select(JobRun.id).where(JobRun.job == JOB, JobRun.slot == now)):
        now += timedelta(microseconds=1)
    job_runs.request(session, actor, JOB, now, subject=str(row.uid), right="import")


def _forget_outcome(session: Session, row: Import) -> None:
    row.counts, row.preview, row.first_on, row.last_on, row.mode, row.shift_days = {}, None, None, None, "", 0
    session.execute(delete(ImportIssue).where(ImportIssue.import_id == row.id))
