"""Forecasts made anew right after somebody said something about demand, and what that did to the run-out."""

from collections.abc import Sequence
from datetime import date
from functools import partial

from sqlalchemy.orm import Session

from core import auth, forecasts, job_runs, predictions
from core.errors import TooLittleHistory
from core.triage import Verdict
from dashboard import editing, looks, on_order, signin
from db.session import reading, transact

MOST_AT_ONCE = 10  # more of them would keep whoever clicked waiting: a job does it


def anew(product_ids: Sequence[int], today: date) -> str:
    """Make the forecasts of these products anew, or ask a job to; answers what to say. After the commit."""
    if len(product_ids) > MOST_AT_ONCE:
        if _ask_a_job():
            return " The forecasts concerned are being made anew."
        return " Forecasts follow with the next training."
    too_little = [product_id for product_id in product_ids if not _anew(product_id, today)]
    if not too_little:
        return ""
    with reading() as session:
        had = any(predictions.outlook(session, one, today).passage is not None for one in too_little)
    if not had:
        return " There is too little demand for a forecast yet."
    then = (
        "a job takes the old forecast away" if _ask_a_job() else "the old one stays until the next training"
    )
    return f" Too little demand is left to learn from: {then}."


def _ask_a_job() -> bool:
    """Have a job train what was told something new. False for who may not."""
    person = signin.require()
    if not auth.may(person, "train"):
        return False
    transact(lambda session: job_runs.request(session, person, "refresh", looks.now()))
    return True


def _anew(product_id: int, today: date) -> bool:
    """Look, think without a session, write. False when there is too little history."""
    try:
        with reading() as session:
            given = forecasts.material(session, product_id, looks.now())
    except TooLittleHistory:
        return False
    drafts = forecasts.think(given)
    transact(lambda session: forecasts.keep(session, None, given, drafts, today))
    return True


def one(session: Session, product_id: int, others: Sequence[int], today: date) -> partial[str]:
    """What to do after the commit of a write about a product (and those that have its history)."""
    return partial(
        _one, product_id, tuple(others), predictions.outlook(session, product_id, today).verdict, today
    )


def _one(product_id: int, others: tuple[int, ...], before: Verdict, today: date) -> str:
    words = anew([product_id, *others], today)
    with reading() as session:
        after = predictions.outlook(session, product_id, today).verdict
    then, now = on_order.when(before, today), on_order.when(after, today)
    return words if then == now else f" &nbsp; {editing.changed('runs out', then, now)}{words}"
