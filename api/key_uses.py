"""When the API key of a machine was used last: noted once a minute and key, after the answer is out."""

import logging
import threading
import uuid
from datetime import UTC, datetime

import anyio.to_thread
from starlette.types import Scope

from core import api_keys
from core.api_keys import Known
from db.session import transaction

log = logging.getLogger("runout.api")

_NEVER = datetime.min.replace(tzinfo=UTC)
_tried: dict[uuid.UUID, datetime] = {}
_trying = threading.Lock()


async def note(scope: Scope) -> None:
    """Write down that the key of this request was used, when that was not done for a minute.

    No request waits for it, and none fails because of it: it has a small transaction of its own. So a GET
    stays one that only looks, and a till's bookings cost what they cost without.
    """
    known: Known | None = scope["state"].get("used_key")
    if known is None or not _is_due(known, datetime.now(UTC)):
        return
    address = scope["client"][0] if scope.get("client") else "unknown"
    try:
        async with scope["app"].state.places:
            await anyio.to_thread.run_sync(_write, known, address)
    except Exception as trouble:
        log.warning("The use of an API key was not noted: %s", type(trouble).__name__)


def _is_due(known: Known, now: datetime) -> bool:
    """Whether this request is to write; of those that come at once one does."""
    with _trying:
        last = max(known.last_used_at or _NEVER, _tried.get(known.uid, _NEVER))
        if now - last <= api_keys.SEEN_EVERY:
            return False
        _tried[known.uid] = now
        return True


def _write(known: Known, address: str) -> None:
    with transaction() as session:
        api_keys.seen(session, known.actor.api_key_id, address, datetime.now(UTC))
