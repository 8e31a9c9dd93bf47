"""The Jobs view: the timetable, how runs went, run now and cancel; for admins only."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import streamlit as st

from core import job_runs
from db.models import JobRun


def texts(app):
    return " ".join(element.value for element in [*app.text, *app.caption, *app.markdown])


def test_every_job_says_when_it_runs_next(browser):
    app = browser("admin", "jobs")
    assert not app.exception
    said = texts(app)
    assert "Sundays at 02:00 UTC" in said
    assert said.count("next") == 4
    assert "No scheduler runs" in said


def test_run_now_asks_once_and_cancel_takes_it_back(browser, session):
    app = browser("admin", "jobs")
    app.button(key="run-train").click().run()
    assert session.scalars(sa.select(JobRun.state)).all() == ["queued"]
    assert "waits for a worker" in texts(app)
    app.button(key="cancel-train").click().run()
    session.expire_all()
    assert session.scalars(sa.select(JobRun.state)).all() == ["cancelled"]
    assert not app.exception


def test_a_running_job_shows_how_far_it_is_and_a_failed_one_why(browser, session):
    now = datetime.now(UTC)
    job_runs.enqueue(session, "train", now)
    mine = job_runs.claim(session, "a", ["train"], now - timedelta(seconds=30))
    job_runs.beat(session, mine, now, 50, 200)
    job_runs.enqueue(session, "refresh", now)
    bad = job_runs.claim(session, "a", ["refresh"], now)
    job_runs.fail(session, bad, now, "ValueError: no [luck](http://evil.example)")
    app = browser("admin", "jobs")
    assert not app.exception
    assert app.get("progress")[0].proto.text.startswith("50 of 200")
    assert any("no" in error.value and "luck" in error.value for error in app.error)


def test_others_do_not_find_the_view(browser):
    app = browser("manager", "today")
    assert not app.exception
    assert "jobs" not in str(app.sidebar).lower()


def test_a_silent_scheduler_is_said_on_every_view(browser, session):
    job_runs.alive(session, "a", datetime.now(UTC) - timedelta(minutes=10))
    app = browser("viewer", "movements")
    assert any("scheduler was last seen" in warning.value for warning in app.warning)
    job_runs.alive(session, "a", datetime.now(UTC))
    st.cache_data.clear()  # the look is kept for some seconds
    app = browser("viewer", "movements")
    assert not any("scheduler" in warning.value for warning in app.warning)
