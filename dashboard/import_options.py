"""What a person can settle about a file beside its columns: the fields of its options."""

from datetime import date
from typing import Any

import streamlit as st

from core.buying import vendors as vendor_verbs
from core.imports import uploads
from core.imports.uploads import Option, Shown
from dashboard import looks
from db.session import reading

MOST_VENDORS = 1_000


def vendors() -> dict[str, str]:
    """Names of the vendors in use by their public ids."""
    with reading() as session:
        found, _ = vendor_verbs.listing(session, limit=MOST_VENDORS)
    return {str(vendor.uid): vendor.name for vendor in found}


def draw(file: Shown, option: Option, **look: Any) -> None:
    """The field of one option, holding what was chosen before."""
    kept = file.options.get(option.name)
    about = look | {
        "key": key(file, "option", option.name),
        "help": option.help[:1].upper() + option.help[1:] + ".",
    }
    if option.kind == "yes":
        st.checkbox(option.label, value=bool(option.default if kept is None else kept), **about)
        return
    if option.kind in ("text", "codes"):
        words = ", ".join(kept) if isinstance(kept, list | tuple) else kept or ""
        st.text_input(option.label, value=words, max_chars=2000 if option.kind == "codes" else 100, **about)
        return
    if option.kind == "day":
        st.date_input(option.label, value=date.fromisoformat(kept) if kept else None, **about)
        return
    if option.kind == "vendor":
        choices, nothing = vendors(), "A column of the file says so"
    elif option.kind == "warehouse":
        choices = {place.code: f"{place.code} · {place.name}" for place in looks.places()}
        nothing = "The default one"
    else:
        choices, nothing = dict(option.choices), "Find out"
    values = ["", *choices]
    st.selectbox(
        option.label, values, index=values.index(kept) if kept in values else 0,
        format_func=lambda value: choices.get(value, nothing), **about,
    )  # fmt: skip


def chosen(file: Shown) -> dict[str, Any]:
    """The options on screen; those that were not drawn as they were."""
    found = {}
    for option in uploads.OPTIONS[file.kind]:
        kept = file.options.get(option.name)
        value = st.session_state.get(key(file, "option", option.name), kept)
        if isinstance(value, date):
            value = value.isoformat()
        found[option.name] = value if value != "" else None
    return found


def key(file: Shown, what: str, name: str) -> str:
    """The widget of a field or an option of this file."""
    return f"{what}_{file.uid}_{name}"
