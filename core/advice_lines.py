"""What buyers see of the advice: vendors with what is to be ordered of them, lines, and why each number."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

HORIZON_DAYS = 0
"""Only what is to be ordered today; a longer horizon adds what is to be ordered within so many days."""
SORTS = ("urgency", "value", "lost", "sku", "name", "vendor")
NO_VENDOR = "none"
"""In place of a vendor's uid: the lines that nobody offers."""


@dataclass(frozen=True)
class Head:
    """The advice that is shown: made when, for which goal, and whether the shop moved on since.

    `goal` are the settings it followed (`buying_settings.Settings` as JSON). `totals`: lines, value, orders,
    transfers, service_percent (predicted share of order lines served), stock (money bound on average),
    lost_lines and lost_money a cycle, products, without_forecast, without_offer, seconds. `is_stale`: stock,
    offers, settings or forecasts changed since; `stale_because` says which in words. `is_underway`: new
    advice is being worked out.
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


@dataclass(frozen=True)
class Vendor:
    """What is to be ordered of one vendor within the horizon; `uid` and `name` are None for the lines nobody
    offers. Transfers are not among it.

    Money is in the shop's currency. `lines` are those that would be ordered (not snoozed, not in a draft);
    `snoozed` and `in_draft` are left out of it. `problems`: lines whose product more likely runs out than
    the goal allows before the order after this one could arrive; `lost_money`: sales that not ordering would
    lose. `to_minimum` and `to_free_freight`: how much more money reaches the vendor's limit, 0 when it is
    reached, None when there is none. `send_on`: the next day on which the vendor takes orders.
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


@dataclass(frozen=True)
class Line:
    """The advice on one product in one warehouse, with what a buyer made of it.

    `uid` is the advice's (it changes with each run); product and warehouse stay. `quantity` and the vendor
    are what would be ordered now: the buyer's where `is_edited`, else computed; within a horizon, where
    `needed_on` lies ahead, it is `next_quantity`. `computed_quantity` and `computed_vendor` are what the run
    says. `is_due`: to be ordered today. `state`: "open", "snoozed", "in draft" or "ordered" (sent since the
    advice was made); `order_number` and `order_uid` name the order of the last two. `has_moved`: stock, or
    what is on its way, changed since. Money is in the shop's currency; `unit_cost` is at the quantity shown.
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
    has_moved: bool


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
    """A line with its receipt, the vendors compared (best first, as the run kept them), and why it changed.

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
    average, order lines and sales lost a year; `not_covered` products are likelier to run out within a cycle
    than not."""

    service_percent: float
    stock: float
    lost_lines: float
    lost_money: float
    not_covered: int


def head(session: Session, now: datetime) -> Head | None:
    """The advice that is shown; None before the first."""
    raise NotImplementedError


def vendors_summary(session: Session, today: date, horizon_days: int = HORIZON_DAYS) -> list[Vendor]:
    """Vendors of whom something is to be ordered within the horizon, the most lost money first; the lines
    that nobody offers last."""
    raise NotImplementedError


def lines(
    session: Session,
    today: date,
    *,
    vendor_uid: uuid.UUID | str | None = None,
    horizon_days: int = HORIZON_DAYS,
    include_snoozed: bool = False,
    action: str | None = None,
    search: str | None = None,
    sort: str = "urgency",
    limit: int = 100,
    offset: int = 0,
) -> Page:
    """Lines to be ordered or moved within the horizon.

    Args:
        vendor_uid: only this vendor's (as it would be ordered: an edited vendor counts), or NO_VENDOR.
        include_snoozed: also those that are snoozed, in a draft, or ordered since.
        action: "order" or "transfer"; None is both.
        search: words in SKU or name.
        sort: one of SORTS; "urgency" is by `order_by_on`, then the chance to run out.
    """
    raise NotImplementedError


def line(session: Session, advice_uid: uuid.UUID | str, today: date) -> Detail:
    """One line with its receipt. Refuses one that is unknown, or of advice that is not shown any more."""
    raise NotImplementedError


def of_product(session: Session, product_id: int, today: date) -> list[Detail]:
    """What is advised of one product, a row for each warehouse in which there is something to say."""
    raise NotImplementedError


def curve(session: Session) -> list[Point]:
    """What other goals of the whole shop would mean, the cheapest first; empty before the first advice."""
    raise NotImplementedError


def what_if_goal(
    session: Session, *, service_percent: Decimal | None = None, budget: Decimal | None = None
) -> Point | None:
    """The point of the curve for one goal, between the computed ones; None before the first advice."""
    raise NotImplementedError
