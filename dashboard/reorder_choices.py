"""What a buyer makes of a line: another quantity or vendor, not now, or not in this order; each with Undo."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import advice_choices
from core.buying.advice_choices import Choice
from core.buying.advice_lines import Line
from dashboard import editing, looks, pickers, reorder_plan, reorder_words, ui
from dashboard.editing import Answer

TOMORROW, WEEK, RISK, DATE, WAKE = "tomorrow", "week", "risk", "date", "wake"
SNOOZES = {
    TOMORROW: "Until tomorrow",
    WEEK: "For a week",
    RISK: "Until the risk rises by 15 points",
    DATE: "Until another day",
}
DAYS_OF = {TOMORROW: 1, WEEK: 7}


def snoozes(line: Line) -> list[str]:
    """The ways to leave the line out; a risk that cannot rise is none."""
    return [what for what in SNOOZES if what != RISK or advice_choices.can_wait_for_risk(line.chance)]


def tick(mine: dict, place: str, key: str) -> None:
    """Take a line into the next press, or leave it out."""
    if st.session_state.get(key, True):
        mine["left_out"].discard(place)
    else:
        mine["left_out"].add(place)


def edit(mine: dict, line: Line, key: str) -> None:
    """Write the quantity as typed; an emptied field is computed again."""
    typed = editing.number(st.session_state.get(key))
    if typed is None:
        reset(mine, line)
        return
    before = reorder_words.quantity(line)
    verb = partial(advice_choices.edit, now=looks.now(), quantity=typed)
    write(
        mine,
        line,
        verb,
        lambda: editing.changed("Order", before, reorder_words.quantity(line, Decimal(typed))),
    )


def reset(mine: dict, line: Line) -> None:
    words = editing.changed("Order", reorder_words.quantity(line), reorder_words.computed(line))
    write(mine, line, partial(advice_choices.reset, now=looks.now()), lambda: words)


def snooze_by_menu(mine: dict, line: Line, key: str) -> None:
    what = st.session_state.get(key)
    if what is None:
        return
    if what == DATE:
        pickers.remember("line", reorder_plan.place_of(line))
        return
    until = looks.today() + timedelta(days=DAYS_OF[what]) if what in DAYS_OF else None
    snooze(mine, line, until)


def snooze(mine: dict, line: Line, until: date | None) -> None:
    """Leave the line out until a day, or until its risk rises."""
    words = f"until {ui.formats().weekday(until)}" if until else "until the risk rises by 15 points"
    verb = partial(advice_choices.snooze, now=looks.now(), until=until)
    write(mine, line, verb, lambda: f"**{ui.safe_md(line.name)}** snoozed {ui.safe_md(words)}")


def wake(mine: dict, line: Line) -> None:
    verb = partial(advice_choices.wake, now=looks.now())
    write(mine, line, verb, lambda: f"**{ui.safe_md(line.name)}** is back")


def write(mine: dict[str, Any], line: Line, verb: Any, say: Callable[[], str]) -> None:
    """One of the choices about a line, with what takes it back; the answer stands at the line.

    `say` tells what was done, once it was.
    """
    mine["about"] = reorder_plan.place_of(line)

    def work(session: Session, person: Actor) -> Answer:
        before = verb(session, person, line.uid)
        return Answer(say(), partial(_back, line=line, before=before))

    editing.write(mine, work)


def _back(session: Session, person: Actor, *, line: Line, before: Choice) -> Answer:
    """The line as it was before the last choice."""
    advice_choices.restore(session, person, line.uid, before, looks.now())
    return Answer(f"Undone: {ui.safe_md(line.name)} is as it was")
