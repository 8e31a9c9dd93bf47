"""A download link works once, for a minute, and only in the browser of the sign-in that asked for it."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import auth, downloads
from core.datasets.table_types import Filters
from core.errors import BadInput, NotAllowed, NotSignedIn
from db.models import AuditLine, DownloadFile, DownloadTicket, Person, SignIn
from db.session import reading, transaction
from tests import makers

PDF = b"%PDF-1.7 labels"


def now():
    return datetime.now(UTC)


@pytest.fixture
def signed_in(client):  # noqa: ARG001
    """`signed_in("viewer")`: somebody at a browser, as (actor, cookie)."""

    def sign_in(role="viewer", email=None):
        with transaction() as session:
            email = email or makers.a_person(session, role).email
            outcome = auth.sign_in(session, email, makers.PASSWORD, "test", now())
        return outcome.actor, outcome.token

    return sign_in


def a_ticket(who, dataset="products", format="csv", at=None, **filters):
    actor, cookie = who
    with transaction() as session:
        return downloads.offer_table(session, actor, cookie, dataset, format, Filters(**filters), at or now())


def a_file(who, content=PDF, name="labels.pdf", **about):
    actor, cookie = who
    with transaction() as session:
        return downloads.offer_file(session, actor, cookie, content, name, "application/pdf", now(), **about)


def fetched(client, ticket, cookie, method="GET"):
    headers = {"Cookie": f"{auth.COOKIE}={cookie}"} if cookie is not None else {}
    token = ticket if isinstance(ticket, str) else ticket.token
    return client.request(method, f"/api/v1/downloads/{token}", headers=headers)


def test_a_link_brings_its_file_once_and_it_is_written_down_who_took_what(client, signed_in):
    who = signed_in()
    with transaction() as session:
        makers.a_product(session, 3, sku="LAMP", name="=1+1 lamp")
    ticket = a_ticket(who)
    assert ticket.rows == 1
    for _ in range(3):  # looking does not use it up
        looked = fetched(client, ticket, who[1], "HEAD")
        assert (looked.status_code, looked.content) == (200, b"")
        assert looked.headers["content-disposition"].startswith("attachment")
    found = fetched(client, ticket, who[1])
    assert found.status_code == 200
    assert found.content.decode("utf-8-sig").splitlines()[1].startswith("LAMP,'=1+1 lamp,")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="[\w-]+-products-\d{4}-\d\d-\d\d\.csv"; filename\*=UTF-8\'\'[\w%.-]+\.csv',
        found.headers["content-disposition"],
    )
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["x-content-type-options"] == "nosniff"
    again = fetched(client, ticket, who[1])
    assert again.status_code == 404
    assert again.json()["detail"] == downloads.MISSING
    with reading() as session:
        line = session.scalars(sa.select(AuditLine).where(AuditLine.action == "downloaded")).one()
        assert (line.actor_id, line.subject_id, line.after["rows"]) == (who[0].id, "products", 1)
        assert line.after["format"] == "csv"
        assert downloads.state(session, ticket.token, now()) == "used"


def test_nobody_else_gets_it_and_a_refused_try_leaves_it_to_its_owner(client, signed_in):
    who, other = signed_in("viewer"), signed_in("admin")
    same_person = signed_in(email=who[0].email)
    ticket, file = a_ticket(who), a_file(who)
    assert same_person[1] != who[1]
    for one in (ticket, file):
        for cookie in (other[1], same_person[1]):
            for method in ("GET", "HEAD"):
                assert fetched(client, one, cookie, method).status_code == 404
        for nobody in (None, "", "nonsense", "x" * 5_000):
            assert fetched(client, one, nobody).status_code == 401
    for unknown in ("nonsense", "x" * 200, "%00", "a%2Fb", "é"):
        assert fetched(client, unknown, who[1]).json()["type"] == "NotFound"
    assert fetched(client, "x" * 201, who[1]).status_code == 422
    assert fetched(client, ticket, who[1]).status_code == 200
    found = fetched(client, file, who[1])
    assert (found.content, found.headers["content-type"]) == (PDF, "application/pdf")
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DownloadFile)) == 0
        assert session.scalar(
            sa.select(sa.func.count()).where(AuditLine.action == "downloaded")
        ) == 2  # fmt: skip


def test_a_link_ends_after_a_minute_with_its_sign_in_its_account_and_its_right(client, signed_in):
    who, person = signed_in("manager"), sa.update(Person)
    mine, open_ = Person.id == who[0].id, SignIn.person_id == who[0].id
    ticket = a_ticket(who)
    for change, back, status in (
        (sa.update(DownloadTicket).values(expires_at=now()),
         sa.update(DownloadTicket).values(expires_at=now() + downloads.LASTS), 404),
        (person.where(mine).values(is_active=False), person.where(mine).values(is_active=True), 401),
        (sa.update(SignIn).where(open_).values(ended_at=now(), ended_because="signed out"),
         sa.update(SignIn).where(open_).values(ended_at=None, ended_because=None), 401),
    ):  # fmt: skip
        for statement, expected in ((change, status), (back, None)):
            with transaction() as session:
                session.execute(statement)
            if expected:
                assert fetched(client, ticket, who[1]).status_code == expected
    strict = a_file(who, right="edit catalogue")
    with transaction() as session:
        session.execute(person.where(mine).values(role="viewer"))
    refused = fetched(client, strict, who[1])
    assert (refused.status_code, refused.json()["type"]) == (403, "NotAllowed")
    assert fetched(client, ticket, who[1]).status_code == 200  # a viewer may read that one


@pytest.mark.usefixtures("clone")
def test_of_many_at_once_one_gets_it(client, signed_in):
    who = signed_in()
    ticket, answers = a_file(who), []
    threads = [
        threading.Thread(target=lambda: answers.append(fetched(client, ticket, who[1]).status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + 7 * [404]


def test_each_format_comes_whole_and_every_place_is_free_afterwards(client, signed_in):
    who = signed_in()
    with transaction() as session:
        for number in range(3):
            makers.a_product(session, number + 1, sku=f"S-{number}")
    begins = {"csv": b"\xef\xbb\xbfSKU,", "xlsx": b"PK\x03\x04", "parquet": b"PAR1"}
    for format, begin in begins.items():
        for _ in range(3):  # more than there are places for streams at once
            found = fetched(client, a_ticket(who, "stock", format), who[1])
            assert (found.status_code, found.content[: len(begin)]) == (200, begin)


def test_a_ticket_is_only_made_for_what_may_be_had(client, signed_in):  # noqa: ARG001
    who, (actor, cookie) = signed_in("viewer"), signed_in("viewer")
    with pytest.raises(BadInput, match="not a table"):
        a_ticket(who, "people")
    with pytest.raises(BadInput, match="not a format"):
        a_ticket(who, "stock", "xls")
    with pytest.raises(BadInput, match="before it begins"):
        a_ticket(who, "scans", since=now().date(), until=now().date() - timedelta(days=1))
    with pytest.raises(NotAllowed):
        a_file(who, right="see audit")
    with pytest.raises(BadInput, match="more than 50 MB"):
        a_file(who, b"x" * (downloads.MOST_BYTES + 1))
    for nobody in ((None, cookie), (actor, None), (actor, "nonsense")):
        with pytest.raises(NotSignedIn):
            a_ticket(nobody)
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DownloadTicket)) == 0


def test_what_nobody_fetched_is_swept_away_with_the_next_ticket(client, signed_in):
    who = signed_in()
    old = a_file(who)
    with transaction() as session:
        session.execute(sa.update(DownloadTicket).values(expires_at=now() - timedelta(seconds=1)))
    assert fetched(client, old, who[1]).status_code == 404
    a_ticket(who)
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DownloadFile)) == 0
        assert downloads.state(session, old.token, now()) == "expired"
        session.execute(sa.update(DownloadTicket).values(expires_at=now() - 2 * downloads.KEPT))
    a_ticket(who)
    with reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DownloadTicket)) == 1
        assert downloads.state(session, old.token, now()) == "expired"
