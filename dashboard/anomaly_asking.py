"""Long work that a button asks for: one run, followed on the page until it is over."""

from typing import Any

import streamlit as st

from core import job_runs
from core.auth import Actor
from dashboard import editing, looks, signin, ui, waiting
from db.session import reading


def desk(job: str) -> dict[str, Any]:
    """What this session asked of a job: its `run`, `ended` once that was noticed; or `refused`."""
    return editing.desk(f"asked {job}")


def button(label: str, job: str, right: str, *, icon: str) -> None:
    """Ask for a run of the job; while one is at work the button rests."""
    mine = desk(job)
    is_open = "run" in mine and not mine.get("ended")
    st.button(label, key=f"ask-{job}", icon=icon, disabled=is_open, on_click=_ask, args=(job, right))


def progress(job: str, words: str, right: str) -> None:
    """How far the run is that was asked for here; nothing where none was."""
    mine = desk(job)
    if "refused" in mine:
        ui.refused(mine["refused"])
    if "run" in mine:
        st.fragment(_follow, run_every=None if mine.get("ended") else waiting.LOOK_SECONDS)(job, words, right)


def _ask(job: str, right: str) -> None:
    mine = desk(job)
    now = looks.now()

    def work(session: Any, person: Actor) -> int:
        return job_runs.request(session, person, job, now, right=right)

    run = editing.write(mine, work)
    mine.pop("answer", None)
    if run is not None:
        mine |= {"run": run, "ended": False}


def _follow(job: str, words: str, right: str) -> None:
    mine, person = desk(job), signin.still(right)
    with reading() as session:
        run = job_runs.by_id(session, person, mine["run"])
    if run.state in waiting.OPEN:
        stage = (run.result or {}).get("stage") or words
        waiting.bar(stage, run.done, run.total, queued=run.state == "queued")
        return
    if not mine["ended"]:
        mine["ended"] = True
        st.rerun()
    if run.state == "done":
        st.markdown(
            f":material/check: {words}: done {ui.safe_md(ui.formats().ago(run.finished_at, looks.now()))}."
        )
    else:
        ui.refused(f"{words} ended early. {run.message or ''}".strip())
