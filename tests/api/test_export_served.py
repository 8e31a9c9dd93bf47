"""The export of a large ledger as it is really served: who goes away, stalls or is cut off."""

import http.client
import time

import pyarrow as pa
import pytest
import sqlalchemy as sa

from api import streaming
from api.main import make_app
from bench import export_ledger
from core import cursors
from db import server
from db import session as doors
from tests import makers
from tests.api.conftest import SETTINGS
from tests.serving import serving

EXPORT = "/api/v1/ml/export"
MOVEMENTS = 80_000
AT_WORK = sa.text("SELECT pid FROM pg_stat_activity WHERE application_name = :n")


@pytest.fixture(scope="module")
def big_ledger(make_database):
    """All doors lead to a ledger of twenty megabytes as NDJSON: more than a system keeps for a reader."""
    with make_database() as url:
        export_ledger.build(server.admin_url(sa.make_url(url).database), MOVEMENTS, products=100)
        engine = doors.new_engine(url)
        doors.bind(engine)
        yield engine
        doors.bind(None)
        engine.dispose()


@pytest.fixture(scope="module")
def port(big_ledger):  # noqa: ARG001
    with serving(make_app(SETTINGS)) as number:
        yield number


@pytest.fixture(scope="module")
def signed_in(port):
    with doors.transaction() as session:
        email = makers.a_person(session, "viewer").email
    asking = http.client.HTTPConnection("127.0.0.1", port)
    asking.request(
        "POST",
        "/api/v1/auth/login",
        f'{{"email": "{email}", "password": "{makers.PASSWORD}"}}',
        {"Content-Type": "application/json"},
    )
    token = asking.getresponse().read().split(b'"access_token":"')[1].split(b'"')[0].decode()
    asking.close()
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def ask(port, signed_in):
    """`ask(query)` is the answer with nothing read of its body yet; all are closed in the end."""
    opened = []

    def asked(query, **headers):
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asking.request("GET", f"{EXPORT}?{query}", headers=signed_in | headers)
        answer = asking.getresponse()
        opened.append((asking, answer))
        return answer

    def close():
        while opened:
            asking, answer = opened.pop()
            answer.close()
            asking.close()

    asked.close = close
    yield asked
    close()


def at_work():
    with doors.reading() as session:
        return session.scalars(AT_WORK, {"n": cursors.READS_ONLY}).all()


def comes_true(what, seconds=10):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_few_at_once_and_whoever_goes_away_frees_the_connection_and_the_place(ask):
    answers = [ask("format=ndjson") for _ in range(streaming.PLACES)]
    assert {answer.status for answer in answers} == {200}
    assert answers[0].read(2) == b'{"'
    assert len(at_work()) == streaming.PLACES
    refused = ask("format=csv")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert b'"type":"Busy"' in refused.read()
    assert ask("limit=1").status == 200  # pages need no place
    assert ask("limit=100000").status == 503  # but for those that are as large as a file
    ask.close()
    comes_true(lambda: not at_work())
    assert ask("limit=100000").read().count(b"transaction_id") == min(MOVEMENTS, 100_000)
    whole = ask("format=arrow")
    assert pa.ipc.open_stream(whole).read_all().num_rows == MOVEMENTS


def test_who_stalls_is_let_go_and_has_no_whole_answer(ask, monkeypatch):
    monkeypatch.setattr(streaming, "STALL_SECONDS", 0.2)
    answer = ask("format=ndjson")
    comes_true(lambda: not at_work())
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()


def test_an_error_in_the_middle_cuts_the_answer_off(ask):
    answer = ask("format=csv")
    began = answer.read(100)
    (backend,) = at_work()
    admin = sa.create_engine(server.admin_url())
    with admin.connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
    admin.dispose()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    assert began.startswith(b"transaction_id,")
    assert ask("limit=1").status == 200


def test_a_page_is_found_wherever_it_lies_and_marks_are_set_on_the_way(ask):
    assert ask(f"offset={MOVEMENTS - 5}&limit=10").read().count(b"transaction_id") == 5
    with doors.reading() as session:
        comes_true(lambda: session.scalar(sa.text("SELECT count(*) FROM ledger_mark")) == MOVEMENTS // 1000)
