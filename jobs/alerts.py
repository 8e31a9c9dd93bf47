"""The watches over alerts: what they did and the end of their run are one transaction."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from core import alerts, job_runs, shop
from core.job_runs import Claim
from db.session import transact

SECONDS = 600


def raise_all(claimed: Claim) -> None:
    """Raise what holds, bring open alerts up to date, wake those whose time came."""
    _watch(claimed, alerts.raise_all)


def auto_resolve(claimed: Claim) -> None:
    """Resolve the alerts whose condition no longer holds."""
    _watch(claimed, alerts.auto_resolve)


def _watch(claimed: Claim, watch: Callable[[Session, datetime, date], dict[str, int]]) -> None:
    def work(session: Session) -> None:
        now = datetime.now(UTC)
        counts = watch(session, now, shop.today(shop.get(session), now))
        job_runs.finish(session, claimed, datetime.now(UTC), counts)

    transact(work, seconds=SECONDS)
