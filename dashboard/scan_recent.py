"""The last scans of a person, each with what became of it and its way back."""

from typing import Any

import streamlit as st

from core.auth import Actor
from core.scanning import scan_history
from dashboard import looks, scan_desk, scan_words, ui
from dashboard.formats import is_missing
from db.session import reading

ICONS = {
    "found": ":material/search:",
    "booked": ":material/check:",
    "linked": ":material/link:",
    "unknown": ":material/help:",
    "ambiguous": ":material/help:",
    "refused": ":red[:material/error:]",
    "ignored": ":material/block:",
}
TAKEN_BACK = ":material/undo:"
MOST_CHARACTERS = 60  # of a code that no product has: two lines of a phone


def draw(desk: dict[str, Any], person: Actor) -> None:
    """Newest first, from the database: what was scanned on another phone is there, too."""
    with reading() as session:
        found = scan_history.recent(session, person_id=person.id)
    st.subheader("Your last scans", anchor=False)
    rows = list(found.itertuples(index=False))
    if not rows:
        undo = ", with its Undo" if scan_desk.may_book(person) else ""
        st.markdown(f":gray[Nothing scanned yet. Each code you scan is listed here{undo}.]")
    with st.container(key="scan-recent", gap=None):
        for row in rows:
            _draw_row(desk, row)


def _draw_row(desk: dict[str, Any], row: Any) -> None:
    with st.container(
        key=f"scan-row-{row.scan_id}", horizontal=True, wrap=False, vertical_alignment="center", gap="small",
        horizontal_alignment="distribute",
    ):  # fmt: skip
        st.markdown(_words(row), width="stretch")
        if row.can_undo:
            st.button(
                "Undo", key=f"undo_scan_{row.scan_id}", type="tertiary", icon=":material/undo:",
                on_click=scan_desk.undo, args=(desk, str(row.scan_uid)),
            )  # fmt: skip


def _words(row: Any) -> str:
    safe = ui.safe_md
    became, icon = f"**{safe(scan_words.became(row))}**", ICONS[row.outcome]
    if scan_words.is_undone(row):
        became = f"~~{safe(scan_words.became(row))}~~ :gray[taken back]"
        icon = TAKEN_BACK
    about = [scan_words.where(row), ui.formats().ago(row.scanned_at, looks.now())]
    if row.outcome == "refused" and row.said:
        about = [row.said, *about[1:]]
    said = safe(" · ".join(part for part in about if part))
    return f"{icon} {became} &nbsp; {safe(_product(row))}  \n:gray[{said}]"


def _product(row: Any) -> str:
    """A long code without a product is cut: the scan history has all of it."""
    words = scan_words.product(row)
    if not is_missing(row.product_name) or len(words) <= MOST_CHARACTERS:
        return words
    return f"{words[:MOST_CHARACTERS]}…"
