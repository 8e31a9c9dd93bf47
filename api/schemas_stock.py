"""Bodies and answers of products, movements and transactions."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Header, Query
from pydantic import Field, model_validator

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
    example,
    line,
    whole,
)
from core import barcodes, posting, product_fields

Sku = line(product_fields.SKU_CHARACTERS, 1)
Name = line(product_fields.NAME_CHARACTERS, 1)
Description = schemas.text(product_fields.DESCRIPTION_CHARACTERS)
Category = line(product_fields.CATEGORY_CHARACTERS)
Unit = line(product_fields.UNIT_CHARACTERS, 1)
Code = line(barcodes.CHARACTERS, 1)
LeadTime = whole(0, product_fields.MOST_LEAD_TIME_DAYS)
Reason = schemas.text(posting.TEXT_CHARACTERS["reason"])
GivenReason = schemas.text(posting.TEXT_CHARACTERS["reason"], 1)
ReferenceType = line(posting.TEXT_CHARACTERS["reference_type"])
ReferenceId = line(posting.TEXT_CHARACTERS["reference_id"])

StockStatus = Literal["in_stock", "low_stock", "out_of_stock"]
TransactionType = Literal["in", "out", "adjust", "transfer"]
ReasonCode = Literal[
    "sale", "issue", "receipt", "opening", "return", "vendor_return", "count", "damage", "loss", "correction"
]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A retry with the same key and body finds the first answer; another body is 409.",
    ),
]
After = Annotated[
    int | None,
    Query(ge=0, le=2**63 - 1, description="Those that follow this id, ascending; start with 0."),
]
FromDay = Annotated[
    date | None, Query(alias="from", description="The first day (the warehouse's business day).")
]
ToDay = Annotated[date | None, Query(alias="to", description="The last day, included.")]


# -- Products ------------------------------------------------------------------------------------------------


class Product(Answer):
    """A product with its stock in all warehouses together."""

    id: OwnId
    sku: str
    name: str
    description: str | None
    category: str | None
    unit_of_measure: str
    unit_cost: Amount | None
    unit_price: Amount | None
    reorder_threshold: Amount | None
    lead_time_days: int | None
    barcode: str | None
    current_stock: Amount
    stock_status: StockStatus
    predicted_depletion_date: Day | None
    is_active: bool
    created_at: Moment
    updated_at: Moment


class NewProduct(Body):
    """`current_stock` is booked as an opening entry in the default warehouse."""

    sku: Sku
    name: Name
    description: Description | None = None
    category: Category | None = None
    unit_of_measure: Unit = "each"
    unit_cost: Amount | None = None
    unit_price: Amount | None = None
    reorder_threshold: Amount | None = None
    lead_time_days: LeadTime | None = None
    barcode: Code | None = None
    current_stock: Amount = Decimal(0)

    model_config = example(
        sku="WDG-001", name="Widget A", category="Electronics", current_stock=100, reorder_threshold=20,
        unit_cost=12.99,
    )  # fmt: skip


class ProductChange(Body):
    """Only the given fields change; null clears one that may be empty.

    `current_stock` is the total of all warehouses: the difference is booked in the default one.
    """

    sku: Sku = ""
    name: Name = ""
    description: Description | None = None
    category: Category | None = None
    unit_of_measure: Unit = ""
    unit_cost: Amount | None = None
    unit_price: Amount | None = None
    reorder_threshold: Amount | None = None
    lead_time_days: LeadTime | None = None
    barcode: Code = ""
    current_stock: Amount = Decimal(0)
    is_active: Flag = True

    model_config = example(current_stock=150, reorder_threshold=25)


# -- Movements -----------------------------------------------------------------------------------------------


class Movement(Answer):
    """One line of the ledger. `quantity` is signed; the stocks are those of its warehouse around it."""

    id: int
    product_id: Id = Field(validation_alias="product_uid")
    sku: str
    product_name: str
    warehouse_id: Id = Field(validation_alias="warehouse_uid")
    warehouse_code: str
    movement_type: TransactionType = Field(validation_alias="type")
    quantity: Number = Field(validation_alias="change")
    previous_stock: Amount = Field(validation_alias="stock_before")
    new_stock: Amount = Field(validation_alias="stock_after")
    reason: str | None = Field(validation_alias="notes")
    reason_code: str
    unit_price: Amount | None
    reference_type: str | None
    reference_id: str | None
    created_at: Moment = Field(validation_alias="occurred_at", description="When it happened.")
    recorded_at: Moment = Field(description="When it was booked.")
    created_by: str = Field(validation_alias="person")
    counterpart_id: int | None = Field(description="The other leg of a transfer.")
    reverses_id: int | None
    reversed_by_id: int | None
    replaces_id: int | None


class Adjustment(Body):
    """A change of stock. Without a reason code minus is an issue (demand), plus a receipt."""

    product_id: Id
    quantity: Number
    reason: GivenReason
    reason_code: ReasonCode | None = None
    warehouse_id: Id | None = None

    model_config = example(
        product_id="3fa85f64-5717-4562-b3fc-2c963f66afa6", quantity=-10, reason="Sold to customer"
    )


# -- Transactions --------------------------------------------------------------------------------------------


class Transaction(Answer):
    """A movement in the words of an ERP.

    `quantity` as it was entered: above zero for in, out and transfer (below in a reversal), signed for
    adjust; `change` is what it did to the stock of its warehouse.
    """

    id: int
    item_id: Id = Field(validation_alias="product_uid")
    item_sku: str = Field(validation_alias="sku")
    warehouse_id: Id = Field(validation_alias="warehouse_uid")
    warehouse_code: str
    transaction_type: TransactionType = Field(validation_alias="type")
    quantity: Number
    change: Number
    unit_price: Amount | None
    total_amount: Number | None = Field(description="quantity x unit_price")
    reference_type: str | None
    reference_id: str | None
    notes: str | None
    created_at: Moment = Field(validation_alias="occurred_at", description="When it happened.")
    recorded_at: Moment = Field(description="When it was booked.")
    created_by: str = Field(validation_alias="person")
    counterpart_id: int | None = Field(description="The other leg of a transfer.")
    reverses_id: int | None
    reversed_by_id: int | None
    replaces_id: int | None
    replaced_by_id: int | None


def transaction(row: Any) -> dict[str, Any]:
    """A row of `core.entries` with the quantity as it was entered."""
    change, is_reversal = row["change"], row["reverses_id"] is not None
    quantity = change
    if row["type"] == "out":
        quantity = -change
    elif row["type"] == "transfer":
        quantity = -abs(change) if is_reversal else abs(change)
    price = row["unit_price"]
    return {**row, "quantity": quantity, "total_amount": None if price is None else quantity * price}


class NewTransaction(Body):
    """`in`, `out` and `transfer` take a quantity above zero, `adjust` a signed one."""

    item_id: Id
    warehouse_id: Id | None = None
    to_warehouse_id: Id | None = None
    transaction_type: TransactionType
    quantity: Number
    unit_price: Amount | None = None
    reference_type: ReferenceType | None = None
    reference_id: ReferenceId | None = None
    notes: Reason | None = None

    model_config = example(
        item_id="3fa85f64-5717-4562-b3fc-2c963f66afa6", transaction_type="in", quantity=50, unit_price=12.99,
        reference_type="delivery", reference_id="D-1007",
    )  # fmt: skip

    @model_validator(mode="after")
    def _names_two_warehouses(self) -> "NewTransaction":
        if (self.transaction_type == "transfer") != (self.to_warehouse_id is not None):
            raise ValueError("to_warehouse_id belongs to a transfer, and a transfer needs it")
        return self


class TransactionChange(Body):
    """Another quantity or price books a reversal and a replacement; words are added beside the movement.

    Only the given fields change; null clears a word.
    """

    quantity: Number = Decimal(0)
    unit_price: Amount = Decimal(0)
    notes: Reason | None = None
    reference_type: ReferenceType | None = None
    reference_id: ReferenceId | None = None

    model_config = example(quantity=40, notes="Ten were missing in the box")
