"""The page behind a one-time link: for whom it is, and the password they choose with it."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from core import auth, passwords, people
from core.errors import RunoutError
from dashboard import looks, pickers, signin, ui
from db.session import reading, transact

WORD = "link"
RULES = (
    f"At least {passwords.MIN_CHARACTERS} characters and at most {passwords.MAX_BYTES}; "
    "none of the commonest passwords. Several words are easy to remember."
)


def address(token: str) -> str:
    """The address to hand to the person whom the token is for: where this dashboard is, without the view."""
    here = urlsplit(st.context.url or "http://localhost:8501")
    folders = here.path.strip("/").split("/")
    if folders[-1] in pickers.WORDS_OF:
        folders.pop()
    path = "/".join(["", *folders, ""]) if any(folders) else "/"
    return urlunsplit((here.scheme, here.netloc, path, f"{WORD}={token}", ""))


def is_waiting() -> bool:
    """Whether this visitor brought a link; its token leaves the address as soon as it is known."""
    given = st.query_params.get(WORD)
    if given is not None:
        st.session_state["link"] = {"token": given}
        del st.query_params[WORD]
    return "link" in st.session_state


def page() -> None:
    """Who the link is for and a form, or why it cannot be used."""
    st.html(ui.STYLE)
    mine = st.session_state["link"]
    person = looks.who(signin.token())
    with reading() as session:
        owner = people.link_owner(session, mine["token"], looks.now())
    _, middle, _ = st.columns([1, 1.1, 1])
    with middle:
        st.space("medium")
        st.image(ui.wordmark(), width=150)
        if owner is None:
            _dead(person)
        elif person is not None:
            _somebody_is_here(person, owner.name, owner.email)
        else:
            _form(mine, owner.name, owner.email)


def _dead(person: auth.Actor | None) -> None:
    st.markdown("**This link does not open anything any more.**")
    st.markdown(
        ":gray[It was used already, it is too old, or a newer one has replaced it. "
        "An admin of your shop can make a new one.]"
    )
    label = "Back to Runout" if person else "To the sign-in page"
    st.button(label, key="drop_link", on_click=drop, icon=":material/arrow_forward:")


def _somebody_is_here(person: auth.Actor, name: str, email: str) -> None:
    st.markdown(f"**You are signed in as {ui.safe_md(person.name)}.**")
    if person.email == email:
        st.markdown("This link sets a new password for your account. Sign out to use it.")
    else:
        st.markdown(f"This link is for {ui.safe_md(name)} ({ui.safe_md(email)}). Sign out to use it.")
    with st.container(horizontal=True):
        st.button("Sign out and go on", key="sign_out", type="primary", on_click=signin.sign_out)
        st.button("Stay signed in", key="drop_link", on_click=drop)


def _form(mine: dict[str, Any], name: str, email: str) -> None:
    with st.form("link_form"):
        st.subheader("Choose your password", anchor=False)
        st.text(f"For {name}, who signs in as {email}.")
        st.caption(RULES)
        st.text_input("New password", type="password", key="link_password", autocomplete="new-password")
        st.text_input("The same again", type="password", key="link_again", autocomplete="new-password")
        st.form_submit_button("Set the password and sign in", on_click=choose, args=(email,))
    if mine.get("refusal"):
        ui.refused(mine["refusal"])


def choose(email: str) -> None:
    """Set the password and sign in with it. The link may have been used meanwhile: then nothing changes."""
    mine, here = st.session_state["link"], signin.whereabouts()
    password, again = st.session_state["link_password"], st.session_state["link_again"]
    if password != again:
        mine["refusal"] = "The two passwords are not the same."
        return
    try:
        transact(lambda session: people.use_link(session, mine["token"], password, here["now"]))
        outcome = transact(lambda session: auth.sign_in(session, email, password, **here))
    except RunoutError as refusal:
        mine["refusal"] = refusal.sentence
        return
    except Exception as error:
        mine["refusal"] = ui.trouble(error)
        return
    if outcome.token:
        signin.carry_token(outcome.token)
    drop()


def drop() -> None:
    """Go on without the link."""
    st.session_state.pop("link", None)
