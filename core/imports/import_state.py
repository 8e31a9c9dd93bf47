"""How an import stands: what its row says, held against the run of its step.

What a row says about a step is believed only while a run of that step is open: where the run ended without
the step, the row stands as it was before the step, with a sentence.
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime

from db.models import Import, JobRun

_AN_ERROR = re.compile(r"^[A-Z]\w+: ")  # what a worker writes down where no sentence was prepared
# Where a row stands again when the run of its step ended without it.
BACK = {"uploaded": "failed", "reading": "failed", "checking": "read", "applying": "checked"}
STEPS = {"uploaded": "Reading", "reading": "Reading", "checking": "Checking", "applying": "Importing"}


@dataclass(frozen=True)
class Column:
    """A column of the file: three different values of it, and the field it is probably about."""

    header: str
    examples: tuple[str, ...]
    guess: str | None


@dataclass(frozen=True)
class Shown:
    """An import as people see it.

    `state`: uploaded, reading, read, checking, checked, applying, applied, refused (the file has other errors
    than were agreed to), failed (it cannot be read) or discarded. `mapping`: field -> header, as chosen, else
    as guessed. `counts`: what it does or did, in words and numbers; `skipped` and `errors` count lines by
    rule. `preview`: some of what changes, one dict a row. `progress`: (done, total) of the running step.
    """

    uid: uuid.UUID
    kind: str
    file_name: str
    file_size: int
    state: str
    problem: str | None
    columns: list[Column]
    mapping: dict[str, str]
    options: dict[str, object]
    counts: dict[str, int]
    preview: list[dict]
    first_on: date | None
    last_on: date | None
    by: str
    started_at: datetime
    finished_at: datetime | None
    error_lines: int
    progress: tuple[int, int] | None
    queued: bool
    new_products: int
    lines: int = 0
    read_as: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


def standing(row: Import, run: JobRun | None) -> tuple[str, str | None]:
    """State and problem; of a step whose run ended without it, those from before the step."""
    if row.state not in STEPS or (run is not None and run.state in ("queued", "running")):
        return row.state, row.problem
    said = (run.message if run is not None else None) or "nobody knows why."
    if _AN_ERROR.match(said):
        said = "Runout stumbled; the log of the job says more."
    return BACK[row.state], f"{STEPS[row.state]} ended early and changed nothing: {said} Try again."


def chosen(row: Import) -> dict[str, object]:
    """The options that a person settled; how many errors were agreed to is not one of them."""
    return {name: value for name, value in row.options.items() if name != "without_errors"}


def shown(row: Import, by: str, run: JobRun | None) -> Shown:
    state, problem = standing(row, run)
    headers = row.headers or {}
    guessed = {column["guess"]: column["header"] for column in headers.get("columns", ()) if column["guess"]}
    works = run is not None and run.state == "running"
    return Shown(
        uid=row.uid,
        kind=row.kind,
        file_name=row.file_name,
        file_size=row.file_size or 0,
        state=state,
        problem=problem,
        columns=[
            Column(column["header"], tuple(column["examples"]), column["guess"])
            for column in headers.get("columns", ())
        ],
        mapping=dict(row.column_map or guessed),
        options=chosen(row),
        counts={words: number for words, number in row.counts.items() if isinstance(number, int)},
        preview=list(row.preview or ()),
        first_on=row.first_on,
        last_on=row.last_on,
        by=by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error_lines=row.counts.get("lines with errors", 0),
        progress=(run.done, run.total) if works and run.done is not None and run.total else None,
        queued=run is not None and run.state == "queued",
        new_products=row.counts.get("products to create", 0),
        lines=headers.get("lines", 0),
        read_as=headers.get("facts", {}),
        skipped=row.counts.get("skipped") or {},
        errors=row.counts.get("errors") or {},
    )
