"""The job `import`: one step of one uploaded file (reading, checking, applying), in a child with limits.

A file is hostile until read: the child may not use more memory or processor time than it is given, and what
goes wrong with a file ends as a sentence beside it, not as a dead job.
"""

import ctypes
import logging
import os
import resource
import shutil
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import job_runs
from core.errors import RunoutError
from core.imports import import_kinds, import_steps, table_files
from core.imports.import_steps import Step
from core.imports.table_files import TableFile
from core.job_runs import Claim, Superseded
from db.session import reading, transact, transaction

# 440,000 lines of sales take 1.1 GB at the peak, 1.4 GB of address space; the reader, a
# process of its own, has its own limit (core/imports/table_files.py).
MEMORY_BYTES = 2 * 2**30
PROCESSOR_SECONDS = 600
STATEMENT_SECONDS = 600
STEPS = ("reading", "understanding", "comparing", "reconstructing", "booking", "remembering")
FOLDER = "runout-import-"
LEFT_BEHIND_SECONDS = 3600
LOCK_NOT_AVAILABLE = "55P03"
ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)

log = logging.getLogger("runout.jobs")


class TooMuch(RunoutError):
    """Processor time or memory is used up."""


def bring_in(claimed: Claim) -> None:
    """Do the step that the file is waiting for; what is wrong with the file is told to its owner."""
    try:
        step = transact(lambda session: import_steps.taken_up(session, claimed))
    except RunoutError as refused:
        sentence = refused.sentence
        transact(lambda session: job_runs.fail(session, claimed, _now(), sentence))
        return
    if step is None:
        transact(lambda session: job_runs.finish(session, claimed, _now(), {}))
        return
    log.info("%s %s", step.state, step.file_name)
    try:
        _do(claimed, step)
    except Superseded:
        raise
    except import_kinds.Stopped as stopped:
        sentence, found = stopped.sentence, stopped.found
        log.warning("%s", sentence)
        transact(lambda s: import_steps.was_refused(s, claimed, step, found, sentence, _now()))
    except (RunoutError, MemoryError, DBAPIError) as trouble:
        sentence = _sentence(step, trouble)
        log.warning("%s", sentence)
        transact(lambda session: import_steps.went_back(session, claimed, step, sentence, _now()))


def _do(claimed: Claim, step: Step) -> None:
    def progress(word: str) -> None:
        log.info("%s", word)
        done = STEPS.index(word)
        transact(lambda session: job_runs.beat(session, claimed, _now(), done, len(STEPS)))

    progress("reading")
    file = _read(step)
    if step.state == "reading":
        about = import_steps.headers(file, step.kind)
        transact(lambda session: import_steps.was_read(session, claimed, step, about, _now()))
    elif step.state == "checking":
        # Neither look nor booking is tried again by itself: each may take minutes.
        with reading(STATEMENT_SECONDS, snapshot=True) as session:
            found = import_kinds.look(session, file, step, _now(), progress)
        del file
        progress("remembering")
        with transaction(STATEMENT_SECONDS) as session:
            import_steps.was_checked(session, claimed, step, found, _now())
    else:
        with transaction(STATEMENT_SECONDS) as session:
            _apply(session, claimed, step, file, progress)


def _apply(session: Session, claimed: Claim, step: Step, file: TableFile, progress) -> None:
    found = import_kinds.book(session, file, step, _now(), progress)
    progress("remembering")
    import_steps.was_applied(session, claimed, step, found, _now())


def _read(step: Step) -> TableFile:
    with reading(STATEMENT_SECONDS) as session:
        content = import_steps.content(session, step)
    _sweep()
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        del content
        chosen = {name: step.options.get(name) for name in ("encoding", "delimiter", "sheet")}
        return table_files.read(path, name=step.file_name, **chosen)


def _sweep() -> None:
    """Remove what a killed child left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        try:
            about = folder.stat()
        except OSError:
            continue
        if about.st_uid == os.getuid() and time.time() - about.st_mtime > LEFT_BEHIND_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _sentence(step: Step, trouble: Exception) -> str:
    if isinstance(trouble, RunoutError):
        return trouble.sentence
    if isinstance(trouble, MemoryError):
        return (
            f"'{step.file_name}' needs more than {MEMORY_BYTES / 2**30:.0f} GB of memory. "
            "Split it into smaller files."
        )
    if getattr(trouble.orig, "pgcode", None) == LOCK_NOT_AVAILABLE:
        return "Somebody else is changing the same products or stock. Try again in a moment."
    raise trouble


def _now() -> datetime:
    return datetime.now(UTC)


# -- Limits of the child -------------------------------------------------------------------------------------


def limit_this_process() -> None:
    """Hold this process to its limits from here on; for a child that does nothing else.

    Memory is what the process takes beyond what it has at its start: libraries reserve more address space
    on machines with more processors.
    """
    # Each thread would reserve 64 MB of address space for an arena of its own.
    ctypes.CDLL(None).mallopt(ARENA_MAX, 2)
    page = resource.getpagesize()
    started_with = int(Path("/proc/self/statm").read_text().split()[0]) * page
    most = started_with + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def used_up(_signal: int, _frame: object) -> None:
        raise TooMuch(
            f"It took more than {PROCESSOR_SECONDS // 60} minutes of processor time. Split the file."
        )

    signal.signal(signal.SIGXCPU, used_up)
