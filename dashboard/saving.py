"""Files that a page offers: a press makes a ticket, and the browser fetches the file with it from the API.

Streamlit's own download button hands its file to anybody who knows the address. A ticket (`core.downloads`)
works once, for a minute, and only with the cookie of this sign-in. The frame (`saving_frame/index.html`)
follows the link without leaving the page; what became of it the page learns from the database.
"""

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
import streamlit.components.v1 as components

from core import auth, downloads
from core.auth import Actor
from core.datasets.formulas import marked
from core.downloads import Ticket
from core.errors import RunoutError
from dashboard import editing, looks, signin, ui
from db.session import reading, transact

LOOK_SECONDS = 1
# By then the browser has asked, or it will not by itself: the link is shown.
LATE = timedelta(seconds=3)
KNOCK_SECONDS = 0.5
API_PORT = 8000

Offer = Callable[[Actor, str, datetime], Ticket]
"""Makes the ticket, for a person and the token of the sign-in; it opens its own transactions."""

_frame = components.declare_component("runout_saving", path=str(Path(__file__).parent / "saving_frame"))


def table(
    label: str,
    make: Callable[[], pd.DataFrame],
    file_name: str,
    *,
    key: str,
    help_: str | None = None,
    right: str = "read",
) -> None:
    """A button that makes its CSV when it is pressed, for whoever is signed in and has the right then."""
    file(label, lambda: as_csv(make()), file_name, "text/csv", key=key, help_=help_, right=right)


def file(
    label: str,
    make: Callable[[], bytes],
    file_name: str,
    media_type: str,
    *,
    key: str,
    help_: str | None = None,
    right: str = "read",
) -> None:
    """A button that makes its file when it is pressed, for whoever is signed in and has the right then."""

    def offer(person: Actor, token: str, now: datetime) -> Ticket:
        auth.must(person, right)  # before the work
        content = make()
        return transact(
            lambda session: downloads.offer_file(
                session, person, token, content, file_name, media_type, now, right=right
            )
        )

    button(label, offer, key=key, help=help_)
    follow(key)


def as_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with the mark that spreadsheets need; text that would be a formula there is kept text."""
    harmless = frame.copy(deep=False)
    for name in harmless.columns:
        if not pd.api.types.is_numeric_dtype(harmless[name]):
            harmless[name] = [marked(text) if isinstance(text, str) else text for text in harmless[name]]
    return harmless.to_csv(index=False).encode("utf-8-sig")


# -- The press and what came of it ---------------------------------------------------------------------------


def button(label: str, offer: Offer, *, key: str, of: str | None = None, **about: Any) -> None:
    """The button alone; `follow` draws what became of the press, wherever that fits.

    Args:
        of: the key for `follow`, where several buttons share one place; else the button's own.
    """
    about |= {"icon": ":material/download:", "on_click": _press, "args": (_mine(of or key), offer)}
    st.button(label, key=key, **about)


def taken(key: str) -> Ticket | None:
    """What the last press under this key brought, once the browser has fetched it."""
    return _mine(key).get("taken")


def follow(key: str) -> None:
    """The link of the last press until it was followed; why there is none; what to do when nothing comes."""
    mine = _mine(key)
    if "refused" in mine:
        ui.refused(mine["refused"])
    if "ticket" in mine:
        st.fragment(_follow, run_every=LOOK_SECONDS)(key)
    elif mine.get("expired"):
        st.markdown(":gray[The link has expired. Press the button for a new one.]")


def _mine(key: str) -> dict[str, Any]:
    """What one button has done: `ticket` while its link waits, then `taken` or `expired`; or `refused`."""
    return editing.desk(f"saving {key}")


def _press(mine: dict[str, Any], offer: Offer) -> None:
    token = signin.token()
    answer: dict[str, Any] = {}
    try:
        person, now = signin.require(), looks.now()
        answer |= {"ticket": offer(person, token or "", now), "at": now}
    except RunoutError as refusal:
        answer["refused"] = refusal.sentence
    except Exception as error:
        answer["refused"] = ui.trouble(error)
    for name in ("ticket", "taken", "expired", "refused"):
        mine.pop(name, None)
    mine.update(answer)


def _follow(key: str) -> None:
    mine = _mine(key)
    signin.still("read")
    ticket, at = mine.get("ticket"), looks.now()
    if ticket is None:
        return
    with reading() as session:
        state = downloads.state(session, ticket.token, at)
    if state != "waiting":
        del mine["ticket"]
        mine["taken" if state == "used" else "expired"] = ticket
        st.rerun()
    is_late = at - mine["at"] > LATE
    if is_late:
        st.markdown(f":gray[{_why()}]")
    with st.container(key=f"saving-{'late' if is_late else 'quiet'}-{key}"):
        address = f"{api_address()}/api/v1/downloads/{ticket.token}"
        _frame(address=address, label="Save the file", shown=is_late, key=f"saving_frame_{key}", default=None)


def _why() -> str:
    if _is_nobody_there():
        return (
            f"The file comes from the API, which does not run at {ui.safe_md(api_address())}. "
            "Start it (`make run`), then save the file."
        )
    return "The download has not begun by itself."


# -- Where the API is ----------------------------------------------------------------------------------------


def api_address() -> str:
    """Where this browser finds the API: as it is told, behind the proxy of this page, or beside it.

    `API_PUBLIC_URL` says it; under `PUBLIC_URL` a proxy leads both to one address; else it listens at the
    same machine as the dashboard.
    """
    if told := os.environ.get("API_PUBLIC_URL"):
        return told.rstrip("/")
    page = urlsplit(st.context.url or "http://localhost")
    public = urlsplit(os.environ.get("PUBLIC_URL") or "")
    if public.netloc and (page.scheme, page.netloc) == (public.scheme, public.netloc):
        return f"{public.scheme}://{public.netloc}"
    host = f"[{page.hostname}]" if ":" in (page.hostname or "") else page.hostname
    return f"{page.scheme}://{host}:{os.environ.get('API_PORT') or API_PORT}"


def _is_nobody_there() -> bool:
    """Whether the API beside this dashboard is down; of one elsewhere nobody can tell from here."""
    if os.environ.get("API_PUBLIC_URL") or os.environ.get("PUBLIC_URL"):
        return False
    host = os.environ.get("HOST") or "127.0.0.1"
    here = ("127.0.0.1" if host == "0.0.0.0" else host, int(os.environ.get("API_PORT") or API_PORT))
    try:
        socket.create_connection(here, timeout=KNOCK_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
