"""The watches over alerts: what they did and the end of their run are one transaction."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from core import alerts, job_runs, shop
from core.job_runs import Claim
from db.session import transact

SECONDS = 600


def raise_all(claimed: Claim) -> None:
    """Raise what holds, bring open alerts up to date, wake those whose time came, and end what is over.

    An alert about a run-out that an order on its way has put off would otherwise be shown for six hours.
    """

    def both(session: Session, now: datetime, today: date) -> dict[str, int]:
        raised, ended = alerts.raise_all(session, now, today), alerts.auto_resolve(session, now, today)
        return {name: raised.get(name, 0) + ended.get(name, 0) for name in raised | ended}

    _watch(claimed, both)


def auto_resolve(claimed: Claim) -> None:
    """Resolve the alerts whose condition no longer holds."""
    _watch(claimed, alerts.auto_resolve)


def _watch(claimed: Claim, watch: Callable[[Session, datetime, date], dict[str, int]]) -> None:
    def work(session: Session) -> None:
        now = datetime.now(UTC)
        counts = watch(session, now, shop.today(shop.get(session), now))
        job_runs.finish(session, claimed, datetime.now(UTC), counts)

    transact(work, seconds=SECONDS)
