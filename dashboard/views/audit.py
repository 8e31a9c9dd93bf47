"""Audit: who did what, when, and what it was before, newest first."""

from datetime import datetime, time
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core import audit_trail
from core.audit_trail import Line
from dashboard import auditing, grid, leafing, looks, pickers, saving, signin, ui
from db.session import reading

NARROW = {"Who": 96, "What": 150, "When": 106}


def lines_of(filters: dict[str, Any], **about: Any) -> list[Line]:
    with reading() as session:
        return audit_trail.listing(session, person, **filters, **about)


def table(found: list[Line]) -> None:
    """The lines; a click opens one in words."""
    write, at = ui.formats(), looks.now()
    frame = pd.DataFrame(
        {
            "Who": [auditing.who(line) for line in found],
            "What": [auditing.what(line) for line in found],
            "Before → after": ["; ".join(auditing.changes(line)) for line in found],
            "When": [write.ago(line.at, at) for line in found],
        }
    )
    widths = {"Who": 160, "What": 330, "Before → after": 480, "When": 130}
    config = {name: st.column_config.TextColumn(name, width=width) for name, width in widths.items()}
    # A new name after each click takes back the mark, or the drawer would open at every run.
    shown = st.session_state.setdefault("audit_turn", 0)
    row, _ = grid.draw(frame, NARROW, config, key=f"audit_{found[0].id}_{shown}")
    if row is not None:
        st.session_state["audit_turn"] = shown + 1
        details(found[row])


@st.dialog("What was done", position="right", width="small", on_dismiss="rerun")
def details(line: Line) -> None:
    signin.still("see audit")
    st.markdown(auditing.in_words(line))


def for_download() -> pd.DataFrame:
    return auditing.for_download(lines_of(filters, limit=audit_trail.MOST_ROWS))


def nothing() -> None:
    if st.query_params.to_dict():
        ui.empty(
            "Nothing that was done fits these filters.",
            "Take one away, or choose a longer period.",
            button="Clear the filters",
            on_click=st.query_params.clear,
        )
    else:
        ui.empty("Nothing has been done yet.", "Every change that somebody makes is listed here.")


person = signin.require()
with reading() as session:
    actions, subjects = audit_trail.words(session, person)
ui.title("Audit", "Every change that people made, with the values before and after. Lines are never changed.")
with st.container(key="filters"):
    row = iter(st.columns([2, 1, 1, 1, 1]))
    with next(row):
        text = pickers.words("Search", "q", "Name, value, id")
    with next(row):
        since = pickers.period(looks.today())
    with next(row):
        who = pickers.person()
    with next(row):
        action = pickers.choice(
            "Action", "action", {word: word.capitalize() for word in actions}, "All actions"
        )
    with next(row):
        about = {word: word.replace("_", " ").capitalize() for word in subjects}
        subject = pickers.choice("Subject", "subject", about, "All subjects")
filters = {
    "text": text,
    "person_id": who,
    "action": action,
    "subject_type": subject,
    "since": since and datetime.combine(since, time(), ZoneInfo(looks.the_shop().time_zone)),
}
found, has_newer, has_older = leafing.page(partial(lines_of, filters))
if found:
    with ui.heading(f":gray[{len(found)} {'line' if len(found) == 1 else 'lines'}]"):
        saving.table(
            "Download",
            for_download,
            f"runout-audit-{looks.today():%Y-%m-%d}.csv",
            key="download",
            right="see audit",
            help_=f"The newest {ui.formats().number(audit_trail.MOST_ROWS)} of them at most.",
        )
    table(found)
    leafing.draw(found[0].id, found[-1].id, has_newer, has_older)
else:
    nothing()
