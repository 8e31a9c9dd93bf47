"""The job `pattern`: trend, weekdays and season of the one product that somebody asked about."""

import logging
from datetime import UTC, datetime

from core import demand_patterns
from core.job_runs import Claim
from db.session import reading, transact

log = logging.getLogger("runout.jobs")


def draw(claimed: Claim) -> None:
    """Look at the product's demand, draw its pattern, and keep it."""
    with reading() as session:
        given = demand_patterns.material(session, claimed.subject or "", datetime.now(UTC))
    pattern = demand_patterns.think(given)
    log.info("%s", f"Nothing to draw: {pattern.reason}" if pattern.parts is None else "Drawn")
    transact(lambda session: demand_patterns.keep(session, claimed, given, pattern, datetime.now(UTC)))
