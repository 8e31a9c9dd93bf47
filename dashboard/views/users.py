"""Users: who may sign in and as what; inviting, roles, deactivation, links for passwords."""

from datetime import datetime

import pandas as pd
import streamlit as st

from core import people
from core.people import Account
from dashboard import accounts, grid, looks, pickers, signin, ui
from db.session import reading

NARROW = {"Name": 156, "Role": 84, "Status": 112}


def table(found: list[Account], now: datetime) -> None:
    """The accounts; a click opens one. Those switched off are grey."""
    write = ui.formats()
    frame = pd.DataFrame(
        {
            "Name": [account.name for account in found],
            "E-mail": [account.email for account in found],
            "Role": [account.role for account in found],
            "Status": [accounts.status(account) for account in found],
            "Last seen": [write.ago(a.last_seen_at, now) if a.last_seen_at else "never" for a in found],
            "Signed in": [str(account.sign_ins or "") for account in found],
        }
    )
    config = {
        name: st.column_config.TextColumn(name, width=width, alignment=side, help=help_)
        for name, width, side, help_ in (
            ("Name", 230, "left", None),
            ("E-mail", 300, "left", None),
            ("Role", 100, "left", None),
            ("Status", 130, "left", None),
            ("Last seen", 150, "left", None),
            ("Signed in", 90, "right", "In how many browsers and programs at present."),
        )
    }
    # A new name after each click takes back the mark, or the drawer would open at every run; other rows make
    # another table, or the browser would lose the first click on them.
    turn = st.session_state.setdefault("users_turn", 0)
    rows = hash(tuple(account.uid for account in found))
    row, _ = grid.draw(
        frame, NARROW, config, key=f"users_{turn}_{rows}", grey=[not account.is_active for account in found]
    )
    if row is not None:
        st.session_state["users_turn"] = turn + 1
        accounts.open_(str(found[row].uid))


person = signin.require()
with ui.title_line("Users", "Who may sign in, and as what. Nobody is deleted: the ledger names them."):
    st.button(
        "Invite", key="invite", type="primary", icon=":material/person_add:",
        on_click=accounts.open_, args=(accounts.INVITE,),
    )  # fmt: skip
with st.container(key="filters"):
    text = pickers.words("Search", "q", "Name or e-mail")
now = looks.now()
with reading() as session:
    found = people.listing(session, person, now, text=text)
if found:
    table(found, now)
    if len(found) == people.MOST_ACCOUNTS:
        st.caption(f"The first {people.MOST_ACCOUNTS} are shown: search for the others.")
else:
    ui.empty(
        "Nobody is called that.",
        "Look for a part of the name or of the e-mail.",
        button="Show everybody",
        on_click=st.query_params.clear,
    )
accounts.draw()
