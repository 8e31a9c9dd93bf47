"""The night's job of the journal: what people ordered is noted, what is over is settled."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import job_runs, stock
from db.models import Decision, JobRun, PurchaseOrder, PurchaseOrderLine
from db.session import reading, transaction
from jobs import decisions, work
from tests.makers import a_product, a_vendor, an_actor, the_warehouse

NIGHT = datetime(2026, 6, 10, 4, 40, tzinfo=UTC)
TODAY = NIGHT.date()

pytestmark = pytest.mark.usefixtures("clone")


def at(monkeypatch, moment: datetime) -> JobRun:
    """The job's run of this moment, done."""
    monkeypatch.setattr(decisions, "_now", lambda: moment)
    with transaction() as session:
        job_runs.enqueue(session, "decisions", moment)
        claim = job_runs.claim(session, "test", ["decisions"], datetime.now(UTC))
    work.do(claim)
    with reading() as session:
        return session.get(JobRun, claim.run_id)


def test_an_order_is_noted_and_settled_when_its_period_is_over(monkeypatch):
    with transaction() as session:
        actor, vendor = an_actor(session), a_vendor(session)
        product = a_product(session, 20, stock_at=NIGHT - timedelta(days=30))
        order = PurchaseOrder(number="PO-2026-0001", vendor_id=vendor.id, currency="EUR", state="sent",
                              sent_on=TODAY, created_by=actor.id, expected_on=TODAY)  # fmt: skip
        session.add(order)
        session.flush()
        session.add(PurchaseOrderLine(order_id=order.id, product_id=product.id, quantity=5, unit_price=2,
                                      warehouse_id=the_warehouse(session).id))  # fmt: skip
    assert at(monkeypatch, NIGHT).result["own"] == 1
    assert at(monkeypatch, NIGHT + timedelta(hours=1)).result["own"] == 0
    with transaction() as session:
        stock.remove(session, an_actor(session), product.id, the_warehouse(session).id, 1,
                     reason_code="sale", occurred_at=NIGHT + timedelta(days=6))  # fmt: skip
    run = at(monkeypatch, NIGHT + timedelta(days=7))
    assert run.result == {"own": 0, "ignored": 0, "settled": 1}
    with reading() as session:
        (kept,) = session.scalars(sa.select(Decision)).all()
    assert (kept.kind, kept.outcome["demand"], kept.closed_on) == ("own", "1", TODAY + timedelta(days=7))


def test_an_empty_shop_has_no_decisions(monkeypatch):
    run = at(monkeypatch, NIGHT)
    assert (run.state, run.result) == ("done", {"own": 0, "ignored": 0, "settled": 0})
