"""Trend, weekdays and season on the page of a product: asked for, waited for, seen, and for whom not."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core import demand_patterns, job_runs
from dashboard import patterns
from db.models import DemandPattern, JobRun
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import press
from tests.makers import an_actor

NOW = datetime.now(UTC)
AS_OF = NOW.date() - timedelta(days=1)
CLEAR = [[0.9, 1.1], [1.2, 1.7], *[[0.9, 1.1]] * 4, [0, 0]]
PARTS = {
    "days": 800,
    "trend": [[(AS_OF + timedelta(weeks=n)).isoformat(), 3, 4 + n / 20, 6] for n in range(-60, 9)],
    "weekday": [1, 1.4, 1, 1, 1, 1, 0],
    "weekday_range": CLEAR,
    "yearly": [[f"2026-{month:02}-01", 1.6 if month == 12 else 0.95] for month in range(1, 13)],
    "holidays": [["Boxing Day", 0.31]],
}


@pytest.fixture
def product(sold_daily):
    return sold_daily(left=20, name="Desk *lamp*")


@pytest.fixture
def open_page(browser, product):
    return lambda role="manager": browser(role, "product", id=str(product.uid), show="patterns")


def drawn(session, product, *, at=NOW, parts=PARTS, reason=None):
    session.add(DemandPattern(product_id=product.id, as_of=AS_OF, parts=parts, reason=reason, made_at=at))
    session.flush()


def labels(app):
    return [button.label for button in app.button]


def test_one_button_has_them_drawn_and_the_page_waits(open_page, product, session):
    app = open_page()
    assert "drawn when somebody asks" in words(app)
    press(app, "Draw them")
    assert not app.exception
    assert demand_patterns.last_run(session, product.uid).state == "queued"
    assert "Draw them" not in labels(app)
    assert "No scheduler runs" in app.warning[0].value


def test_who_may_not_ask_is_told_who_can(open_page):
    app = open_page("user")
    assert "A manager can have them drawn" in words(app)
    assert "Draw them" not in labels(app)


def test_the_findings_are_the_titles(open_page, product, session):
    drawn(session, product)
    app = open_page("viewer")
    assert not app.exception
    told = plain(words(app))
    for finding in (
        "Sells 19 % more than three months ago",
        "Tuesdays sell 40 % above the week's mean",
        "Most in December, 60 % above the year's mean",
        "Boxing Day: 31 % more than usual",
    ):
        assert f"**{finding}**" in told
    captions = plain(" ".join(caption.value for caption in app.caption))
    assert "Drawn by Prophet from 800 days up to" in captions
    assert "takes two years" not in captions
    assert not {"Draw them", "Draw them anew"} & set(labels(app))


def test_without_two_years_it_says_what_a_season_takes(open_page, product, session):
    drawn(session, product, parts=PARTS | {"days": 90, "yearly": None, "holidays": None})
    captions = plain(" ".join(caption.value for caption in open_page().caption))
    assert "A season of the year takes two years of history." in captions


def test_old_pictures_stay_and_can_be_drawn_anew(open_page, product, session):
    drawn(session, product, at=NOW - timedelta(days=8))
    app = open_page()
    assert "**Tuesdays sell 40 %" in plain(words(app))
    press(app, "Draw them anew")
    assert demand_patterns.last_run(session, product.uid).state == "queued"
    assert "**Tuesdays sell 40 %" in plain(words(app))


def test_too_little_history_is_said_with_what_is_missing(open_page, product, session):
    drawn(session, product, parts=None, reason="41 of 56 days of history")
    assert "41 of 56 days of history." in plain(words(open_page()))


def test_a_drawing_that_failed_says_why_and_can_be_tried_again(open_page, product, session):
    demand_patterns.ask(session, an_actor(session), product.uid, NOW)
    claimed = job_runs.claim(session, "w", ["pattern"], NOW)
    job_runs.fail(session, claimed, NOW, "ValueError: *no* sense")
    app = open_page()
    assert "ValueError" in app.error[0].value
    press(app, "Draw them")
    assert session.query(JobRun).filter_by(job="pattern", state="queued").count() == 1


def test_a_product_that_is_not_sold_any_more_is_not_drawn(open_page, product, session):
    product.is_active = False
    session.flush()
    app = open_page()
    assert "not sold any more" in words(app)
    assert "Draw them" not in labels(app)


def a_trend(*values):
    return [(AS_OF - timedelta(weeks=len(values) - 1 - n), v, v, v) for n, v in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ([4.0] * 14, "Sells about as much as three months ago"),
        ([4.0] * 13 + [5.0], "Sells 25 % more than three months ago"),
        ([4.0, *[3.0] * 52], "Sells 25 % less than a year ago"),
        ([4.0, 4.0, 2.0], "Sells 50 % less than 2 weeks ago"),
        ([4.0] * 13 + [0.0], "Hardly sells any more"),
        ([0.0] * 13 + [2.0], "Sells again, after hardly at all three months ago"),
    ],
    ids=range(6),
)
def test_what_the_trend_did_in_words(values, finding):
    assert patterns.trend_finding(a_trend(*values), AS_OF) == finding


def test_a_weekday_is_named_only_when_chance_does_not_explain_it():
    unclear = [[0.7, 1.4]] * 7
    assert patterns.weekday_finding([1.3] * 7, unclear) == "No weekday clearly stands out"
    closed = [*unclear[:5], [0, 0.01], [0, 0]]
    assert patterns.weekday_finding([1] * 5 + [0, 0], closed) == "Saturdays and Sundays sell nothing"
    low = [[0.3, 0.6], *unclear[1:]]
    assert patterns.weekday_finding([0.5] + [1] * 6, low) == "Mondays sell 50 % below the week's mean"


def test_a_year_without_a_season_says_so():
    year = [(date(2026, month, 1), 1.02) for month in range(1, 13)]
    assert patterns.season_finding(year) == "About the same all year"
