"""Lines of the advice that is shown, as the database answers them, with what buyers chose worked in."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from core.buying.advice_shapes import Line
from core.reorder import receipts
from core.triage import LATE_CHANCE
from db import queries

SNOOZE_RISE = 0.15
"""A snoozed line comes back when its chance to run out is 15 points higher."""
GONE = "This advice is not shown any more: newer advice was made meanwhile. Load the page again."
LATER = "needed later"
ZERO, MONEY = Decimal(0), Decimal("0.0001")
NOT_KEPT = ("id", "total_count", "place", "sorting_value", "exchange_rate", "made_at", "terms", "vendors",
            "vendor_id", "computed_vendor_id", "chosen_vendor_id", "chosen_by", "offer_id",
            "from_warehouse_id", "is_asked_for", "computed_unit_cost", "chosen_at")  # fmt: skip


def rows(session: Session, today: date, **asked: Any) -> list[Any]:
    nothing = {
        "until": None, "advice_uid": None, "product_ids": None, "vendor_uid": None, "no_vendor": False,
        "kind": None, "only_open": False, "text_like": None, "sort": "urgency", "most": None, "offset": 0,
        "with_receipts": True,
    }  # fmt: skip
    return queries.rows(
        session, "advice_lines", today=today, rise=SNOOZE_RISE, late=LATE_CHANCE, **nothing | asked
    )


def line(row: Any, today: date) -> Line:
    values = {name: value for name, value in row.items() if name not in NOT_KEPT}
    cost = row["unit_cost"].quantize(MONEY) if row["unit_cost"] is not None else None
    value = (
        (row["quantity"] * cost).quantize(MONEY) if cost is not None and row["action"] == "order" else ZERO
    )
    return Line(
        **values | {"unit_cost": cost},
        value=value,
        is_due=row["is_asked_for"] or (row["needed_on"] is not None and row["needed_on"] <= today),
        edited_at=row["chosen_at"] if row["is_edited"] else None,
    )


def terms(computed: list[receipts.Term], shown: Line) -> list[receipts.Term]:
    """The receipt of what would be ordered: later needs and the buyer's own number are lines of it."""
    if not receipts.total(computed) and not shown.is_due and shown.next_quantity:
        missing = "what will be missing by then, in what may be ordered"
        computed = [*computed, receipts.Term(LATER, shown.next_quantity, missing)]
    return receipts.with_edit(computed, shown.quantity) if shown.is_edited else computed
