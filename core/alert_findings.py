"""What holds about products, beside the alerts there are about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import alert_rules
from core.alert_rules import LOW_STOCK, Asleep, Facts, Finding
from db import queries
from db.models import Alert, AlertSettings

Key = tuple[int, str]
"""A product's id and a type of alert."""


@dataclass(frozen=True)
class Look:
    """What holds, and the alerts there are: open ones, and quiet ones that somebody resolved by hand."""

    settings: AlertSettings
    facts: dict[int, Facts]
    findings: dict[Key, Finding]
    open: dict[Key, Alert]
    quiet: dict[Key, Alert]


def look(session: Session, product_ids: Sequence[int] | None, today: date, types: Sequence[str]) -> Look:
    settings = session.get_one(AlertSettings, 1, populate_existing=True)
    until = today + timedelta(days=settings.alert_threshold_days)
    ids = None if product_ids is None else list(product_ids)
    rows = queries.rows(session, "alert_facts", product_ids=ids, until=until)
    facts = {row["product_id"]: alert_rules.facts_of(row) for row in rows}
    alerts = _alerts(session, ids, types)
    heard = {(alert.product_id, alert.type) for alert in alerts}
    findings: dict[Key, Finding] = {}
    for product_id, of_product in facts.items():
        for kind in types:
            if found := _found(kind, of_product, settings, today, is_heard=(product_id, kind) in heard):
                findings[product_id, kind] = found
    return Look(
        settings,
        facts,
        findings,
        open={(a.product_id, a.type): a for a in alerts if a.state != "resolved"},
        quiet={(a.product_id, a.type): a for a in alerts if a.state == "resolved"},
    )


def _found(
    kind: str, facts: Facts, settings: AlertSettings, today: date, *, is_heard: bool
) -> Finding | None:
    if kind == LOW_STOCK:
        return alert_rules.low_stock(facts) if settings.low_stock_enabled else None
    if not settings.predicted_depletion_enabled:
        return None
    return alert_rules.predicted(facts, today, settings.alert_threshold_days, is_heard=is_heard)


def why_not(kind: str, facts: Facts, settings: AlertSettings) -> str:
    if kind == LOW_STOCK:
        return (
            alert_rules.why_not_low(facts) if settings.low_stock_enabled else "Low stock raises no alerts now"
        )
    if not settings.predicted_depletion_enabled:
        return "Predicted depletion raises no alerts now"
    return alert_rules.why_not_predicted(facts, settings.alert_threshold_days)


def _alerts(session: Session, product_ids: list[int] | None, types: Sequence[str]) -> Sequence[Alert]:
    """Alerts that are open, or quiet since somebody resolved them."""
    question = select(Alert).where(or_(Alert.state != "resolved", Alert.is_quiet), Alert.type.in_(types))
    if product_ids is not None:
        question = question.where(Alert.product_id == func.any(product_ids))
    return session.scalars(question.order_by(Alert.id).execution_options(populate_existing=True)).all()


def unheard(look: Look) -> list[Key]:
    """What holds and has no alert, in one order for everybody; not what somebody resolved and is no worse."""
    return sorted(
        key
        for key, finding in look.findings.items()
        if key not in look.open
        and (key not in look.quiet or alert_rules.is_worse(finding, look.quiet[key].severity))
    )


def next_state(look: Look, key: Key, alert: Alert, today: date) -> str:
    finding = look.findings.get(key)
    if finding is None:
        return alert.state
    asleep = Asleep(alert.snoozed_until, alert.snoozed_chance)
    chance = look.facts[key[0]].chance
    return alert_rules.next_state(alert.state, alert.severity, asleep, finding, chance, today)


def changes(look: Look, alert: Alert, now: datetime, today: date) -> dict[str, Any] | None:
    """The row's new values; None when they are the old ones.

    `changed_at` moves when somebody should look again: a higher severity, or an alert that woke. Lower ones
    and new figures are written without a word.
    """
    key = (alert.product_id, alert.type)
    values = content(look, key) | {"state": next_state(look, key, alert, today)}
    if all(getattr(alert, name) == value for name, value in values.items()):
        return None
    woke = values["state"] != alert.state
    is_news = woke or alert_rules.is_worse(look.findings[key], alert.severity)
    kept = ("acknowledged_by", "acknowledged_at", "snoozed_until", "snoozed_chance")
    return {
        "id": alert.id,
        "changed_at": now if is_news else alert.changed_at,
        **{name: None if woke else getattr(alert, name) for name in kept},
        **values,
    }


def content(look: Look, key: Key) -> dict[str, Any]:
    facts, finding = look.facts[key[0]], look.findings[key]
    return {
        "severity": finding.severity,
        "message": finding.message,
        "figures": finding.figures,
        "chance": facts.chance,
        "money_at_risk": facts.money_at_risk,
    }
