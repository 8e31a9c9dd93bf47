"""Which movements an export tells."""

from dataclasses import dataclass
from datetime import date, datetime

from core import inputs
from core.errors import BadInput

MOST_ID = inputs.BIG_ID_MOST


@dataclass(frozen=True)
class Selection:
    """Movements behind `after_id` that fit all of it; by default the whole ledger.

    Raises BadInput where nothing could be meant by it.

    Args:
        since, until: first and last business day on which they happened.
        warehouse_id: the warehouse's inner id.
        category: of the product as it is now, word for word.
        updated_since: booked at this moment or later; it knows its time zone.
        last_id: nothing behind this movement; None is the horizon (core/cursors.py) when the reading begins.
    """

    since: date | None = None
    until: date | None = None
    warehouse_id: int | None = None
    category: str | None = None
    after_id: int = 0
    updated_since: datetime | None = None
    last_id: int | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise BadInput(f"The export would begin on {self.since} and end before that, on {self.until}.")
        if not 0 <= self.after_id <= MOST_ID or not 0 <= (self.last_id or 0) <= MOST_ID:
            raise BadInput("A movement's id is a whole number from 0 on.")
        if self.warehouse_id is not None and not 0 <= self.warehouse_id <= inputs.SMALL_ID_MOST:
            raise BadInput("No warehouse has this id.")
        if self.updated_since is not None and self.updated_since.utcoffset() is None:
            raise BadInput("The moment from which on to tell has no time zone.")
        if self.category is not None and not inputs.can_be_kept(self.category):
            raise BadInput("The category holds a NUL or a broken character, which no category has.")
