"""Whether the shop moved on since advice was made: a fingerprint of everything it is worked out from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import shop
from db import queries
from db.models import AdviceRun

WORDS = {
    "settings": "settings of buying changed",
    "forecasts": "forecasts were made anew",
    "offers": "offers changed",
    "vendors": "terms of vendors changed",
    "products": "products or warehouses changed",
    "due": "what is on its way changed",
    "stock": "stock moved",
}
AT_ONCE = ("settings", "forecasts", "offers", "vendors", "due")
"""What people wait for; stock moves all day, and is caught up with in passing."""


@dataclass(frozen=True)
class Standing:
    """The advice that is shown beside the shop of now: `changed` names what moved on, as in WORDS.

    `made_at` is None before the first; `seconds` is how long it took.
    """

    made_at: datetime | None
    is_of_today: bool
    changed: tuple[str, ...]
    seconds: float

    @property
    def is_stale(self) -> bool:
        return self.made_at is not None and (bool(self.changed) or not self.is_of_today)


def now(session: Session) -> dict[str, str]:
    """The fingerprint of this moment, by what it is about."""
    (row,) = queries.rows(session, "advice_state")
    return dict(row)


def standing(session: Session, moment: datetime) -> Standing:
    """How far the shop moved on since the advice that is shown."""
    run = session.execute(
        select(AdviceRun.made_at, AdviceRun.as_of, AdviceRun.totals).where(AdviceRun.is_current)
    ).first()
    if run is None:
        return Standing(None, False, (), 0.0)
    today = shop.today(shop.get(session), moment)
    changed = _changed(run.totals.get("state"), now(session))
    return Standing(run.made_at, run.as_of == today, changed, float(run.totals.get("seconds", 0)))


def in_words(changed: Sequence[str]) -> str:
    """What changed, for people: "offers changed, stock moved"."""
    return ", ".join(WORDS[name] for name in changed)


def _changed(before: dict[str, Any] | None, after: dict[str, str]) -> tuple[str, ...]:
    before = before or {}
    return tuple(name for name in WORDS if before.get(name) != after[name])
