"""The job that draws a product's pattern: looks, thinks without a session, keeps."""

from datetime import UTC, datetime, timedelta

import pytest

from core import demand_patterns, job_runs
from core.forecast import patterns
from core.forecast.patterns import Pattern
from db.models import DemandPattern, JobRun
from db.session import reading, transact, transaction
from jobs import work
from tests.makers import a_product, an_actor, the_warehouse

pytestmark = pytest.mark.usefixtures("clone")


@pytest.fixture
def asked(clone):  # noqa: ARG001 (the database comes first)
    """A product whose pattern somebody asked for: (its id, the claimed run)."""
    with transaction() as session:
        the_warehouse(session)
        product = a_product(session, 100, stock_at=datetime.now(UTC) - timedelta(days=70))
        demand_patterns.ask(session, an_actor(session), product.uid, datetime.now(UTC))
    claimed = transact(lambda session: job_runs.claim(session, "w", ["pattern"], datetime.now(UTC)))
    return product.id, claimed


def kept(product_id):
    with reading() as session:
        return session.get(DemandPattern, product_id)


def run_of(claimed):
    with reading() as session:
        return session.get(JobRun, claimed.run_id)


def test_a_run_draws_and_keeps_the_pattern_of_its_product(asked, monkeypatch):
    parts = {"days": 70}
    monkeypatch.setattr(patterns, "draw", lambda series, _: Pattern(series.until.date(), parts, None))
    product_id, claimed = asked
    work.do(claimed)
    assert run_of(claimed).state == "done"
    assert kept(product_id).parts == parts


def test_too_little_demand_is_kept_as_the_reason(asked):
    product_id, claimed = asked
    work.do(claimed)
    assert run_of(claimed).state == "done"
    assert kept(product_id).reason == "0 of 10 days with demand"


def test_a_drawing_that_fails_fails_its_run_and_keeps_what_was_there(asked, monkeypatch):
    def trouble(*_):
        raise ZeroDivisionError("no sense")

    monkeypatch.setattr(patterns, "draw", trouble)
    product_id, claimed = asked
    work.do(claimed)
    assert run_of(claimed).state == "failed"
    assert "no sense" in run_of(claimed).message
    assert kept(product_id) is None


def test_who_lost_its_run_writes_nothing(asked):
    product_id, claimed = asked
    with transaction() as session:
        session.get(JobRun, claimed.run_id).fence += 1
    work.do(claimed)
    assert kept(product_id) is None
