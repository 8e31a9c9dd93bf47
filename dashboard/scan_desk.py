"""The desk of the Scan view: what one session holds while codes come in, and the one way in for every code.

One plain dictionary (`editing.desk`), fetched before a write and changed after it. Every code carries the
UUID that was made where it was read; that is the key of what it books. It stands in `waiting` until its
transaction is committed, so that an interrupted run is continued by the next one, and it is taken once,
however often it arrives.

    mode              what a scan does: one of MODES; mode_turn names its control, see scan_chips
    warehouse_id      where, None while nobody has said; to_warehouse_id for transfers
    reasons           mode -> reason code that is booked, where it is not the usual one
    each              what one scan counts: one of EACH
    waiting           codes that are not done yet, oldest first: entries, see `arrive`
    finished          keys of codes that are done, the last ones
    counts            what was counted and is not booked yet, see scan_counts
    last              what became of the last code, for the band, see scan_facts
    booked            uids of this session's bookings, the last one last
    refused           why the last press of a button was refused
    told              {"n": answers so far, "ok": whether the last one was yes}, for tone and vibration
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

from core import auth
from core.auth import Actor
from core.errors import NotSignedIn, RunoutError
from dashboard import (
    editing,
    looks,
    pressing,
    scan_counts,
    scan_entries,
    scan_undo,
    scan_work,
    scanner,
    signin,
    ui,
)

MODES = {
    "look_up": "Look up",
    "in": "In",
    "out": "Out",
    "transfer": "Transfer",
    "count": "Count",
    "link": "Link a code",
}
EACH = {"code": "What its code stands for", "piece": "1 piece", "ask": "Ask me"}


class Code(NamedTuple):
    """A code as its source read it; `times` says how often it counts (a line of a pasted list)."""

    key: uuid.UUID
    text: str
    symbology: str | None = None
    times: str = "1"


def _by_somebody(press: Callable[..., None]) -> Callable[..., None]:
    """Nothing is done where the sign-in has ended meanwhile: what is drawn next is the sign-in form."""

    @wraps(press)
    def pressed(*args: Any, **kwargs: Any) -> None:
        try:
            press(*args, **kwargs)
        except NotSignedIn:
            return

    return pressed


def desk() -> dict[str, Any]:
    """The desk of this session."""
    return scan_entries.begin(editing.desk("scan"))


@_by_somebody
def arrive(desk: dict[str, Any], codes: Iterable[tuple], source: str) -> None:
    """Take codes in, in their order, each by its key once, and do what each one means.

    `codes` are `Code`s or tuples (key, text, symbology). Nothing is drawn. What needs a person stays in
    `waiting` as an entry with a `kind`:

        key, code, symbology, source     as they arrived (key as text)
        mode, warehouse_id, to_warehouse_id, reason_code, order_line_uid
        kind            None (not looked at yet), or one of scan_entries.CARDS, "place", "trouble"
        product_id      of the product it means, where that is known; name, sku, unit for the screen
        quantity        in pieces as text: what somebody chose, else None
        pieces          in pieces as text: what the scans so far stand for
        sentence        why it is unknown or ambiguous; what went wrong
        refused         why the answer of the card was refused, if it was

    A code of which no card can be made is answered in `last`. Called without codes, it goes on with what an
    interrupted run has left.
    """
    with _at_work(desk) as person:
        for code in codes:
            scan_entries.put(desk, Code(*code), source)
        scan_work.work(desk, person, looks.now())


@_by_somebody
def arrive_kept(desk: dict[str, Any], codes: Iterable[scanner.Arrived]) -> None:
    """Codes of the field. What was waiting or counted before the page was loaded again means what it did."""
    with _at_work(desk) as person:
        for code in codes:
            scan_entries.put(desk, Code(code.key, code.text), code.source, code.about)
        scan_work.work(desk, person, looks.now())


@_by_somebody
def go_on(desk: dict[str, Any], key: str, **changes: Any) -> None:
    """The answer of a card, for its button's callback: the entry is taken with the same key and `changes`.

    `changes`: product_id, quantity (text), order_line_uid, warehouse_id, to_warehouse_id. A key that waits no
    more changes nothing, so a double click is one. A refusal keeps the card, with its sentence in `refused`.
    """
    with _at_work(desk) as person:
        scan_entries.answer(desk, key, changes)
        scan_work.work(desk, person, looks.now())


@_by_somebody
def drop(desk: dict[str, Any], key: str) -> None:
    """The card of an entry is closed and nothing is booked; a key that waits no more changes nothing."""
    with _at_work(desk) as person:
        scan_entries.drop(desk, key)
        scan_work.work(desk, person, looks.now())


def card(desk: dict[str, Any]) -> dict[str, Any] | None:
    """The entry whose card is shown: what holds up others, else the oldest that was put aside; or None."""
    cards = [entry for entry in desk["waiting"] if entry["kind"] in scan_entries.CARDS]
    return next((entry for entry in cards if entry["kind"] in scan_entries.BLOCKS), next(iter(cards), None))


@_by_somebody
def choose(desk: dict[str, Any], **chips: Any) -> None:
    """What is sticky from now on: mode, warehouse_id, to_warehouse_id, each, reason (of the mode)."""
    with _at_work(desk) as person:
        if "reason" in chips:
            desk["reasons"][desk["mode"]] = chips.pop("reason")
        if "mode" in chips:
            scan_work.switch(desk, person, chips.pop("mode"))
        desk.update(chips)
        scan_entries.fill_places(desk)
        scan_work.work(desk, person, looks.now())


@_by_somebody
def undo(desk: dict[str, Any], uid: str) -> None:
    """Take a booked scan back; a second press finds the answer of the first."""
    _press(desk, lambda person: scan_undo.undo(desk, person, uid, looks.now()))


@_by_somebody
def again(desk: dict[str, Any], uid: str, quantity: str) -> None:
    """Book `quantity` more of what the last scan `uid` booked, once for each last scan."""
    _press(desk, lambda person: scan_undo.again(desk, person, uid, quantity, looks.now()))


@_by_somebody
def correct(desk: dict[str, Any], uid: str, quantity: str) -> None:
    """Let the last scan `uid` have booked `quantity` instead: taken back and booked anew, or neither."""
    _press(desk, lambda person: scan_undo.correct(desk, person, uid, quantity, looks.now()))


@_by_somebody
def count(desk: dict[str, Any], name: str, counted: str) -> None:
    """So many were counted of a line of `counts`."""
    _press(desk, lambda _: scan_counts.put(desk, name, counted))


@_by_somebody
def leave_count(desk: dict[str, Any], name: str) -> None:
    """A line of `counts` is thrown away."""
    _press(desk, lambda _: scan_counts.leave(desk, name))


@_by_somebody
def book_counts(desk: dict[str, Any], names: Iterable[str]) -> None:
    """Book lines of `counts`, each once; what is refused stays on the list."""
    for name in list(names):
        _press(desk, lambda person, name=name: scan_counts.book(desk, person, name, looks.now()))
        if "refused" in desk:
            return


def may_book(person: Actor) -> bool:
    return auth.may(person, "move stock")


def _press(desk: dict[str, Any], work: Callable[[Actor], None]) -> None:
    with _at_work(desk) as person:
        desk.pop("refused", None)
        try:
            work(person)
        except RunoutError as refusal:
            desk["refused"] = refusal.sentence
        except Exception as error:
            desk["refused"] = ui.trouble(error)
        if "refused" in desk:
            scan_entries.tell(desk, ok=False)


@contextmanager
def _at_work(desk: dict[str, Any]) -> Iterator[Actor]:
    """One run of a session at a time; nothing of Streamlit's is touched inside, where a run may be ended."""
    person = signin.require()
    with pressing.held(desk["form"]):
        before = desk["told"]["n"]
        yield person
    if desk["told"]["n"] != before:
        looks.forget()
