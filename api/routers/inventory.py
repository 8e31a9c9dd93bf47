"""Inventory: stock that comes and goes."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import anyio
from fastapi import Request, Response

from api.deps import Needs, NeedsLater, Reading, page, person_behind, recognised
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_stock import Adjustment, After, FromDay, IdempotencyKey, Movement, ToDay
from core import adjustments, entries
from core.adjustments import Wanted
from core.api_keys import Given
from core.auth import Actor
from core.tokens import Claims
from db.session import transaction

router = Router("/api/v1/inventory", "inventory")


@router.post("/adjust", response_model=Movement, status_code=201, responses=refusals(400, 404, 409))
async def adjust_stock(
    request: Request,
    caller: Annotated[Claims | Given, NeedsLater("move stock")],
    wanted: Adjustment,
    key: IdempotencyKey = None,
) -> Any:
    """Put stock on the shelf (plus) or take it off (minus), in the default warehouse unless one is named."""
    asked = Wanted(
        caller,
        wanted.product_id,
        wanted.warehouse_id,
        wanted.quantity,
        wanted.reason,
        wanted.reason_code,
        key or uuid.uuid4().hex,
    )
    outcome = None
    if not adjustments.is_for_itself(asked):
        outcome = await request.app.state.poster.book(asked)
    if outcome is None:
        async with request.app.state.places:
            return _written(await anyio.to_thread.run_sync(_adjust_alone, request, asked))
    if outcome.caller is not None:
        recognised(request, outcome.caller, outcome.used_key)
    if outcome.refusal is not None:
        raise outcome.refusal
    return _written(outcome.movement)


def _adjust_alone(request: Request, asked: Wanted) -> Mapping[str, Any]:
    with transaction() as session:
        return adjustments.book_alone(session, person_behind(request, session), asked)


def _written(movement: Mapping[str, Any]) -> Response:
    """The answer, made once: FastAPI would check and turn it over twice."""
    said = Movement.model_validate(movement).model_dump_json(by_alias=False)
    return Response(said, status_code=201, media_type="application/json")


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
