"""The sentence beside a range, and the scorecard: whose ranges were counted is always said."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.scorecard import Record
from dashboard import looks, trust
from db.models import Forecast, IssuedRange
from tests.dashboard.conftest import plain, words

SCORES = {
    "tasks": 9.0, "inside": 7.0, "coverage": 7 / 9, "crps": 6.2, "crps_naive": 9.1, "skill": 0.32,
    "bias": 2.2, "mase": 0.84, "mase_naive": 0.97,
}  # fmt: skip


@pytest.fixture
def judged(session, sold_daily, train):
    """A product with a forecast and the scores of a test on the past."""

    def make(scores=SCORES, **about):
        product = sold_daily(**{"name": "M6 bolt"} | about)
        train()
        mine = (Forecast.product_id == product.id) & Forecast.warehouse_id.is_(None)
        session.execute(sa.update(Forecast).where(mine).values(scores=scores))
        return product

    return make


def issued(session, product, states, **about):
    """Ranges whose days are over, one a day, the newest first in `states`."""
    for n, state in enumerate(states):
        day = looks.today() - timedelta(days=40 + n)
        values = {
            "product_id": product.id, "issued_on": day, "method": "pool", "demand_class": "smooth",
            "on_hand": Decimal(20), "p10_on": day + timedelta(days=8), "p50_on": day + timedelta(days=10),
            "p90_on": day + timedelta(days=14), "until": day + timedelta(days=120), "chance_14": 0.9,
            "state": state, "closed_on": None if state == "open" else day + timedelta(days=15),
            "ran_out_on": day + timedelta(days=9) if state == "inside" else None,
        }  # fmt: skip
        session.add(IssuedRange(**values | about))
    session.flush()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Record(41, 50, "issued", "smooth"), "ranges like this were right 41 of the last 50 times"),
        (Record(41, 50, "issued_class", "smooth"),
         "ranges of products like this were right 41 of the last 50 times"),
        (Record(17, 20, "backtest", "smooth"), "in a test on the past such ranges were right 17 of 20 times"),
        (Record(812, 1000, "backtest_class", "smooth"),
         "in a test on the past ranges of products like this were right 812 of 1,000 times"),
        (Record(0, 0, None, None), "nobody knows yet how good such ranges are: too little history"),
    ],
    ids=["own", "of the class", "tested", "class tested", "nothing"],
)  # fmt: skip
def test_whose_ranges_are_counted_is_said(record, said, monkeypatch):
    monkeypatch.setattr(
        "dashboard.looks.the_shop", lambda: looks.Shop("Shop", "EUR", "en", "UTC", is_demo=False)
    )
    assert plain(trust.record_words(record)).replace("**", "") == said


def test_the_page_says_range_most_likely_day_and_how_often_such_ranges_were_right(browser, judged):
    product = judged()
    said = plain(words(browser("viewer", "product", id=str(product.uid)))).replace("**", "")
    assert "(80 %), most likely" in said
    assert "; in a test on the past such ranges were right 7 of 9 times" in said


def test_twenty_ranges_that_were_shown_speak_instead_of_the_test(browser, session, judged):
    product = judged()
    issued(session, product, ["inside"] * 17 + ["early", "late", "early"])
    said = plain(words(browser("viewer", "product", id=str(product.uid)))).replace("**", "")
    assert "; ranges like this were right 17 of the last 20 times" in said


def test_nothing_to_go_by_is_said_too(browser, judged):
    product = judged(scores=None)
    said = plain(words(browser("viewer", "product", id=str(product.uid))))
    assert trust.NOBODY_KNOWS in said


def test_the_scorecard_in_words_with_what_became_of_the_ranges(browser, session, judged):
    product = judged()
    issued(session, product, ["open", "inside", "early", "late", "void"], why=None)
    void = session.scalars(sa.select(IssuedRange).where(IssuedRange.state == "void")).one()
    void.why = "An empty shelf hid the demand."
    session.flush()
    app = browser("viewer", "product", id=str(product.uid), show="trust")
    assert not app.exception
    assert not app.error
    text = plain(words(app))
    assert "Beats the simple rule by 32 %" in text
    values = {metric.label: (metric.value, plain(metric.delta)) for metric in app.metric}
    assert values["Off by, on average"] == ("6.2 days", "the simple rule 9.1 days")
    assert values["Ranges right"] == ("7 of 9", "8 of 10 are meant to be")
    assert values["Runs out"] == ("2 days earlier", "than said, on average")
    assert values["Error of a day's demand"] == ("0.84", "the simple rule 0.97")
    for word in ("Open", "Right", "Ran out earlier", "Lasted longer", "Not judged"):
        assert f"badge[{word}]" in text
    assert ", an empty shelf hid the demand &nbsp; :gray-badge[Not judged]" in text
    assert "Method" in text


def test_a_product_that_was_never_tried_says_what_that_takes(browser, sold_daily, train):
    product = sold_daily()
    train()
    text = plain(words(browser("viewer", "product", id=str(product.uid), show="trust")))
    assert "Too little to judge" in text
    assert "too short to try forecasts on it" in text
    assert "None yet" in text


def test_a_product_without_any_forecast_has_a_scorecard_that_says_why(browser, sold_daily):
    product = sold_daily(days=3)
    app = browser("viewer", "product", id=str(product.uid), show="trust")
    assert not app.exception
    assert not app.error
    assert "train to get one" in plain(words(app))


def test_only_the_open_section_is_computed(browser, judged, monkeypatch):
    product = judged()
    monkeypatch.setattr("core.scorecard.of_product", lambda *_, **__: 1 / 0)
    app = browser("viewer", "product", id=str(product.uid))
    assert not app.error
    assert browser("viewer", "product", id=str(product.uid), show="trust").error


def test_a_section_that_is_not_there_is_one_red_sentence(browser, judged):
    app = browser("viewer", "product", id=str(judged().uid), show="secrets")
    assert [plain(error.value) for error in app.error] == ["Section: there is no 'secrets'."]
    assert "Demand of the last 90 days" in words(app)


def test_what_the_reason_says_is_shown_as_it_was_written(browser, session, judged):
    product = judged()
    evil = "pool [x](http://evil.example) <b>"
    session.execute(
        sa.update(Forecast).values(reason=evil, would_help=evil, limited=[["2026-11-02", 120, 24]])
    )
    text = words(browser("viewer", "product", id=str(product.uid), show="trust"))
    assert "](http" not in text
    assert "120 sold, 24 learned from" in plain(text)


@pytest.mark.parametrize(
    ("bias", "said"),
    [(2.2, "2 days earlier"), (-1.2, "1 day later"), (0.3, "as said"), (None, "–")],
)
def test_to_which_side_dates_lean(bias, said, monkeypatch):
    monkeypatch.setattr(
        "dashboard.looks.the_shop", lambda: looks.Shop("Shop", "EUR", "en", "UTC", is_demo=False)
    )
    assert trust.lean(bias) == said
