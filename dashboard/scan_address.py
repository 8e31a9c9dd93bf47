"""The chips of the Scan view in its address: a reload and a link begin where this session stands."""

from typing import Any

import streamlit as st

from core.auth import Actor
from core.scanning.scan_booking import REASONS
from dashboard import looks, pickers, scan_desk

WORDS = ("mode", "warehouse", "to", "reason", "each")
# So long after we changed the address, a run may still come that the browser asked for before it knew.
LATE_SECONDS = 10


def settle(desk: dict[str, Any], person: Actor) -> None:
    """Bring desk and address together: a link says what is chosen, else the desk does.

    An address without any of our words has no opinion: the navigation leads there, and what was chosen stays.
    Neither has one that was replaced just now, as by a label that switches the mode: it comes late, and would
    switch back.
    """
    given = {word: st.query_params[word] for word in WORDS if word in st.query_params}
    before, now = desk.get("address"), looks.now().timestamp()
    late = [old for old, replaced_at in desk.get("replaced", ()) if now - replaced_at < LATE_SECONDS]
    if given and given != before and given not in late:
        _read(desk)
        if (desk.get("last") or {}).get("kind") == "chosen":
            desk["last"] = None  # what it says of the mode or the place is not so any more
    _keep_to_what_is(desk, person)
    desk["address"] = wanted = _words(desk)
    if before is not None and before != wanted:
        desk["replaced"] = [*desk.get("replaced", ())[-2:], (before, now)]
    for word in WORDS:
        if st.query_params.get(word) != wanted.get(word):
            pickers.remember(word, wanted.get(word))


def _read(desk: dict[str, Any]) -> None:
    """What a link says; what it says wrong is answered by a red sentence and is not chosen."""
    places = {place.code: place.id for place in looks.places()}
    for label, word, name in (("Warehouse", "warehouse", "warehouse_id"), ("To", "to", "to_warehouse_id")):
        code = pickers.in_address(label, word, {code: code for code in places})
        desk[name] = places.get(code)
    mode = pickers.in_address("Mode", "mode", scan_desk.MODES) or "look_up"
    desk["mode"] = mode
    desk["each"] = pickers.in_address("Each scan", "each", scan_desk.EACH) or "code"
    reasons = {code: code for code in REASONS.get(mode, ())}
    if reason := pickers.in_address("Reason", "reason", reasons):
        desk["reasons"][mode] = reason


def _keep_to_what_is(desk: dict[str, Any], person: Actor) -> None:
    """What is chosen may be closed since, or not allowed any more; one warehouse alone is not asked about."""
    places = [place.id for place in looks.places()]
    for name in ("warehouse_id", "to_warehouse_id"):
        if desk[name] not in places:
            desk[name] = None
    if len(places) == 1:
        desk["warehouse_id"] = places[0]
    if desk["to_warehouse_id"] == desk["warehouse_id"]:
        desk["to_warehouse_id"] = None
    if not scan_desk.may_book(person):
        desk["mode"] = "look_up"


def _words(desk: dict[str, Any]) -> dict[str, str]:
    """The words of the address, without what is usual."""
    codes = {place.id: place.code for place in looks.places()}
    mode = desk["mode"]
    said = {
        "mode": mode if mode != "look_up" else None,
        "warehouse": codes.get(desk["warehouse_id"]) if len(codes) > 1 else None,
        "to": codes.get(desk["to_warehouse_id"]) if mode == "transfer" else None,
        "reason": desk["reasons"].get(mode),
        "each": desk["each"] if desk["each"] != "code" else None,
    }
    return {word: value for word, value in said.items() if value is not None}
