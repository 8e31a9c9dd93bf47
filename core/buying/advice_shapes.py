"""What is shown of the advice, as plain values: the run, vendors, lines, receipts, the curve of the shop."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Head:
    """The advice that is shown: made when, for which goal, and whether the shop moved on since.

    `goal` are the settings it followed (`buying_settings.Settings` as JSON). `totals`: lines, value, orders,
    transfers, service_percent (predicted share of order lines served), stock (money bound on average),
    lost_lines a year, lost_money (sales lost if nothing is ordered), products, without_forecast,
    without_offer, seconds. `is_stale`: stock, offers, settings or forecasts changed since; `stale_because`
    says which in words. `is_underway`: new advice is being worked out. `next_on`: the first day after today
    on which something more is to be ordered, with `next_lines` lines. `calibration`: what was promised and
    what happened so far (target, ask, promised, happened, lines, weight, record); no lines: no record yet.
    """

    uid: uuid.UUID
    as_of: date
    made_at: datetime
    made_by: str | None
    goal: dict[str, Any]
    totals: dict[str, Any]
    calibration: dict[str, Any] | None
    is_stale: bool
    stale_because: str | None
    is_underway: bool
    next_on: date | None
    next_lines: int


@dataclass(frozen=True)
class Vendor:
    """What is to be ordered of one vendor within the horizon; `uid` and `name` are None for the lines nobody
    offers. Transfers are not among it.

    Money is in the shop's currency. `lines` are those that would be ordered (not snoozed, not in a draft);
    `snoozed` and `in_draft` (or ordered since) are left out of it, and a vendor may have only those.
    `problems`: lines whose product is out, late or due to be ordered; `lost_money`: sales that not ordering
    would lose. `to_minimum` and `to_free_freight`: how much more money reaches the vendor's limit, 0 when it
    is reached, None when there is none. `send_on`: the next day on which the vendor takes orders;
    `shutdown`: the next one within 60 days.
    """

    uid: uuid.UUID | None
    name: str | None
    currency: str | None
    lines: int
    value: Decimal
    problems: int
    lost_money: Decimal
    snoozed: int
    in_draft: int
    order_by_on: date | None
    send_on: date | None
    order_minimum: Decimal | None
    to_minimum: Decimal | None
    free_freight_from: Decimal | None
    to_free_freight: Decimal | None
    freight: Decimal | None
    order_cost: Decimal | None
    shutdown: tuple[date, date] | None = None


@dataclass(frozen=True)
class Line:
    """The advice on one product in one warehouse, with what a buyer made of it.

    `uid` is the advice's (it changes with each run); product and warehouse stay. `quantity` and the vendor
    are what would be ordered now: the buyer's where `is_edited`, else computed; within a horizon, where
    `needed_on` lies ahead, it is `next_quantity`. `computed_quantity` and `computed_vendor` are what the run
    says. `is_due`: to be ordered today. `state`: "open", "snoozed", "in draft" or "ordered" (sent since the
    advice was made); `order_number` and `order_uid` name the order of the last two, `order_quantity` is what
    it asks for. `has_moved`: stock, or
    what is on its way, changed since. Money is in the shop's currency; `unit_cost` is at the quantity shown.
    `minimum` and `multiple` are the vendor's. `status`, `p10_on`, `p90_on` are those of the run-out; a
    transfer is judged by when it arrives itself: its status is "out", "late" or None.
    """

    uid: uuid.UUID
    product_id: int
    product_uid: uuid.UUID
    sku: str
    name: str
    unit: str
    category: str | None
    warehouse_id: int
    warehouse_uid: uuid.UUID
    warehouse: str
    action: str
    quantity: Decimal
    computed_quantity: Decimal
    vendor_uid: uuid.UUID | None
    vendor: str | None
    computed_vendor_uid: uuid.UUID | None
    computed_vendor: str | None
    from_warehouse: str | None
    unit_cost: Decimal | None
    value: Decimal
    level: Decimal
    on_hand: Decimal
    due: Decimal
    needed_on: date | None
    next_quantity: Decimal
    order_by_on: date | None
    arrives_on: date | None
    chance: float | None
    lost_money: Decimal
    daily_rate: Decimal | None
    service_percent: Decimal | None
    reason: str
    one_off: dict[str, Any] | None
    is_due: bool
    is_edited: bool
    edited_by: str | None
    edited_at: datetime | None
    state: str
    snoozed_until: date | None
    snoozed_chance: float | None
    order_number: str | None
    order_uid: uuid.UUID | None
    order_quantity: Decimal | None
    has_moved: bool
    minimum: Decimal | None
    multiple: Decimal | None
    status: str | None
    p10_on: date | None
    p90_on: date | None


@dataclass(frozen=True)
class Page:
    """Lines, and how many there are in all."""

    rows: list[Line]
    total: int


@dataclass(frozen=True)
class Term:
    """One line of a receipt: the amounts add up to the quantity exactly."""

    name: str
    amount: Decimal
    words: str


@dataclass(frozen=True)
class Change:
    """Why a quantity is another than in the run before: the amounts add up to the difference."""

    name: str
    amount: Decimal
    words: str


@dataclass(frozen=True)
class Detail:
    """A line with its receipt, the vendors compared (best first; see `reorder.comparison.stored`, with
    vendor_uid, name, minimum, multiple and is_expired), and why it changed.

    `terms` add up to `line.quantity` exactly, the buyer's edit among them. `changed` compares what is
    computed with the run before, made at `before_at`; `before_quantity` is None when the product was not in
    it.
    """

    line: Line
    terms: list[Term]
    vendors: list[dict[str, Any]]
    changed: list[Change]
    before_quantity: Decimal | None
    before_at: datetime | None


@dataclass(frozen=True)
class Point:
    """What another goal of the whole shop would mean: percent of order lines served, money bound in stock on
    average, order lines and sales lost a year; of `not_covered` products less than half of the order lines
    would be served."""

    service_percent: float
    stock: float
    lost_lines: float
    lost_money: float
    not_covered: int
