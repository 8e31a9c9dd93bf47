"""Data for models of one's own, and scores from the shop's."""

import json
from collections.abc import Generator
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.background import BackgroundTask

from api import streaming
from api.deps import NeedsAlone, Now, settings
from api.openapi import refusals
from api.routes import Router
from api.schemas_anomalies import Scores, ToScore
from api.schemas_export import ANSWERS, Asked, ExportPage, Format, Offset, Rows
from api.settings import Settings
from core import cursors, ledger_marks, ml_export
from core.auth import Actor
from core.doctor import score_requests
from core.errors import BadInput
from core.ledger_export import packing, streams
from core.ledger_export.selection import Selection
from db.session import reading, transact

router = Router("/api/v1/ml", "ml")

USUAL_ROWS = 10_000
FILE_NAMES = {
    "ndjson": "ledger.ndjson",
    "csv": "ledger.csv",
    "parquet": "ledger.parquet",
    "arrow": "ledger.arrows",  # the suffix of a stream; .arrow is another kind of file
}
MOST_BYTES = 8_000_000
"""Ten thousand rows of the export take five million; there is room for longer names and references."""


@router.get("/export", response_model=ExportPage, responses=ANSWERS | refusals(404))
def export(
    request: Request,
    _actor: Annotated[Actor, NeedsAlone("read")],
    asked: Annotated[Asked, Depends()],
    form: Format = "json",
    offset: Offset = None,
    limit: Rows = None,
) -> Response:
    """Every movement, flat, in booking order: a row keeps its place for ever, also while people book.

    Pulling on from the last `transaction_id` (or the last offset) misses nothing. `updated_since` with what
    the last whole answer said in `X-Next-Updated-Since` misses nothing either; some rows come twice, so keep
    them by `transaction_id`. `total_count` of a selection (`from`, `to`, `warehouse`, `category`,
    `updated_since`) is counted anew for each page: stream such a selection rather than page through it.
    """
    if form != "json" and (offset is not None or limit is not None):
        raise BadInput(f"{form} tells the whole selection: offset and limit are for format=json.")
    with reading() as session:
        selection = ml_export.choose(session, **asked.words())
        tag = ml_export.edition(session, selection, form, offset, limit)
        known_until = cursors.known_until(session, selection.last_id)
    headers = {
        "ETag": f'W/"{tag}"',
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, no-cache",
        "X-Next-Updated-Since": known_until.isoformat().replace("+00:00", "Z"),
    }
    if streaming.known_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    encoding = streaming.encoding(request) if form != "parquet" else None  # that is compressed inside
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    if form == "json":
        return _page(selection, offset or 0, limit or USUAL_ROWS, encoding, headers)
    headers["Content-Disposition"] = f'attachment; filename="{FILE_NAMES[form]}"'
    with reading() as session:
        selection = ml_export.shortened(session, selection)
    return streaming.Pieces(
        streams.stream(selection, form, encoding=encoding), streams.FORMATS[form], headers
    )


def _page(
    selection: Selection, offset: int, limit: int, encoding: str | None, headers: dict[str, str]
) -> Response:
    # Afterwards, so that nobody waits; until then the same answer takes longer.
    marks = BackgroundTask(ledger_marks.catch_up, transact)
    if limit > USUAL_ROWS:
        pieces = _large(selection, offset, limit, encoding, headers)
        return streaming.Pieces(pieces, "application/json", headers, marks)
    body, unmarked = _body(selection, offset, limit, encoding, headers)
    later = marks if unmarked >= ledger_marks.STEP else None
    return Response(body, headers=headers, media_type="application/json", background=later)


def _large(
    selection: Selection, offset: int, limit: int, encoding: str | None, headers: dict[str, str]
) -> Generator[bytes, None, None]:
    """A page of tens of megabytes, in pieces: few of them are in memory, and none for who takes nothing."""
    body, _unmarked = _body(selection, offset, limit, encoding, headers)
    for start in range(0, len(body), streams.PIECE_BYTES):
        yield body[start : start + streams.PIECE_BYTES]


def _body(
    selection: Selection, offset: int, limit: int, encoding: str | None, headers: dict[str, str]
) -> tuple[bytes, int]:
    """The page, and how many of its movements no mark counts yet; `headers` say what goes with it."""
    with reading(snapshot=True) as session:
        found = ml_export.page(session, selection, offset=offset, limit=limit)
    about: dict[str, Any] = {
        "total_count": found.total_count,
        "offset": offset,
        "limit": limit,
        "has_more": found.has_more,
        "next_updated_since": headers["X-Next-Updated-Since"],
    }
    if found.has_more:
        del headers["X-Next-Updated-Since"]
        about["next_updated_since"] = None
    rows = found.rows[:-1].replace(b"\n", b",")
    body = b'{"rows":[%b],%b' % (rows, json.dumps(about)[1:].encode())
    return b"".join(packing.packed([body], encoding)), found.unmarked


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
