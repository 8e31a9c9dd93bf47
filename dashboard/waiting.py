"""What is on screen while a worker works: how far it is, that nobody works, and Train now."""

from typing import Any

import streamlit as st

from core import job_runs
from core.errors import RunoutError
from core.job_runs import HEARTBEAT_STALE
from dashboard import looks, signin, ui
from db.session import reading, transact

LOOK_SECONDS = 2
OPEN = ("queued", "running")


def is_somebody_working() -> bool:
    """Whether a scheduler was seen lately: without one, what was asked for waits."""
    seen_at = looks.scheduler_seen_at()
    return seen_at is not None and looks.now() - seen_at <= HEARTBEAT_STALE


def bar(words: str, done: int | None, total: int | None, *, queued: bool, steps: bool = False) -> None:
    """How far some work is: so many of so many, or in which of its `steps`; the words alone where nobody
    knows, and that nobody works where that is so."""
    write = ui.formats()
    if queued and not is_somebody_working():
        st.warning(
            "No scheduler runs, so this waits. Start one with `make run`, or with `python -m jobs schedule`.",
            icon=":material/schedule:",
        )
    elif queued:
        st.progress(0.0, text=f"{words}: waits for a worker")
    elif done is not None and total:
        told = f"step {done + 1}" if steps else write.number(done)
        st.progress(min(done / total, 1.0), text=f"{words}: {told} of {write.number(total)}")
    else:
        st.progress(0.0, text=f"{words} …")


def train(words: str, *, key: str, about: str) -> None:
    """`words` and the button that trains all forecasts; after it, how far that is, until they are there.

    The page runs once more when they are, so that it shows what came of it; `about` says for what it was
    asked, since a file that comes in later is not in that training.
    """
    mine = _mine()
    if mine.get("ended") and mine.get("about") != about:
        mine.clear()
    if "refused" in mine:
        ui.refused(mine["refused"])
    if "run" not in mine:
        st.markdown(words)
        _button(key, about)
    else:
        st.fragment(_follow, run_every=None if mine.get("ended") else LOOK_SECONDS)(key, about)


def train_button(*, key: str, about: str) -> None:
    """The button alone, for the end of a title line; `train_progress` under it tells how far that is."""
    mine = _mine()
    if "run" not in mine or mine.get("about") != about or mine.get("ended"):
        _button(key, about)


def train_progress(*, key: str, about: str) -> None:
    """How far the training is that was asked for with `train_button`; nothing where none was."""
    mine = _mine()
    if mine.get("about") != about:
        return
    if "refused" in mine:
        ui.refused(mine["refused"])
    if "run" in mine:
        st.fragment(_follow, run_every=None if mine.get("ended") else LOOK_SECONDS)(key, about)


def _button(key: str, about: str) -> None:
    st.button(
        "Train now", key=key, type="primary", icon=":material/model_training:", on_click=_ask, args=(about,)
    )  # fmt: skip


def _mine() -> dict[str, Any]:
    """The training this session asked for: run, or refused; about what; ended once that was noticed."""
    return st.session_state.setdefault("training", {})


def _ask(about: str) -> None:
    mine = _mine()
    answer: dict[str, Any] = {"about": about}
    try:
        person = signin.require()
        answer["run"] = transact(lambda session: job_runs.request(session, person, "train", looks.now()))
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    mine.clear()
    mine.update(answer)


def _follow(key: str, about: str) -> None:
    mine, person = _mine(), signin.still("train")
    with reading() as session:
        run = job_runs.by_id(session, person, mine["run"])
    if run.state in OPEN:
        stage = (run.result or {}).get("stage") or "Training"
        bar(stage, run.done, run.total, queued=run.state == "queued")
        return
    if not mine.get("ended"):
        mine["ended"] = True
        looks.forget()
        st.rerun()
    if run.state != "done":
        ui.refused(f"The training ended early and changed nothing. {run.message or ''}".strip())
        _button(key, about)
    else:
        _trained(run.result or {})


def _trained(counts: dict[str, int]) -> None:
    # A product that sells from several places has more forecasts than one.
    fresh, write = looks.freshness(looks.today()), ui.formats()
    ready = fresh["products"] - fresh["without_forecast"]
    if not counts.get("ok"):
        st.markdown(
            "No product has enough history for a forecast yet: that takes 30 days, and two days with sales. "
            "Runout looks again every night."
        )
        return
    noun = "product has its" if ready == 1 else "products have their"
    st.markdown(f":material/check: {write.number(ready)} {noun} run-out date.")
    st.page_link("views/today.py", label="See what runs out", icon=":material/today:")
