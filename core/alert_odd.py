"""When odd movements and a broken ledger need an alert, and what it says: arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.alert_rules import ANOMALY, Finding

# What errors probably cost, in the shop's currency: chance times money at risk, summed over the movements.
# Below a hundred the look costs about as much as the error.
CRITICAL_LOSS, WARNING_LOSS = Decimal(1000), Decimal(100)
NOT_RAISED = "Odd movements raise no alerts now"


@dataclass(frozen=True)
class Odd:
    """What is odd about one product, or (`product_id` None, in the ledger only) about none in particular.

    `number` of open findings or faults; `message` of the gravest, `news_at` of the newest. `chance` that the
    likeliest finding is an error, None of faults; `expected_loss` what the findings probably cost.
    """

    type: str
    product_id: int | None
    sku: str | None
    number: int
    message: str
    news_at: datetime
    chance: float | None = None
    money_at_risk: Decimal = Decimal(0)
    expected_loss: Decimal = Decimal(0)


def finding(odd: Odd) -> Finding:
    """What an alert says of it: odd movements by what they probably cost, a broken ledger always critical."""
    said = _said(odd)
    if odd.number > 1:
        said += f"; and {odd.number - 1} more"
    figures: dict[str, Any] = {"number": odd.number, "news_at": odd.news_at.isoformat()}
    severity = _severity(odd.expected_loss) if odd.type == ANOMALY else "critical"
    return Finding(severity, said, figures, odd.chance, odd.money_at_risk, odd.news_at)


def why_not(kind: str, *, is_raised: bool) -> str:
    """In words, for a product with nothing odd (any more); `is_raised`: such alerts are switched on."""
    if kind != ANOMALY:
        return "The ledger was checked and is whole again"
    return "Every odd movement is decided" if is_raised else NOT_RAISED


def odd_of(row: Mapping[str, Any]) -> Odd:
    """From a row of `alert_odd.sql`."""
    return Odd(**{name: row[name] for name in Odd.__dataclass_fields__})


def _severity(expected_loss: Decimal) -> str:
    if expected_loss >= CRITICAL_LOSS:
        return "critical"
    return "warning" if expected_loss >= WARNING_LOSS else "info"


def _said(odd: Odd) -> str:
    """The sentence with its product in front, and without the stop that a card adds."""
    words = odd.message.removesuffix(".")
    has_it = odd.sku is None or words.startswith((f"{odd.sku}: ", f"{odd.sku} in "))
    return words if has_it else f"{odd.sku}: {words}"
