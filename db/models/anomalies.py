"""Odd movements: the models that look for them, what they said, what people did about it; broken rules."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, big_id, moment_now, small_id, uid

ERROR_KINDS = (
    "times_pack", "wrong_unit", "times_ten", "digit_doubled", "digits_swapped", "wrong_sign",
    "wrong_warehouse", "wrong_product", "booked_twice", "price_typo", "unknown",
)  # fmt: skip
"""What may have gone wrong. times_pack: booked too much by a pack factor, wrong_unit: too little by one;
times_ten: ten or a hundred times too much or too little; unknown: odd, and no repair explains it."""
FINDING_STATES = ("open", "accepted", "dismissed", "lapsed")
FINDING_LISTS = ("likely", "money")
DISMISSALS = ("real", "corrected_elsewhere", "not_worth_it", "other")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class AnomalyModel(Base):
    """One training of the model that looks for odd movements.

    `manifest` tells what is needed to trust its files: version of code and features, the data it learned
    from, what it measured of itself, and the SHA-256 of each file. `learned_to` is the last movement it knew.
    The newest published one scores; older ones are kept for a while, without their files.
    """

    __tablename__ = "anomaly_model"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'published', 'failed', 'abandoned')", name="state"),
    )

    id: Mapped[small_id]
    uid: Mapped[uid]
    state: Mapped[str]
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    learned_to: Mapped[int | None] = mapped_column(BigInteger)
    problem: Mapped[str | None]
    started_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[moment_now]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AnomalyFile(Base):
    """One file of a model; whoever loads it holds the bytes against `sha256` first."""

    __tablename__ = "anomaly_file"
    __table_args__ = (PrimaryKeyConstraint("model_id", "name"),)

    model_id: Mapped[int] = mapped_column(ForeignKey("anomaly_model.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class MovementScore(Base):
    """What the model said of one movement: the chance that it is an error, and its place on the map.

    `kind` is the likeliest error; `x` and `y` are places on the map of the model `model_id`.
    """

    __tablename__ = "movement_score"
    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint(_one_of("kind", ERROR_KINDS), name="kind"),
        Index("ix_movement_score_odd", "movement_id", postgresql_where=text("is_anomaly")),
    )

    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), primary_key=True, autoincrement=False)
    model_id: Mapped[int] = mapped_column(ForeignKey("anomaly_model.id"))
    score: Mapped[float]
    kind: Mapped[str]
    is_anomaly: Mapped[bool]
    cluster_id: Mapped[int] = mapped_column(SmallInteger)
    x: Mapped[float]
    y: Mapped[float]


class Finding(Base):
    """A movement that somebody should look at, with the repair that would put it right.

    `listed`: "likely" (a likely error) or "money" (much money at stake); `found_on` the business day whose
    budget it took. `field` is what the repair changes ("quantity", "price", "product", "warehouse", "sign",
    "whole" for a movement that should not be there, "none" when no repair is known) and `repair` the new
    values as text: quantity (signed), unit_price, product_id, warehouse_id, as far as they change.
    `money_at_risk`: what the difference is worth. `evidence`: the figures of the sentence.
    An accepted one has the posting that repaired it; undone, it is open again. Lapsed: the movement was
    reversed or corrected elsewhere.
    """

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(_one_of("kind", ERROR_KINDS), name="kind"),
        CheckConstraint(_one_of("state", FINDING_STATES), name="state"),
        CheckConstraint(_one_of("listed", FINDING_LISTS), name="listed"),
        CheckConstraint(_one_of("dismissed_as", DISMISSALS), name="dismissed_as"),
        CheckConstraint(
            "field IN ('quantity', 'price', 'product', 'warehouse', 'sign', 'whole', 'none')", name="field"
        ),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("(state = 'dismissed') = (dismissed_as IS NOT NULL)", name="dismissed"),
        CheckConstraint("(state = 'accepted') = (posting_id IS NOT NULL)", name="accepted"),
        Index("ix_finding_open_money", "money_at_risk", postgresql_where=text("state = 'open'")),
        Index("ix_finding_found_on", "found_on", "id"),
        Index("ix_finding_product_id_kind", "product_id", "kind"),
        Index("ix_finding_warehouse_id", "warehouse_id"),
        Index("ix_finding_decided_at", "decided_at"),
    )

    id: Mapped[big_id]
    uid: Mapped[uid]
    movement_id: Mapped[int] = mapped_column(ForeignKey("movement.id"), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    model_id: Mapped[int] = mapped_column(ForeignKey("anomaly_model.id"))
    found_on: Mapped[date]
    listed: Mapped[str]
    kind: Mapped[str]
    field: Mapped[str]
    repair: Mapped[dict[str, str]] = mapped_column(JSONB)
    score: Mapped[float]
    money_at_risk: Mapped[Decimal] = mapped_column(Numeric(28, 4))
    message: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    raised_at: Mapped[moment_now]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    dismissed_as: Mapped[str | None]
    note: Mapped[str | None]
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"))


class AnomalySettings(Base):
    """The one row that says how many findings a day people want to see, and when a view warns.

    `findings_a_day` is the whole budget, `money_a_day` of them are kept for money at stake; a view warns
    before a booking whose chance of being an error is at least `warn_chance`. `scored_to` is the last
    movement that the hourly job has looked at.
    """

    __tablename__ = "anomaly_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("findings_a_day BETWEEN 0 AND 200", name="findings_a_day"),
        CheckConstraint("money_a_day BETWEEN 0 AND findings_a_day", name="money_a_day"),
        CheckConstraint("warn_chance > 0 AND warn_chance <= 1", name="warn_chance"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    findings_a_day: Mapped[int] = mapped_column(SmallInteger, server_default=text("10"))
    money_a_day: Mapped[int] = mapped_column(SmallInteger, server_default=text("3"))
    warns: Mapped[bool] = mapped_column(server_default=text("true"))
    # Most lines are right: one in ten is worth the question, and "surely wrong" would hardly ever come.
    warn_chance: Mapped[float] = mapped_column(server_default=text("0.1"))
    scored_to: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class LedgerFault(Base):
    """A rule of the ledger that was found broken, and where; open until a night finds it whole again."""

    __tablename__ = "ledger_fault"
    __table_args__ = (
        Index("uq_ledger_fault_open", "rule", "product_id", "warehouse_id", "movement_id", "posting_id",
              unique=True, postgresql_where=text("gone_at IS NULL"), postgresql_nulls_not_distinct=True),
        Index("ix_ledger_fault_product_id", "product_id"),
    )  # fmt: skip

    id: Mapped[big_id]
    uid: Mapped[uid]
    rule: Mapped[str]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    # Without foreign keys: what is missing may be the very thing that is wrong.
    movement_id: Mapped[int | None] = mapped_column(BigInteger)
    posting_id: Mapped[int | None] = mapped_column(BigInteger)
    message: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    first_seen_at: Mapped[moment_now]
    last_seen_at: Mapped[moment_now]
    gone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
