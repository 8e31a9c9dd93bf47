"""Before something is booked: whether it is probably not what was meant, and what probably was."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.anomaly import ranking
from core.auth import Actor
from core.doctor import cases, doctor_settings, finding_raising, ledger_lines, sentences
from core.doctor.cases import Case
from core.doctor.ledger_lines import Typed
from core.doctor.model_store import Loaded
from core.posting import plain

MOST_LINES = 50
"""So many lines of a form are looked at; more are a file, which is looked at when it is booked."""
log = logging.getLogger("runout.anomalies")


@dataclass(frozen=True)
class Warning:
    """What somebody is asked before they book a line.

    `suggestion` is what the `field` should be, as text: an unsigned quantity, a price, a SKU or a warehouse's
    code; `suggested_id` the inner id of that product or warehouse. None: nothing is known that would be
    usual.
    """

    chance: float
    kind: str
    field: str
    sentence: str
    suggestion: str | None
    suggested_id: int | None


def odd(
    session: Session, loaded: Loaded | None, actor: Actor, lines: Sequence[Typed], now: datetime
) -> list[Warning | None]:
    """For each line the warning that it deserves, or None.

    Never in the way: without a model, where warnings are switched off, or when anything goes wrong, nobody is
    warned. In a session of its own (`reading()`), before the booking.
    """
    silent: list[Warning | None] = [None] * len(lines)
    if loaded is None or not lines or len(lines) > MOST_LINES:
        return silent
    try:
        with session.begin_nested():
            settings = doctor_settings.settings(session)
            return (
                _looked(session, loaded, actor, lines, settings.warn_chance, now)
                if settings.warns
                else silent
            )
    except Exception:
        log.exception("Nobody was warned of %s lines", len(lines))
        return silent


def _looked(
    session: Session, loaded: Loaded, actor: Actor, lines: Sequence[Typed], least: float, now: datetime
) -> list[Warning | None]:
    mine = [replace(line, person_id=actor.id) if line.person_id is None else line for line in lines]
    sheet = ledger_lines.typed(session, mine, now)
    scores = loaded.detector.score(sheet.lines, sheet.targets, sheet.shelf)
    told = [
        cases.of_line(sheet, scores, n, line.change, line.unit_price, now.date())
        for n, line in enumerate(mine)
    ]
    worth_asking = {
        line.product_id
        for line, case in zip(mine, told, strict=True)
        if line.product_id is not None and case.chance >= finding_raising.LOOKED_AT_FROM
    }
    shifts = finding_raising.shifts(session, worth_asking, now.date())
    warnings: list[Warning | None] = []
    for line, case in zip(mine, told, strict=True):
        chance = ranking.shifted(case.chance, shifts(line.product_id, case.kind))
        warnings.append(_warning(case, chance) if chance >= least else None)
    return warnings


def _warning(case: Case, chance: float) -> Warning:
    repair = case.repair
    value: Decimal | None = None
    if repair.field == "price":
        value = repair.unit_price
    elif repair.change is not None:
        value = abs(repair.change)
    suggestion = plain(value) if value is not None else case.other
    return Warning(
        chance, case.kind, repair.field, sentences.warning(case), suggestion,
        repair.product_id if repair.product_id is not None else repair.warehouse_id,
    )  # fmt: skip
