"""The audit found again: by who, what, when and words, page by page, and fast."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import audit, audit_trail
from core.errors import NotAllowed
from db.models import AuditLine
from tests.makers import a_person, a_product, a_warehouse, an_actor


@pytest.fixture
def admin(session):
    return an_actor(session, "admin")


def said(session, admin, **filters):
    return [line.action for line in audit_trail.listing(session, admin, **filters)]


def test_lines_come_newest_first_with_the_names_people_know(session, admin):
    person, product = a_person(session, "user", name="Ada"), a_product(session, sku="M6")
    warehouse = a_warehouse(session, "MAIN")
    audit.note(session, admin.id, "edited", "product", product.uid, before={"name": "a"}, after={"name": "b"})
    audit.note(session, admin.id, "closed", "warehouse", warehouse.uid)
    audit.note(session, person.id, "signed in", "person", person.uid)
    audit.note(session, None, "asked for", "job", "train")
    found = audit_trail.listing(session, admin)[:4]
    assert [(line.person, line.action, line.subject) for line in found] == [
        (None, "asked for", "train"),
        ("Ada", "signed in", "Ada"),
        (admin.name, "closed", "MAIN"),
        (admin.name, "edited", "M6"),
    ]
    assert (found[3].before, found[3].after) == ({"name": "a"}, {"name": "b"})


def test_what_has_gone_or_has_no_name_is_still_listed(session, admin):
    gone = "00000000-0000-0000-0000-000000000000"
    audit.note(session, admin.id, "deleted", "product", gone)
    audit.note(session, admin.id, "resolved", "alert", gone)
    assert [line.subject for line in audit_trail.listing(session, admin)[:2]] == ["", ""]


def test_every_filter_narrows_and_they_add_up(session, admin):
    person, product = a_person(session, "user"), a_product(session, sku="BOLT-6")
    audit.note(session, person.id, "edited", "product", product.uid, after={"name": "50%_off"})
    audit.note(session, admin.id, "edited", "product", product.uid)
    audit.note(session, admin.id, "asked for", "job", "train")
    assert said(session, admin, person_id=person.id, subject_type="product") == ["edited"]
    assert said(session, admin, action="asked for") == ["asked for"]
    assert said(session, admin, subject_type="product") == ["edited", "edited"]
    assert said(session, admin, text="bolt") == ["edited", "edited"]
    assert said(session, admin, text="50%_") == ["edited"]
    assert said(session, admin, text="TRAIN") == ["asked for"]
    assert said(session, admin, text="nowhere") == []
    assert said(session, admin, action="edited", person_id=admin.id, text="off") == []
    now = datetime.now(UTC)
    session.add(AuditLine(at=now - timedelta(days=10), action="left", subject_type="job", subject_id="x"))
    session.flush()
    assert "left" not in said(session, admin, since=now - timedelta(days=7))
    assert "left" in said(session, admin, since=now - timedelta(days=11))


def test_pages_go_back_and_forth_without_a_gap_or_a_double(session, admin):
    for n in range(25):
        audit.note(session, admin.id, f"did {n}", "job", "train")
    session.flush()
    seen, before = [], None
    while page := audit_trail.listing(session, admin, before_id=before, limit=7):
        seen += page
        before = page[-1].id
    ids = [line.id for line in seen]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 26  # and the creation of the admin
    third, second = seen[14:21], seen[7:14]
    assert audit_trail.listing(session, admin, after_id=third[0].id, limit=7) == second


def test_the_words_of_the_filters_are_those_that_occur(session, admin):
    audit.note(session, admin.id, "asked for", "job", "train")
    audit.note(session, admin.id, "asked for", "job", "refresh")
    session.flush()
    assert audit_trail.words(session, admin) == (["asked for", "created"], ["job", "person"])


@pytest.mark.parametrize("role", ["viewer", "user", "manager"])
def test_only_admins_read_it(session, role):
    for look in (audit_trail.listing, audit_trail.words):
        with pytest.raises(NotAllowed):
            look(session, an_actor(session, role))


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"actor_id": 1}, "ix_audit_line_actor_id"),
        ({"action": "invited"}, "ix_audit_line_action"),
    ],
)
def test_a_page_of_one_person_or_action_reads_an_index_from_its_end(session, filters, index):
    session.execute(
        sa.text(
            "INSERT INTO audit_line (action, subject_type, subject_id)"
            " SELECT 'did ' || n % 50, 'job', n FROM generate_series(1, 20000) AS n"
        )
    )
    session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    question = sa.select(AuditLine).filter_by(**filters).order_by(AuditLine.id.desc()).limit(50)
    compiled = question.compile(session.connection(), compile_kwargs={"literal_binds": True})
    plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {compiled}")).all())
    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan
