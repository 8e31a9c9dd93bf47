"""The watch over advice: made anew when the shop moved on, and at once for what people wait for."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core import job_runs, timetable
from core.buying import advice, advice_state
from core.buying.advice_state import Standing
from core.job_runs import Claim
from db.session import reading, transact

LONG = 600  # seconds one statement may take
MOST_ROUNDS = 3  # settings that are changed again and again meanwhile are for the next tick
CATCH_UP = timedelta(minutes=5)
"""Stock moves all day: advice follows it at most so often, and takes at most a twentieth of the time."""
REST_SHARE = 20
BEAT_EVERY = timedelta(seconds=5)
log = logging.getLogger("runout.jobs")


def refresh(claimed: Claim) -> None:
    """Make advice where there is none of today, or where something changed since it was made."""
    task = timetable.BY_NAME[claimed.job]
    is_asked = task.last_slot(claimed.slot) != claimed.slot  # by a person or a change, not by the clock
    made = 0
    for _ in range(MOST_ROUNDS):
        with reading(LONG) as session:
            because = _because(advice_state.standing(session, _now()), _now(), is_asked=is_asked)
        if not because:
            break
        log.info("Advice is made anew: %s", because)
        with reading(LONG, snapshot=True) as session:
            draft = advice.work_out(session, _now(), _beating(claimed))
        transact(lambda session, draft=draft: _keep(session, claimed, draft), LONG)
        made, is_asked = made + 1, False
        log.info("%s lines to order, worth %s", draft.totals["lines"], draft.totals["value"])
    transact(lambda session: _end(session, claimed, made))


def _because(standing: Standing, now: datetime, *, is_asked: bool) -> str | None:
    """Why advice is to be made now; None when it can wait."""
    if standing.made_at is None:
        return "there is none"
    if not standing.is_of_today:
        return "another day has begun"
    at_once = is_asked or any(name in advice_state.AT_ONCE for name in standing.changed)
    rest = max(CATCH_UP, timedelta(seconds=standing.seconds) * REST_SHARE)
    if standing.changed and (at_once or now >= standing.made_at + rest):
        return advice_state.in_words(standing.changed)
    return None


def _beating(claimed: Claim) -> Callable[[int, int], None]:
    """Say how far the work is, now and then: a large shop takes longer than the lease."""
    said_at = _now()

    def say(done: int, total: int) -> None:
        nonlocal said_at
        if _now() - said_at > BEAT_EVERY:
            said_at = _now()
            transact(lambda session: job_runs.beat(session, claimed, _now(), done, total))

    return say


def _keep(session: Session, claimed: Claim, draft: advice.Draft) -> None:
    """Show the draft, unless the run was given to somebody else meanwhile: that undoes it."""
    advice.keep(session, None, draft, _now())
    job_runs.beat(session, claimed, _now())


def _end(session: Session, claimed: Claim, made: int) -> None:
    job_runs.finish(session, claimed, _now(), {"made": made})


def _now() -> datetime:
    return datetime.now(UTC)
