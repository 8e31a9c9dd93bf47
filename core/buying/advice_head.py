"""The advice that is shown, as a whole: when and for which goal it was made, what other goals would mean."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.buying import advice_state
from core.buying.advice_shapes import Head, Point
from db.models import Advice, AdviceRun, JobRun, Person


def head(session: Session, now: datetime) -> Head | None:
    """The advice that is shown; None before the first."""
    run = session.scalar(
        select(AdviceRun).where(AdviceRun.is_current).execution_options(populate_existing=True)
    )
    if run is None:
        return None
    standing = advice_state.standing(session, now)
    is_underway = select(exists().where(JobRun.job == "advice", JobRun.state.in_(("queued", "running"))))
    ahead = session.execute(
        select(Advice.needed_on, func.count())
        .where(Advice.run_id == run.id, Advice.needed_on > run.as_of)
        .group_by(Advice.needed_on)
        .order_by(Advice.needed_on)
        .limit(1)
    ).first()
    because = [advice_state.in_words(standing.changed)] if standing.changed else []
    if not standing.is_of_today:
        because.insert(0, "it is of another day")
    return Head(
        uid=run.uid,
        as_of=run.as_of,
        made_at=run.made_at,
        made_by=session.scalar(select(Person.name).where(Person.id == run.made_by)) if run.made_by else None,
        goal=run.goal,
        totals={name: value for name, value in run.totals.items() if name != "state"},
        calibration={name: value for name, value in run.calibration.items() if name != "waiting"}
        if run.calibration
        else None,
        is_stale=standing.is_stale,
        stale_because=", ".join(because) or None,
        is_underway=bool(session.scalar(is_underway)),
        next_on=ahead[0] if ahead else None,
        next_lines=ahead[1] if ahead else 0,
    )


def quantities(session: Session, product_ids: Sequence[int]) -> dict[int, Decimal]:
    """How much of these products the advice that is shown orders now, as far as it orders any."""
    found = session.execute(
        select(Advice.product_id, func.sum(Advice.quantity))
        .join(AdviceRun, AdviceRun.id == Advice.run_id)
        .where(AdviceRun.is_current, Advice.action == "order", Advice.product_id.in_(product_ids))
        .group_by(Advice.product_id)
    )
    return dict(found.all())


def curve(session: Session) -> list[Point]:
    """What other goals of the whole shop would mean, the cheapest first; empty before the first advice."""
    kept = session.scalar(select(AdviceRun.curve).where(AdviceRun.is_current))
    return [Point(**point) for point in kept or ()]


def what_if_goal(
    session: Session, *, service_percent: Decimal | None = None, budget: Decimal | None = None
) -> Point | None:
    """The point of the curve for one goal, between the computed ones; None before the first advice.

    A goal beyond the curve is the end of it.
    """
    if (service_percent is None) == (budget is None):
        raise TypeError("one goal: a service or a budget")
    points = curve(session)
    if not points:
        return None
    name, asked = ("service_percent", service_percent) if budget is None else ("stock", budget)
    wanted = float(asked)
    after = next((place for place, point in enumerate(points) if getattr(point, name) >= wanted), None)
    if after is None:
        return points[-1]
    if after == 0:
        return points[0]
    low, high = points[after - 1], points[after]
    width = getattr(high, name) - getattr(low, name)
    share = (wanted - getattr(low, name)) / width if width else 1.0
    between = {field: value + (getattr(high, field) - value) * share for field, value in vars(low).items()}
    return Point(**between | {"not_covered": round(between["not_covered"])})
