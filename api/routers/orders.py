"""Purchase orders: drafted, sent, received, cancelled."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from sqlalchemy.orm import Session

from api import deps
from api.deps import Needs, NeedsAlone, Now, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_orders import (
    Arrival,
    GivenUp,
    Mailing,
    NewLine,
    NewOrder,
    Order,
    OrderChange,
    OrderRow,
    State,
    arrived,
    order,
)
from api.schemas_stock import IdempotencyKey
from api.settings import Settings
from core import shop, uids
from core.auth import Actor
from core.buying import order_lines, order_lists, order_looks, order_mail, order_receipts, orders, vendors
from db.session import reading, transaction

router = Router("/api/v1/orders", "orders")

Buyer = Annotated[Actor, Needs("buy")]


@router.get("", response_model=list[OrderRow], responses=refusals(404))
def list_orders(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    now: Now,
    search: Annotated[
        str | None, Query(max_length=200, description="In number, vendor, reference, note, SKU and product.")
    ] = None,
    state: State | None = None,
    vendor_id: Id | None = None,
    product_id: Id | None = None,
    late: Annotated[bool, Query(description="Only those of which something is past its day.")] = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """Purchase orders, the newest first."""
    product = None if product_id is None else uids.product(session, product_id)
    found, totals = order_lists.listing(
        session, _today(session, now), text=search, state=state, vendor_uid=vendor_id, product_id=product,
        only_late=late, limit=limit, offset=skip,
    )  # fmt: skip
    return page(response, found, totals.orders)


@router.post("", response_model=Order, status_code=201, responses=refusals(400, 404))
def create_order(session: Writing, actor: Buyer, now: Now, wanted: NewOrder) -> Any:
    """Make a draft with the next number; prices are those of the vendor's offers unless given."""
    vendor = vendors.by_uid(session, wanted.vendor_id).id
    made = orders.draft(
        session, actor, vendor, _lines(session, wanted.lines), _today(session, now), note=wanted.note
    )
    return _one(session, made.uid, now)


@router.get("/{order_id}", response_model=Order)
def get_order(session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now, order_id: Id) -> Any:
    """One order with its lines and what arrived."""
    return _one(session, order_id, now)


@router.patch("/{order_id}", response_model=Order, responses=refusals(400))
def change_order(session: Writing, actor: Buyer, now: Now, order_id: Id, wanted: OrderChange) -> Any:
    """Change some fields; what was sent keeps its lines, prices and freight."""
    given = wanted.model_dump(exclude_unset=True)
    if "lines" in given:
        del given["lines"]
        order_lines.replace(session, actor, order_id, _lines(session, wanted.lines), _today(session, now))
    orders.change(session, actor, order_id, now, **given)
    return _one(session, order_id, now)


@router.post("/{order_id}/send", response_model=Order, responses=refusals(400))
def send_order(session: Writing, actor: Buyer, now: Now, order_id: Id) -> Any:
    """Mark a draft as sent: it is on its way, and predictions count it. Mails nothing; see `mail`."""
    orders.send(session, actor, order_id, now)
    return _one(session, order_id, now)


@router.post("/{order_id}/mail", response_model=Order, responses=refusals(400))
def mail_order(
    actor: Annotated[Actor, NeedsAlone("buy")],
    chosen: Annotated[Settings, Depends(deps.settings)],
    now: Now,
    order_id: Id,
    wanted: Mailing,
) -> Any:
    """Mail an order that was sent, with its PDF, where a mail server is configured.

    A second request meanwhile is refused. 503 says whether the mail did not go out, or nobody knows.
    """
    order_mail.send_mail(transaction, actor, chosen.smtp, order_id, now=now, to=wanted.to, again=wanted.again)
    with reading() as session:
        return _one(session, order_id, now)


@router.post("/{order_id}/receive", response_model=Order, responses=refusals(400, 409))
def receive_order(
    session: Writing,
    actor: Annotated[Actor, Needs("move stock")],
    now: Now,
    order_id: Id,
    wanted: Arrival,
    key: IdempotencyKey = None,
) -> Any:
    """Book what arrived, all lines or none. Less leaves the rest open, more is booked as it came.

    `DELETE /inventory-transactions/{id}` of a receipt's movement takes it back here as well.
    """
    order_receipts.receive(
        session, actor, order_id, arrived(wanted), key=key or uuid.uuid4().hex, now=now,
        although_complete=wanted.although_complete,
    )  # fmt: skip
    return _one(session, order_id, now)


@router.post("/{order_id}/give-up", response_model=Order, responses=refusals(400))
def give_up_order(session: Writing, actor: Buyer, now: Now, order_id: Id, wanted: GivenUp) -> Any:
    """What is open will not come; what arrived stays."""
    orders.give_up(session, actor, order_id, now, lines=wanted.lines, because=wanted.because)
    return _one(session, order_id, now)


@router.post("/{order_id}/cancel", response_model=Order, responses=refusals(400))
def cancel_order(
    session: Writing,
    actor: Buyer,
    now: Now,
    order_id: Id,
    because: Annotated[str | None, Query(max_length=orders.NOTE_CHARACTERS)] = None,
) -> Any:
    """Cancel a draft or what was sent; of one received in part the rest is given up."""
    orders.cancel(session, actor, order_id, now, because=because)
    return _one(session, order_id, now)


def _one(session: Session, order_id: uuid.UUID, now: datetime) -> dict[str, Any]:
    return order(order_looks.by_uid(session, order_id, _today(session, now)))


def _lines(session: Session, wanted: list[NewLine]) -> list[dict[str, Any]]:
    return [
        line.model_dump(exclude={"product_id", "warehouse_id"})
        | {
            "product_id": uids.product(session, line.product_id),
            "warehouse_id": uids.warehouse(session, line.warehouse_id),
        }
        for line in wanted
    ]


def _today(session: Session, now: datetime) -> Any:
    return shop.today(shop.get(session), now)
