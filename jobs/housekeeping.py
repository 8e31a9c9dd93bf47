"""The night's tidying: rows of signing in and downloading that nobody needs are deleted, and the ledger gets
the marks by which its export finds pages quickly."""

import logging
from datetime import UTC, datetime

from core import housekeeping, job_runs, ledger_marks
from core.job_runs import Claim
from db.session import transact

log = logging.getLogger("runout.jobs")
# Nobody signs in as often in a day; what is left is for the next night.
MOST_PIECES = 400


def tidy(claimed: Claim) -> None:
    """Delete what is dead, a piece in each transaction, so that nobody who signs in waits for it; then mark.

    The ledger's export sets marks too; here for the first one after many bookings, which would count them.
    """
    deleted = 0
    for _ in range(MOST_PIECES):
        piece = transact(lambda session: housekeeping.forget(session, _now()))
        deleted += piece
        if not piece:
            break
        transact(lambda session, done=deleted: job_runs.beat(session, claimed, _now(), done, None))
    if deleted:
        log.info("%s rows of old sign-ins, links, downloads and messages are deleted", f"{deleted:,}")
    ledger_marks.catch_up(transact)
    transact(lambda session: job_runs.finish(session, claimed, _now(), {"deleted": deleted}))


def _now() -> datetime:
    return datetime.now(UTC)
