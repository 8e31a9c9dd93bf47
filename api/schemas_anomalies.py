"""Bodies and answers of scoring and of odd movements."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictStr, WithJsonSchema, model_validator

from api import schemas
from api.schemas import (
    Amount,
    Answer,
    Body,
    Day,
    Flag,
    Id,
    Moment,
    Number,
    OwnId,
    Share,
    example,
    line,
    whole,
)
from api.schemas_stock import ReferenceId, ReferenceType, TransactionType
from core import product_fields
from core.anomaly.lines import FIELDS, KINDS
from core.doctor import findings, score_requests
from core.doctor.finding_rows import Row

CUSTOMER_CHARACTERS = 200
CODE_CHARACTERS = 200  # of a SKU or warehouse that need not be one of the shop's
EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
MOST_ID = 2**63 - 1

Kind = Literal[KINDS]
State = Literal[findings.STATES]
Listed = Literal[findings.LISTS]
Dismissal = Literal[findings.DISMISSALS]
Code = line(CODE_CHARACTERS, 1)
TransactionId = whole(1, MOST_ID)


def _moment(value: Any) -> datetime:
    """A moment as ISO 8601 writes it, with its offset; a number would leave open what it counts."""
    if not isinstance(value, str):
        raise ValueError("must be a moment such as 2024-01-15T10:30:00Z")
    try:
        said = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a moment such as 2024-01-15T10:30:00Z") from None
    if said.tzinfo is None:
        raise ValueError("must say its offset, such as Z")
    if not EARLIEST_YEAR < said.year < LATEST_YEAR:
        raise ValueError(f"must be a year after {EARLIEST_YEAR} and before {LATEST_YEAR}")
    return said.astimezone(UTC)


def _any_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    return Decimal(value)


GivenMoment = Annotated[datetime, BeforeValidator(_moment)]
Unread = Annotated[Decimal, BeforeValidator(_any_number), WithJsonSchema({"type": "number"})]
"""A figure of the export that follows from the others: it may be there, and is not looked at."""


class Repair(Answer):
    """What would put it right: `from` and `to` are signed quantities, prices, SKUs or warehouse codes.

    `field` "whole": it should not be there at all (`to` is null); "sign": it went the other way.
    """

    field: Literal[FIELDS]
    old: StrictStr | Number | None = Field(serialization_alias="from")
    new: StrictStr | Number | None = Field(serialization_alias="to")


# -- Scoring -------------------------------------------------------------------------------------------------


class ScoreRow(Body):
    """A movement with the columns of the ML export. `quantity` is signed: plus in, minus out.

    With the id, product, warehouse and quantity of a movement of the ledger it is that movement. A product
    or warehouse that the shop does not have is judged by what is usual in the shop.
    `item_category`, `total_amount`, `recorded_at` and `created_at_ts` are not looked at.
    """

    transaction_id: TransactionId | None = None
    item_id: Id | None = None
    item_sku: Code | None = None
    item_category: line(product_fields.CATEGORY_CHARACTERS) | None = None
    warehouse_id: Id | None = None
    warehouse_code: Code | None = None
    transaction_type: TransactionType
    quantity: Number
    unit_price: Amount | None = None
    total_amount: Unread | None = None
    created_at: GivenMoment | None = Field(None, description="When it happened; left out: now.")
    recorded_at: GivenMoment | None = None
    created_at_ts: Unread | None = None
    reason_code: Literal[score_requests.REASONS] | None = None
    customer: line(CUSTOMER_CHARACTERS) | None = None
    reference_type: ReferenceType | None = None
    reference_id: ReferenceId | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.item_id is None and self.item_sku is None:
            raise ValueError("needs item_id or item_sku")
        if self.quantity == 0:
            raise ValueError("quantity must not be 0")
        return self

    def asked(self) -> score_requests.Row:
        """The row as core reads it."""
        unread = {"item_category", "total_amount", "recorded_at", "created_at_ts"}
        return score_requests.Row(**{name: said for name, said in self if name not in unread})


class ToScore(Body):
    """What is to be scored: ids of the ledger, or rows of your own; one of the two."""

    transaction_ids: (
        Annotated[list[TransactionId], Field(min_length=1, max_length=score_requests.MOST_ASKED)] | None
    ) = None
    transactions: (
        Annotated[list[ScoreRow], Field(min_length=1, max_length=score_requests.MOST_ASKED)] | None
    ) = None

    model_config = example(transaction_ids=[1041, 1042])

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.transaction_ids is None) == (self.transactions is None):
            raise ValueError("give either transaction_ids or transactions")
        return self


class Score(Answer):
    """How likely a movement is an error (0 to 1), and its cluster on the map of movements.

    All null: there is no model yet, or nothing to judge (opening stock, a reversal). `kind` is the likeliest
    error and `repair` what would put it right, both of an anomaly only.
    """

    transaction_id: int | None
    anomaly_score: Share | None
    cluster_id: int | None
    is_anomaly: Flag | None
    kind: Kind | None
    repair: Repair | None


class Scores(Answer):
    """Scores in the order asked. `fallback`: why the local model scored though an endpoint is configured."""

    results: list[Score]
    model_loaded: bool
    scored_by: Literal["local", "sagemaker"] | None
    fallback: str | None
    model_id: Id | None
    trained_at: Moment | None


# -- Odd movements -------------------------------------------------------------------------------------------


class Anomaly(Answer):
    """An odd movement that somebody should look at. `transaction_id` is the movement; `listed` "likely" (a
    likely error) or "money" (much money at stake); `money_at_risk` what the repair makes a difference of."""

    id: OwnId
    transaction_id: int = Field(validation_alias="movement_id")
    state: State
    listed: Listed
    kind: Kind
    anomaly_score: Share = Field(validation_alias="score")
    cluster_id: int | None
    message: str
    money_at_risk: Amount
    product_id: Id = Field(validation_alias="product_uid")
    product_sku: str = Field(validation_alias="sku")
    product_name: str
    warehouse_id: Id = Field(validation_alias="warehouse_uid")
    warehouse_code: str
    quantity: Number = Field(validation_alias="change", description="Signed: plus in, minus out.")
    unit_price: Amount | None
    created_at: Moment = Field(validation_alias="occurred_at", description="When it happened.")
    created_by: str | None = Field(validation_alias="person")
    repair: Repair | None
    can_accept: bool
    found_on: Day
    raised_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    dismissed_as: Dismissal | None
    note: str | None
    replaced_by_id: int | None = Field(description="The new entry of an accepted repair.")


class DecidedAnomaly(Anomaly):
    """The finding after the decision; `transaction_ids` are the movements that were booked for it."""

    transaction_ids: list[int]


def anomaly(row: Row) -> dict[str, Any]:
    """A finding with its repair as from and to."""
    return vars(row) | {"repair": _repair(row)}


def _repair(row: Row) -> dict[str, Any] | None:
    old, new = {
        "quantity": (row.change, row.repair.get("change")),
        "sign": (row.change, row.repair.get("change")),
        "price": (row.unit_price, row.repair.get("unit_price")),
        "product": (row.sku, row.repair.get("sku")),
        "warehouse": (row.warehouse_code, row.repair.get("warehouse_code")),
        "whole": (row.change, None),
        "none": (None, None),
    }[row.field]
    if row.field in ("quantity", "sign", "price") and new is not None:
        new = Decimal(new)
    return None if row.field == "none" else {"field": row.field, "old": old, "new": new}


class Dismissing(Body):
    """Why it is no error, or nothing to do about: asked less of this product and kind from now on."""

    reason: Dismissal
    note: schemas.text(findings.NOTE_CHARACTERS) | None = None

    model_config = example(reason="real", note="The spring promotion")
