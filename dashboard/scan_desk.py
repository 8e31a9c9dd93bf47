"""The desk of the Scan view: what one session holds while codes come in, and the one way in for every code.

One plain dictionary (`editing.desk`), fetched before a write and changed after it. Every code carries the
UUID that was made where it was read; that is the key of what it books. It stands in `waiting` until its
transaction is committed, so that an interrupted run is continued by the next one, and it is taken once,
however often it arrives.

    mode              what a scan does: one of MODES
    warehouse_id      where, None while nobody has said; to_warehouse_id for transfers
    reasons           mode -> reason code that is booked
    each              what one scan counts: one of EACH
    waiting           codes that are not done yet, oldest first: entries, see `arrive`
    counts            what was counted and is not booked yet, see scan_counts
    last              what became of the last code, for the band, see scan_band
    booked            uids of this session's bookings, the last one last, as text
    told              {"n": codes answered so far, "ok": whether the last answer was yes}, for tone and vibration
"""

import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from dashboard import editing

MODES = {
    "look_up": "Look up",
    "in": "In",
    "out": "Out",
    "transfer": "Transfer",
    "count": "Count",
    "link": "Link a code",
}
BOOKING = ("in", "out", "transfer", "count")  # modes that need a place
EACH = {"code": "what its code stands for", "piece": "1 piece", "ask": "ask me"}
REASONS = {
    "in": ("receipt", "return", "correction"),
    "out": ("issue", "sale", "damage", "loss", "vendor_return", "correction"),
}
# Kinds of entries that wait for a person. Nothing overtakes those in BLOCKS; an unknown code is put aside.
CARDS = ("unknown", "ambiguous", "transfer", "order", "quantity")
BLOCKS = ("place", "transfer", "order", "quantity", "trouble")
MOST_KNOWN = 2_000  # codes whose second arrival is noticed by the desk; the database knows all of them


class Code(NamedTuple):
    """A code as its source read it. `quantity` in pieces where the source says one (a pasted list)."""

    key: uuid.UUID
    text: str
    symbology: str | None = None
    quantity: str | None = None


def desk() -> dict[str, Any]:
    """The desk of this session."""


def arrive(desk: dict[str, Any], codes: Iterable[tuple], source: str) -> None:
    """Take codes in, in their order, each by its key once, and do what each one means.

    `codes` are `Code`s or tuples (key, text, symbology). Nothing is drawn. What needs a person stays in
    `waiting` as an entry with a `kind`:

        key, code, symbology, source     as they arrived (key as text)
        mode, warehouse_id, to_warehouse_id, reason_code, order_line_uid
        kind            None (not looked at yet), or one of CARDS, "place", "trouble"
        product_id      of the product it means, where that is known; name, sku, unit for the screen
        quantity        in pieces as text: what somebody chose, else None
        pieces          in pieces as text: what the code stands for
        sentence        why it is unknown or ambiguous; what went wrong
        candidates      ids of the products it may mean
        refused         why the answer of the card was refused, if it was
    """


def go_on(desk: dict[str, Any], key: str, **changes: Any) -> None:
    """The answer of a card, for its button's callback: the entry is taken with the same key and `changes`.

    `changes`: product_id, quantity (text), order_line_uid, warehouse_id, to_warehouse_id. A key that waits no
    more changes nothing, so a double click is one. A refusal keeps the card, with its sentence in `refused`.
    """


def drop(desk: dict[str, Any], key: str) -> None:
    """The card of an entry is closed and nothing is booked; a key that waits no more changes nothing."""


def card(desk: dict[str, Any]) -> dict[str, Any] | None:
    """The oldest entry that waits for an answer of a card, or None."""
