"""The view of decisions: the tally, the list with what came of each, and an empty journal."""

from datetime import UTC, datetime, timedelta

import pytest

from db.models import Decision
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, an_actor, the_warehouse

TODAY = datetime.now(UTC).date()


def decided(session, kind="edited", saved="-12.50", *, person=None, chosen=40, name="Lamp", days_ago=30):
    """A decision that is judged, or with `saved` "open" one that is not."""
    outcome = None
    if saved != "open":
        outcome = {
            "days": 7, "demand": "20", "ordered": "40", "delivered": "40", "delivered_on": TODAY.isoformat(),
            "is_cancelled": False, "days_without": 3, "out_on": None, "lost": "8", "left": "0",
            "left_money": "0", "saved": saved,
            "advice": {"days_without": 0, "out_on": None, "lost": "0", "left": "12"},
        }  # fmt: skip
    kept = Decision(
        product_id=a_product(session, name=name).id, warehouse_id=the_warehouse(session).id, kind=kind,
        decided_on=TODAY - timedelta(days=days_ago), decided_by=person and person.id, advised=60,
        chosen=chosen, covers_from=TODAY - timedelta(days=20), covers_until=TODAY - timedelta(days=14),
        forecast={"p10": "10", "p50": "20", "p90": "31.5", "chance": 0.2, "on_hand": "5", "due": "0"},
        outcome=outcome, closed_on=TODAY if outcome else None,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    session.refresh(kept)
    return kept


def listed(app):
    return next(one.value for one in app.dataframe if "What came of it" in one.value)


def test_a_young_shop_is_told_what_will_be_here(browser):
    app = browser("viewer", "journal")
    assert not app.exception
    assert "No decisions yet" in words(app)
    assert [link.label for link in app.get("page_link")].count("See what to order") == 1
    assert not app.metric


def test_the_tally_says_who_knew_better(browser, session):
    anna = an_actor(session)
    decided(session, person=anna)
    decided(session, saved="20", person=anna)
    decided(session, "taken", "0", person=anna, chosen=60)
    decided(session, "ignored", "-9", chosen=0)
    app = browser("viewer", "journal")
    assert not app.exception
    said = plain(words(app))
    assert "Edited decisions were better than the advice 1 of 2 times" in said
    assert "Together they saved €7.50 against the advice" in said
    assert [metric.value for metric in app.metric][:3] == ["4", "71.4 %", "12 days"]
    by_person = next(one.value for one in app.dataframe if "Person" in one.value)
    assert by_person["Person"].tolist() == [anna.name]


def test_what_is_not_over_is_too_early_to_judge(browser, session):
    decided(session, saved="open")
    app = browser("viewer", "journal")
    assert "Too early to say who knew better" in words(app)
    assert [list(one) for one in listed(app)["Outcome"]] == [["Not over"]]


def test_the_list_says_in_a_sentence_what_came_of_each(browser, session):
    anna = an_actor(session)
    decided(session, person=anna, name="Lamp *one*")
    row = listed(browser("viewer", "journal")).iloc[0]
    assert (row["Product"], row["Ordered"], list(row["Outcome"])) == ("Lamp *one*", "40 for 60", ["Worse"])
    assert row["What came of it"].startswith(f"{anna.name} ordered 40 instead of 60: out on 3 of 7 days")
    assert row["In money"] == "−€12.50"


@pytest.mark.parametrize(
    ("address", "found"),
    [({"kind": "ignored"}, ["Bulb"]), ({"outcome": "open"}, ["Cable"]), ({"q": "lam"}, ["Lamp"]),
     ({"outcome": "worse"}, ["Lamp", "Bulb"]), ({"days": "7"}, ["Cable"])],
    ids=["kind", "not over", "search", "worse", "lately"],
)  # fmt: skip
def test_filters_come_from_the_address(browser, session, address, found):
    decided(session, "ignored", name="Bulb", chosen=0, days_ago=40)
    decided(session, name="Lamp")
    decided(session, saved="open", name="Cable", days_ago=2)
    assert listed(browser("viewer", "journal", **address))["Product"].tolist() == found


def test_nothing_fits_the_filters(browser, session):
    decided(session)
    app = browser("viewer", "journal", q="nothing")
    assert "No decision fits these filters" in words(app)


@pytest.mark.parametrize("address", [{"kind": "x"}, {"outcome": "x"}, {"person": "x"}, {"days": "x"},
                                     {"page": "99"}, {"page": "x"}], ids=str)  # fmt: skip
def test_a_wrong_address_is_one_red_sentence_and_the_list_stands(browser, session, address):
    decided(session)
    app = browser("viewer", "journal", **address)
    assert not app.exception
    assert len(app.error) == 1
    assert len(listed(app)) == 1


def test_one_decision_opens_with_the_forecast_of_its_day(browser, session):
    kept = decided(session)
    app = browser("viewer", "journal", id=str(kept.uid))
    said = plain(words(app))
    assert "**Expected for these days** 10 to 31.5, most likely 20" in said
    assert "20 sold, 3 days without stock, about 8 lost, 0 left at the end" in said
    assert "**With the advised 60** 0 days without stock" in said
    next(button for button in app.button if button.key == "close_decision").click().run()
    assert "id" not in app.query_params


@pytest.mark.parametrize("given", ["x", "00000000-0000-0000-0000-000000000000"], ids=["no id", "unknown"])
def test_a_decision_that_is_none_is_refused(browser, session, given):
    decided(session)
    app = browser("viewer", "journal", id=given)
    assert not app.exception
    assert len(app.error) == 1
    assert len(listed(app)) == 1
