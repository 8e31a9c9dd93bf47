"""What buying is to achieve and what things cost the shop: one row, changed by buyers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, auth, inputs, job_runs
from core.auth import Actor
from core.errors import BadInput
from db.models import BUYING_GOALS, BuyingSettings, Person

JOB = "advice"
HUNDREDTH = Decimal("0.01")
TEN_THOUSANDTH = Decimal("0.0001")
MONEY_MOST = Decimal(10**10)
# As the table keeps them: least, most, step, what people call it.
NUMBERS = {
    "service_percent": (Decimal(50), Decimal("99.9"), HUNDREDTH, "Service goal"),
    "budget": (TEN_THOUSANDTH, Decimal(10**15), TEN_THOUSANDTH, "Stock budget"),
    "review_days": (Decimal(1), Decimal(60), Decimal(1), "Days between orders"),
    "holding_percent": (Decimal(0), Decimal(200), HUNDREDTH, "Holding cost"),
    "shortage_percent": (Decimal(0), Decimal(1000), HUNDREDTH, "Shortage cost"),
    "transfer_cost": (Decimal(0), MONEY_MOST, TEN_THOUSANDTH, "Transfer cost"),
    "transfer_days": (Decimal(0), Decimal(60), Decimal(1), "Transfer days"),
    "most_cover_days": (Decimal(1), Decimal(730), Decimal(1), "Most days of cover"),
}
MAY_BE_NONE = ("budget", "shortage_percent")
WHOLE = ("review_days", "transfer_days", "most_cover_days")


@dataclass(frozen=True)
class Settings:
    """How the shop buys; see `db.models.BuyingSettings` for what each means. Money is in its currency.

    `changed_by` is the name of who changed them last, None when nobody did.
    """

    goal: str
    service_percent: Decimal
    budget: Decimal | None
    review_days: int
    holding_percent: Decimal
    shortage_percent: Decimal | None
    transfer_cost: Decimal
    transfer_days: int
    most_cover_days: int
    changed_by: str | None
    changed_at: datetime


def get(session: Session) -> Settings:
    """The shop's settings of buying."""
    return _settings(session, session.get_one(BuyingSettings, 1, populate_existing=True))


def change(session: Session, actor: Actor, now: datetime, **fields: Any) -> Settings:
    """Change the given fields, and ask for new advice. None takes a budget or a shortage cost away.

    Refuses numbers out of range by name, a goal it does not know, and the goal "budget" without a budget.
    """
    auth.must(actor, "buy")
    values = {name: _value(name, value) for name, value in fields.items()}
    row = session.get_one(BuyingSettings, 1, with_for_update=True, populate_existing=True)
    changes = {name: value for name, value in values.items() if value != getattr(row, name)}
    if changes.get("goal", row.goal) == "budget" and changes.get("budget", row.budget) is None:
        raise BadInput("Stock budget: say how much money may be bound in stock first.")
    if changes:
        before = {name: said(getattr(row, name)) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        row.changed_by, row.changed_at = actor.id, now
        after = {name: said(value) for name, value in changes.items()}
        audit.note(session, actor.id, "changed", "buying settings", "shop", before=before, after=after)
        session.flush()
        job_runs.enqueue(session, JOB, now)
    return _settings(session, row)


def number(name: str, value: Any) -> Decimal:
    """A number as the settings keep it; refuses one out of range, or with too many decimals, by name."""
    least, most, step, words = NUMBERS[name]
    try:
        given = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(f"{words}: '{inputs.shown(value)}' is not a number.") from None
    if not given.is_finite() or not least <= given <= most:
        raise BadInput(f"{words}: {inputs.shown(value)} is not between {least:f} and {most:,f}.")
    rounded = given.quantize(step)
    if rounded != given:
        words_of_step = "a whole number" if step == 1 else f"a multiple of {step:f}"
        raise BadInput(f"{words}: {inputs.shown(value)} is not {words_of_step}.")
    return rounded


def said(value: Any) -> Any:
    """A field as the audit trail and the advice run keep it."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _value(name: str, value: Any) -> Any:
    if name == "goal":
        if value not in BUYING_GOALS:
            raise BadInput(f"Goal: '{inputs.shown(value)}' is none of {', '.join(BUYING_GOALS)}.")
        return value
    if name not in NUMBERS:
        raise TypeError(f"unknown: {name}")
    if value is None and name in MAY_BE_NONE:
        return None
    return int(number(name, value)) if name in WHOLE else number(name, value)


def _settings(session: Session, row: BuyingSettings) -> Settings:
    name = session.scalar(select(Person.name).where(Person.id == row.changed_by)) if row.changed_by else None
    return Settings(
        goal=row.goal,
        changed_by=name,
        changed_at=row.changed_at,
        **{field: getattr(row, field) for field in NUMBERS},
    )
