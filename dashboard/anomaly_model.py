"""The model card: when it learned and from what, how many made-up errors it finds, and Learn again."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from core import auth, job_runs
from core.auth import Actor
from core.doctor import model_store
from core.doctor.model_store import About
from dashboard import anomaly_asking, anomaly_words, looks, ui
from db.session import reading

JOB, RIGHT = "anomaly_train", "train"
LOOK_SECONDS = 5  # between two looks whether it has learned
RECALL, OF_ALL = "recall_", "recall_at_10"
# How many of 100 made-up errors are found, in words.
HOW_OFTEN = ((0.9, "nearly all"), (0.66, "most"), (0.4, "about half"), (0.15, "some"), (0.0, "few"))


def draw(person: Actor) -> None:
    """What people may know of the model that judges; whoever may train has it learn again."""
    with reading() as session:
        about = model_store.about(session)
    may_train = auth.may(person, RIGHT)
    with ui.heading("What it has learned"):
        if may_train:
            label = "Learn again" if about else "Learn now"
            anomaly_asking.button(label, JOB, RIGHT, icon=":material/model_training:")
    if may_train:
        anomaly_asking.progress(JOB, "Learning", RIGHT)
    if about is None:
        draw_nothing_learned(person)
        return
    if about.problem:
        ui.refused(f"The last training failed, so the one before it judges. {about.problem}")
    _draw_facts(about)
    _draw_recall(about.manifest.get("metrics", {}))


def draw_nothing_learned(person: Actor) -> None:
    """Before the first model: that it is learning, or when that begins and what helps."""
    with reading() as session:
        is_learning = job_runs.is_open(session, JOB)
    if is_learning:
        ui.empty(
            "It is learning from your movements.",
            "That takes some minutes. Then it looks at the movements of the last weeks, and what is probably "
            "an error appears here.",
        )
        st.fragment(_await_model, run_every=LOOK_SECONDS)()
        return
    may_import = auth.may(person, "import")
    ui.empty(
        "Nothing has been learned yet.",
        "Learning starts by itself once some hundred movements are booked, and begins anew every week. Past "
        "sales from a file count, too.",
        button="Import sales" if may_import else "See the movements",
        page="views/imports.py" if may_import else "views/movements.py",
    )


def _await_model() -> None:
    """The page runs once more when the learning has ended."""
    with reading() as session:
        is_learning = job_runs.is_open(session, JOB)
    if not is_learning:
        st.rerun()


def _draw_facts(about: About) -> None:
    write, told = ui.formats(), about.manifest
    first, last = _moment(told.get("data_from")), _moment(told.get("data_to"))
    span = f"of {write.span(first.date(), last.date(), looks.today())}" if first and last else "so far"
    made_up = f", {write.number(told['wrong'])} of them made-up errors" if told.get("wrong") else ""
    st.markdown(
        f"Learned **{ui.safe_md(write.ago(about.trained_at, looks.now()))}** from the movements "
        f"{ui.safe_md(span)}: **{ui.safe_md(write.number(told.get('rows')))}** examples"
        f"{ui.safe_md(made_up)}. It learns anew every week."
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _draw_recall(metrics: dict[str, float]) -> None:
    """Of 100 errors made up in weeks it had not seen, how many it found within a day's budget."""
    found = {kind: metrics[RECALL + kind] for kind in anomaly_words.KINDS if RECALL + kind in metrics}
    if not found:
        return
    if OF_ALL in metrics:
        st.markdown(
            f"Of 100 errors that were made up in weeks it did not learn from, it found "
            f"**{round(metrics[OF_ALL] * 100)}** within ten findings a day. By kind:"
        )
    rows = sorted(found.items(), key=lambda one: -one[1])
    frame = pd.DataFrame(
        {
            "Error": [anomaly_words.KINDS[kind] for kind, _ in rows],
            "Found": [f"{round(share * 100)} of 100" for _, share in rows],
            "In words": [how_often(share) for _, share in rows],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", key="recall")
    st.caption(
        "A wrong product at that product's price looks like any other line: counting the shelf finds it, "
        "not this page."
    )


def how_often(share: float) -> str:
    """Nearly all of them are found, down to few."""
    return next(words for least, words in HOW_OFTEN if share >= least)
