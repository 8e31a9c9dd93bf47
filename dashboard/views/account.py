"""Account: one's own name, password, and where one is signed in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, people, sign_ins
from core.auth import Actor
from core.errors import RunoutError
from core.sign_ins import OwnSignIn
from dashboard import invitation, looks, signin, ui
from db.session import reading, transact

KIND = {"browser": "A browser", "api": "A program"}


def desk() -> dict[str, Any]:
    """What became of the last click of this view: `where` it was, and its `answer` or `refused`."""
    return st.session_state.setdefault("account_desk", {})


def do(where: str, work: Callable[[Session, Actor], RunoutError | None], answer: str) -> None:
    """One click: the verb in one transaction; a refusal may be raised, or returned with what was written."""
    mine = desk()
    mine.clear()
    mine["where"] = where
    try:
        actor = signin.require()
        refusal = transact(lambda session: work(session, actor))
    except RunoutError as raised:
        refusal = raised
    except Exception as error:
        mine["refused"] = ui.trouble(error)
        return
    if refusal is not None:
        mine["refused"] = refusal.sentence
    else:
        mine["answer"] = answer


def answer_of(where: str) -> None:
    """What the last click said, where it was made."""
    mine = desk()
    if mine.get("where") != where:
        return
    if mine.get("refused"):
        ui.refused(mine["refused"])
    elif mine.get("answer"):
        st.success(ui.safe_md(mine["answer"]), icon=":material/check:")


# -- Clicks --------------------------------------------------------------------------------------------------


def rename() -> None:
    name = st.session_state.get("own_name") or ""
    do("name", lambda s, actor: people.rename(s, actor, actor.uid, name), "That is your name now.")


def change_password() -> None:
    old, new, again = (st.session_state.get(f"own_{which}") or "" for which in ("old", "new", "again"))
    here, kept = signin.whereabouts(), signin.token()
    if new != again:
        desk().update(where="password", refused="The two new passwords are not the same.")
        return
    do(
        "password",
        lambda s, actor: people.change_own_password(
            s, actor, old, new, here["now"], kept, address=here["address"]
        ),
        "The password is changed, and every other sign-in has ended.",
    )


def end(uid: str) -> None:
    now = looks.now()
    do("sign-ins", lambda s, actor: sign_ins.end(s, actor, uid, now), "Signed out there.")


def end_others() -> None:
    now, kept = looks.now(), signin.token()

    def work(session: Session, actor: Actor) -> None:
        sign_ins.end_own(session, actor, now, kept)

    do("sign-ins", work, "Signed out everywhere else.")


def end_all() -> None:
    """Sign out everywhere, here too: the next run finds nobody."""
    now = looks.now()

    def work(session: Session, actor: Actor) -> None:
        sign_ins.end_own(session, actor, now)

    do("sign-ins", work, "")
    if "refused" not in desk():
        signin.sign_out()


# -- Drawing -------------------------------------------------------------------------------------------------


def draw_name(person: Actor) -> None:
    with st.form("name_form"):
        st.subheader("Name", anchor=False)
        st.caption(f"{ui.safe_md(person.email)} · {person.role}")
        st.text_input("Name", person.name, key="own_name", max_chars=auth.NAME_CHARACTERS)
        st.form_submit_button("Change the name", on_click=rename)
    answer_of("name")


def draw_password() -> None:
    with st.form("password_form", clear_on_submit=True):
        st.subheader("Password", anchor=False)
        st.caption(invitation.RULES)
        st.text_input("Present password", type="password", key="own_old", autocomplete="current-password")
        st.text_input("New password", type="password", key="own_new", autocomplete="new-password")
        st.text_input("The new one again", type="password", key="own_again", autocomplete="new-password")
        st.form_submit_button("Change the password", on_click=change_password)
    answer_of("password")


def draw_sign_ins(open_: list[OwnSignIn], now: datetime) -> None:
    with ui.heading(f"Signed in :gray[{len(open_)}]"), st.container(horizontal=True):
        if len(open_) > 1:
            st.button("Sign out everywhere else", key="end_others", on_click=end_others)
        st.button("Sign out everywhere", key="end_all", on_click=end_all)
    answer_of("sign-ins")
    write = ui.formats()
    for one in open_:
        with st.container(
            border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            name = ui.safe_md(one.device or KIND[one.kind])
            mark = " :blue-badge[this one]" if one.is_this else ""
            seen = ui.safe_md(f"last seen {write.ago(one.last_seen_at, now)}")
            since = ui.safe_md(f"since {write.moment(one.created_at)}")
            where = f" from {ui.safe_md(one.address)}" if one.address else ""
            kind = "program · " if one.kind == "api" else ""
            st.markdown(f"**{name}**{mark}  \n:gray[{kind}{seen} · {since}{where}]")
            if not one.is_this:
                st.button("Sign out", key=f"end-{one.uid}", on_click=end, args=(str(one.uid),))


person = signin.require()
ui.title("Your account", "Your name, your password, and where you are signed in.")
now = looks.now()
with reading() as session:
    open_ = sign_ins.listing(session, person, now, signin.token())
left, right = st.columns(2)
with left:
    draw_name(person)
with right:
    draw_password()
draw_sign_ins(open_, now)
