"""Cards of the Scan view: what is asked when a code alone does not say what to do."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import (
    order_words,
    scan_card_ambiguous,
    scan_card_order,
    scan_card_transfer,
    scan_card_unknown,
    scan_desk,
    scan_entries,
)

ASIDE = ("unknown", "ambiguous")  # others go on while these wait
CARDS: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "unknown": scan_card_unknown.draw,
    "ambiguous": scan_card_ambiguous.draw,
    "transfer": scan_card_transfer.draw,
    "order": scan_card_order.draw,
}


def draw(desk: dict[str, Any]) -> None:
    """The card of the oldest code that waits for an answer; nothing when none does."""
    entry = scan_desk.card(desk)
    if entry is None or entry["kind"] not in CARDS:
        return
    with st.container(border=True, key="scan-card"):
        CARDS[entry["kind"]](desk, entry)
        same = scan_entries.of_same_code(desk, entry)
        if same:
            st.markdown(f":gray[Scanned {1 + len(same)} times: your answer is for all of them.]")
        aside = sum(one["kind"] in ASIDE for one in desk["waiting"] if one["key"] != entry["key"])
        if aside := aside - len(same):
            st.markdown(f":gray[{order_words.count(aside, 'more code')} put aside until you say what it is.]")
