"""A slice of `make fuzz`, so that it cannot rot: two callers, a few addresses, every phase."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import uvicorn

from api.main import make_app
from core import ledger_check
from db.session import reading
from tests.api.conftest import KEY, SETTINGS
from tests.fuzz import caller, shop

ADDRESSES = ["/api/v1/inventory/adjust", "/api/v1/auth/logout"]
OPERATIONS = 2
EXAMPLES = 3


@pytest.fixture
def address(clone: str) -> Iterator[str]:  # noqa: ARG001
    """The API over a database of its own, behind uvicorn in a thread."""
    server = uvicorn.Server(uvicorn.Config(make_app(SETTINGS), port=0, ws="none", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_a_slice_of_the_fuzzing_finds_nothing(address):
    known = shop.fill(datetime.now(UTC))
    for who in ("admin", "anonymous"):
        found = caller.run(who, address, EXAMPLES, 7, known.ids, known.tokens(who, KEY), ADDRESSES)
        assert found.is_whole, (found.phases, found.errors)
        assert found.failures == {}
        assert max(found.statuses) < 500
        assert len(found.operations) == found.there == OPERATIONS
        assert found.total > 60
    with reading() as session:
        assert ledger_check.faults(session) == {}
