"""Jobs: what runs when, how the last runs went, how far the present one is; run now and cancel."""

from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from core import job_runs, timetable
from core.errors import RunoutError
from core.timetable import Task
from dashboard import looks, signin, ui
from db.session import transact

WORDS = {
    "queued": "waits for a worker",
    "running": "runs",
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
}
OPEN = ("queued", "running")
LOOK_SECONDS = 2


def ask(job: str) -> None:
    _do(lambda session: job_runs.request(session, signin.require(), job, looks.now()))


def cancel(run_id: int) -> None:
    _do(lambda session: job_runs.cancel(session, signin.require(), run_id, looks.now()))


def _do(work: Any) -> None:
    answer = None
    try:
        transact(work)
    except RunoutError as refusal:
        answer = refusal.sentence
    st.session_state["jobs_refused"] = answer


def length(run: Any) -> str:
    """How long a run took, in the fewest words."""
    if run.started_at is None or run.finished_at is None:
        return ""
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f" in {seconds:.0f} s" if seconds < 120 else f" in {seconds / 60:.0f} min"


def outcome(run: Any) -> str:
    """What a finished run brought: its counts, or why it did not work."""
    if run.message:
        return run.message
    if run.job == "check_ledger" and run.state == "done":
        return "sound"
    counts = {name: count for name, count in (run.result or {}).items() if count}
    return ", ".join(f"{count:,} {COUNTED[name]}" for name, count in counts.items())


def remaining(run: Any, now: datetime) -> str:
    """How far a run is and how long it still takes at this pace."""
    if not run.total or not run.done:
        return "has begun"
    left = (now - run.started_at) / run.done * (run.total - run.done)
    words = f"{left.total_seconds():.0f} s" if left < timedelta(minutes=2) else f"{left.seconds // 60} min"
    return f"{run.done:,} of {run.total:,}, {words} left"


def draw_task(task: Task, runs: list[Any]) -> None:
    now, write = looks.now(), ui.formats()
    newest = runs[0] if runs else None
    with st.container(border=True, key=f"job-{task.job}"):
        with ui.heading(task.title):
            if newest is not None and newest.state in OPEN:
                st.button("Cancel", key=f"cancel-{task.job}", on_click=cancel, args=(newest.id,))
            else:
                st.button("Run now", key=f"run-{task.job}", on_click=ask, args=(task.job,))
        st.caption(f"{task.words} · next {write.moment(task.next_slot(now))}")
        if newest is not None and newest.state == "running":
            share = newest.done / newest.total if newest.total and newest.done else 0.0
            st.progress(min(share, 1.0), text=remaining(newest, now))
        for run in runs:
            when = write.ago(run.finished_at or run.started_at or run.queued_at, now)
            told = outcome(run)
            line = f"{when}: {WORDS[run.state]}{length(run)}" + (f" ({told})" if told else "")
            if run.state in ("failed", "abandoned"):
                ui.refused(line)
            else:
                st.text(line)


def draw_all() -> None:
    runs, seen_at = looks.jobs(signin.require())
    refused = st.session_state.get("jobs_refused")
    if refused:
        ui.refused(refused)
    if seen_at is None:
        ui.empty("No scheduler runs.", "Start one with `make run`, or with `python -m jobs schedule`.")
    for task in timetable.TASKS:
        draw_task(task, runs[task.job])


ui.title("Jobs", "What Runout does by itself, when, and how it went.")
st.fragment(draw_all, run_every=LOOK_SECONDS)()
