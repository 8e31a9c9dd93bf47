"""Which alerts the shop raises."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import BadInput
from db.models import AlertSettings

MOST_ALERT_DAYS = 120  # how far the forecast looks ahead


@dataclass(frozen=True)
class Settings:
    """Which alerts are raised; predicted depletion when the run-out is at most so many days away.

    `anomaly_enabled`: movements that are probably errors. A broken ledger always raises one.
    """

    alert_threshold_days: int
    low_stock_enabled: bool
    predicted_depletion_enabled: bool
    anomaly_enabled: bool


def settings(session: Session) -> Settings:
    """The shop's settings of alerts."""
    return _settings(session.get_one(AlertSettings, 1, populate_existing=True))


def change_settings(
    session: Session,
    actor: Actor,
    *,
    alert_threshold_days: int | None = None,
    low_stock_enabled: bool | None = None,
    predicted_depletion_enabled: bool | None = None,
    anomaly_enabled: bool | None = None,
) -> Settings:
    """Change what is given. The next watches raise and resolve by it, within six hours.

    Refuses a number of days outside 1 to 120.
    """
    auth.must(actor, "manage alerts")
    given = {
        "alert_threshold_days": alert_threshold_days,
        "low_stock_enabled": low_stock_enabled,
        "predicted_depletion_enabled": predicted_depletion_enabled,
        "anomaly_enabled": anomaly_enabled,
    }
    if alert_threshold_days is not None and not 1 <= alert_threshold_days <= MOST_ALERT_DAYS:
        raise BadInput(
            f"Alert days: {inputs.shown(alert_threshold_days)} is not between 1 and {MOST_ALERT_DAYS}."
        )
    row = session.get_one(AlertSettings, 1, with_for_update=True, populate_existing=True)
    changes = {
        name: value for name, value in given.items() if value is not None and value != getattr(row, name)
    }
    if changes:
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        audit.note(session, actor.id, "changed", "alert settings", "shop", before=before, after=changes)
        session.flush()
    return _settings(row)


def _settings(row: AlertSettings) -> Settings:
    return Settings(**{name: getattr(row, name) for name in Settings.__dataclass_fields__})
