"""Pictures of one product's trend, weekdays and season: asked for, drawn by a worker, kept for a week."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import auth, demand, inputs, job_runs, shop
from core.auth import Actor
from core.errors import NotFound, RuleBroken
from core.forecast import outliers, patterns
from core.forecast.history import from_frame
from core.forecast.patterns import Pattern
from core.job_runs import Claim
from db.models import DemandPattern, JobRun, Product

JOB = "pattern"
LASTS = timedelta(days=7)
LASTS_WITHOUT = timedelta(days=1)  # where there was too little history there may be enough tomorrow


@dataclass(frozen=True)
class Material:
    """What a pattern is drawn from, looked at in one moment. `frame` is `demand.frame` of the product."""

    product_id: int
    frame: pd.DataFrame
    until: pd.Timestamp
    country: str | None


def latest(session: Session, product_id: int) -> DemandPattern | None:
    """The pattern as it was last drawn; None when nobody asked yet."""
    return session.get(DemandPattern, inputs.small_id(product_id, "product"))


def is_old(pattern: DemandPattern | None, now: datetime) -> bool:
    """Whether asking would draw it anew: none is there, or it was drawn a week ago."""
    if pattern is None:
        return True
    return pattern.made_at < now - (LASTS if pattern.parts is not None else LASTS_WITHOUT)


def last_run(session: Session, product_uid: uuid.UUID | str) -> JobRun | None:
    """The run that draws the product's pattern, or did last; None when none did lately."""
    return session.scalars(
        select(JobRun)
        .where(JobRun.job == JOB, JobRun.subject == str(product_uid))
        .order_by(JobRun.id.desc())
        .limit(1)
    ).first()


def ask(session: Session, actor: Actor, product_uid: uuid.UUID | str, now: datetime) -> int | None:
    """Have the pattern drawn; answers the run, or None when the one that is kept is not a week old.

    A second click finds the run that waits or works. Refuses a product that is not sold any more.
    """
    auth.must(actor, "train")
    product = _product(session, product_uid)
    if not product.is_active:
        raise RuleBroken(f"{product.sku} is deactivated, so nobody draws it: reactivate it first.")
    if not is_old(latest(session, product.id), now):
        return None
    return job_runs.request(session, actor, JOB, now, subject=str(product.uid))


def material(session: Session, product_uid: uuid.UUID | str, now: datetime) -> Material:
    """Look at everything that a pattern is drawn from."""
    product, ours = _product(session, product_uid), shop.get(session)
    until = shop.today(ours, now) - timedelta(days=1)
    frame = demand.frame(session, until, product_ids=[product.id])
    return Material(product.id, frame, pd.Timestamp(until), country_of(ours.locale))


def think(given: Material) -> Pattern:
    """Draw it; takes a second, so without a session."""
    if not len(given.frame):
        return Pattern(given.until.date(), None, "nothing has moved yet")
    (series,) = outliers.limit(from_frame(given.frame, given.until))[0]
    return patterns.draw(series, given.country)


def keep(session: Session, claimed: Claim, given: Material, pattern: Pattern, now: datetime) -> None:
    """Put the pattern in the place of the one before, with the end of the run that drew it."""
    values = {"as_of": pattern.as_of, "parts": pattern.parts, "reason": pattern.reason, "made_at": now}
    session.execute(
        insert(DemandPattern)
        .values(product_id=given.product_id, **values)
        .on_conflict_do_update(index_elements=["product_id"], set_=values)
    )
    job_runs.finish(session, claimed, now, {"drawn": int(pattern.parts is not None)})


def country_of(locale: str) -> str | None:
    """The country of a locale such as en_GB, whose public holidays count; None where it names none."""
    parts = locale.replace("-", "_").split("_")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), None)


def _product(session: Session, product_uid: uuid.UUID | str) -> Product:
    wanted = inputs.uid(product_uid, "a product")
    product = session.scalar(select(Product).where(Product.uid == wanted))
    if product is None:
        raise NotFound("There is no such product.")
    return product
