"""Odd movements: what is probably a slip, and what people did about it."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response
from sqlalchemy.orm import Session

from api.deps import Needs, Now, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_anomalies import Anomaly, DecidedAnomaly, Dismissing, Kind, Listed, State, anomaly
from api.schemas_stock import IdempotencyKey
from core import uids
from core.auth import Actor
from core.doctor import finding_lists, findings, repairs
from core.posting import BookedLine

router = Router("/api/v1/anomalies", "anomalies")

FoundFrom = Annotated[date | None, Query(alias="from", description="Found on this day or later.")]
FoundTo = Annotated[date | None, Query(alias="to", description="Found on this day or earlier.")]


@router.get("", response_model=list[Anomaly], responses=refusals(404))
def list_anomalies(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    state: State | None = None,
    kind: Kind | None = None,
    listed: Listed | None = None,
    product_id: Annotated[Id | None, Query(description="Movements of one product.")] = None,
    warehouse_id: Annotated[Id | None, Query(description="Movements in one warehouse.")] = None,
    since: FoundFrom = None,
    until: FoundTo = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """Odd movements of all states, the most money at risk first."""
    if product_id is not None:
        uids.product(session, product_id)
    if warehouse_id is not None:
        uids.warehouse(session, warehouse_id)
    found, total = finding_lists.listing(
        session,
        states=None if state is None else (state,),
        listed=listed,
        kind=kind,
        product_uid=product_id,
        warehouse_uid=warehouse_id,
        since=since,
        until=until,
        limit=limit,
        skip=skip,
    )
    return page(response, [anomaly(row) for row in found], total)


@router.post("/{anomaly_id}/accept", response_model=DecidedAnomaly, responses=refusals(400, 409))
def accept(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    anomaly_id: Id,
    now: Now,
    key: IdempotencyKey = None,
) -> Any:
    """Book the repair: a reversal and, unless the movement should not be there at all, a new entry."""
    repaired = repairs.accept(session, actor, anomaly_id, key=key or uuid.uuid4().hex, now=now)
    return _decided(session, anomaly_id, repaired.lines)


@router.post("/{anomaly_id}/dismiss", response_model=Anomaly, responses=refusals(400))
def dismiss(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    anomaly_id: Id,
    wanted: Dismissing,
    now: Now,
) -> Any:
    """Say why there is nothing to repair; the same of this product is asked less from now on."""
    findings.dismiss(session, actor, anomaly_id, reason=wanted.reason, note=wanted.note, now=now)
    return anomaly(finding_lists.one(session, anomaly_id))


@router.post("/{anomaly_id}/undo", response_model=DecidedAnomaly, responses=refusals(400, 409))
def undo(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    anomaly_id: Id,
    now: Now,
    key: IdempotencyKey = None,
) -> Any:
    """Take the decision back: the finding is open again, and the figures of a repair are booked as they were.

    After an undone repair `transaction_id` is the entry that was booked anew.
    """
    if finding_lists.one(session, anomaly_id).state == "dismissed":
        findings.reopen(session, actor, anomaly_id, now=now)
        return _decided(session, anomaly_id, ())
    undone = repairs.undo(session, actor, anomaly_id, key=key or uuid.uuid4().hex, now=now)
    return _decided(session, anomaly_id, undone.lines)


def _decided(session: Session, anomaly_id: uuid.UUID, lines: Sequence[BookedLine]) -> dict[str, Any]:
    return anomaly(finding_lists.one(session, anomaly_id)) | {
        "transaction_ids": [line.movement_id for line in lines]
    }
