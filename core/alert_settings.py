"""Which alerts the shop raises, and who is told of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType
from typing import Any

from sqlalchemy.orm import Session

from core import alert_channels, alert_messages, audit, auth, inputs
from core.alert_channels import Channels
from core.auth import Actor
from core.buying import order_mail
from core.errors import BadInput
from db.models import SEVERITIES, AlertSettings

MOST_ALERT_DAYS = 120  # how far the forecast looks ahead
MOST_WEBHOOK_CHARACTERS = alert_channels.MOST_WEBHOOK_CHARACTERS
MARK_CHARACTERS = 4  # enough to tell two addresses apart, too few to find one by trying
MOST_EMAILS = 20  # the table's own limit too; a longer list is a mailing list's affair


@dataclass(frozen=True)
class Settings:
    """Which alerts are raised; predicted depletion when the run-out is at most so many days away.

    `anomaly_enabled`: movements that are probably errors. A broken ledger always raises one.
    `notify_emails` and `notify_webhook` are told of what is `notify_severity` or worse; whether anything can
    be mailed or posted at all is the operator's affair (`core/alert_channels.py`).
    """

    alert_threshold_days: int
    low_stock_enabled: bool
    predicted_depletion_enabled: bool
    anomaly_enabled: bool
    notify_emails: tuple[str, ...]
    notify_webhook: str | None
    notify_severity: str


def settings(session: Session) -> Settings:
    """The shop's settings of alerts."""
    return _settings(session.get_one(AlertSettings, 1, populate_existing=True))


def change_settings(
    session: Session,
    actor: Actor,
    *,
    channels: Channels,
    now: datetime,
    alert_threshold_days: int | None = None,
    low_stock_enabled: bool | None = None,
    predicted_depletion_enabled: bool | None = None,
    anomaly_enabled: bool | None = None,
    notify_emails: Sequence[str] | None = None,
    notify_webhook: str | EllipsisType | None = ...,
    notify_severity: str | None = None,
) -> Settings:
    """Change what is given. The next watches raise and resolve by it, within six hours.

    `notify_webhook` None (or blank) and `notify_emails` empty tell nobody; the webhook as it is shown keeps
    the one there is. Who is the first to be told in a way, or hears of weaker alerts from now on, is told of
    what is raised or gets worse from now on.

    Refuses a number of days outside 1 to 120, an unknown severity, more than 20 addresses or one that is
    none, and a webhook that is no https address or whose host the operator did not allow.
    """
    auth.must(actor, "manage alerts")
    if alert_threshold_days is not None and not 1 <= alert_threshold_days <= MOST_ALERT_DAYS:
        raise BadInput(
            f"Alert days: {inputs.shown(alert_threshold_days)} is not between 1 and {MOST_ALERT_DAYS}."
        )
    if notify_severity is not None and notify_severity not in SEVERITIES:
        said = inputs.shown(notify_severity)
        raise BadInput(f"'{said}' is not a severity of alerts; they are {', '.join(SEVERITIES)}.")
    given = {
        "alert_threshold_days": alert_threshold_days,
        "low_stock_enabled": low_stock_enabled,
        "predicted_depletion_enabled": predicted_depletion_enabled,
        "anomaly_enabled": anomaly_enabled,
        "notify_emails": None if notify_emails is None else _emails(notify_emails),
        "notify_severity": notify_severity,
    }
    row = session.get_one(AlertSettings, 1, with_for_update=True, populate_existing=True)
    changes = {
        name: value for name, value in given.items() if value is not None and value != getattr(row, name)
    }
    if notify_webhook is not ... and not _is_kept(row.notify_webhook, notify_webhook):
        changes["notify_webhook"] = _webhook(channels, notify_webhook)
    if changes:
        _change(session, actor, row, changes, now)
    return _settings(row)


def _change(
    session: Session, actor: Actor, row: AlertSettings, changes: dict[str, Any], now: datetime
) -> None:
    before = {name: getattr(row, name) for name in changes}
    were_told, tells_more = bool(row.notify_emails or row.notify_webhook), _tells_more(before, changes)
    if tells_more and were_told:
        alert_messages.queue(session, now)  # they are owed what was raised until now
    for name, value in changes.items():
        setattr(row, name, value)
    if not were_told:
        row.notify_since = now
    elif tells_more:
        alert_messages.pass_over(session, now)
    audit.note(
        session, actor.id, "changed", "alert settings", "shop", before=_noted(before), after=_noted(changes)
    )
    session.flush()


def _tells_more(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether alerts that exist would be told that so far were not. Who is added beside others hears of new
    ones anyway: an alert is told once by mail, and once to a webhook."""
    for name in ("notify_emails", "notify_webhook"):
        if after.get(name) and not before[name]:
            return True
    weaker = "notify_severity" in after
    return weaker and SEVERITIES.index(after["notify_severity"]) < SEVERITIES.index(before["notify_severity"])


def _is_kept(url: str | None, given: str | None) -> bool:
    """Whether a form or a program gave back the webhook that it was shown."""
    said = (given or "").strip() or None
    return said == url or (url is not None and said == alert_channels.shown(url))


def _webhook(channels: Channels, given: str | None) -> str | None:
    url = (given or "").strip() or None
    if url is not None:
        alert_channels.webhook(channels, url)
    return url


def _noted(values: dict[str, Any]) -> dict[str, Any]:
    """Without the path of a webhook, which is as good as a password; its mark differs from path to path, so
    that a change at the same host is a change in the audit."""
    url = values.get("notify_webhook")
    if url is None:
        return values
    mark = hashlib.sha256(url.encode()).hexdigest()[:MARK_CHARACTERS]
    return values | {"notify_webhook": f"{alert_channels.shown(url)} ({mark})"}


def _emails(given: Sequence[str]) -> list[str]:
    """The addresses, each once whatever its letters; blank ones are left out."""
    found = {said.lower(): said for said in (order_mail.address(one) for one in given if one.strip())}
    if len(found) > MOST_EMAILS:
        raise BadInput(f"E-mail: {len(found)} addresses are too many; at most {MOST_EMAILS} are told.")
    return list(found.values())


def _settings(row: AlertSettings) -> Settings:
    values = {name: getattr(row, name) for name in Settings.__dataclass_fields__}
    return Settings(**values | {"notify_emails": tuple(row.notify_emails)})
