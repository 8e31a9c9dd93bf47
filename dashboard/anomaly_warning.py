"""Before a booking: "12 times the usual 10: sure?" It asks, and never holds anything up.

Whatever goes wrong while asking, there is no warning and the booking goes on; the log says what it was.
"""

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.doctor import model_store, warning
from core.doctor.line_arrays import Typed
from core.doctor.warning import Warning as Odd
from dashboard import looks, signin, ui
from db.session import reading

log = logging.getLogger("runout.dashboard")
# A view asks about what one sees; a long list of lines is looked at by the hourly job.
MOST_LINES = 25


def of(lines: Sequence[Typed]) -> list[Odd | None]:
    """What is odd about lines that somebody is about to book, each as if booked after the ones before it."""
    nothing: list[Odd | None] = [None] * len(lines)
    if not lines or len(lines) > MOST_LINES:
        return nothing
    person = signin.require()
    try:
        with reading() as session:
            return _odd(session, person, lines)
    except Exception:
        log.warning("a booking could not be looked at beforehand", exc_info=True)
        return nothing


def inside(session: Session, person: Actor, line: Typed) -> Odd | None:
    """The same within the transaction that is about to book the line, which goes on in any case."""
    try:
        with session.begin_nested():
            return _odd(session, person, [line])[0]
    except Exception:
        log.warning("a booking could not be looked at beforehand", exc_info=True)
        return None


def _odd(session: Session, person: Actor, lines: Sequence[Typed]) -> list[Odd | None]:
    return warning.odd(session, model_store.current(session), person, lines, looks.now())


def sure(sentence: str) -> str:
    """The sentence as a question."""
    return f"{sentence.strip().rstrip('.')}: sure?"


def amount(odd: Odd | None) -> Decimal | None:
    """The quantity that is suggested instead, where it is the quantity that is odd."""
    if odd is None or odd.field != "quantity" or odd.suggestion is None:
        return None
    return abs(Decimal(odd.suggestion))


def draw(
    sentence: str,
    wanted: Decimal | None,
    *,
    key: str,
    on_click: Callable[..., Any],
    args: tuple[Any, ...] = (),
) -> None:
    """The question, and the suggested quantity as one tap where there is one."""
    with st.container(key=f"odd-{key}", gap="small", horizontal=True, vertical_alignment="center"):
        st.markdown(f":orange[:material/warning:] {ui.safe_md(sure(sentence))}", width="stretch")
        if wanted is not None:
            label = f"{ui.formats().quantity(wanted)} instead"
            st.button(label, key=f"instead-{key}", on_click=on_click, args=args)
