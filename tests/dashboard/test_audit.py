"""The Audit view: who did what, when, and what it was before; filters in the address, pages, download."""

from datetime import UTC, datetime

import pytest

from core import audit, people
from core.audit_trail import Line
from dashboard import auditing
from tests.dashboard.conftest import plain, words
from tests.makers import a_person, a_product, an_actor


def rows(app):
    return app.dataframe[0].value


def a_line(action="edited", before=None, after=None, **about):
    values = {
        "id": 1, "at": datetime(2026, 5, 4, tzinfo=UTC), "person": "Ada", "action": action,
        "subject_type": "product", "subject_id": "x", "subject": "M6", "is_own": False,
        "before": before, "after": after, "request_id": None,
    }  # fmt: skip
    return Line(**values | about)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"role": "user"}, {"role": "admin"}, ["role: user → admin"]),
        ({"a": 1, "is_active": True}, {"a": 1, "is_active": False}, ["active: yes → no"]),
        (None, {"unit_cost": 12.5, "note": None}, ["unit cost: 12.5", "note: –"]),
        (
            {"emails": []},
            {"emails": ["a@b.example", "c@d.example"]},
            ["emails: – → a@b.example, c@d.example"],
        ),
        ({"device": "Chrome"}, None, ["device: Chrome"]),
        (None, {"rows": {"new": 3}}, ['rows: {"new": 3}']),
        (None, {"text": "x" * 999}, [f"text: {'x' * 200}…"]),
        (None, None, []),
    ],
)
def test_values_are_told_in_words(before, after, said):
    assert auditing.changes(a_line(before=before, after=after)) == said


def test_what_was_done_reads_as_a_sentence():
    assert auditing.what(a_line()) == "Edited product M6"
    assert auditing.what(a_line("asked for", subject_type="job", subject="train")) == "Asked for job train"
    assert auditing.what(a_line("signed in", is_own=True)) == "Signed in"
    assert auditing.what(a_line("ended a sign-in of", is_own=True)) == "Ended a sign-in"


def test_the_list_says_who_did_what_newest_first(browser, session):
    admin, person = an_actor(session, "admin"), a_person(session, "user", name="Ada")
    people.change_role(session, admin, person.uid, "viewer")
    found = rows(browser("admin", "audit"))
    line = found[found.What == "Changed the role of Ada"].iloc[0]
    assert (line.Who, line["Before → after"]) == (admin.name, "role: user → viewer")
    assert found.What.iloc[0] == "Signed in"


def test_filters_come_from_the_address(browser, session):
    admin, person = an_actor(session, "admin"), a_person(session, "user", name="Ada")
    product = a_product(session, sku="BOLT")
    people.change_role(session, admin, person.uid, "viewer")
    audit.note(session, admin.id, "edited", "product", product.uid)
    for address in (
        {"action": "changed the role of"},
        {"q": "ada", "action": "changed the role of", "days": "7"},
        {"person": str(admin.uid), "subject": "person", "action": "changed the role of"},
    ):
        assert len(rows(browser("admin", "audit", **address))) == 1, address
    assert rows(browser("admin", "audit", subject="product")).What.tolist() == ["Edited product BOLT"]
    assert "Nothing that was done fits" in plain(words(browser("admin", "audit", q="nowhere at all")))


def test_pages_turn_by_id(browser, session):
    admin = an_actor(session, "admin")
    for number in range(60):
        audit.note(session, admin.id, f"did {number}", "job", "train")
    app = browser("admin", "audit", subject="job")
    assert len(rows(app)) == 50
    app.button(key="older").click().run()
    assert rows(app).What.tolist() == [f"Did {number} job train" for number in range(9, -1, -1)]
    app.button(key="newer").click().run()
    assert rows(app).What.iloc[0] == "Did 59 job train"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"action": "<script>"}, "there is no '<script>'"),
        ({"subject": "x"}, "there is no 'x'"),
        ({"person": "x"}, "there is no 'x'"),
        ({"before": "-1"}, "'-1' in the address is not a number"),
        ({"after": "x"}, "'x' in the address is not a number"),
        ({"days": "5"}, "there is no '5'"),
    ],
)
def test_a_wrong_address_is_one_red_sentence(browser, address, sentence):
    app = browser("admin", "audit", **address)
    assert not app.exception
    assert [sentence in plain(error.value) for error in app.error] == [True]


def test_the_download_holds_what_the_list_shows():
    frame = auditing.for_download([a_line(before={"a": 1}, after={"a": 2}), a_line(person=None)])
    assert frame["Before and after"].tolist() == ["a: 1 → 2", ""]
    assert frame.Person.tolist() == ["Ada", "Nobody"]
    till = a_line(api_key="Till *2*")
    assert auditing.for_download([till])["API key"].tolist() == ["Till *2*"]
    assert auditing.who(till) == "Ada (Till *2*)"
    assert auditing.for_download([]).columns.tolist() == frame.columns.tolist()


def test_a_line_opens_in_words(browser, session):
    admin = an_actor(session, "admin")
    audit.note(session, admin.id, "asked for", "job", "*train*", after={"why": "[x](http://evil.example)"})
    app = browser("admin", "audit", subject="job")
    picker = next(box for box in app.selectbox if box.label == "Open a row of the table")
    picker.select(0).run()
    assert not app.exception
    assert "why: [x](http://evil.example)" in plain(words(app))
