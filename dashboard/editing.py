"""Forms that change what is known: one write a click, and what became of it, with Undo."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.errors import BadInput, RunoutError
from dashboard import looks, signin, ui
from db.session import transact

Work = Callable[[Session, Actor], Any]


@dataclass(frozen=True)
class Answer:
    """What a write did, as Markdown, and the write that takes it back.

    It is kept in the session's state, so `undo` is a function of a module (or a partial of one with plain
    values), which can be pickled. `then` is done once after the commit, without a transaction; what it says
    is added to the words, and what goes wrong in it as well, because the write stands.
    """

    words: str
    undo: Work | None = None
    then: Callable[[], str] | None = None
    is_idle: bool = False  # nothing was changed: a second click found the work of the first


def desk(name: str) -> dict[str, Any]:
    """What a form of this session holds: its `form` number, the `answer` to its last write, or `refused`.

    One dictionary that is fetched before a write and changed after it: a touch of session_state may end the
    run in favour of the next one, and the answer to a committed write must not get lost.
    """
    desks = st.session_state.setdefault("desks", {})
    return desks.setdefault(name, {"form": uuid.uuid4().hex})


def write(mine: dict[str, Any], work: Work, *, renews: bool = False) -> Any:
    """Do `work(session, person)` in one transaction for whoever is signed in now; call it from a callback.

    What it answers is kept in `mine["answer"]` and returned; a refusal is kept in `mine["refused"]` and
    answers None. The form stays as it was typed, unless it `renews` after the write. Where nothing was
    changed, the answer to what was done just before stands, with its Undo: the two runs of a double click may
    even overlap.
    """
    earlier = mine.pop("answer", None)
    mine.pop("refused", None)
    try:
        person = signin.require()
        answer = transact(lambda session: work(session, person))
    except RunoutError as refusal:
        mine["refused"] = refusal.sentence
        return None
    except Exception as error:
        mine["refused"] = ui.trouble(error)
        return None
    if isinstance(answer, Answer) and answer.is_idle:
        answer = mine.get("answer") or earlier or answer
    # The write stands, so it is kept first: what follows may end this run.
    then = answer.then if isinstance(answer, Answer) else None
    mine["answer"] = answer
    if renews:
        renew(mine)
    if then is not None:
        mine["answer"] = answer = replace(answer, words=answer.words + _afterwards(then), then=None)
    looks.forget()
    looks.places.clear()
    looks.categories.clear()
    return answer


def _afterwards(then: Callable[[], str]) -> str:
    try:
        return then()
    except RunoutError as refusal:
        return f" {ui.safe_md(refusal.sentence)}"
    except Exception as error:
        ui.trouble(error)
        return " The forecast was not made anew; the next training does it."


def renew(mine: dict[str, Any]) -> None:
    """Another form: its fields show what is kept now, and its number books anew."""
    mine["form"] = uuid.uuid4().hex


def draw_answer(mine: dict[str, Any], *, key: str) -> None:
    """What became of the last write, where it was pressed: a red sentence, or what changed with Undo."""
    if "refused" in mine:
        ui.refused(mine["refused"])
    answer = mine.get("answer")
    if not isinstance(answer, Answer):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"answer-{key}"):
        st.markdown(f":material/check: {answer.words}")
        if answer.undo is not None:
            st.button("Undo", key=f"undo-{key}", icon=":material/undo:", on_click=_undo, args=(mine, answer))


def _undo(mine: dict[str, Any], answer: Answer) -> None:
    if write(mine, answer.undo) is None:
        mine["answer"] = answer  # what was done still stands, and so does its Undo
    else:
        renew(mine)


def needed(value: Any, what: str, verb: str = "enter") -> Any:
    """The value of a field that may not be left empty; `verb` says how one fills it."""
    if value is None or value == "":
        raise BadInput(f"{what}: {verb} one first.")
    return value


def number_field(
    label: str, kept: Any, *, key: str, placeholder: str = "not set", help_: str | None = None, **about: Any
) -> None:
    """A field for a number that may be emptied; it begins with what is kept.

    It has no limits: the browser would keep what breaks them to itself, and the number before it would be
    written. Handed over as a value, what is kept would come back whenever somebody empties the field.
    """
    if kept is not None:
        st.session_state.setdefault(key, float(kept))
    st.number_input(
        label, value=None, step=1.0, format="%.12g", key=key, placeholder=placeholder, help=help_, **about
    )


def number(value: float | None) -> str | None:
    """What somebody typed into a number field, exactly as typed; the browser hands over a float."""
    return None if value is None else repr(value).removesuffix(".0")


def changed(label: str, before: str, after: str) -> str:
    """One line of an answer: before -> after, as Markdown."""
    return f"{label} **{ui.safe_md(before)} → {ui.safe_md(after)}**"
