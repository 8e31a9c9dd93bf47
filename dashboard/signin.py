"""Who is at the screen: the form and the cookie of streamlit-authenticator, every decision by `core.auth`.

The cookie holds an opaque token and nothing else. A script run asks the database who that is, so that
sign-out, a switched-off account and a changed role act at once. The library's own checks are not used.
"""

import ipaddress
import os
from datetime import datetime, timedelta
from typing import Any

import extra_streamlit_components as stx
import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController, CookieController
from streamlit_authenticator.models import AuthenticationModel, CookieModel

from core import auth
from core.auth import Actor
from core.errors import NotSignedIn
from dashboard import looks, ui
from db.session import transact, transaction

FIELDS = {"Form name": "Sign in", "Username": "E-mail", "Password": "Password", "Login": "Sign in"}
SEEN_SECONDS = 60
KEPT_AFTER_SIGN_OUT = {"sign_in", "link"}
# What a browser calls itself -> what people call it; the first that fits, since most claim to be others too.
BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser/": "Samsung Internet", "Firefox/": "Firefox",
    "FxiOS/": "Firefox", "Chrome/": "Chrome", "CriOS/": "Chrome", "Safari/": "Safari",
}  # fmt: skip
SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS X": "Mac",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip
TOKEN_CHARACTERS = range(20, 201)


class Carrier(CookieModel):
    """The library's cookie, with our token in it; it never tells anybody who somebody is."""

    def __init__(self, *_: object) -> None:
        # Not the library's: that one asks the browser for all cookies first, which runs every page twice.
        self.cookie_name = auth.COOKIE
        self.manager = object.__new__(stx.CookieManager)
        self.manager.cookie_manager = stx.CookieManager.__init__.__globals__["_component_func"]
        self.manager.cookies = {}

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        """Nothing to do: `carry` keeps browser and session in step at the end of every run."""

    def delete_cookie(self) -> None:
        self.manager.cookies[self.cookie_name] = ""
        self.manager.delete(self.cookie_name, key="cookie_delete")

    def write(self, token: str) -> None:
        self.manager.set(
            self.cookie_name,
            token,
            key="cookie_set",
            expires_at=datetime.now() + timedelta(days=auth.SIGN_IN_LASTS.days),  # noqa: DTZ005  (its clock)
            secure=(st.context.url or "").startswith("https:") or None,
            same_site="strict",
        )


class Credentials(AuthenticationModel):
    """Compares by asking `core.auth`; knows nobody itself."""

    def check_credentials(self, username: str, password: str) -> bool:
        # Every touch of session_state may end the run in favour of the next one; what must not get lost
        # once the sign-in is committed goes into a dictionary fetched before.
        mine, here = _mine(), whereabouts()
        outcome = transact(lambda session: auth.sign_in(session, username, password, **here))
        mine["refusal"] = outcome.refusal.sentence if outcome.refusal else None
        if outcome.refusal is not None:
            return False
        mine["token"] = outcome.token
        self.credentials["usernames"][username] = {"email": username, "name": outcome.actor.name}
        return True


class Door(AuthenticationController):
    """Hands over what was typed; the library would cut spaces off a password."""

    def __init__(self) -> None:
        self.authentication_model = Credentials({"usernames": {}}, auto_hash=False)

    def login(
        self, username: str | None = None, password: str | None = None, *_: object, **__: object
    ) -> bool:
        if username is None or password is None:
            return False
        if not username.strip() or not password:
            _mine()["refusal"] = "Enter your e-mail and your password."
            return False
        return self.authentication_model.login(ui.typed(username).strip().lower(), password)


class Form(Authenticate):
    """The library's sign-in form around our door and carrier."""

    def __init__(self) -> None:
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.authentication_controller = Door()
        self.cookie_controller = object.__new__(CookieController)
        self.cookie_controller.cookie_model = Carrier()


def _mine() -> dict[str, Any]:
    """What this browser session knows about its sign-in: token, refusal, seen_at, signed_out."""
    return st.session_state.setdefault("sign_in", {})


def token() -> str | None:
    """The token of this session, or of the cookie its browser came with; nonsense counts as none."""
    kept = _mine().get("token") or st.context.cookies.get(auth.COOKIE)
    is_token = kept and len(kept) in TOKEN_CHARACTERS and kept.isascii() and kept.isprintable()
    return kept if is_token else None


def actor() -> Actor | None:
    """Who is signed in, asked anew; notes once a minute that the sign-in is in use."""
    given, mine = token(), _mine()
    person = looks.who(given)
    if person is None:
        mine.pop("token", None)
        return None
    mine["token"] = given
    _belongs_to(person)
    at = looks.now()
    if at.timestamp() - mine.get("seen_at", 0) > SEEN_SECONDS:
        mine["seen_at"] = at.timestamp()
        with transaction() as session:
            auth.seen(session, given, at)
    return person


def _belongs_to(person: Actor) -> None:
    """What somebody left whose sign-in ended by itself, half a form or codes to book, is nobody else's."""
    if st.session_state.setdefault("belongs_to", person.id) != person.id:
        _empty()
        st.session_state["belongs_to"] = person.id


