"""From whom a product is bought: by choice, or from whom it is best."""

from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core.auth import Actor
from core.buying import vendor_page, vendors
from dashboard import editing, looks
from dashboard.editing import Answer


def prefer(mine: dict[str, Any], product_id: int, vendor_id: int | None) -> None:
    """Buy it from one vendor whatever others ask, or from whom it is best."""
    editing.write(mine, partial(_prefer, product_id=product_id, vendor_id=vendor_id, today=looks.today()))


def _prefer(
    session: Session, person: Actor, *, product_id: int, vendor_id: int | None, today: date
) -> Answer:
    before = vendor_page.preferred_of(session, product_id)
    vendors.prefer(session, person, product_id, vendor_id, today)
    after = vendor_page.preferred_of(session, product_id)
    words = editing.changed("Bought from", before[1] or "whom it is best", after[1] or "whom it is best")
    return Answer(words, partial(_prefer, product_id=product_id, vendor_id=before[0], today=today))
