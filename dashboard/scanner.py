"""A field that is always ready for the next code: typed by hand or by a scanner that types and presses Enter.

Streamlit's text field would have to be emptied by the server, and what a quick scanner types meanwhile would
be lost. This one (`scanner_field/index.html`) empties itself and keeps each code, numbered, until the server
has counted it. It is a component of the older kind, since the newer one keeps what no session can pickle.
"""

from pathlib import Path
from typing import Any

import streamlit as st
import streamlit.components.v1 as components

from core import inputs

CODE_CHARACTERS = 200
MOST_CODES = 200  # that came in while one run was busy

_field = components.declare_component("runout_scanner", path=str(Path(__file__).parent / "scanner_field"))


def arrived(key: str, done: int) -> list[tuple[int, str]]:
    """Codes that came in since number `done`, in their order: (number, code). Ask before `draw`."""
    given: Any = st.session_state.get(key)
    found = []
    # It comes from a browser, which may send anything.
    for entry in given[:MOST_CODES] if isinstance(given, list) else ():
        if not (isinstance(entry, list) and len(entry) == 2):
            continue
        number, code = entry
        if isinstance(number, int) and isinstance(code, str) and number > done and inputs.can_be_kept(code):
            found.append((number, code[:CODE_CHARACTERS]))
    return found


def draw(label: str, placeholder: str, done: int, *, key: str) -> None:
    """The field; `done` is the number of the last code that was counted, so that it need not be kept."""
    _field(label=label, placeholder=placeholder, done=done, characters=CODE_CHARACTERS, key=key, default=[])
