"""What a buyer makes of a line: another quantity or vendor, not now, or not in this order; each with Undo."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import advice_choices
from core.advice_lines import Line
from core.auth import Actor
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


def tick(mine: dict, place: str, key: str) -> None:
    if st.session_state[key]:
        mine["left_out"].discard(place)
    else:
        mine["left_out"].add(place)


def edit(mine: dict, line: Line, key: str) -> None:
    """Write the quantity as typed; an emptied field is computed again."""
    typed = editing.number(st.session_state.get(key))
    now = looks.now()
    if typed is None:
        verb, after = (
            partial(advice_choices.reset, now=now),
            reorder_words.quantity(line, line.computed_quantity),
        )
    else:
        verb, after = (
            partial(advice_choices.edit, now=now, quantity=typed),
            ui.formats().quantity(Decimal(typed)),
        )
    write(mine, line, verb, editing.changed("Order", reorder_words.quantity(line), after))


def reset(mine: dict, line: Line) -> None:
    words = editing.changed("Order", reorder_words.quantity(line), reorder_words.computed(line))
    write(mine, line, partial(advice_choices.reset, now=looks.now()), words)


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
    write(mine, line, verb, f"**{ui.safe_md(line.name)}** snoozed {ui.safe_md(words)}")


def wake(mine: dict, line: Line) -> None:
    write(mine, line, partial(advice_choices.wake, now=looks.now()), f"**{ui.safe_md(line.name)}** is back")


def write(mine: dict[str, Any], line: Line, verb: Any, words: str) -> None:
    """One of the choices about a line, with the one that takes it back; the answer stands at the line."""
    mine["about"] = reorder_plan.place_of(line)
    undo = partial(_back, line=line, now=looks.now())

    def work(session: Session, person: Actor) -> Answer:
        verb(session, person, line.uid)
        return Answer(words, undo)

    editing.write(mine, work)


def _back(session: Session, person: Actor, *, line: Line, now: datetime) -> Answer:
    """The line as it was before the last choice."""
    if line.is_edited:
        advice_choices.edit(
            session, person, line.uid, now, quantity=line.quantity, vendor_uid=line.vendor_uid
        )
    else:
        advice_choices.reset(session, person, line.uid, now)
    if line.state == "snoozed":
        advice_choices.snooze(session, person, line.uid, now, until=line.snoozed_until)
    else:
        advice_choices.wake(session, person, line.uid, now)
    return Answer(f"Undone: {ui.safe_md(line.name)} is as it was")
