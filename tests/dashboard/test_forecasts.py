"""The Forecasts view: how good they are, where they are worst and why, and what is there before that."""

import pytest
import sqlalchemy as sa

from db.models import JobRun
from tests.dashboard.conftest import plain, words


def button(app, key):
    return next(b for b in app.button if b.key == key)


def keys(app):
    return [b.key for b in app.button]


@pytest.mark.parametrize("role", ["viewer", "user", "manager", "admin"])
def test_before_the_first_training_it_says_so(browser, role):
    app = browser(role, "forecasts")
    assert not app.exception
    assert not app.error
    assert "No forecasts yet" in plain(words(app))
    assert ("train_forecasts" in keys(app)) == (role in ("manager", "admin"))


def test_train_now_asks_once_and_says_how_far_it_is(browser, session):
    app = browser("manager", "forecasts")
    button(app, "train_forecasts").click().run()
    assert not app.exception
    assert session.scalars(sa.select(JobRun.state).where(JobRun.job == "train")).all() == ["queued"]
    assert "No scheduler runs" in plain(words(app))
    assert "train_forecasts" not in keys(app)


def test_a_shop_that_was_trained_tells_what_there_is_and_what_is_not_known_yet(browser, sold_daily, train):
    sold_daily(name="M6 bolt")
    train()
    app = browser("viewer", "forecasts")
    assert not app.exception
    assert not app.error
    text = plain(words(app))
    assert "Nobody knows yet how good they are" in text
    assert "1 of 1" in text
    assert "Nothing to compare yet" in text
    assert app.dataframe[0].value["Product"].tolist() == ["M6 bolt"]
    assert "Too little history to try it on the past" in app.dataframe[0].value["Why"].tolist()
