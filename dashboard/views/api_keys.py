"""API keys: which machines act for whom, what they may do, and when they were last heard of."""

from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import api_key_list
from core.api_key_list import Line
from dashboard import api_key_drawers, api_key_words, grid, looks, pickers, signin, ui
from db.session import reading

NARROW = {"Name": 150, "Last used": 118, "State": 84}


def page_of(filters: dict[str, Any], now: datetime) -> tuple[list[Line], int]:
    """The page that the address asks for, and how many keys there are in all."""
    page, rows = pickers.page(), pickers.ROWS_PER_PAGE
    with reading() as session:
        found, total = api_key_list.listing(
            session, person, now, **filters, skip=(page - 1) * rows, limit=rows
        )
        is_beyond = not found and total > 0
        if is_beyond:
            found, total = api_key_list.listing(session, person, now, **filters, limit=rows)
    if is_beyond:
        pickers.refuse("page", f"There is no page {page}, so the first one is shown.")
    return found, total


def table(found: list[Line], now: datetime) -> None:
    """The keys; a click opens one. Those that work no more are grey."""
    frame = pd.DataFrame(
        {
            "Name": [line.name for line in found],
            "Key": [f"{line.shown}…" for line in found],
            "Acts for": [f"{line.person} ({line.role})" for line in found],
            "May": [api_key_words.rights(line) for line in found],
            "A minute": [api_key_words.limit(line.per_minute) for line in found],
            "Last used": [api_key_words.last_used(line, now) for line in found],
            "Ends": [api_key_words.ends(line) for line in found],
            "State": [api_key_words.STATE[line.state] for line in found],
        }
    )
    config = {
        name: st.column_config.TextColumn(name, width=width, alignment=side, help=help_)
        for name, width, side, help_ in (
            ("Name", 180, "left", None),
            ("Key", 130, "left", "Its first characters."),
            ("Acts for", 190, "left", None),
            ("May", 230, "left", None),
            ("A minute", 84, "right", "Requests a minute, beyond which it has to wait."),
            ("Last used", 120, "left", None),
            ("Ends", 150, "left", "Its last day, or when it was revoked."),
            ("State", 84, "left", None),
        )
    }
    # A new name after each click takes back the mark, or the drawer would open at every run; other rows make
    # another table, or the browser would lose the first click on them.
    turn = st.session_state.setdefault("api_keys_turn", 0)
    rows = hash(tuple((line.uid, line.state) for line in found))
    row, _ = grid.draw(
        frame, NARROW, config, key=f"api_keys_{turn}_{rows}", grey=[line.state != "active" for line in found]
    )
    if row is not None:
        st.session_state["api_keys_turn"] = turn + 1
        api_key_drawers.open_(str(found[row].uid))


def nothing() -> None:
    if st.query_params.to_dict():
        ui.empty(
            "No key fits these filters.", "Take one away, or search for part of a name.",
            button="Show all keys", on_click=st.query_params.clear,
        )  # fmt: skip
    else:
        ui.empty(
            "No machine has a key yet.",
            "A till, a web shop or a nightly pull comes with a key of its own: it may do what you give it "
            "and no more, until you revoke it.",
            button="Make the first key",
            on_click=partial(api_key_drawers.open_, api_key_drawers.NEW),
        )


person = signin.require()
with ui.title_line(
    "API keys", "With a key a machine acts for somebody, within limits. Keys are never deleted."
):
    st.button(
        "New key", key="new_key", type="primary", icon=":material/add:",
        on_click=api_key_drawers.open_, args=(api_key_drawers.NEW,),
    )  # fmt: skip
with st.container(key="filters"):
    left, right = st.columns([2.2, 1])
    with left:
        text = pickers.words("Search", "q", "Name, person or first characters")
    with right:
        state = pickers.choice("State", "state", api_key_words.STATE, "All keys")
now = looks.now()
found, total = page_of({"text": text, "state": state}, now)
if found:
    st.markdown(f":gray[{ui.formats().number(total)} {'key' if total == 1 else 'keys'}]")
    table(found, now)
    pickers.page_links(total)
else:
    nothing()
api_key_drawers.draw()
