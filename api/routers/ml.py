"""Data for models of one's own."""

import json
from typing import Annotated, Literal

from fastapi import Query, Response

from api.deps import Needs, Reading
from api.routes import Router
from api.schemas_stock import ExportPage
from core import ml_export
from core.auth import Actor

router = Router("/api/v1/ml", "ml")


@router.get("/export", response_model=ExportPage)
def export(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    offset: Annotated[int, Query(ge=0, le=ml_export.MOST_OFFSET)] = 0,
    limit: Annotated[int, Query(ge=1, le=ml_export.MOST_ROWS)] = 10_000,
    after: Annotated[
        int,
        Query(ge=0, le=2**63 - 1, description="Rows behind this transaction_id; `offset` counts from it."),
    ] = 0,
    _format: Annotated[Literal["json"], Query(alias="format")] = "json",
) -> Response:
    """Every movement, flat, in booking order: a row keeps its place for ever.

    Pulling on from the last `transaction_id` (or the last offset) misses nothing, also while people book.
    """
    found = ml_export.page(session, offset=offset, limit=limit, after_id=after)
    about = {
        "total_count": found.total_count,
        "offset": offset,
        "limit": limit,
        "has_more": found.has_more,
    }
    rows = ",".join(found.rows)
    return Response(f'{{"rows":[{rows}],{json.dumps(about)[1:]}', media_type="application/json")
