"""The drawers of the Users view: inviting somebody, and one account with what an admin may do to it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core import auth, people, sign_ins
from core.auth import Actor
from core.errors import RunoutError
from core.people import Account
from dashboard import invitation, looks, signin, ui
from db.session import reading, transact

INVITE = "invite"
MAY = {
    "viewer": "Viewer: looks at everything but people, audit and jobs",
    "user": "User: moves stock, scans, counts, receives",
    "manager": "Manager: also edits the catalogue, imports, trains, manages alerts",
    "admin": "Admin: everything, people included",
}
# What is asked twice: the question, and the button that does it.
SURE = {
    "deactivate": (
        "They are signed out at once and cannot sign in until somebody reactivates them.",
        "Deactivate",
    ),
    "sign_out": ("Every browser and program of theirs is signed out at once.", "Sign out everywhere"),
}


def desk() -> dict[str, Any]:
    """What this view is about to do: `open` drawer, `sure` question, `answer`, `link` to hand over."""
    return st.session_state.setdefault("users_desk", {})


def open_(what: str) -> None:
    """Open the drawer of an account, or of an invitation."""
    mine = desk()
    mine.clear()
    mine["open"] = what


def close() -> None:
    """The drawer was closed; the table gets a new name, or the browser loses the next click on it."""
    desk().clear()
    st.session_state["users_turn"] = st.session_state.get("users_turn", 0) + 1


def draw() -> None:
    """The open drawer, at every run of the page until it is closed."""
    opened = desk().get("open")
    if opened == INVITE:
        invite_drawer()
    elif opened:
        account_drawer(opened)


def status(account: Account) -> str:
    """Where an account stands, in the fewest words."""
    if not account.is_active:
        return "Deactivated"
    if account.has_password:
        return "Demo" if account.is_demo else "Active"
    return "Invited" if account.invited_until else "Link too old"


# -- Inviting ------------------------------------------------------------------------------------------------


@st.dialog("Invite somebody", position="right", width="small", on_dismiss=close)
def invite_drawer() -> None:
    signin.still("manage people")
    mine = desk()
    if mine.get("done"):
        _answer(mine)
        st.button("Invite somebody else", key="invite_more", on_click=open_, args=(INVITE,))
        return
    how = st.segmented_control(
        "How they get in", ["link", "password"], default="link", key="invite_how", required=True,
        format_func={"link": "With a link", "password": "With a password"}.__getitem__,
    )  # fmt: skip
    with st.form("invite_form", border=False):
        st.text_input("E-mail", key="invite_email", max_chars=auth.EMAIL_CHARACTERS)
        st.text_input("Name", key="invite_name", max_chars=auth.NAME_CHARACTERS)
        st.selectbox("Role", list(MAY), index=1, format_func=MAY.__getitem__, key="invite_role")
        if how == "password":
            st.text_input("Password", type="password", key="invite_password", help=invitation.RULES)
        else:
            st.caption("You get a link to hand over; they choose their password with it within 7 days.")
        word = "Add the account" if how == "password" else "Make the link"
        st.form_submit_button(word, type="primary", width="stretch", on_click=invite)
    _answer(mine)


def invite() -> None:
    """Make the account that the form describes."""
    typed = {name: st.session_state.get(f"invite_{name}") or "" for name in ("email", "name", "role")}
    password, how = st.session_state.get("invite_password") or "", st.session_state.get("invite_how")
    now = looks.now()

    def work(session: Session, actor: Actor) -> dict[str, Any]:
        if how == "password":
            person = auth.create_person(session, actor=actor, password=password, **typed)
            return {"answer": f"{person.name} can sign in as {person.email} with this password."}
        person, token = people.invite(session, actor, now=now, **typed)
        return {"token": token, "name": person.name, "until": now + people.LINK_LASTS["invite"]}

    _do(work, done=True)


# -- One account ---------------------------------------------------------------------------------------------


@st.dialog("Account", position="right", width="small", on_dismiss=close)
def account_drawer(uid: str) -> None:
    person = signin.still("manage people")
    now, mine = looks.now(), desk()
    with reading() as session:
        found = people.listing(session, person, now, person_uid=uid)
    if not found:
        ui.refused("There is no such person.")
        return
    (account,) = found
    st.markdown(in_words(account, now))
    if account.uid == person.uid:
        st.markdown(":gray[This is you. Another admin can change your role or deactivate you.]")
        st.page_link("views/account.py", label="Your name, password and sign-ins", icon=":material/person:")
        return
    if mine.get("sure") in SURE:
        _ask_twice(uid, mine["sure"])
    else:
        _actions(uid, account)
    _answer(mine)


def in_words(account: Account, now: datetime) -> str:
    """One account as Markdown."""
    write = ui.formats()
    seen = f"Last seen {write.ago(account.last_seen_at, now)}" if account.last_seen_at else "Never seen yet"
    places = {0: "signed out", 1: "signed in"}.get(account.sign_ins, f"signed in {account.sign_ins} times")
    lines = [
        f"**{ui.safe_md(account.name)}**",
        ui.safe_md(account.email),
        f"{status(account)} · {account.role}",
        ui.safe_md(f"{seen} · {places}"),
    ]
    if account.invited_until and account.is_active:
        lines.append(
            ui.safe_md(f"A link to choose a password is open until {write.moment(account.invited_until)}")
        )
    return "  \n".join(lines)


def _actions(uid: str, account: Account) -> None:
    if account.is_active:
        role = st.selectbox(
            "Role", list(MAY), index=list(MAY).index(account.role), format_func=MAY.__getitem__,
            key=f"role_{uid}",
        )  # fmt: skip
        st.button(
            f"Make them {role}" if role != account.role else "Change the role", key="change_role",
            disabled=role == account.role, on_click=change_role, args=(uid,), width="stretch",
        )  # fmt: skip
        st.button(
            "New password link" if account.has_password else "New invitation link", key="reset",
            icon=":material/link:", on_click=reset, args=(uid, account.name), width="stretch",
            help="They choose a new password with it. Nothing changes before they do.",
        )  # fmt: skip
        st.button(
            "Sign out everywhere", key="sign_out_person", icon=":material/logout:", width="stretch",
            on_click=ask, args=("sign_out",), disabled=not account.sign_ins,
        )  # fmt: skip
        st.button(
            "Deactivate", key="deactivate", icon=":material/person_off:", width="stretch", on_click=ask,
            args=("deactivate",),
        )  # fmt: skip
    else:
        st.button(
            "Reactivate", key="reactivate", icon=":material/person_check:", width="stretch",
            on_click=reactivate, args=(uid,),
        )  # fmt: skip


def _ask_twice(uid: str, what: str) -> None:
    question, word = SURE[what]
    with st.container(border=True):
        st.markdown(question)
        with st.container(horizontal=True):
            st.button(word, key="sure", type="primary", on_click=really, args=(uid, what))
            st.button("Keep it as it is", key="not_sure", on_click=ask, args=(None,))


def ask(what: str | None) -> None:
    mine = desk()
    for word in ("answer", "link", "refused"):
        mine.pop(word, None)
    mine["sure"] = what


def change_role(uid: str) -> None:
    role = st.session_state.get(f"role_{uid}") or ""

    def work(session: Session, actor: Actor) -> dict[str, Any]:
        people.change_role(session, actor, uid, role)
        return {"answer": f"The role is {role} now, from their next click on."}

    _do(work)


def reset(uid: str, name: str) -> None:
    now = looks.now()

    def work(session: Session, actor: Actor) -> dict[str, Any]:
        token, until = people.reset(session, actor, uid, now)
        return {"token": token, "name": name, "until": until}

    _do(work)


def reactivate(uid: str) -> None:
    def work(session: Session, actor: Actor) -> dict[str, Any]:
        people.reactivate(session, actor, uid)
        return {"answer": "Reactivated: the password is what it was."}

    _do(work)


def really(uid: str, what: str) -> None:
    now = looks.now()

    def work(session: Session, actor: Actor) -> dict[str, Any]:
        if what == "deactivate":
            people.deactivate(session, actor, uid, now)
            return {"answer": "Deactivated, and signed out everywhere."}
        ended = sign_ins.end_all_of(session, actor, uid, now)
        return {"answer": f"{ended} sign-ins have ended." if ended != 1 else "1 sign-in has ended."}

    _do(work)


def _do(work: Callable[[Session, Actor], dict[str, Any]], *, done: bool = False) -> None:
    """One click: the verb in one transaction, and its answer or refusal for the drawer."""
    mine = desk()
    kept = {"open": mine.get("open")}
    try:
        actor = signin.require()
        kept |= _handed(transact(lambda session: work(session, actor))) | {"done": done}
    except RunoutError as refusal:
        kept["refused"] = refusal.sentence
    except Exception as error:
        kept["refused"] = ui.trouble(error)
    mine.clear()
    mine.update(kept)


def _handed(done: dict[str, Any]) -> dict[str, Any]:
    """What was done, with the link and its sentence in place of a token."""
    if "token" not in done:
        return done
    until = ui.formats().moment(done["until"])
    said = f"{done['name']} chooses a password with this link until {until}."
    return {
        "answer": f"{said} It works once and is shown only here.",
        "link": invitation.address(done["token"]),
    }


def _answer(mine: dict[str, Any]) -> None:
    if mine.get("refused"):
        ui.refused(mine["refused"])
    elif mine.get("answer"):
        st.success(ui.safe_md(mine["answer"]), icon=":material/check:")
        if mine.get("link"):
            st.code(mine["link"], language=None, wrap_lines=True)
