"""What the shop is advised to buy, what buyers made of it, and what came of that."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, quantity, small_id, uid

# -- How the shop buys ---------------------------------------------------------------------------------------

BUYING_GOALS = ("service", "budget", "cost")


class BuyingSettings(Base):
    """The one row that says what buying is to achieve, and what things cost.

    `goal`: `service` (`service_percent` of order lines are served), `budget` (at most `budget` of money bound
    in stock on average), or `cost` (a missing piece costs `shortage_percent` of its selling price, else its
    margin; a bound unit of money costs `holding_percent` a year). `review_days`: every how many days is
    ordered; 1 means continuously. Moving stock between warehouses costs `transfer_cost` a line and takes
    `transfer_days`. Nothing is bought for more than `most_cover_days` to reach a limit.
    """

    __tablename__ = "buying_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("goal IN ('service', 'budget', 'cost')", name="goal"),
        CheckConstraint("goal <> 'budget' OR budget IS NOT NULL", name="budget_named"),
        CheckConstraint("budget > 0", name="budget"),
        CheckConstraint("service_percent BETWEEN 50 AND 99.9", name="service_percent"),
        CheckConstraint("review_days BETWEEN 1 AND 60", name="review_days"),
        CheckConstraint("holding_percent BETWEEN 0 AND 200", name="holding_percent"),
        CheckConstraint("shortage_percent BETWEEN 0 AND 1000", name="shortage_percent"),
        CheckConstraint("transfer_cost >= 0", name="transfer_cost"),
        CheckConstraint("transfer_days BETWEEN 0 AND 60", name="transfer_days"),
        CheckConstraint("most_cover_days BETWEEN 1 AND 730", name="most_cover_days"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    goal: Mapped[str] = mapped_column(server_default=text("'service'"))
    service_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default=text("95"))
    budget: Mapped[Decimal | None] = mapped_column(Numeric(28, 4))
    review_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("7"))
    holding_percent: Mapped[Decimal] = mapped_column(Numeric(6, 2), server_default=text("20"))
    shortage_percent: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    transfer_cost: Mapped[Decimal] = mapped_column(Numeric(14, 4), server_default=text("0"))
    transfer_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    most_cover_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("120"))
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[moment_now]


class ServiceRule(Base):
    """A product or a category of which at least `service_percent` of order lines are to be served."""

    __tablename__ = "service_rule"
    __table_args__ = (
        CheckConstraint("(product_id IS NULL) <> (category IS NULL)", name="about"),
        CheckConstraint("service_percent BETWEEN 50 AND 99.9", name="service_percent"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), unique=True)
    category: Mapped[str | None] = mapped_column(unique=True)
    service_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    set_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[moment_now]


# -- Advice --------------------------------------------------------------------------------------------------

ADVICE_ACTIONS = ("order", "transfer", "none")


class AdviceRun(Base):
    """One computation of what to order, for the whole shop. The current one is shown; the one before stays
    for pages that still show it, and the last one of an earlier day explains what changed.

    `goal`: the settings it followed. `curve`: what other goals would cost, [{service, stock, lost, ...}].
    `totals`: lines, value, predicted service and stock. `calibration`: how the promise was corrected by what
    happened.
    """

    __tablename__ = "advice_run"
    __table_args__ = (
        Index("uq_advice_run_current", "is_current", unique=True, postgresql_where=text("is_current")),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    is_current: Mapped[bool] = mapped_column(server_default=text("false"))
    as_of: Mapped[date]
    made_at: Mapped[moment_now]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    goal: Mapped[dict[str, Any]] = mapped_column(JSONB)
    curve: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    totals: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    calibration: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Advice(Base):
    """What a run says about one product in one warehouse: how much, from whom, by when, and why.

    Money is in the shop's currency. `level`: order up to it. `quantity`: what to order or to move now (0 with
    the action `none`). `needed_on`: the day from which something is to be ordered (today when it is now;
    null: not within the horizon), `next_quantity` how much it would be then. `chance`: to run out before it
    could arrive; `lost_money`: sales lost until then. `terms`: the receipt, [[name, amount, words], ...],
    whose amounts add up to `quantity` exactly. `vendors`: the comparison, best first. `one_off`: bulk orders
    that the quantity does not prepare for.
    """

    __tablename__ = "advice"
    __table_args__ = (
        CheckConstraint("action IN ('order', 'transfer', 'none')", name="action"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("(action = 'none') = (quantity = 0)", name="nothing"),
        CheckConstraint("(action = 'transfer') = (from_warehouse_id IS NOT NULL)", name="from_warehouse_id"),
        Index("uq_advice_line", "run_id", "product_id", "warehouse_id", unique=True),
        Index("ix_advice_product_id", "product_id"),
        Index("ix_advice_needed", "run_id", "needed_on"),
        Index("ix_advice_vendor_id", "vendor_id"),
        Index("ix_advice_offer_id", "offer_id"),
    )

    id: Mapped[big_id]
    uid: Mapped[uid]
    run_id: Mapped[int] = mapped_column(ForeignKey("advice_run.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    action: Mapped[str]
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"))
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("vendor_offer.id"))
    from_warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    quantity: Mapped[quantity]
    unit_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    value: Mapped[Decimal] = mapped_column(Numeric(28, 4), server_default=text("0"))
    level: Mapped[quantity]
    on_hand: Mapped[quantity]
    due: Mapped[quantity]
    needed_on: Mapped[date | None]
    next_quantity: Mapped[quantity]
    order_by_on: Mapped[date | None]
    arrives_on: Mapped[date | None]
    chance: Mapped[float | None]
    lost_money: Mapped[Decimal] = mapped_column(Numeric(28, 4), server_default=text("0"))
    daily_rate: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    service_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    reason: Mapped[str]
    terms: Mapped[list[Any]] = mapped_column(JSONB)
    vendors: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    one_off: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class AdviceChoice(Base):
    """What a buyer made of the advice on one product and warehouse, until it is ordered, reset, or
    overtaken by newer advice.

    `quantity` and `vendor_id` replace what is computed where they are set (`computed` is what stood there
    then). Snoozed until `snoozed_until`, or until the chance to run out is 15 points above `snoozed_chance`.
    """

    __tablename__ = "advice_choice"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "warehouse_id"),
        CheckConstraint("quantity >= 0", name="quantity"),
    )

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"), index=True)
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    computed: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    snoozed_until: Mapped[date | None]
    snoozed_chance: Mapped[float | None]
    chosen_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    chosen_at: Mapped[moment_now]


# -- The decision journal ------------------------------------------------------------------------------------

DECISION_KINDS = ("taken", "edited", "ignored", "own")


class Decision(Base):
    """What somebody made of the advice on one product, with the forecast of that moment, and what came of it.

    `kind`: taken (ordered as advised), edited (another quantity or vendor), ignored (nothing ordered although
    it was time), own (ordered without advice). The cover period is `covers_from`..`covers_until`: from when
    the order was to arrive until the one after it could. `forecast`: rate, p10/p50/p90 of the demand of that
    period, chance, on hand and due. `outcome`: demand, days without stock, units lost, left over, and what
    the advice would have given; null until the period is over.
    """

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("kind IN ('taken', 'edited', 'ignored', 'own')", name="kind"),
        CheckConstraint("(closed_on IS NULL) = (outcome IS NULL)", name="outcome"),
        Index("ix_decision_product_id", "product_id", "id"),
        Index("ix_decision_open", "covers_until", postgresql_where=text("closed_on IS NULL")),
        Index("uq_decision_ignored", "product_id", "warehouse_id", "decided_on", unique=True,
              postgresql_where=text("kind = 'ignored'")),
        Index("ix_decision_decided_on", "decided_on"),
    )  # fmt: skip

    id: Mapped[big_id]
    uid: Mapped[uid]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"), index=True)
    kind: Mapped[str]
    decided_on: Mapped[date]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[moment_now]
    order_line_id: Mapped[int | None] = mapped_column(ForeignKey("purchase_order_line.id"), index=True)
    advised: Mapped[quantity]
    chosen: Mapped[quantity]
    advised_vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    chosen_vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    unit_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    covers_from: Mapped[date]
    covers_until: Mapped[date]
    forecast: Mapped[dict[str, Any]] = mapped_column(JSONB)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    closed_on: Mapped[date | None]
