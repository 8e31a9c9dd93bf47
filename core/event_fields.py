"""The fields of a known event, checked: its name, kind, days, effect and whom it concerns."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import inputs
from core.errors import BadInput, NotFound
from db.models import EVENT_KINDS, Product, Warehouse

FIELDS = ("name", "kind", "starts_on", "ends_on", "product_id", "category", "warehouse_id", "effect_percent")
NAME_CHARACTERS = 100
YEARS_AHEAD = 2  # no forecast reaches further
YEARS_BACK = 10
DAYS_A_YEAR = 366
LEAST_EFFECT, MOST_EFFECT = Decimal(-100), Decimal(10_000)  # percent


def checked(session: Session, fields: dict[str, Any], today: date) -> dict[str, Any]:
    """All fields of an event as they are kept. An unknown one is a TypeError."""
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
    values = dict(fields)
    values["name"] = " ".join(inputs.text(fields["name"] or "", "Name", NAME_CHARACTERS).split())
    if not values["name"]:
        raise BadInput("Name: say what happens; events of the same name teach each other.")
    if fields["kind"] not in EVENT_KINDS:
        raise BadInput(
            f"'{inputs.shown(fields['kind'])}' is not a kind of event; they are {', '.join(EVENT_KINDS)}."
        )
    _check_days(fields["starts_on"], fields["ends_on"], today)
    values["effect_percent"] = _effect(fields["effect_percent"], fields["kind"])
    _check_scope(session, values)
    return values


def _check_days(starts_on: date | None, ends_on: date | None, today: date) -> None:
    if starts_on is None or ends_on is None:
        raise BadInput("Days: enter the first and the last day.")
    if ends_on < starts_on:
        raise BadInput(f"Until: {ends_on} lies before {starts_on}. Enter the last day.")
    if (ends_on - starts_on).days >= DAYS_A_YEAR:
        raise BadInput(f"{starts_on} to {ends_on} is more than a year: that is no event.")
    if starts_on < today - timedelta(days=YEARS_BACK * DAYS_A_YEAR):
        raise BadInput(f"From: {starts_on} lies more than {YEARS_BACK} years back.")
    if ends_on > today + timedelta(days=YEARS_AHEAD * DAYS_A_YEAR):
        raise BadInput(f"Until: {ends_on} lies more than {YEARS_AHEAD} years ahead.")


def _effect(given: Decimal | int | str | None, kind: str) -> Decimal | None:
    if given is None or given == "":
        return None
    if kind == "closed":
        raise BadInput("Effect: closed days have no demand. Leave it empty.")
    try:
        effect = Decimal(given)
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(f"Effect: '{inputs.shown(given)}' is not a number.") from None
    if not effect.is_finite() or not LEAST_EFFECT <= effect <= MOST_EFFECT:
        raise BadInput(
            f"Effect: {inputs.shown(given)} % is not between {LEAST_EFFECT} % (nothing is sold) and "
            f"+{MOST_EFFECT:,} %."
        )
    return effect.quantize(Decimal("0.01"))


def _check_scope(session: Session, values: dict[str, Any]) -> None:
    values["category"] = values["category"] or None
    if values["product_id"] is not None and values["category"] is not None:
        raise BadInput("An event is about one product or one category: leave one of them empty.")
    if values["product_id"] is not None:
        values["product_id"] = inputs.small_id(values["product_id"], "product")
        if session.get(Product, values["product_id"]) is None:
            raise NotFound(f"There is no product {values['product_id']}.")
    if values["category"] is not None:
        known = select(Product.id).where(Product.category == values["category"]).limit(1)
        if not inputs.can_be_kept(values["category"]) or session.scalar(known) is None:
            raise NotFound(f"No product has the category '{inputs.shown(values['category'])}'.")
    if values["warehouse_id"] is not None:
        values["warehouse_id"] = inputs.small_id(values["warehouse_id"], "warehouse")
        if session.get(Warehouse, values["warehouse_id"]) is None:
            raise NotFound(f"There is no warehouse {values['warehouse_id']}.")
