"""What clients were told against what the ledger holds: every difference is a violation with a name."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from db import queries
from tests.chaos.client import Journal
from tests.chaos.ground import Ground


@dataclass(frozen=True)
class Told:
    """All journals together: what was tried, and what clients heard."""

    tried: dict[str, dict]
    acknowledged: dict[str, dict]
    refused: dict[str, dict]
    acknowledgements: int
    trouble: Counter

    @classmethod
    def read(cls, folder: Path) -> "Told":
        told = cls({}, {}, {}, 0, Counter())
        count = 0
        for path in sorted(folder.glob("*.jsonl")):
            for event in Journal.read(path):
                match event["event"]:
                    case "try":
                        told.tried[event["key"]] = event["intent"]
                    case "acknowledged":
                        count += 1
                        told.acknowledged[event["key"]] = event
                    case "refused":
                        told.refused[event["key"]] = event
                    case "trouble":
                        told.trouble[event["code"]] += 1
        return cls(told.tried, told.acknowledged, told.refused, count, told.trouble)


def violations(ground: Ground, told: Told, first_movement_id: int) -> dict[str, int]:
    """How often each rule is broken, 0 for each on a sound ledger.

    lost: acknowledged, but not in the ledger as it was told. doubled: an intent booked more than once.
    refused_but_booked: the refusal left a trace. phantoms: booked although nobody ever tried it. The others
    are rules of the ledger alone (`db/queries/ledger_faults.sql`). Movements up to `first_movement_id` made
    the opening stock.
    """
    with ground.admin() as connection:
        ledger = dict(connection.execute(queries.sql("ledger_faults")).mappings().one())
        rows = connection.execute(
            sa.text("SELECT reason, posting_id, id, change, stock_after FROM movement"
                    " WHERE id > :first ORDER BY id"),
            {"first": first_movement_id},
        ).all()  # fmt: skip
    booked: dict[str, dict[int, dict[int, tuple]]] = {}
    for intent, posting_id, movement_id, change, after in rows:
        booked.setdefault(intent, {}).setdefault(posting_id, {})[movement_id] = (change, after)
    return {
        "lost": sum(not _as_told(event, booked.get(key, {})) for key, event in told.acknowledged.items()),
        "doubled": sum(len(postings) > 1 for postings in booked.values()),
        "refused_but_booked": sum(key in booked for key in told.refused),
        "answered_twice_differently": len(told.acknowledged.keys() & told.refused.keys()),
        "phantoms": sum(intent not in told.tried for intent in booked),
        "not_as_intended": sum(not _as_intended(told.tried.get(key), booked.get(key, {})) for key in booked),
        **ledger,
    }


def unheard(ground: Ground, told: Told, first_movement_id: int) -> int:
    """Intents that are in the ledger although no client could record the answer: allowed, and interesting."""
    with ground.admin() as connection:
        booked = connection.scalars(
            sa.text("SELECT DISTINCT reason FROM movement WHERE id > :first"), {"first": first_movement_id}
        )
        return sum(key not in told.acknowledged for key in booked)


def _as_told(event: dict, postings: dict[int, dict[int, tuple]]) -> bool:
    """None where the answer did not say: which posting it was, or the stock after."""
    posting_id = event["posting_id"]
    lines = next(iter(postings.values()), {}) if posting_id is None else postings.get(posting_id, {})
    told = {movement_id: (change, after) for movement_id, change, after in event["lines"]}
    return lines.keys() == told.keys() and all(
        Decimal(told[i][0]) == change and (told[i][1] is None or Decimal(told[i][1]) == after)
        for i, (change, after) in lines.items()
    )


def _as_intended(intent: dict | None, postings: Iterable) -> bool:
    if intent is None or intent["verb"] in ("reverse", "count"):
        return True
    wanted = {
        "transfer": {f"-{intent['quantity']}", intent["quantity"]},
        "add": {intent["quantity"]},
        "return": {intent["quantity"]},
        "remove": {f"-{intent['quantity']}"},
    }[intent["verb"]]
    return all(
        {f"{change.normalize():f}" for change, _ in lines.values()} == wanted
        for lines in postings.values()  # type: ignore[attr-defined]
    )


def line(report: dict) -> str:
    """The report as one line of JSON."""
    return json.dumps(report, default=str)
