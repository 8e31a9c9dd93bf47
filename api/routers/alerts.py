"""Alerts: what somebody should see, seen and resolved, and who is told of them."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response
from pydantic import Field

from api import deps
from api.deps import Needs, Now, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import (
    Amount,
    Answer,
    Body,
    Day,
    Flag,
    Id,
    Limit,
    Moment,
    OwnId,
    Share,
    Skip,
    example,
    line,
    whole,
)  # fmt: skip
from api.settings import Settings
from core import alert_channels, alert_settings, alerts, auth, products, shop
from core.auth import Actor
from core.buying.order_mail import ADDRESS_CHARACTERS

router = Router("/api/v1/alerts", "alerts")

Chosen = Annotated[Settings, Depends(deps.settings)]

Status = Literal[alerts.ALERT_STATES]
Type = Literal[alerts.ALERT_TYPES]
Severity = Literal[alerts.SEVERITIES]


class Alert(Answer):
    """An alert about one product; one of type ledger may be about none in particular.

    `chance`: that it runs out before an order placed today arrives; of an anomaly, that its likeliest
    movement is an error.
    """

    id: OwnId
    alert_type: Annotated[str, Field(validation_alias="type")]
    severity: str
    status: Annotated[str, Field(validation_alias="state")]
    message: str
    product_id: Annotated[Id | None, Field(validation_alias="product_uid")]
    product_sku: Annotated[str | None, Field(validation_alias="sku")]
    product_name: str | None
    chance: Share | None
    money_at_risk: Amount
    created_at: Annotated[Moment, Field(validation_alias="raised_at")]
    updated_at: Annotated[Moment, Field(validation_alias="changed_at")]
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    snoozed_until: Day | None
    resolved_at: Moment | None
    resolved_by: str | None
    resolved_because: str | None


class AlertSettings(Answer):
    """Which alerts are raised; predicted depletion when the run-out is at most so many days away.

    A broken ledger always raises one. Of `notify_severity` and above `notify_emails` and `notify_webhook` are
    told. The webhook is never shown in full, because its path may hold a token: who may change it sees its
    beginning, others its host.
    """

    alert_threshold_days: int
    low_stock_enabled: bool
    predicted_depletion_enabled: bool
    anomaly_enabled: bool
    notify_emails: list[str]
    notify_webhook: str | None
    notify_severity: Severity


class AlertSettingsChange(Body):
    """Only the given settings change: `notify_emails` [] and `notify_webhook` null tell nobody any more, and
    the webhook as it is shown leaves it as it is."""

    alert_threshold_days: whole(1, alerts.MOST_ALERT_DAYS) = 14
    low_stock_enabled: Flag = True
    predicted_depletion_enabled: Flag = True
    anomaly_enabled: Flag = True
    notify_emails: list[line(ADDRESS_CHARACTERS, 1)] = Field([], max_length=alert_settings.MOST_EMAILS)
    notify_webhook: line(alert_settings.MOST_WEBHOOK_CHARACTERS, 1) | None = None
    notify_severity: Severity = "critical"

    model_config = example(
        alert_threshold_days=14,
        low_stock_enabled=True,
        predicted_depletion_enabled=True,
        anomaly_enabled=True,
        notify_emails=["buyer@shop.example"],
        notify_webhook="https://hooks.shop.example/alerts/4711",
        notify_severity="critical",
    )


@router.get("", response_model=list[Alert], responses=refusals(404))
def list_alerts(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    now: Now,
    status: Status | None = None,
    alert_type: Type | None = None,
    severity: Severity | None = None,
    product_id: Annotated[Id | None, Query(description="Alerts of one product.")] = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """Alerts of all kinds: a broken ledger, then the most money at risk first."""
    found, total = alerts.listing(
        session,
        state=status,
        type=alert_type,
        severity=severity,
        product_id=products.by_uid(session, product_id).product.id if product_id else None,
        today=shop.today(shop.get(session), now),
        limit=limit,
        offset=skip,
    )
    return page(response, found, total)


@router.get("/settings", response_model=AlertSettings)
def get_settings(session: Reading, actor: Annotated[Actor, Needs("read")]) -> Any:
    """Which alerts are raised, and who is told."""
    return _as_shown(alerts.settings(session), actor)


@router.put("/settings", response_model=AlertSettings)
def change_settings(
    session: Writing,
    actor: Annotated[Actor, Needs("manage alerts")],
    chosen: Chosen,
    wanted: AlertSettingsChange,
    now: Now,
) -> Any:
    """Change which alerts are raised and who is told; the next watches, and alerts from now on, go by it."""
    given = wanted.model_dump(exclude_unset=True)
    changed = alerts.change_settings(session, actor, channels=chosen.channels, now=now, **given)
    return _as_shown(changed, actor)


def _as_shown(found: alerts.Settings, actor: Actor) -> AlertSettings:
    webhook = found.notify_webhook
    if webhook is not None:
        may_change = auth.may(actor, "manage alerts")
        webhook = alert_channels.shown(webhook) if may_change else alert_channels.host(webhook)
    return AlertSettings.model_validate(vars(found) | {"notify_webhook": webhook})


@router.post("/{alert_id}/acknowledge", response_model=Alert, responses=refusals(400))
def acknowledge(
    session: Writing, actor: Annotated[Actor, Needs("acknowledge alerts")], alert_id: Id, now: Now
) -> Any:
    """Say "I have seen it"; it speaks up again when its severity rises."""
    return alerts.acknowledge(session, actor, alert_id, now)


@router.post("/{alert_id}/resolve", response_model=Alert)
def resolve(session: Writing, actor: Annotated[Actor, Needs("manage alerts")], alert_id: Id, now: Now) -> Any:
    """Close it: the product stays quiet until the condition clears or gets worse."""
    return alerts.resolve(session, actor, alert_id, now)
