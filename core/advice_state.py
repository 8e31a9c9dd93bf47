"""Whether the shop moved on since advice was made: a fingerprint of everything it is worked out from."""

from typing import Any

from sqlalchemy.orm import Session

from db import queries

WORDS = {
    "stock": "stock moved",
    "due": "what is on its way changed",
    "forecasts": "forecasts were made anew",
    "offers": "offers changed",
    "vendors": "terms of vendors changed",
    "settings": "settings of buying changed",
    "products": "products or warehouses changed",
}
AT_ONCE = ("forecasts", "settings", "offers", "vendors", "due")
"""What people wait for; stock moves all day, and is caught up with in passing."""


def now(session: Session) -> dict[str, str]:
    """The fingerprint of this moment, by what it is about."""
    (row,) = queries.rows(session, "advice_state")
    return dict(row)


def changed(before: dict[str, Any] | None, after: dict[str, str]) -> list[str]:
    """What differs, in the order of WORDS; everything where there was nothing before."""
    before = before or {}
    return [name for name in WORDS if before.get(name) != after[name]]
