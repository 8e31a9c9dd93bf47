"""Who is told of alerts, every minute: what to tell is written down, sent without a session, and noted.

A message may come twice, when this process dies between sending it and noting that; it is never lost.
"""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from core import alert_channels, alert_messages, alert_sending, alert_settings, job_runs, shop
from core.alert_channels import Channels
from core.alert_messages import Message
from core.alert_sending import NotTold
from core.alert_settings import Settings
from core.job_runs import Claim
from db.session import reading, transact

log = logging.getLogger("runout.jobs")
MOST = 100
"""Messages to one target in a run: the others go a minute later, and a mail stays one that people read."""


def tell(claimed: Claim) -> None:
    """Tell of what is new; trouble with a target is kept with its messages and fails no run."""
    channels = alert_channels.from_environment(os.environ)
    queued = transact(lambda session: alert_messages.queue(session, _now()))
    with reading() as session:
        chosen, name = alert_settings.settings(session), shop.get(session).name
    mailed = _mail(claimed, channels, chosen, name)
    posted = _post(claimed, channels, chosen)
    counts = {"queued": queued, "mailed": mailed, "posted": posted}
    transact(lambda session: job_runs.finish(session, claimed, _now(), counts))


def _mail(claimed: Claim, channels: Channels, chosen: Settings, shop_name: str) -> int:
    """One mail about all that is due; answers how many messages arrived."""
    if not chosen.notify_emails:
        return 0
    some = _take(claimed, "email", MOST, 0)
    if not some:
        return 0
    try:
        problem = alert_sending.mail(channels, chosen.notify_emails, some, shop_name, _now())
    except NotTold as trouble:
        _failed(some, "mailed", trouble)
        return 0
    transact(lambda session: alert_messages.sent(session, [one.id for one in some], _now(), problem))
    return len(some)


def _post(claimed: Claim, channels: Channels, chosen: Settings) -> int:
    """One call for each message that is due, until nobody answers; answers how many arrived.

    Each is taken by itself, so that those that wait for a slow server are nobody's meanwhile.
    """
    posted = 0
    if chosen.notify_webhook is None:
        return 0
    for done in range(MOST):
        some = _take(claimed, "webhook", 1, done)
        if not some:
            break
        try:
            alert_sending.post(channels, chosen.notify_webhook, some[0])
        except NotTold as trouble:
            _failed(some, "posted", trouble)
            if trouble.is_away:
                break
        else:
            transact(lambda session, one=some[0]: alert_messages.sent(session, [one.id], _now()))
            posted += 1
    return posted


def _take(claimed: Claim, target: str, most: int, done: int) -> list[Message]:
    def take(session) -> list[Message]:
        job_runs.beat(session, claimed, _now(), done, None)  # raises where the run is another's by now
        return alert_messages.take(session, target, _now(), most)

    return transact(take)


def _failed(some: Sequence[Message], how: str, trouble: NotTold) -> None:
    given_up = transact(
        lambda session: alert_messages.failed(session, [one.id for one in some], _now(), trouble.sentence)
    )
    log.warning(
        "%s alerts could not be %s, %s of them are given up: %s", len(some), how, given_up, trouble.sentence
    )


def _now() -> datetime:
    return datetime.now(UTC)
