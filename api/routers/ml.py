"""Data for models of one's own, and scores from the shop's."""

import json
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response

from api.deps import Needs, NeedsAlone, Now, Reading, settings
from api.openapi import refusals
from api.routes import Router
from api.schemas_anomalies import Scores, ToScore
from api.schemas_stock import ExportPage
from api.settings import Settings
from core import ml_export
from core.auth import Actor
from core.doctor import score_requests
from db.session import reading

router = Router("/api/v1/ml", "ml")

MOST_BYTES = 8_000_000
"""Ten thousand rows of the export take five million; there is room for longer names and references."""


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


@router.post("/score", response_model=Scores, responses=refusals(404))
def score(
    actor: Annotated[Actor, NeedsAlone("edit catalogue")],
    wanted: ToScore,
    now: Now,
    chosen: Annotated[Settings, Depends(settings)],
) -> Any:
    """How likely movements are errors: up to 10,000 of the ledger by their ids, or rows of your own.

    Nothing is kept. A movement of the ledger is judged by what stood before it, also when it comes as a row
    of the export; a row of your own as if it were booked now, one row after the other. The model is the
    shop's own; where a SageMaker endpoint is configured it judges instead, and the shop's own takes over
    when that does not answer (`fallback`).
    """
    asked = (reading, actor)
    if wanted.transaction_ids is not None:
        found = score_requests.of_ids(*asked, wanted.transaction_ids, now, chosen.endpoint)
    else:
        rows = [row.asked() for row in wanted.transactions or ()]
        found = score_requests.of_rows(*asked, rows, now, chosen.endpoint)
    return {
        "results": found.results,
        "model_loaded": found.model is not None,
        "scored_by": found.judged_by,
        "fallback": found.why_local,
        "model_id": None if found.model is None else found.model.uid,
        "trained_at": None if found.model is None else found.model.trained_at,
    }
