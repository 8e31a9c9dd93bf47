"""What the worker does to the row of an import: take up a step, and end it together with its run.

Each end holds the row against the step that was asked for, and the run against its fence: a file that was
discarded meanwhile, or a run that was given to another, rolls everything back.
"""

import dataclasses
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core import audit, auth, job_runs
from core.auth import Actor
from core.errors import NotAllowed
from core.imports import import_fields, sales_rows
from core.imports.import_found import Found, for_screen
from core.imports.table_files import TableFile
from core.job_runs import Claim, Superseded
from db.models import Import, ImportFile, ImportIssue, JobRun, Person

EXAMPLES = 3
EXAMPLE_CHARACTERS = 60
# One import at a time: two at once would both find a line new. Ends with the transaction.
_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('import', 0))")


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of one import, and on whose behalf. `state` is "reading", "checking" or "applying"."""

    import_id: int
    uid: uuid.UUID
    kind: str
    state: str
    file_name: str
    mapping: dict[str, str]
    options: dict[str, Any]
    without_errors: int | None
    actor: Actor


def taken_up(session: Session, claimed: Claim) -> Step | None:
    """The step that the run is about; None when there is nothing to do any more.

    Raises:
        NotAllowed: whoever asked for it may not import any more.
    """
    row = session.scalar(select(Import).where(Import.uid == uuid.UUID(claimed.subject)))
    if row is None or row.state not in ("uploaded", "reading", "checking", "applying"):
        return None
    asked_by = session.scalar(select(JobRun.requested_by).where(JobRun.id == claimed.run_id))
    person = session.get_one(Person, asked_by or row.actor_id)
    actor = auth.actor_of(person)
    if not person.is_active:
        raise NotAllowed(f"The account of {person.name} is not active any more.")
    auth.must(actor, "import")
    if row.state == "uploaded":
        _set(session, row.id, "uploaded", state="reading")
    return Step(
        import_id=row.id,
        uid=row.uid,
        kind=row.kind,
        state="reading" if row.state == "uploaded" else row.state,
        file_name=row.file_name,
        mapping=dict(row.column_map),
        options={name: value for name, value in row.options.items() if name != "without_errors"},
        without_errors=row.options.get("without_errors"),
        actor=actor,
    )


def content(session: Session, step: Step) -> bytes:
    """The bytes of the file. Raises Superseded when it was discarded meanwhile."""
    found = session.scalar(select(ImportFile.content).where(ImportFile.import_id == step.import_id))
    if found is None:
        raise Superseded(f"{step.file_name} was discarded.")
    return bytes(found)


def alone(session: Session) -> bool:
    """Whether no other import is being applied; if so, none will be until this transaction ends."""
    return bool(session.scalar(_ALONE))


def headers(file: TableFile, kind: str) -> dict[str, Any]:
    """What is kept about the columns of a file: header, three examples and the likely field of each."""
    guessed = {header: name for name, header in import_fields.guess(kind, file.headers).items()}
    columns = []
    for header in file.headers:
        said = file.frame[header].dropna()
        distinct = said[said.str.strip() != ""].drop_duplicates().head(EXAMPLES)
        examples = [text.strip()[:EXAMPLE_CHARACTERS] for text in distinct]
        columns.append({"header": header, "examples": examples, "guess": guessed.get(header)})
    return {"columns": columns, "lines": len(file.frame), "facts": file.facts}


def was_read(session: Session, claimed: Claim, step: Step, about: dict[str, Any], now: datetime) -> None:
    """The columns are known: a person says what they mean."""
    _end(session, claimed, step, now, {"lines": about["lines"]}, state="read", headers=about, problem=None)


def was_checked(session: Session, claimed: Claim, step: Step, found: Found, now: datetime) -> None:
    """What the file would do is known: a person says whether it shall."""
    _end(session, claimed, step, now, found.counts, state="checked", problem=None, **_kept(found))
    _remember(session, step, found)


def was_applied(session: Session, claimed: Claim, step: Step, found: Found, now: datetime) -> None:
    """The file is in the shop. Its bytes go, its hash stays."""
    values = {"state": "applied", "problem": None, "finished_at": now}
    _end(session, claimed, step, now, found.counts, **values, **_kept(found))
    _remember(session, step, found)
    session.execute(delete(ImportFile).where(ImportFile.import_id == step.import_id))
    after = found.counts | {"file": step.file_name, "kind": step.kind}
    audit.note(session, step.actor.id, "imported", "import", step.uid, after=after)
    if found.counts.get("sales"):
        # A first run-out date needs a forecast; nobody wants to wait for the night.
        job_runs.request(session, step.actor, "refresh", now, right="import")


def was_refused(session: Session, claimed: Claim, step: Step, found: Found, sentence: str, now: datetime):
    """The file has other errors than were agreed to, so nothing was applied."""
    values = {"state": "refused", "problem": for_screen(sentence)}
    _end(session, claimed, step, now, found.counts, **values, **_kept(found))
    _remember(session, step, found)


def went_back(session: Session, claimed: Claim, step: Step, sentence: str, now: datetime) -> None:
    """The step could not be done and changed nothing; the sentence says why."""
    state = {"reading": "failed", "checking": "read", "applying": "checked"}[step.state]
    _end(session, claimed, step, now, {"problem": sentence}, state=state, problem=for_screen(sentence))


def _kept(found: Found) -> dict[str, Any]:
    by_rule = {"skipped": found.by_rule("skipped"), "errors": found.by_rule("error")}
    return {
        "counts": found.counts | by_rule,
        "preview": found.preview,
        "mode": found.mode,
        "shift_days": found.shift_days,
        "first_on": found.first_on,
        "last_on": found.last_on,
    }


def _remember(session: Session, step: Step, found: Found) -> None:
    session.execute(delete(ImportIssue).where(ImportIssue.import_id == step.import_id))
    sales_rows.remember_issues(session, step.import_id, found.issues)


def _end(session: Session, claimed: Claim, step: Step, now: datetime, result: dict, **values: Any) -> None:
    _set(session, step.import_id, step.state, **values)
    job_runs.finish(session, claimed, now, result)


def _set(session: Session, import_id: int, stands: str, **values: Any) -> None:
    """Change the row if it still stands where it stood; whoever discards it waits for us, or we for them."""
    kept = session.execute(
        update(Import).where(Import.id == import_id, Import.state == stands).values(values)
    ).rowcount
    if not kept:
        raise Superseded("The file was discarded, or its step was done by another worker.")
