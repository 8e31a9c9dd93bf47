"""A field that is always ready for the next code: typed by hand or by a scanner that types and presses Enter.

Streamlit's text field would have to be emptied by the server, and what a quick scanner types meanwhile would
be lost. This one (`scanner_field/index.html`) empties itself, gives each code its UUID, and keeps it in the
browser until the server says that it is done: a page that is loaded again sends what is left once more. It is
a component of the older kind, since the newer one keeps what no session can pickle.
"""

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
import streamlit.components.v1 as components

from core import inputs
from core.scanning import reading

# One more than any code has: what is longer comes cut, and is refused instead of read as another one.
CODE_CHARACTERS = reading.CHARACTERS + 1
ABOUT_CHARACTERS = 200
MOST_CODES = 200  # in one message; the field keeps the others until these are answered
SOURCES = ("wedge", "typed", "list", "camera", "photo")

_field = components.declare_component("runout_scanner", path=str(Path(__file__).parent / "scanner_field"))


class Arrived(NamedTuple):
    """A code as the field sends it.

    `about` is what `Kept` once said of it: a code that was known before the page was loaded again has one.
    """

    key: uuid.UUID
    text: str
    source: str
    about: str | None


class Kept(NamedTuple):
    """A code that is known here and not done, so that the browser keeps it: with what it was meant for."""

    key: str
    text: str
    source: str
    about: str | None = None


def arrived(key: str) -> list[Arrived]:
    """Codes that the field holds and that are not answered yet, in their order. Ask before `draw`.

    The same code may come several times until the browser has heard of it: whoever takes it looks at its key.
    """
    given: Any = st.session_state.get(key)
    found = []
    # It comes from a browser, which may send anything.
    for entry in given[:MOST_CODES] if isinstance(given, list) else ():
        if isinstance(entry, list) and len(entry) == 4 and (code := _code(*entry)):
            found.append(code)
    return found


def _code(key: Any, text: Any, source: Any, about: Any) -> Arrived | None:
    if not isinstance(text, str) or source not in SOURCES or not inputs.can_be_kept(text):
        return None
    try:
        number = uuid.UUID(key)
    except (ValueError, TypeError, AttributeError):
        return None
    known = about if isinstance(about, str) and inputs.can_be_kept(about) else None
    return Arrived(number, text[:CODE_CHARACTERS], source, known and known[:ABOUT_CHARACTERS])


def draw(
    label: str,
    placeholder: str,
    *,
    key: str,
    store: str,
    done: Iterable[str],
    kept: Sequence[Kept] = (),
    told: dict[str, Any] | None = None,
    enter: str | None = None,
) -> None:
    """The field.

    Args:
        store: under which name the browser keeps codes that are not done; it names what they are for and who.
        done: keys of codes that arrived and need not be kept.
        kept: all codes that are known and wait here for something; also those that came from another source.
            One that is on this list no more is done.
        told: {"n": int, "ok": bool}: with each greater n a tone and a vibration for yes or no; None is quiet.
        enter: the code that Enter in the empty field means, None for nothing.
    """
    _field(
        label=label, placeholder=placeholder, characters=CODE_CHARACTERS, store=store, done=list(done),
        kept=[list(code) for code in kept], told=told, enter=enter, key=key, default=[],
    )  # fmt: skip
