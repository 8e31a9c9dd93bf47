"""A field that is always ready for the next code: typed by hand or by a scanner that types and presses Enter.

It is a small component of our own. Streamlit's text field would have to be emptied by the server, and what a
quick scanner types meanwhile would be lost; this one empties itself and keeps each code, numbered, until the
server has counted it.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import inputs

CODE_CHARACTERS = 200
MOST_CODES = 200  # that came in while one run was busy

HTML = """
<label for="code"></label>
<input id="code" type="text" autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="done">
"""
CSS = """
:host { display: block; }
label { display: block; font-size: 0.875rem; margin-bottom: 0.25rem; color: var(--st-text-color); }
input {
  width: 100%; box-sizing: border-box; min-height: 48px; padding: 0 0.75rem; font: inherit;
  font-size: 1.1rem; color: var(--st-text-color); background: var(--st-background-color);
  border: 2px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
input:focus { outline: none; border-color: var(--st-primary-color); }
"""
# The numbers go on from what the server has counted. A key that is pressed while no field has the focus, as
# after a click on a button, belongs to the next code.
JS = """
const kept = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue } = component
  const label = parentElement.querySelector("label")
  const input = parentElement.querySelector("input")
  label.textContent = data.label
  input.placeholder = data.placeholder
  input.maxLength = data.characters
  let mine = kept.get(parentElement)
  const isNew = !mine
  if (isNew) {
    mine = { last: data.done, codes: [] }
    kept.set(parentElement, mine)
  }
  mine.last = Math.max(mine.last, data.done)
  mine.codes = mine.codes.filter(([number]) => number > data.done)
  input.onkeydown = (event) => {
    if (event.key !== "Enter") return
    event.preventDefault()
    const code = input.value.trim()
    input.value = ""
    if (!code) return
    mine.last += 1
    mine.codes = [...mine.codes, [mine.last, code]]
    setStateValue("codes", mine.codes)
  }
  if (isNew) {
    const catchKeys = (event) => {
      if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return
      const at = document.activeElement
      if (at && (at.shadowRoot || at.matches("input, textarea, select, [contenteditable=true]"))) return
      if (event.key === " " && at && at.matches("button, a")) return
      input.focus()
    }
    document.addEventListener("keydown", catchKeys, true)
    mine.stop = () => document.removeEventListener("keydown", catchKeys, true)
    input.focus({ preventScroll: true })
  }
  return () => mine.stop()
}
"""

_field = st.components.v2.component("runout_scanner", html=HTML, css=CSS, js=JS)


def arrived(key: str, done: int) -> list[tuple[int, str]]:
    """Codes that came in since number `done`, in their order: (number, code). Ask before `draw`."""
    state: Any = st.session_state.get(key) or {}
    found = []
    given: Sequence[Any] = state.get("codes") or ()
    for entry in given[:MOST_CODES]:
        # It comes from a browser, which may send anything.
        if not (isinstance(entry, (list, tuple)) and len(entry) == 2):
            continue
        number, code = entry
        if isinstance(number, int) and isinstance(code, str) and number > done and inputs.can_be_kept(code):
            found.append((number, code[:CODE_CHARACTERS]))
    return found


def draw(label: str, placeholder: str, done: int, *, key: str) -> None:
    """The field; `done` is the number of the last code that was counted, so that it need not be kept."""
    data = {"label": label, "placeholder": placeholder, "done": done, "characters": CODE_CHARACTERS}
    _field(key=key, data=data, on_codes_change=_nothing)


def _nothing() -> None:
    """A change is looked at when the page is drawn."""
