"""Filters of the views; each owns its widget and its word in the address: a link reproduces the view."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import looks, ui
from dashboard.looks import Place

PERIODS = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last 12 months"}
ROWS_PER_PAGE = 50
MOST_CHARACTERS = 100
WORDS_OF = {
    "today": {"status", "warehouse", "sort", "page"},
    "reorder": {"days", "q", "status", "lines", "vendor", "line", "goal", "page"},
    "scan": {"mode", "warehouse", "to", "reason", "each"},
    "products": {"q", "status", "category", "warehouse", "sort", "page"},
    "movements": {"q", "days", "warehouse", "type", "reason", "person", "before", "after"},
    "anomalies": {"show", "q", "state", "kind", "warehouse", "as", "sort", "page", "id", "movement"},
    "forecasts": {"q", "class", "state", "sort", "page"},
    "product": {"id", "warehouse", "show"}
    | {"whatif", "demand", "lead", "service", "order", "quantity", "until", "buy", "vendor"},
    "jobs": set(),
    "alerts": {"state", "type", "severity", "q", "page"},
    "orders": {"q", "state", "vendor", "late", "sort", "page"},
    "order": {"id", "by", "page", "product", "vendor", "quantity"},
    "vendors": {"q", "state", "sort", "page"},
    "vendor": {"id", "show", "edit", "q", "product", "add", "page"},
    "decisions": {"q", "kind", "outcome", "person", "days", "page", "id"},
    "events": {"q", "kind", "when", "page", "id"},
    "exports": {"table", "days", "warehouse", "category"},
    "import": {"id", "kind", "vendor", "step", "said", "page"},
    "warehouses": {"id"},
    "labels": {"what", "q", "category", "without", "copies", "product", "order", "warehouse"}
    | {"format", "start", "codes", "price"},
    "users": {"q"},
    "api-keys": {"q", "state", "page"},
    "audit": {"q", "person", "action", "subject", "days", "before", "after"},
    "edit-product": {"id"},
    "scans": {"q", "days", "mode", "outcome", "person", "warehouse", "before", "after"},
    "account": set(),
}


def settle_address(view: str) -> None:
    """Start a run, and give a view its own address back when the Back button mixed it with another's.

    Streamlit writes the words of the next view before its path, so that Back from a product lands on the list
    with the product's id in place of the filters.
    """
    st.session_state["refused"] = []
    kept = st.session_state.setdefault("addresses", {})
    if set(st.query_params) - WORDS_OF[view] and view in kept:
        st.query_params.from_dict(kept[view])


def keep_address(view: str) -> None:
    """Remember the filters of a view for `settle_address`; called before it is left."""
    st.session_state.setdefault("addresses", {})[view] = st.query_params.to_dict()


def choice(label: str, word: str, options: Mapping[str, str], everything: str, **about: Any) -> str | None:
    """One of `options` (word in the address -> text on screen), or None for `everything`.

    An address with another word is answered by one red sentence, and counts as not chosen.
    """
    key = _key(word)
    st.session_state[key] = in_address(label, word, options) or ""
    return (
        st.selectbox(
            label,
            ["", *options],
            format_func=lambda option: options.get(option, everything),
            key=key,
            on_change=_changed,
            args=(word, key),
            label_visibility="collapsed",
            **about,
        )
        or None
    )


def in_address(label: str, word: str, options: Mapping[str, str]) -> str | None:
    """The option that the address names; one that does not exist is answered by a red sentence."""
    given = st.query_params.get(word)
    if given and given not in options:
        refuse(word, f"{label}: there is no '{given[:60]}'.")
        return None
    return given or None


def section(label: str, word: str, options: Mapping[str, str], usual: str) -> str:
    """Which of a page's sections is open, the usual one without a word in the address."""
    key = _key(word)
    st.session_state[key] = in_address(label, word, options) or usual
    st.segmented_control(
        label, list(options), format_func=options.get, key=key, required=True,
        on_change=lambda: remember(word, None if st.session_state[key] == usual else st.session_state[key]),
        label_visibility="collapsed",
    )  # fmt: skip
    return st.session_state[key]


