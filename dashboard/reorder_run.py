"""How fresh the advice is, asking for it anew, and how that gets on."""

from typing import Any

import streamlit as st

from core import auth, job_runs
from core.auth import Actor
from core.buying import advice_lines
from core.buying.advice_lines import Head
from dashboard import editing, looks, signin, ui, waiting
from db.session import reading

LOOK_SECONDS = 2
JOB = "advice"
WORDS = "New advice is being worked out"


def desk() -> dict[str, Any]:
    """What this session asked for: `refused`, or the `asked` run until it is there."""
    return editing.desk("advice run")


def draw(head: Head | None, person: Actor) -> None:
    """When the advice was made and what moved since; for buyers the button that makes it anew."""
    mine, write = desk(), ui.formats()
    run = _asked_for(mine, person)
    is_underway = _is_underway(head, run)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="advice-run"
    ):  # fmt: skip
        if head is not None:
            by = f" by {head.made_by}" if head.made_by else ""
            words = f"Advice made {write.ago(head.made_at, looks.now())}{by}"
            if head.is_stale:
                words += f"; since then {head.stale_because or 'the shop moved on'}"
            st.caption(ui.safe_md(words))
        if auth.may(person, "buy") and not is_underway:
            st.button("Compute anew", key="compute_anew", icon=":material/refresh:", on_click=_ask)
    if "refused" in mine:
        ui.refused(mine["refused"])
    if run is not None and run.state == "failed":
        ui.refused(f"The advice was not made anew, what is shown stands. {run.message or ''}".strip())
    if is_underway:
        st.fragment(_follow, run_every=LOOK_SECONDS)(str(head.uid) if head else None)


def _asked_for(mine: dict[str, Any], person: Actor) -> Any:
    """The run that this session asked for, None where it asked for none."""
    if "asked" not in mine or not auth.may(person, "buy"):
        return None
    with reading() as session:
        return job_runs.by_id(session, person, mine["asked"])


def _is_underway(head: Head | None, run: Any) -> bool:
    """Whether a run waits or works: the one asked for here, or anybody's."""
    return (head is not None and head.is_underway) or (run is not None and run.state in waiting.OPEN)


def _ask() -> None:
    mine = desk()
    mine.pop("refused", None)
    now = looks.now()
    run = editing.write(
        mine, lambda session, person: job_runs.request(session, person, JOB, now, right="buy")
    )
    if run is not None:
        mine["asked"] = run


def _follow(shown: str | None) -> None:
    """That it is being worked out; when it is there, or has ended early, the page is drawn once more."""
    run = _asked_for(desk(), signin.still("read"))
    with reading() as session:
        head = advice_lines.head(session, looks.now())
    if not _is_underway(head, run) or (head is not None and str(head.uid) != shown):
        looks.forget()
        st.rerun()
    waiting.bar(WORDS, None, None, queued=not waiting.is_somebody_working())