def _empty() -> None:
    for name in set(st.session_state) - KEPT_AFTER_SIGN_OUT:
        del st.session_state[name]


def require() -> Actor:
    """The person, or a refusal: for everything that is done rather than shown."""
    person = looks.who(token())
    if person is None:
        raise NotSignedIn()
    return person


def still(right: str) -> Actor:
    """The person who is there and has the right, asked anew: for what a fragment or a drawer shows.

    These run without the page around them, so whoever lost the right gets the whole page again, which knows
    what is left for them: another view, or the sign-in form.
    """
    person = looks.who(token())
    if not auth.may(person, right):
        st.rerun()
    return person


def whereabouts() -> dict[str, Any]:
    """From where and with what somebody comes, and when: what a sign-in remembers."""
    agent = st.context.headers.get("User-Agent")
    return {"address": _address(), "now": looks.now(), "device": device(agent)}


def _address() -> str:
    """The visitor's address; what a proxy says of it counts only when the proxy is one of ours."""
    seen = st.context.ip_address or "127.0.0.1"  # Streamlit says None for this machine
    forwarded = st.context.headers.get("X-Forwarded-For")
    trusted = (os.environ.get("TRUSTED_PROXIES") or "").split(",")
    if not isinstance(forwarded, str) or not any(_is_in(seen, network.strip()) for network in trusted):
        return seen
    return forwarded.rpartition(",")[2].strip() or seen


def _is_in(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False


def device(agent: str | None) -> str | None:
    """What a browser calls itself in the words people use: Chrome on Linux."""
    if not isinstance(agent, str) or not agent:
        return None
    browser = next((name for sign, name in BROWSERS.items() if sign in agent), None)
    system = next((name for sign, name in SYSTEMS.items() if sign in agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or agent[:60]


def carry_token(given: str) -> None:
    """Be the person behind a new token from the next run on; the cookie follows at its end."""
    mine = _mine()
    mine.clear()
    mine["token"] = given


def sign_out() -> None:
    """End the sign-in in the database and here; the cookie goes at the end of the run."""
    given, mine = token(), _mine()
    if given:
        transact(lambda session: auth.sign_out(session, given, looks.now()))
    mine.clear()
    mine["signed_out"] = True
    _empty()


def carry() -> None:
    """Bring the browser's cookie in step with this session; called last, where nothing moves by it."""
    mine, brought = _mine(), st.context.cookies.get(auth.COOKIE)
    kept = mine.get("token")
    with st.container(key="carrier"):
        if kept and kept != brought:
            Carrier().write(kept)
        elif brought and mine.get("signed_out"):
            # Only then: the cookie manager runs the page again, which would swallow the click on "Sign in"
            # of somebody who came with a cookie that is worth nothing. The next sign-in replaces it.
            Carrier().delete_cookie()


def page() -> None:
    """The sign-in page; whoever succeeds lands where the address pointed."""
    st.html(ui.STYLE)
    _, middle, _ = st.columns([1, 1.1, 1])
    with middle:
        st.space("medium")
        st.image(ui.wordmark(), width=150)
        st.markdown(":gray[What runs out, when, and what to order from whom.]")
        st.session_state.setdefault("authentication_status", None)
        if st.session_state["authentication_status"]:
            # The form hides itself from somebody it believes signed in; the database has said otherwise.
            st.session_state["authentication_status"] = None
        Form().login(fields=FIELDS, key="sign_in_form")
        mine = _mine()
        if mine.get("token"):
            mine.pop("signed_out", None)
            st.rerun()
        if mine.get("refusal"):
            ui.refused(mine["refusal"])
        elif mine.get("signed_out"):
            st.markdown(":gray[You are signed out.]")
        _demo_accounts()


def _demo_accounts() -> None:
    """The accounts of the demo shop, shown to the person in front of this machine only."""
    if not is_local() or not looks.the_shop().is_demo:
        return
    accounts = looks.demo_accounts()
    if accounts:
        with st.container(border=True):
            st.markdown("**Demo accounts**")
            rows = [f"| `{mail}` | `{role}123` |" for mail, role in accounts]
            st.markdown("\n".join(["| E-mail | Password |", "|---|---|", *rows]))


def is_loopback() -> bool:
    """Whether only this machine can reach the dashboard."""
    host = os.environ.get("HOST") or "127.0.0.1"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_local() -> bool:
    """Whether the visitor sits at this machine: nothing else can reach us, and no proxy stands between."""
    asked = (st.context.headers.get("Host") or "localhost") if is_loopback() else ""
    name = asked.rsplit(":", 1)[0] if asked[-1:].isdigit() and ":" in asked else asked
    return name.strip("[]") in ("localhost", "127.0.0.1", "::1") or name.startswith("127.")


def banner() -> None:
    """Everybody knows the demo passwords: say so where others can reach them."""
    if not is_local() and looks.demo_accounts():
        st.warning(
            "The demo accounts have well-known passwords, and other machines can reach this address. "
            "Deactivate them before you enter anything of your own.",
            icon=":material/warning:",
        )
