"""The Jobs view: the timetable, how runs went, run now and cancel; for admins only."""

import re
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import streamlit as st

from core import job_log, job_runs, timetable
from db.models import JobRun
from tests.makers import a_product, an_actor


def texts(app):
    return " ".join(element.value for element in [*app.text, *app.caption, *app.markdown, *app.code])


def test_every_job_says_when_it_runs_next(browser):
    app = browser("admin", "jobs")
    assert not app.exception
    said = texts(app)
    assert "Sundays at 02:00 UTC" in said
    assert said.count("next") == len(timetable.TASKS)
    assert "when somebody brings one in" in said
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


def test_what_was_trained_by_hand_took_no_time_here_and_what_was_cancelled_says_so_once(browser, session):
    now = datetime.now(UTC)
    job_runs.note_done(session, "train", now, now)
    session.add(JobRun(job="refresh", slot=now, state="cancelled", message="Cancelled.", worker="a",
                       started_at=now - timedelta(seconds=4), finished_at=now))  # fmt: skip
    said = texts(browser("admin", "jobs"))
    assert "done outside this timetable" in said
    assert "in 0 s" not in said
    assert "cancelled after 4 s" in said
    assert "Cancelled." not in said


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


def test_the_time_left_follows_from_the_stage_that_is_counted_and_not_from_what_came_before(browser, session):
    now = datetime.now(UTC)
    job_runs.enqueue(session, "train", now)
    mine = job_runs.claim(session, "a", ["train"], now - timedelta(minutes=30))
    stage = {"stage": "Drawing the forecasts", "since": (now - timedelta(seconds=20)).isoformat()}
    job_runs.beat(session, mine, now, 1000, 4000, stage)
    (bar,) = browser("admin", "jobs").get("progress")
    assert re.fullmatch(r"Drawing the forecasts: 1,000 of 4,000, \d\d s left", bar.proto.text)
    job_runs.beat(session, mine, now, 0, None, {"stage": "Publishing", "since": now.isoformat()})
    (bar,) = browser("admin", "jobs").get("progress")
    assert re.fullmatch(r"Publishing: begun \d+ s ago", bar.proto.text)
    job_runs.fail(session, mine, now, "No Dask scheduler answers at tcp://127.0.0.1:9.")
    app = browser("admin", "jobs")
    assert any("No Dask scheduler answers" in error.value for error in app.error)
    assert not app.exception


def test_the_log_of_a_run_opens_under_it_and_closes_again(browser, session):
    now = datetime.now(UTC)
    job_runs.enqueue(session, "train", now)
    bad = job_runs.claim(session, "a", ["train"], now)
    lines = [job_log.Line(now, "INFO", "7 products [found](http://evil.example)"),
             job_log.Line(now, "ERROR", "Traceback\nValueError: no luck")]  # fmt: skip
    job_log.write(session, bad.run_id, lines)
    job_runs.fail(session, bad, now, "ValueError: no luck")
    app = browser("admin", "jobs")
    assert "7 products" not in texts(app)
    app.button(key=f"log-{bad.run_id}").click().run()
    (log,) = app.code
    assert "7 products [found](http://evil.example)" in log.value
    assert "ERROR: Traceback\nValueError: no luck" in log.value
    app.button(key=f"log-{bad.run_id}").click().run()
    assert not app.code
    assert not app.exception


def test_a_run_that_says_nothing_for_long_is_pointed_out(browser, session):
    now = datetime.now(UTC)
    for job, minutes in (("train", 6), ("refresh", 4)):
        job_runs.enqueue(session, job, now)
        job_runs.claim(session, "a", [job], now - timedelta(minutes=minutes))
    said = texts(browser("admin", "jobs"))
    assert said.count("Has said nothing for") == 1
    assert "Has said nothing for 6 min" in said


def test_a_file_that_is_brought_in_is_seen_with_its_run(browser, session):
    now = datetime.now(UTC)
    actor = an_actor(session, "admin")
    job_runs.request(
        session, actor, "import", now, subject="3e0f3ad4-0000-4000-8000-000000000000", right="train"
    )
    mine = job_runs.claim(session, "a", ["import"], now)
    job_runs.finish(session, mine, now, {"lines": 12, "file": "sales.csv"})
    app = browser("admin", "jobs")
    assert not app.exception
    assert "done in 0 s (12 lines)" in texts(app)


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


def test_a_run_about_a_product_opens_that_product(browser, session):
    product = a_product(session)
    job_runs.request(session, an_actor(session), "pattern", datetime.now(UTC), subject=str(product.uid))
    session.commit()
    app = browser("admin", "jobs")
    assert "when somebody asks for them on a product's page" in texts(app)
    link = next(link.proto for link in app.get("page_link") if link.proto.label == "Open")
    assert link.page == "product"
    assert link.query_string == f"id={product.uid}&show=patterns"
