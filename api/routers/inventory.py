"""Inventory: stock that comes and goes."""

from typing import Annotated, Any

from fastapi import Response

from api.deps import Needs, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_stock import Adjustment, After, FromDay, IdempotencyKey, Movement, ToDay
from core import entries, stock, uids
from core.auth import Actor

router = Router("/api/v1/inventory", "inventory")


@router.post("/adjust", response_model=Movement, status_code=201, responses=refusals(400, 404, 409))
def adjust_stock(
    session: Writing,
    actor: Annotated[Actor, Needs("move stock")],
    wanted: Adjustment,
    key: IdempotencyKey = None,
) -> Any:
    """Put stock on the shelf (plus) or take it off (minus), in the default warehouse unless one is named."""
    booked = stock.adjust(
        session,
        actor,
        uids.product(session, wanted.product_id),
        uids.warehouse(session, wanted.warehouse_id),
        wanted.quantity,
        reason_code=wanted.reason_code,
        reason=wanted.reason,
        key=key,
    )
    return entries.one(session, booked.lines[0].movement_id, as_written=True)


@router.get("/movements", response_model=list[Movement], responses=refusals(404))
def list_movements(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    product_id: Id | None = None,
    warehouse_id: Id | None = None,
    since: FromDay = None,
    until: ToDay = None,
    skip: Skip = 0,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """What happened to the stock, newest first; ascending with `after`, which misses nothing."""
    asked = {"product_uid": product_id, "warehouse_uid": warehouse_id, "since": since, "until": until}
    found, total = entries.listing(session, **asked, skip=skip, limit=limit, after_id=after)
    return page(response, found, total)


@router.get("/products/{product_id}/history", response_model=list[Movement])
def product_history(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    product_id: Id,
    warehouse_id: Id | None = None,
    since: FromDay = None,
    until: ToDay = None,
    skip: Skip = 0,
    limit: Limit = 100,
    after: After = None,
) -> Any:
    """What happened to one product, newest first; ascending with `after`."""
    asked = {"product_uid": product_id, "warehouse_uid": warehouse_id, "since": since, "until": until}
    found, total = entries.listing(session, **asked, skip=skip, limit=limit, after_id=after)
    return page(response, found, total)
