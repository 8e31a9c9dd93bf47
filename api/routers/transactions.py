"""Inventory transactions: the movements in the words of an ERP."""

from typing import Annotated, Any

from fastapi import Path, Response

from api.deps import Needs, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_stock import (
    After,
    FromDay,
    IdempotencyKey,
    NewTransaction,
    ToDay,
    Transaction,
    TransactionChange,
    TransactionType,
    transaction,
)
from core import corrections, entries, stock, uids
from core.auth import Actor

router = Router("/api/v1/inventory-transactions", "inventory-transactions")

MovementId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", response_model=list[Transaction], responses=refusals(404))
def list_transactions(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    item_id: Id | None = None,
    warehouse_id: Id | None = None,
    transaction_type: TransactionType | None = None,
    since: FromDay = None,
    until: ToDay = None,
    skip: Skip = 0,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """All transactions, newest first; ascending with `after`, which misses nothing."""
    asked = {"product_uid": item_id, "warehouse_uid": warehouse_id, "kind": transaction_type}
    found, total = entries.listing(
        session, **asked, since=since, until=until, skip=skip, limit=limit, after_id=after
    )
    return page(response, [transaction(row) for row in found], total)


@router.post("", response_model=Transaction, status_code=201, responses=refusals(400, 404, 409))
def create_transaction(
    session: Writing,
    actor: Annotated[Actor, Needs("move stock")],
    wanted: NewTransaction,
    key: IdempotencyKey = None,
) -> Any:
    """Book a movement. `out` is demand, `in` a receipt; `adjust` and `transfer` are not demand.

    A transfer answers its out-leg, which names the other one.
    """
    product, place = uids.product(session, wanted.item_id), uids.warehouse(session, wanted.warehouse_id)
    about = {
        "reason": wanted.notes,
        "unit_price": wanted.unit_price,
        "reference_type": wanted.reference_type,
        "reference_id": wanted.reference_id,
        "key": key,
    }
    if wanted.transaction_type == "in":
        booked = stock.add(session, actor, product, place, wanted.quantity, **about)
    elif wanted.transaction_type == "out":
        booked = stock.remove(session, actor, product, place, wanted.quantity, **about)
    elif wanted.transaction_type == "adjust":
        about["reason_code"] = "correction"
        booked = stock.adjust(session, actor, product, place, wanted.quantity, **about)
    else:
        target = uids.warehouse(session, wanted.to_warehouse_id)
        booked = stock.transfer(session, actor, product, place, target, wanted.quantity, **about)
    return transaction(entries.one(session, booked.lines[0].movement_id, as_written=True))


@router.get("/{transaction_id}", response_model=Transaction)
def get_transaction(
    session: Reading, _actor: Annotated[Actor, Needs("read")], transaction_id: MovementId
) -> Any:
    """One transaction, also one that was reversed or replaced since."""
    return transaction(entries.one(session, transaction_id))


@router.patch("/{transaction_id}", response_model=Transaction, responses=refusals(400, 409))
def change_transaction(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    transaction_id: MovementId,
    wanted: TransactionChange,
    key: IdempotencyKey = None,
) -> Any:
    """Correct quantity or price (answers the replacement), or add words (answers the same transaction).

    The ledger only grows: a correction is a reversal and a new entry of the same moment.
    """
    given = {
        name: "" if value is None else value for name, value in wanted.model_dump(exclude_unset=True).items()
    }
    counts = corrections.amend(session, actor, transaction_id, key=key, **given)
    return transaction(entries.one(session, counts, as_written=counts != transaction_id))


@router.delete("/{transaction_id}", status_code=204, responses=refusals(400, 409))
def delete_transaction(
    session: Writing,
    actor: Annotated[Actor, Needs("delete catalogue")],
    transaction_id: MovementId,
    key: IdempotencyKey = None,
) -> None:
    """Reverse a transaction; it stays readable with `reversed_by_id`. A second time is 400."""
    corrections.take_back(session, actor, transaction_id, key=key)
