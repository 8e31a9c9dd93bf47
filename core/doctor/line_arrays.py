"""Rows of odd_earlier.sql and odd_lines.sql, and lines that somebody types, as arrays."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.anomaly.lines import FLOW_OF_REASON, FLOWS, NEVER, NOBODY, Lines

_COLUMNS = (
    "id", "product_id", "warehouse_id", "reason_code", "change", "unit_price", "at", "customer",
    "reference_type", "reference_id", "actor_id", "stock_before", "reversed_by",
)  # fmt: skip
_FLOWS = {reason: FLOWS.index(flow) for reason, flow in FLOW_OF_REASON.items()}
_STRANGERS_FROM = 2**31 - 1  # counting down: numbers of products and places that the shop does not have


@dataclass(frozen=True)
class Typed:
    """A movement that is not in the ledger: typed in a view, or sent for judging.

    A product or a place that the shop does not have is None; `product_key` and `place_key` say which of them
    are the same.
    """

    product_id: int | None
    warehouse_id: int | None
    change: Decimal
    reason_code: str
    unit_price: Decimal | None = None
    occurred_at: datetime | None = None
    customer: str | None = None
    reference_type: str | None = None
    reference_id: str | None = None
    person_id: int | None = None
    product_key: str = ""
    place_key: str = ""


def of_rows(rows: Sequence[Sequence[Any]]) -> Lines:
    """Rows of the two questions, in booking order; typed ones (with ids below zero) last.

    Plain tuples, not a frame: somebody who types a line waits for it, and a frame costs milliseconds.
    """
    told = dict(zip(_COLUMNS, zip(*rows, strict=True) if rows else [()] * len(_COLUMNS), strict=True))
    ids = np.array(told["id"], np.int64)
    reversed_by = np.array(told["reversed_by"], float)
    is_void = ~np.isnan(reversed_by)
    void_from = np.full(len(ids), NEVER, np.int64)
    void_from[is_void] = np.searchsorted(ids[ids > 0], reversed_by[is_void].astype(np.int64))
    documents = (
        None if reference is None else (kind or "", reference)
        for kind, reference in zip(told["reference_type"], told["reference_id"], strict=True)
    )
    return Lines(
        id=ids,
        product=np.array(told["product_id"], np.int32),
        place=np.array(told["warehouse_id"], np.int32),
        flow=np.array([_FLOWS[reason] for reason in told["reason_code"]], np.int8),
        change=np.array(told["change"], float),
        price=np.array(told["unit_price"], float),
        at=np.array(told["at"], float),
        customer=_customers(told["customer"]),
        document=_numbered(documents),
        person=np.array(told["actor_id"], np.int32),
        before=np.array(told["stock_before"], float),
        void_from=void_from,
    )


def of_typed(
    entries: Sequence[Typed],
    on_hand: Mapping[tuple[int, int], Decimal],
    zones: Mapping[int, str],
    zone: str,
    now: datetime,
) -> list[tuple]:
    """Typed lines as rows, one after the other; their ids are -1, -2 and so on.

    Args:
        on_hand: what lies where, by product and warehouse.
        zones: the time zones of the warehouses, `zone` that of any other place.
    """
    strangers: dict[tuple[str, str], int] = {}

    def number(given: int | None, what: str, key: str) -> int:
        if given is not None:
            return given
        return strangers.setdefault((what, key), _STRANGERS_FROM - len(strangers))

    level = {where: float(quantity) for where, quantity in on_hand.items()}
    rows = []
    for n, entry in enumerate(entries):
        product = number(entry.product_id, "product", entry.product_key)
        place = number(entry.warehouse_id, "place", entry.place_key)
        before = level.get((product, place), np.nan if entry.product_id is None else 0.0)
        level[product, place] = before + float(entry.change)
        clock = (entry.occurred_at or now).astimezone(ZoneInfo(zones.get(place, zone))).replace(tzinfo=UTC)
        rows.append((
            -1 - n, product, place, entry.reason_code, float(entry.change),
            np.nan if entry.unit_price is None else float(entry.unit_price), clock.timestamp(),
            entry.customer or None, entry.reference_type or None, entry.reference_id or None,
            NOBODY if entry.person_id is None else entry.person_id, before, None,
        ))  # fmt: skip
    return rows


def _customers(names: Sequence[str | None]) -> np.ndarray:
    """A number for each name that is the same in a training and in every later question: a hash of it."""
    known = sorted({name for name in names if name is not None})
    hashed = pd.util.hash_array(np.array(known, object), categorize=False) >> np.uint64(33) if known else []
    number_of = dict(zip(known, map(int, hashed), strict=True))
    return np.array([NOBODY if name is None else number_of[name] for name in names], np.int32)


def _numbered(values: Iterable[Hashable]) -> np.ndarray:
    """The same number for the same value, `NOBODY` for None."""
    numbers: dict[Hashable, int] = {}
    told = (NOBODY if value is None else numbers.setdefault(value, len(numbers)) for value in values)
    return np.fromiter(told, np.int32)
