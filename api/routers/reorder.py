"""What to order now, from whom, by when, and why."""

from typing import Annotated, Any, Literal

from fastapi import Query, Response

from api.deps import Needs, Now, Reading, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_reorder import ReorderLine, ReorderSummary, lines, summary
from core import shop
from core.auth import Actor
from core.buying import advice_lines
from core.errors import NotFound

MOST_HORIZON_DAYS = 365

router = Router("/api/v1/reorder", "reorder")


@router.get("", response_model=list[ReorderLine])
def reorder_lines(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    now: Now,
    vendor_id: Annotated[Id | None, Query(description="Only what goes to this vendor.")] = None,
    action: Annotated[Literal["order", "transfer"] | None, Query(description="Both by default.")] = None,
    horizon_days: Annotated[
        int, Query(ge=0, le=MOST_HORIZON_DAYS, description="Also what is to be ordered within so many days.")
    ] = 0,
    search: Annotated[str | None, Query(max_length=200, description="Words in SKU or name.")] = None,
    sort: Annotated[
        Literal["urgency", "value", "lost", "sku", "name", "vendor"], Query(description="In which order.")
    ] = "urgency",
    include_snoozed: Annotated[
        bool, Query(description="Also what is snoozed, in a draft, or was ordered since.")
    ] = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """What to order today, each line with the receipt of its quantity; empty before the first advice."""
    found, total = advice_lines.with_receipts(
        session, shop.today(shop.get(session), now), vendor_uid=vendor_id, action=action,
        horizon_days=horizon_days, search=search, sort=sort, include_snoozed=include_snoozed, limit=limit,
        offset=skip,
    )  # fmt: skip
    return page(response, lines(found), total)


@router.get("/summary", response_model=ReorderSummary, responses=refusals(404))
def reorder_summary(session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now) -> Any:
    """When and for which goal the advice was made, what goes to which vendor, and what other goals cost."""
    head = advice_lines.head(session, now)
    if head is None:
        raise NotFound("There is no advice yet: it is worked out within minutes of the first forecasts.")
    vendors = advice_lines.vendors_summary(session, shop.today(shop.get(session), now))
    return summary(head, vendors, advice_lines.curve(session))
