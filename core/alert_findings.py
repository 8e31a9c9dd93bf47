"""What holds about products and the ledger, beside the alerts there are about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import alert_odd, alert_rules
from core.alert_rules import ANOMALY, LEDGER, LOW_STOCK, Asleep, Facts, Finding
from db import queries
from db.models import Alert, AlertSettings

Key = tuple[int | None, str]
"""A product's id (None: no product in particular) and a type of alert."""


@dataclass(frozen=True)
class Look:
    """What holds, and the alerts there are: open ones, and quiet ones that somebody resolved by hand.

    `over` says why the alerts end of which we know that nothing holds. `retired`: products no longer active.
    """

    findings: dict[Key, Finding]
    open: dict[Key, Alert]
    quiet: dict[Key, Alert]
    over: dict[Key, str]
    retired: tuple[int, ...] = ()


def look(session: Session, product_ids: Sequence[int] | None, today: date, types: Sequence[str]) -> Look:
    """Stock and run-outs, of these products or of all."""
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
    # An alert that came between the two questions is about a product that we know nothing of.
    over = {
        (product_id, kind): _why_not(kind, facts[product_id], settings)
        for product_id, kind in heard - findings.keys()
        if product_id in facts
    }
    retired = tuple(product_id for product_id, known in facts.items() if not known.is_active)
    return Look(findings, *_open_and_quiet(alerts), over, retired)


def look_for_odd(
    session: Session, product_ids: Sequence[int] | None, types: Sequence[str] = (ANOMALY, LEDGER)
) -> Look:
    """Odd movements and broken rules of the ledger, of these products or of everything."""
    is_raised = session.get_one(AlertSettings, 1, populate_existing=True).anomaly_enabled
    ids = None if product_ids is None else list(product_ids)
    # Before what they are about: one that comes in between must not be ended for want of it.
    alerts = _alerts(session, ids, types)
    found = [alert_odd.odd_of(row) for row in queries.rows(session, "alert_odd", product_ids=ids)]
    findings: dict[Key, Finding] = {
        (odd.product_id, odd.type): alert_odd.finding(odd)
        for odd in found
        if odd.type in types and (is_raised or odd.type != ANOMALY)
    }
    heard: set[Key] = {(alert.product_id, alert.type) for alert in alerts}
    over = {key: alert_odd.why_not(key[1], is_raised=is_raised) for key in heard - findings.keys()}
    return Look(findings, *_open_and_quiet(alerts), over)


def _found(
    kind: str, facts: Facts, settings: AlertSettings, today: date, *, is_heard: bool
) -> Finding | None:
    if kind == LOW_STOCK:
        return alert_rules.low_stock(facts) if settings.low_stock_enabled else None
    if not settings.predicted_depletion_enabled:
        return None
    return alert_rules.predicted(facts, today, settings.alert_threshold_days, is_heard=is_heard)


def _why_not(kind: str, facts: Facts, settings: AlertSettings) -> str:
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


def _open_and_quiet(alerts: Sequence[Alert]) -> tuple[dict[Key, Alert], dict[Key, Alert]]:
    return (
        {(a.product_id, a.type): a for a in alerts if a.state != "resolved"},
        {(a.product_id, a.type): a for a in alerts if a.state == "resolved"},
    )


def unheard(look: Look) -> list[Key]:
    """What holds and has no alert, in one order for everybody; not what somebody resolved and is no worse."""
    return sorted(
        (
            key
            for key, finding in look.findings.items()
            if key not in look.open and (key not in look.quiet or _is_news(finding, look.quiet[key]))
        ),
        key=lambda key: (key[0] or 0, key[1]),
    )


def next_state(look: Look, key: Key, alert: Alert, today: date) -> str:
    """The state that an open alert should have by now."""
    finding = look.findings.get(key)
    if finding is None:
        return alert.state
    asleep = Asleep(alert.snoozed_until, alert.snoozed_chance)
    return alert_rules.next_state(alert.state, asleep, finding, today, is_news=_is_news(finding, alert))


def changes(look: Look, alert: Alert, now: datetime, today: date) -> dict[str, Any] | None:
    """The row's new values; None when they are the old ones.

    `changed_at` moves when somebody should look again: news, or an alert that woke. Lower severities and new
    figures are written without a word.
    """
    key = (alert.product_id, alert.type)
    values = content(look, key) | {"state": next_state(look, key, alert, today)}
    if all(getattr(alert, name) == value for name, value in values.items()):
        return None
    woke = values["state"] != alert.state
    kept = ("acknowledged_by", "acknowledged_at", "snoozed_until", "snoozed_chance")
    return {
        "id": alert.id,
        "changed_at": now if woke or _is_news(look.findings[key], alert) else alert.changed_at,
        **{name: None if woke else getattr(alert, name) for name in kept},
        **values,
    }


def content(look: Look, key: Key) -> dict[str, Any]:
    """What an alert says, as its columns."""
    finding = look.findings[key]
    return {
        name: getattr(finding, name) for name in ("severity", "message", "figures", "chance", "money_at_risk")
    }


def _is_news(finding: Finding, alert: Alert) -> bool:
    return alert_rules.is_news(finding, alert.severity, alert.figures)