def words(label: str, word: str, placeholder: str) -> str | None:
    """A search box, searched as one types."""
    key = _key(word)
    st.session_state[key] = st.query_params.get(word, "")[:MOST_CHARACTERS]
    typed = st.text_input(
        label,
        key=key,
        type="search",
        placeholder=placeholder,
        max_chars=MOST_CHARACTERS,
        on_change=_changed,
        args=(word, key),
        label_visibility="collapsed",
        live="400ms",
        icon=":material/search:",
    )
    return typed.replace("\x00", "").strip() or None


def _changed(word: str, key: str) -> None:
    """The address is what counts: a picker writes it, and draws what it says."""
    restart()
    remember(word, st.session_state[key] or None)


def has_choice_of_warehouse() -> bool:
    """Where there is one warehouse only, nobody needs to choose."""
    return len(looks.places()) > 1


def warehouse(everything: str = "All warehouses", **about: Any) -> Place | None:
    if not has_choice_of_warehouse():
        return warehouse_in_address()
    places = {place.code: place for place in looks.places()}
    chosen = choice("Warehouse", "warehouse", _names(places), everything, **about)
    return places[chosen] if chosen else None


def warehouse_in_address() -> Place | None:
    """The warehouse that the address names, for a view that draws its picker later."""
    places = {place.code: place for place in looks.places()}
    chosen = in_address("Warehouse", "warehouse", _names(places))
    return places[chosen] if chosen else None


def _names(places: Mapping[str, Place]) -> dict[str, str]:
    return {code: f"{code} · {place.name}" if place.name != code else code for code, place in places.items()}


def status() -> str | None:
    return choice("Status", "status", ui.WORD, "Any status")


def category() -> str | None:
    return choice("Category", "category", {name: name for name in looks.categories()}, "All categories")


def person() -> int | None:
    """Id of who booked."""
    people = looks.people()
    chosen = choice("Person", "person", {uid: name for uid, (_, name) in people.items()}, "Anybody")
    return people[chosen][0] if chosen else None


def booked_by() -> dict[str, int | None]:
    """Filters of the ledger by who booked: a person, whatever they booked with, or one API key."""
    people, keys = looks.people(), looks.api_keys()
    names = {uid: name for uid, (_, name) in people.items()}
    names |= {uid: f"{name} (API key)" for uid, (_, name) in keys.items()}
    chosen = choice("Person", "person", names, "Anybody")
    return {
        "person_id": people[chosen][0] if chosen in people else None,
        "api_key_id": keys[chosen][0] if chosen in keys else None,
    }


def period(today: date) -> date | None:
    """First day of the period, None for all time."""
    chosen = choice("Period", "days", PERIODS, "All time")
    return today - timedelta(days=int(chosen) - 1) if chosen else None


def number_in_address(word: str) -> int | None:
    """A whole number above zero out of the address; anything else is answered by a red sentence."""
    given = st.query_params.get(word)
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 18 or int(given) == 0:
        refuse(word, f"'{given[:60]}' in the address is not a number, so the first page is shown.")
        return None
    return int(given)


def remember(word: str, value: object | None) -> None:
    """Put a filter into the address, or take it out."""
    if value is None:
        st.query_params.pop(word, None)
    else:
        st.query_params[word] = str(value)


def restart() -> None:
    """Another filter or order starts at the first page, and without the words that were refused."""
    for word in ("page", "before", "after", *st.session_state.pop("refused", [])):
        st.query_params.pop(word, None)


def refuse(word: str, sentence: str) -> None:
    """One red sentence about a word of the address; it stands until a filter changes."""
    said = st.session_state.setdefault("refused", [])
    if word not in said:
        ui.refused(sentence)
        said.append(word)


def page() -> int:
    """The page that the address asks for, from 1."""
    return number_in_address("page") or 1


def page_links(total: int, rows_per_page: int = ROWS_PER_PAGE) -> None:
    """Page numbers under a table, when there is more than one page."""
    count = max(1, -(-total // rows_per_page))
    if count == 1:
        return
    now = min(page(), count)
    # Named after the page, so that another filter starts it anew.
    key = f"{_key('page')}_{now}_{count}"

    def changed() -> None:
        remember("page", st.session_state[key] if st.session_state[key] > 1 else None)

    st.pagination(count, default=now, key=key, on_change=changed)


def _key(word: str) -> str:
    return f"{st.session_state.get('view', '')}_{word}"
