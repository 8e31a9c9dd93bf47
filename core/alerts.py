"""Alerts as people meet them: listing, acknowledging, snoozing, resolving, and which are raised at all.

Who raises and wakes them, and resolves them again, is in `core/alert_watch.py`; when they hold and what they
say in `core/alert_rules.py` and `core/alert_odd.py`; which are raised in `core/alert_settings.py`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core import alert_rules, audit, auth, inputs, shop, uids
from core.alert_settings import MOST_ALERT_DAYS, Settings, change_settings, settings
from core.alert_watch import auto_resolve, look_at, raise_all
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from db import queries
from db.models import ALERT_STATES, ALERT_TYPES, SEVERITIES, Alert, Person, Product

__all__ = [
    "ALERT_STATES",
    "ALERT_TYPES",
    "MOST_ALERT_DAYS",
    "SEVERITIES",
    "Settings",
    "Shown",
    "acknowledge",
    "auto_resolve",
    "by_uid",
    "change_settings",
    "counts",
    "listing",
    "look_at",
    "raise_all",
    "resolve",
    "settings",
    "snooze",
]

LONGEST_SNOOZE = timedelta(days=365)
MOST_ROWS = 1000
MOST_OFFSET = 2**31
SEARCH_CHARACTERS = 200
BY_HAND = "By hand; quiet until it clears or gets worse"


@dataclass(frozen=True)
class Shown:
    """One alert with its product, as screens and programs see it; about the ledger as such it has none.

    `chance`: that the product runs out before an order placed today arrives, None without a forecast; of odd
    movements that the likeliest one is an error. `snoozed_chance`: the one it had when somebody let it sleep
    until it gets worse. `..._by` are names.
    """

    uid: uuid.UUID
    type: str
    severity: str
    state: str
    message: str
    figures: dict[str, Any]
    chance: float | None
    money_at_risk: Decimal
    raised_at: datetime
    changed_at: datetime
    product_uid: uuid.UUID | None
    sku: str | None
    product_name: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    snoozed_until: date | None
    snoozed_chance: float | None
    resolved_by: str | None
    resolved_at: datetime | None
    resolved_because: str | None


# -- Looking -------------------------------------------------------------------------------------------------


def listing(
    session: Session,
    *,
    state: str | Sequence[str] | None = ("active", "acknowledged"),
    type: str | Sequence[str] | None = None,
    severity: str | Sequence[str] | None = None,
    text: str | None = None,
    product_id: int | None = None,
    today: date,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Shown], int]:
    """One page of alerts and how many there are in all: a broken ledger, then the most money at risk first.

    None means all; `text` is looked for in SKU and name, and of an alert without a product in its message. A
    sleeper whose date has come counts as active, even before the watch wakes it. Refuses an unknown state,
    type or severity by name.
    """
    if not 1 <= limit <= MOST_ROWS or not 0 <= offset <= MOST_OFFSET:
        raise BadInput(f"A page has 1 to {MOST_ROWS:,} alerts and starts at 0 or later.")
    state_now = _state_on(today)
    where = [
        column.in_(wanted)
        for column, wanted in (
            (state_now, _known(state, ALERT_STATES, "state")),
            (Alert.type, _known(type, ALERT_TYPES, "type")),
            (Alert.severity, _known(severity, SEVERITIES, "severity")),
        )
        if wanted is not None
    ]
    if product_id is not None:
        where.append(Alert.product_id == inputs.small_id(product_id, "product"))
    words = queries.like(inputs.text(text or "", "Search", SEARCH_CHARACTERS))
    if words is not None:
        is_said = and_(Alert.product_id.is_(None), Alert.message.ilike(words))
        where.append(or_(Product.sku.ilike(words), Product.name.ilike(words), is_said))
    total = session.scalar(
        select(func.count())
        .select_from(Alert)
        .outerjoin(Product, Product.id == Alert.product_id)
        .where(*where)
    )
    page = _shown(state_now).where(*where).order_by(*_first()).limit(limit).offset(offset)
    return [Shown(**row) for row in session.execute(page).mappings()], total


def by_uid(session: Session, uid: uuid.UUID | str) -> Shown:
    """The alert with this public id. Refuses an unknown or malformed id."""
    row = (
        session.execute(_shown(Alert.state).where(Alert.uid == inputs.uid(uid, "an alert")))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("There is no such alert.")
    return Shown(**row)


def counts(session: Session, today: date | None = None) -> dict[tuple[str, str], int]:
    """How many open alerts there are per state and severity; none where there are none.

    With `today` a sleeper whose date has come counts as active, as in `listing`.
    """
    state = (Alert.state if today is None else _state_on(today)).label("state_now")
    question = (
        select(state, Alert.severity, func.count())
        .where(Alert.state != "resolved")
        .group_by(state, Alert.severity)
    )
    return {(state, severity): number for state, severity, number in session.execute(question)}


def _state_on(today: date) -> ColumnElement[str]:
    is_awake = and_(Alert.state == "snoozed", Alert.snoozed_until <= today)
    return case((is_awake, "active"), else_=Alert.state)


def _first() -> tuple[ColumnElement[Any], ...]:
    """In which order people should look; where the ledger is broken, no other figure can be trusted."""
    is_of_ledger = (Alert.type == alert_rules.LEDGER).desc()
    return is_of_ledger, Alert.money_at_risk.desc(), _rank().desc(), Alert.raised_at.desc(), Alert.id.desc()


def _rank() -> ColumnElement[int]:
    return case({name: rank for rank, name in enumerate(SEVERITIES)}, value=Alert.severity)


def _shown(state: ColumnElement[str]) -> Select:
    """Alerts with the columns of `Shown`."""
    acknowledger, resolver = aliased(Person), aliased(Person)
    joined = {
        "state": state,
        "product_uid": Product.uid,
        "sku": Product.sku,
        "product_name": Product.name,
        "acknowledged_by": acknowledger.name,
        "resolved_by": resolver.name,
    }
    columns = [
        joined.get(name, getattr(Alert, name, None)).label(name) for name in Shown.__dataclass_fields__
    ]
    return (
        select(*columns)
        .outerjoin(Product, Product.id == Alert.product_id)
        .outerjoin(acknowledger, acknowledger.id == Alert.acknowledged_by)
        .outerjoin(resolver, resolver.id == Alert.resolved_by)
    )


def _known(words: str | Sequence[str] | None, known: Sequence[str], what: str) -> list[str] | None:
    if words is None:
        return None
    wanted = [words] if isinstance(words, str) else list(words)
    for word in wanted:
        if word not in known:
            raise BadInput(f"'{inputs.shown(word)}' is not a {what} of alerts; they are {', '.join(known)}.")
    return wanted


# -- Acting --------------------------------------------------------------------------------------------------


def acknowledge(session: Session, actor: Actor, uid: uuid.UUID | str, now: datetime) -> Shown:
    """Say "I have seen it": it stays open, and speaks up again when its severity rises.

    A second click changes nothing. Refuses an alert that is resolved.
    """
    auth.must(actor, "acknowledge alerts")
    alert = _locked(session, uid)
    _must_be_open(alert, "acknowledge")
    if alert.state != "acknowledged":
        _turn(session, actor, alert, "acknowledged", acknowledged_by=actor.id, acknowledged_at=now)
    return by_uid(session, alert.uid)


def snooze(
    session: Session,
    actor: Actor,
    uid: uuid.UUID | str,
    now: datetime,
    *,
    until: date | None = None,
    until_worse: bool = False,
) -> Shown:
    """Let it sleep until a date, or until it gets worse, or whichever comes first.

    Worse: the chance rises by 15 points above that of now (unknown counts as none), or the severity rises. A
    new snooze replaces the one before. Refuses a date that is not after today or more than a year away,
    neither of the two, and an alert that is resolved.
    """
    auth.must(actor, "manage alerts")
    if until is None and not until_worse:
        raise BadInput("Snooze until when? Give a date, or until it gets worse.")
    today = shop.today(shop.get(session), now)
    if until is not None and not today < until <= today + LONGEST_SNOOZE:
        raise BadInput(f"Snooze until a day after today, {today}, and at most a year away; not {until}.")
    alert = _locked(session, uid)
    _must_be_open(alert, "snooze")
    chance = (alert.chance or 0.0) if until_worse else None
    _turn(session, actor, alert, "snoozed", snoozed_until=until, snoozed_chance=chance)
    return by_uid(session, alert.uid)


def resolve(session: Session, actor: Actor, uid: uuid.UUID | str, now: datetime) -> Shown:
    """Close it by hand: the product stays quiet until the condition clears, or gets worse than it was now.

    An alert that is resolved stays as it is.
    """
    auth.must(actor, "manage alerts")
    alert = _locked(session, uid)
    if alert.state != "resolved":
        _turn(
            session, actor, alert, "resolved",
            resolved_by=actor.id, resolved_at=now, resolved_because=BY_HAND, is_quiet=True,
        )  # fmt: skip
    return by_uid(session, alert.uid)


def _locked(session: Session, uid: uuid.UUID | str) -> Alert:
    return uids.locked(session, Alert, uid, "an alert", "There is no such alert.")


def _must_be_open(alert: Alert, verb: str) -> None:
    if alert.state == "resolved":
        raise RuleBroken(f"This alert is resolved: there is nothing to {verb}.")


def _turn(session: Session, actor: Actor, alert: Alert, state: str, **values: Any) -> None:
    """Bring an open alert to another state, which ends its sleep, and write down who did it."""
    before, after = {"state": alert.state}, {"state": state}
    for name, value in ({"snoozed_until": None, "snoozed_chance": None} | values).items():
        setattr(alert, name, value)
    alert.state = state
    if state == "snoozed":
        after |= {"until": str(alert.snoozed_until or ""), "until worse": alert.snoozed_chance is not None}
    session.flush()
    audit.note(session, actor.id, state, "alert", alert.uid, before=before, after=after)
