"""Jobs: what runs when, how the last runs went, how far the present one is; logs, run now and cancel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core import job_log, job_runs, timetable
from core.auth import Actor
from core.errors import RunoutError
from core.job_log import Line
from core.timetable import Errand, Task
from dashboard import looks, signin, ui
from dashboard.formats import Formats
from db.session import reading, transact

WORDS = {
    "queued": "waits for a worker",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "abandoned": "given up",
}
COUNTED = {
    "ok": "forecasts",
    "too_short": "with too little history",
    "failed": "failed",
    "products": "products",
    "raised": "alerts raised",
    "changed": "brought up to date",
    "woken": "woken",
    "quiet": "kept quiet",
    "resolved": "alerts resolved",
    "cleared": "cleared",
    "inside": "ranges right",
    "early": "ran out earlier",
    "late": "lasted longer",
    "void": "not judged",
    "issued": "ranges issued",
}
# Where what a run is about can be looked at: view, and what its address says besides the id.
SUBJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "import": ("views/imports.py", {}),
    "pattern": ("views/product.py", {"show": "patterns"}),
}
SILENT_AFTER = timedelta(minutes=5)
LOOK_SECONDS = 2
RUNS_SHOWN = 6
LOG_HEIGHT = 280


@dataclass(frozen=True)
class Seen:
    """What one look at the jobs found; `log` is the one that is open."""

    runs: dict[str, list[Any]]
    scheduler_at: datetime | None
    said_at: dict[int, datetime]
    log: list[Line]


def look(person: Actor, open_run: int | None) -> Seen:
    """The newest runs of every job, what the running ones last said, and the open log."""
    names = [job.job for job in (*timetable.TASKS, *timetable.ERRANDS)]
    with reading() as session:
        runs = job_runs.latest(session, person, names, RUNS_SHOWN)
        running = [run.id for of_job in runs.values() for run in of_job if run.state == "running"]
        return Seen(
            runs,
            job_runs.scheduler_seen_at(session),
            job_log.last_said(session, person, running),
            job_log.read(session, person, open_run) if open_run else [],
        )


# -- Acting --------------------------------------------------------------------------------------------------


def ask(job: str) -> None:
    _do(lambda session: job_runs.request(session, signin.require(), job, looks.now()))


def cancel(run_id: int) -> None:
    _do(lambda session: job_runs.cancel(session, signin.require(), run_id, looks.now()))


def _do(work: Any) -> None:
    mine, answer = desk(), None
    try:
        transact(work)
    except RunoutError as refusal:
        answer = refusal.sentence
    except Exception as error:
        answer = ui.trouble(error)
    mine["refused"] = answer


def turn_log(run_id: int) -> None:
    """Open the log of a run, or close it again; one is open at a time."""
    mine = desk()
    mine["log"] = None if mine.get("log") == run_id else run_id


def desk() -> dict[str, Any]:
    """What this session was last `refused`, and the run whose `log` is open."""
    return st.session_state.setdefault("jobs_desk", {})


# -- In words ------------------------------------------------------------------------------------------------


def my_formats() -> Formats:
    """The shop's way to write, with moments in the time zone of the browser, where it tells one."""
    shop = ui.formats()
    try:
        zone = str(ZoneInfo(st.context.timezone or shop.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        zone = shop.time_zone
    return Formats(shop.locale, shop.currency, zone)


def length(run: Any) -> str:
    """How long a run took, in the fewest words; or that no worker did it."""
    if run.started_at is None or run.finished_at is None:
        return ""
    if run.state == "done" and run.worker is None:
        return " outside this timetable"  # by `make run`, or by hand
    word = "after" if run.state == "cancelled" else "in"
    return f" {word} {_span(run.finished_at - run.started_at)}"


def outcome(run: Any) -> str:
    """What a run brought: its counts, or why it did not work."""
    if run.state == "cancelled":
        return ""  # its message says the same
    if run.message:
        return run.message
    if run.job == "check_ledger" and run.state == "done":
        return "sound"
    counts = {name: n for name, n in (run.result or {}).items() if type(n) is int and n}
    if run.state == "done" and not counts and run.result:
        return "nothing to do"
    return ", ".join(f"{n:,} {COUNTED.get(name, name.replace('_', ' '))}" for name, n in counts.items())


def remaining(run: Any, now: datetime) -> str:
    """What a run does, how far it is, and how long that still takes at the pace of this stage."""
    told = run.result or {}
    since = datetime.fromisoformat(told["since"]) if "since" in told else run.started_at
    stage = f"{told['stage']}: " if "stage" in told else ""
    if not run.total or not run.done:
        return f"{stage}{'begun' if stage else 'has begun'} {_span(now - since)} ago"
    left = (now - since) / run.done * (run.total - run.done)
    return f"{stage}{run.done:,} of {run.total:,}, {_span(left)} left"


def silence(run: Any, said_at: datetime | None, now: datetime) -> str | None:
    """That a run has said nothing for long: it may hang."""
    quiet = now - max(run.started_at, said_at or run.started_at)
    return f"Has said nothing for {_span(quiet)}." if quiet > SILENT_AFTER else None


def _span(time: timedelta) -> str:
    seconds = max(time.total_seconds(), 0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} hours" if seconds < 2 * 86400 else f"{seconds / 86400:.0f} days"


def when(task: Task, write: Formats, now: datetime) -> str:
    """The schedule in words with its time zone, and the next run in the zone of whoever looks."""
    slot = task.next_slot(now)
    return f"{task.words} · next {write.moment(slot)} {write.time_zone}, in {_span(slot - now)}"


# -- Drawing -------------------------------------------------------------------------------------------------


def draw_job(job: Task | Errand, seen: Seen, write: Formats) -> None:
    now, runs = looks.now(), seen.runs[job.job]
    newest = runs[0] if runs else None
    with st.container(border=True, key=f"job-{job.job}", gap="xsmall"):
        with ui.heading(job.title):
            if newest is not None and newest.state in ("queued", "running"):
                st.button("Cancel", key=f"cancel-{job.job}", on_click=cancel, args=(newest.id,))
            elif isinstance(job, Task):
                st.button("Run now", key=f"run-{job.job}", on_click=ask, args=(job.job,))
        st.caption(when(job, write, now) if isinstance(job, Task) else job.words)
        if newest is None:
            st.markdown(":gray[Has not run yet.]")
            return
        if newest.state == "running":
            draw_progress(newest, seen, now)
        draw_run(newest, seen, write)
        if runs[1:]:
            with st.expander("Earlier runs"):
                for run in runs[1:]:
                    draw_run(run, seen, write)


def draw_progress(run: Any, seen: Seen, now: datetime) -> None:
    share = run.done / run.total if run.total and run.done else 0.0
    st.progress(min(share, 1.0), text=remaining(run, now))
    if hint := silence(run, seen.said_at.get(run.id), now):
        st.caption(f":material/hourglass_empty: {hint}")


def draw_run(run: Any, seen: Seen, write: Formats) -> None:
    """One run in a line, and its log where it is open."""
    moment = write.ago(run.finished_at or run.started_at or run.queued_at, looks.now())
    told = outcome(run)
    line = f"{moment}: {WORDS[run.state]}{length(run)}" + (f" ({told})" if told else "")
    is_open = desk().get("log") == run.id
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            if run.state in ("failed", "abandoned"):
                ui.refused(line)
            else:
                st.text(line)
        st.button(
            "Hide log" if is_open else "Log", key=f"log-{run.id}", type="tertiary",
            on_click=turn_log, args=(run.id,),
        )  # fmt: skip
        if run.subject:
            page, about = SUBJECTS[run.job]
            st.page_link(page, label="Open", query_params={"id": run.subject, **about})
    if is_open:
        draw_log(seen.log, write)


def draw_log(log: list[Line], write: Formats) -> None:
    if not log:
        st.caption("It has said nothing.")
        return
    zone = ZoneInfo(write.time_zone)
    said = [
        f"{line.at.astimezone(zone):%H:%M:%S} "
        + (f"{line.level}: " if line.level != "INFO" else "")
        + line.message
        for line in log
    ]
    with st.container(height=LOG_HEIGHT if sum(text.count("\n") + 1 for text in said) > 9 else "content"):
        st.code("\n".join(said), language=None, wrap_lines=True)


def draw_all() -> None:
    person, write, mine = signin.still("see jobs"), my_formats(), desk()
    seen = look(person, mine.get("log"))
    if mine.get("refused"):
        ui.refused(mine["refused"])
    if seen.scheduler_at is None:
        ui.empty("No scheduler runs.", "Start one with `make run`, or with `python -m jobs schedule`.")
    for job in (*timetable.TASKS, *timetable.ERRANDS):
        draw_job(job, seen, write)


ui.title("Jobs", "What Runout does by itself, when, and how it went.")
st.fragment(draw_all, run_every=LOOK_SECONDS)()
