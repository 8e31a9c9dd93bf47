"""The drawers of the API keys view: a new key, whose secret is shown once, and one key with its end."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import api_key_list, api_keys, auth, people
from core.auth import Actor
from core.errors import BadInput
from core.people import Account
from dashboard import api_key_words, editing, looks, pressing, signin, ui
from dashboard.editing import Answer
from db.session import reading

NEW = "new"


@dataclass(frozen=True)
class Made:
    """A key just made: its secret is kept by this session until the drawer is closed, and nowhere else."""

    name: str
    secret: str
    rights: tuple[str, ...]
    expires_at: datetime | None


def desk() -> dict[str, Any]:
    """What this view is about to do: the `open` drawer, whether somebody is `sure`, and the last answer."""
    return editing.desk("api keys")


def open_(what: str) -> None:
    """Open the drawer of a key, or of a new one."""
    mine = desk()
    _forget(mine)
    mine["open"] = what


def close() -> None:
    """The drawer was closed; the table gets a new name, or the browser loses the next click on it."""
    _forget(desk())
    st.session_state["api_keys_turn"] = st.session_state.get("api_keys_turn", 0) + 1


def _forget(mine: dict[str, Any]) -> None:
    for word in ("open", "sure", "answer", "refused"):
        mine.pop(word, None)
    editing.renew(mine)


def draw() -> None:
    """The open drawer, at every run of the page until it is closed."""
    opened = desk().get("open")
    if opened == NEW:
        new_drawer()
    elif opened:
        key_drawer(opened)


# -- A new key -----------------------------------------------------------------------------------------------


@st.dialog("New API key", position="right", width="small", on_dismiss=close)
def new_drawer() -> None:
    person, mine = signin.still("manage keys"), desk()
    made = mine.get("answer")
    if isinstance(made, Made):
        _draw_secret(made)
        return
    now = looks.now()
    with reading() as session:
        accounts = [one for one in people.listing(session, person, now) if one.is_active]
    form = mine["form"]
    st.text_input(
        "Name", key=f"key_name_{form}", max_chars=api_keys.NAME_CHARACTERS, placeholder="Till 2, nightly pull"
    )
    chosen = st.selectbox(
        "Acts for", accounts, format_func=_account, key=f"key_person_{form}", index=None,
        placeholder="Choose somebody",
        help="It never does more than this person may, and ends with their account. The audit and the ledger "
        "name both.",
    )  # fmt: skip
    _draw_rights(form, chosen)
    editing.number_field(
        "Requests a minute", None, key=f"key_limit_{form}",
        placeholder="the usual number",
        help_="Beyond it, it is asked to wait. A till that books fast needs many.",
    )  # fmt: skip
    # Any day, for `core` to refuse: a day that the field itself refuses never arrives: a key without end.
    st.date_input(
        "Last day (empty: no end)", None, key=f"key_last_{form}", format="YYYY-MM-DD",
        min_value=date.min, max_value=date.max,
    )  # fmt: skip
    st.button(
        "Make the key", type="primary", key="make_key", width="stretch", on_click=_make, args=(mine, form)
    )
    editing.draw_answer(mine, key="api-key")


def _account(account: Account) -> str:
    return f"{account.name} · {account.role} · {account.email}"


def _draw_rights(form: str, account: Account | None) -> None:
    """What the key may do; what its person may not is shown, but cannot be chosen."""
    st.markdown("It may")
    with st.container(gap=None, key="key-rights"):
        for right, (words, what) in api_key_words.MAY.items():
            lacks = account is not None and right not in api_keys.grantable(account.role)
            why = f"needs the role {auth.RIGHTS[right]}" if lacks else what
            st.checkbox(
                f"**{words}**: {why}", right == "read", key=f"key_right_{right}_{form}", disabled=lacks
            )


def _make(mine: dict[str, Any], form: str) -> None:
    """Make the key that the form describes, once however often it is pressed."""
    typed = {name: st.session_state.get(f"key_{name}_{form}") for name in ("name", "person", "limit", "last")}
    chosen = [right for right in api_key_words.MAY if st.session_state.get(f"key_right_{right}_{form}")]
    now = looks.now()

    def work(session: Session, actor: Actor) -> Made:
        account = editing.needed(typed["person"], "Acts for", "choose")
        rights = [right for right in chosen if right in api_keys.grantable(account.role)]
        key, secret = api_keys.create(
            session, actor, account.uid, typed["name"] or "", rights, now,
            per_minute=_whole(typed["limit"]), expires_on=typed["last"],
        )  # fmt: skip
        return Made(key.name, secret, tuple(key.rights), key.expires_at)

    pressing.once(mine, form, work)
    looks.api_keys.clear()


def _whole(typed: float | None) -> int | None:
    if typed is None:
        return None
    if typed != int(typed):
        raise BadInput(f"Requests a minute: {typed:,} is not a whole number.")
    return int(typed)


def _draw_secret(made: Made) -> None:
    until = (
        f"to the end of {api_key_words.last_day(made.expires_at)}"
        if made.expires_at
        else "until it is revoked"
    )
    st.success(f"The key **{ui.safe_md(made.name)}** works {until}.", icon=":material/check:")
    st.markdown("Copy it now: it is kept nowhere and never shown again.")
    st.code(made.secret, language=None, wrap_lines=True)
    st.markdown("Send it with every request:")
    st.code(api_key_words.example(made.secret, made.rights), language="bash", wrap_lines=True)
    if st.button("I have copied it", key="key_copied", type="primary", width="stretch"):
        close()
        st.rerun()  # the page around the drawer, which has a key more


# -- One key -------------------------------------------------------------------------------------------------


@st.dialog("API key", position="right", width="small", on_dismiss=close)
def key_drawer(uid: str) -> None:
    person, mine, now = signin.still("manage keys"), desk(), looks.now()
    with reading() as session:
        found, _ = api_key_list.listing(session, person, now, key_uid=uid)
    if not found:
        ui.refused("There is no such API key.")
        return
    (line,) = found
    st.markdown(api_key_words.in_words(line, now))
    st.page_link(
        "views/audit.py", label="What it changed", icon=":material/history:", query_params={"q": line.name}
    )
    st.page_link(
        "views/movements.py", label="What it booked", icon=":material/swap_vert:",
        query_params={"person": str(line.uid)},
    )  # fmt: skip
    if line.state == "active":
        _draw_end(mine, uid)
    editing.draw_answer(mine, key="api-key")


def _draw_end(mine: dict[str, Any], uid: str) -> None:
    if not mine.get("sure"):
        st.button(
            "Revoke",
            key="revoke_key",
            icon=":material/key_off:",
            width="stretch",
            on_click=_ask,
            args=(mine, True),
        )
        return
    with st.container(border=True):
        st.markdown("Whatever uses it is refused from its next request on. This cannot be taken back.")
        with st.container(horizontal=True):
            st.button(
                "Revoke it", key="sure", type="primary", on_click=_revoke, args=(mine, uid, looks.now())
            )
            st.button("Keep it", key="not_sure", on_click=_ask, args=(mine, False))


def _ask(mine: dict[str, Any], sure: bool) -> None:
    mine.pop("answer", None)
    mine["sure"] = sure


def _revoke(mine: dict[str, Any], uid: str, now: datetime) -> None:
    def work(session: Session, actor: Actor) -> Answer:
        key = api_keys.revoke(session, actor, uid, now)
        return Answer(f"**{ui.safe_md(key.name)}** is revoked.")

    mine["sure"] = False
    editing.write(mine, work)
