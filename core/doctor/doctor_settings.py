"""How many odd movements people want to see a day, and when a view warns before it books."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core import audit, auth, inputs
from core.auth import Actor
from core.errors import BadInput
from db.models import AnomalySettings

MOST_A_DAY = 200


@dataclass(frozen=True)
class Settings:
    """`findings_a_day` is the whole budget, `money_a_day` of them are kept for money at stake; a view warns
    (`warns`) before a booking whose chance of being an error is at least `warn_chance`."""

    findings_a_day: int
    money_a_day: int
    warns: bool
    warn_chance: float


def settings(session: Session) -> Settings:
    """The shop's settings."""
    return _settings(session.get_one(AnomalySettings, 1, populate_existing=True))


def change_settings(
    session: Session,
    actor: Actor,
    *,
    findings_a_day: int | None = None,
    money_a_day: int | None = None,
    warns: bool | None = None,
    warn_chance: float | None = None,
) -> Settings:
    """Change what is given; it holds for what is looked at from now on.

    Refuses a budget outside 0 to 200, more for money than the whole of it, and a chance outside 0 to 1.
    """
    auth.must(actor, "manage alerts")
    given = {
        "findings_a_day": findings_a_day,
        "money_a_day": money_a_day,
        "warns": warns,
        "warn_chance": warn_chance,
    }
    row = session.get_one(AnomalySettings, 1, with_for_update=True, populate_existing=True)
    changes = {
        name: value for name, value in given.items() if value is not None and value != getattr(row, name)
    }
    _check({name: getattr(row, name) for name in given} | changes)
    if changes:
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
        audit.note(session, actor.id, "changed", "anomaly settings", "shop", before=before, after=changes)
        session.flush()
    return _settings(row)


def _check(values: dict[str, Any]) -> None:
    if not 0 <= values["findings_a_day"] <= MOST_A_DAY:
        raise BadInput(
            f"Findings a day: {inputs.shown(values['findings_a_day'])} is not between 0 and {MOST_A_DAY}."
        )
    if not 0 <= values["money_a_day"] <= values["findings_a_day"]:
        raise BadInput(
            f"For money at stake: {inputs.shown(values['money_a_day'])} is not between 0 and the "
            f"{values['findings_a_day']} findings a day."
        )
    if not 0 < values["warn_chance"] <= 1:
        raise BadInput(
            f"Warn from: {inputs.shown(values['warn_chance'])} is not a chance above 0 and up to 1."
        )


def _settings(row: AnomalySettings) -> Settings:
    return Settings(row.findings_a_day, row.money_a_day, row.warns, row.warn_chance)
