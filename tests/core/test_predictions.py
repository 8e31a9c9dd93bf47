"""Trained, published in one step, and computed with the stock of now."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import catalogue, expected, model_runs, predictions, products, shop, stock
from core.errors import NotAllowed, NotFound, RuleBroken
from core.forecast import training
from db.models import Forecast, ModelRun, RunOut, Shop
from db.session import reading, transaction
from jobs.train import train
from tests.makers import a_product, a_warehouse, an_actor, an_offer, the_warehouse

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOW.date()


def sold_daily(session, days=60, quantity=2, left=20, **about):
    """A product that sold the same every day until yesterday and has `left` on hand."""
    actor, place = an_actor(session), the_warehouse(session)
    start = NOW - timedelta(days=days)
    product = a_product(session, days * quantity + left, stock_at=start, lead_time_days=7, **about)
    for n in range(days):
        stock.remove(
            session, actor, product.id, place.id, quantity,
            reason_code="sale", occurred_at=start + timedelta(days=n, hours=1),
        )  # fmt: skip
    return product


def row(session, product, warehouse_id=None):
    return session.scalars(
        sa.select(RunOut)
        .where(RunOut.product_id == product.id, RunOut.warehouse_id.is_not_distinct_from(warehouse_id))
        .execution_options(populate_existing=True)
    ).one()


def test_a_steady_product_runs_out_when_stock_over_rate_says(session):
    product = sold_daily(session, left=20)
    assert train(NOW)["ok"] == 1
    kept = row(session, product)
    assert kept.p50_on == TODAY + timedelta(days=9)  # 20 left, 2 a day from today on: used up on the 10th day
    assert kept.p10_on <= kept.p50_on <= kept.p90_on
    assert kept.daily_rate == pytest.approx(Decimal(2), abs=Decimal("0.3"))
    assert kept.status in ("late", "order_now")


def test_the_page_computes_with_the_stock_of_now_and_a_posting_refreshes_the_list(session):
    product = sold_daily(session, left=20)
    train(NOW)
    before = predictions.outlook(session, product.id, TODAY)
    stock.add(session, an_actor(session), product.id, the_warehouse(session).id, 30, occurred_at=NOW)
    after = predictions.outlook(session, product.id, TODAY)
    assert after.verdict.p50_on > before.verdict.p50_on
    assert row(session, product).on_hand == 20
    assert predictions.freshness(session, TODAY)["stale"] == 1
    assert predictions.refresh_stale(session, TODAY) == 1
    assert row(session, product).on_hand == 50
    assert predictions.freshness(session, TODAY)["stale"] == 0


def test_paths_serve_the_days_after_training_too(session):
    product = sold_daily(session, left=40)
    train(NOW)
    today = predictions.outlook(session, product.id, TODAY)
    in_five_days = predictions.outlook(session, product.id, TODAY + timedelta(days=5))
    # The same stock five days later lasts about as long from then on.
    assert abs((in_five_days.verdict.p50_on - today.verdict.p50_on).days - 5) <= 2
    assert len(in_five_days.fan) == training.HORIZON_DAYS - 5
    assert predictions.outlook(session, product.id, TODAY + timedelta(days=200)).passage is None


def test_a_warehouse_that_never_had_the_product_has_none_of_it(session):
    product, elsewhere = sold_daily(session, left=40), a_warehouse(session)
    train(NOW)
    there = predictions.outlook(session, product.id, TODAY, elsewhere.id)
    assert (there.on_hand, there.passage, there.reason) == (0, None, "Not sold from here yet.")
    with pytest.raises(NotFound, match="no product"):
        predictions.outlook(session, 10**6, TODAY)


def test_a_typing_error_of_eleven_digits_is_booked_and_shown_like_any_other(session):
    product = a_product(session, unit_cost=1_000_000)
    actor, place = an_actor(session), the_warehouse(session)
    stock.add(session, actor, product.id, place.id, 99_999_999_999)
    predictions.refresh(session, [product.id], TODAY)
    assert row(session, product).stock_value == Decimal(99_999_999_999) * 1_000_000


def test_a_product_that_was_switched_off_does_not_count_among_the_forecasts(session):
    switched_off, _ = sold_daily(session), a_product(session)
    train(NOW)
    switched_off.is_active = False
    session.flush()
    assert predictions.freshness(session, TODAY)["without_forecast"] == 1


def test_a_forecast_that_cannot_be_stored_is_a_failure_of_its_product_alone(session, monkeypatch):
    sold_daily(session), sold_daily(session, quantity=1000)
    encode = training.encode

    def not_thousands(cumulative):
        if cumulative.max() > 10_000:
            raise ValueError("too large to store")
        return encode(cumulative)

    monkeypatch.setattr(training, "encode", not_thousands)
    counts = train(NOW)
    assert counts == {"ok": 1, "too_short": 0, "failed": 1}


def coming(session, product, quantity, days, since=0):
    """So much on its way, expected `days` after TODAY, noted down `since` days before it."""
    place = the_warehouse(session)
    return expected.add(
        session, an_actor(session), product.id, place.id, quantity, TODAY + timedelta(days=days),
        today=TODAY - timedelta(days=since),
    )  # fmt: skip


def test_what_arrives_today_can_be_sold_today_and_what_comes_too_late_does_not_help(session):
    product = sold_daily(session, left=4)  # 2 a day: used up at the end of tomorrow
    train(NOW)
    assert row(session, product).p50_on == TODAY + timedelta(days=1)
    receipt = coming(session, product, 4, days=0)
    assert row(session, product).p50_on == TODAY + timedelta(days=3)
    for days, until in ((1, 3), (2, 1)):
        expected.change(
            session, an_actor(session), receipt.uid, TODAY, expected_on=TODAY + timedelta(days=days)
        )
        assert row(session, product).p50_on == TODAY + timedelta(days=until)


def test_what_is_overdue_may_come_any_moment_and_counts_from_today(session):
    product = sold_daily(session, left=4)
    train(NOW)
    coming(session, product, 4, days=-3, since=10)
    later = TODAY + timedelta(days=5)
    for day in (TODAY, later):
        predictions.refresh(session, [product.id], day)
        assert row(session, product).p50_on == day + timedelta(days=3)
        seen = predictions.outlook(session, product.id, day)
        assert seen.due == ((TODAY - timedelta(days=3), 4),)
        assert seen.verdict.p50_on == day + timedelta(days=3)


def test_the_page_sees_stock_step_up_and_a_warehouse_only_its_own(session):
    product, there = sold_daily(session, left=4), a_warehouse(session)
    train(NOW)
    coming(session, product, 30, days=4)
    seen = predictions.outlook(session, product.id, TODAY).fan.set_index("day").p50
    assert seen[TODAY + timedelta(days=3)] == 0
    assert seen[TODAY + timedelta(days=4)] == pytest.approx(28, abs=1)  # what was lost before does not eat it
    assert predictions.outlook(session, product.id, TODAY, there.id).due == ()
    assert len(predictions.outlook(session, product.id, TODAY, the_warehouse(session).id).due) == 1


def test_a_run_out_is_stale_when_what_is_on_its_way_is_another(session):
    product = sold_daily(session, left=4)
    train(NOW)
    receipt = coming(session, product, "4.50", days=3)
    assert predictions.refresh_stale(session, TODAY) == 0
    receipt.quantity = Decimal("4.5000")
    session.flush()
    assert predictions.refresh_stale(session, TODAY) == 0
    for change in ({"quantity": 5}, {"expected_on": TODAY}, {"closed_at": NOW, "closed_because": "received"}):
        for name, value in change.items():
            setattr(receipt, name, value)
        session.flush()
        assert predictions.refresh_stale(session, TODAY) == 1
        assert predictions.refresh_stale(session, TODAY) == 0
    assert row(session, product).due is None


def test_a_run_out_is_stale_when_an_order_takes_longer_than_it_did(session):
    product = sold_daily(session, left=4)
    train(NOW)
    catalogue.change(session, an_actor(session), product.id, TODAY, lead_time_days=None)
    assert row(session, product).lead_time_days == 14
    session.get(Shop, 1).default_lead_time_days = 20
    session.flush()
    assert predictions.refresh_stale(session, TODAY) == 1
    an_offer(session, product, lead_time_days=9, valid_from=TODAY)
    assert predictions.refresh_stale(session, TODAY) == 1
    assert row(session, product).lead_time_days == 9
    assert predictions.refresh_stale(session, TODAY) == 0


def test_who_may_not_train_does_not(session):
    with pytest.raises(NotAllowed, match="may not train"):
        model_runs.start(session, an_actor(session, "user"), TODAY, {}, None)


def test_too_little_history_is_said_and_not_guessed(session):
    young = sold_daily(session, days=12)
    still = a_product(session, 5, stock_at=NOW - timedelta(days=50))
    never = a_product(session)
    counts = train(NOW)
    assert (counts["ok"], counts["too_short"]) == (0, 3)
    reasons = [predictions.outlook(session, p.id, TODAY).reason for p in (young, still, never)]
    assert reasons == ["13 of 30 days of history", "0 of 2 days with demand", "nothing has moved yet"]
    assert row(session, young).status == "unknown"
    assert row(session, young).p50_on is None


def test_an_empty_shelf_that_people_want_is_out(session):
    product = sold_daily(session, left=0)
    train(NOW)
    assert row(session, product).status == "out"
    assert row(session, product).money_at_risk > 0


def test_more_than_the_horizon_can_use_is_excess(session):
    product = sold_daily(session, left=5000)
    train(NOW)
    assert row(session, product).status == "excess"
    assert row(session, product).p10_on is None


def test_one_products_trouble_stops_no_other_and_its_old_forecast_keeps_serving(session, monkeypatch):
    good, bad = sold_daily(session), sold_daily(session, quantity=3)
    train(NOW)
    draw = training.Pool.paths

    def fails_for_one(self, history, *args):
        if str(bad.id) in history.ids:
            raise ZeroDivisionError("no luck")
        return draw(self, history, *args)

    monkeypatch.setattr(training.Pool, "paths", fails_for_one)
    counts = train(NOW)
    assert (counts["ok"], counts["failed"]) == (1, 1)
    current = session.scalars(sa.select(Forecast).where(Forecast.is_current)).all()
    assert {f.product_id: f.state for f in current} == {good.id: "ok", bad.id: "ok"}
    failed = session.scalars(sa.select(Forecast).where(Forecast.state == "failed")).one()
    assert "ZeroDivisionError: no luck" in failed.reason
    assert row(session, bad).p50_on is not None


def test_a_training_that_breaks_leaves_what_was_published(session, monkeypatch):
    product = sold_daily(session)
    train(NOW)
    before = row(session, product).p50_on

    def breaks(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(model_runs, "publish", breaks)
    with pytest.raises(KeyboardInterrupt):
        train(NOW + timedelta(days=1))
    assert session.scalars(sa.select(ModelRun.state).order_by(ModelRun.id)).all() == ["published", "failed"]
    assert session.scalar(sa.select(sa.func.count()).select_from(Forecast)) == 1
    assert row(session, product).p50_on == before


def test_a_training_that_was_overtaken_cannot_publish(session):
    sold_daily(session)
    engine, actor = {"pool": "pool"}, an_actor(session)
    slow = model_runs.start(session, actor, TODAY, engine, None)
    train(NOW)
    with pytest.raises(RuleBroken, match="Another training"):
        model_runs.publish(session, slow, [], {})
    states = session.scalars(sa.select(ModelRun.state).order_by(ModelRun.id)).all()
    assert states == ["abandoned", "published"]


def test_every_warehouse_has_its_own_run_out_when_there_are_several(session):
    product, actor = sold_daily(session, left=20), an_actor(session)
    here, there = the_warehouse(session), a_warehouse(session)
    stock.transfer(session, actor, product.id, here.id, there.id, 5, occurred_at=NOW)
    train(NOW)
    assert row(session, product, here.id).p50_on < row(session, product).p50_on
    assert row(session, product, there.id).status == "unknown"
    found, total = products.search(session, warehouse_id=there.id)
    assert (total, found.on_hand.tolist()) == (1, [5])


def test_training_the_same_data_twice_gives_the_same_forecasts(session):
    sold_daily(session)
    train(NOW)
    first = session.scalar(sa.select(Forecast.paths))
    train(NOW)
    assert session.scalar(sa.select(Forecast.paths).where(Forecast.is_current)) == first


def test_the_list_filters_sorts_and_pages_in_sql(session):
    many = [sold_daily(session, days=35, left=left, category=f"C{left % 2}") for left in (0, 9, 150, 9001)]
    train(NOW)
    found, total = products.search(session, sort="priority")
    assert total == 4
    assert found.status.iloc[0] == "out"
    found, total = products.search(session, sort="on_hand", descending=True, limit=2, offset=1)
    assert (total, found.on_hand.tolist()) == (4, [150, 9])
    assert products.search(session, text=many[1].sku)[1] == 1
    assert products.search(session, text="100%_")[1] == 0
    assert products.search(session, category="C1")[1] == 2
    assert products.search(session, status="excess")[0].sku.tolist() == [many[3].sku]
    tiles = predictions.tiles(session).set_index("status")
    assert tiles.products.sum() == 4
    with pytest.raises(Exception, match="not a status"):
        products.search(session, status="lost")
    with pytest.raises(Exception, match="not an order"):
        products.search(session, sort="id; DROP TABLE movement")


@pytest.mark.usefixtures("clone")
def test_the_doors_work_with_a_database_of_its_own():
    with transaction() as session:
        sold_daily(session)
    assert train(NOW)["ok"] == 1
    with reading() as session:
        assert shop.get(session).name
        assert predictions.freshness(session, TODAY)["without_forecast"] == 0
    with pytest.raises(sa.exc.DBAPIError, match="read-only"), reading() as session:
        session.execute(sa.text("DELETE FROM run_out"))


def test_the_run_outs_by_warehouse_are_the_kept_ones_and_computed_when_those_are_stale(session):
    product, other = sold_daily(session, left=40), a_warehouse(session)
    stock.add(session, an_actor(session), product.id, other.id, 5, occurred_at=NOW)
    train(NOW)
    places = predictions.by_warehouse(session, product.id, TODAY)
    assert [(place["warehouse_id"], place["on_hand"]) for place in places] == [
        (the_warehouse(session).id, 40), (other.id, 5),
    ]  # fmt: skip
    assert places[0]["p50_on"] == row(session, product, places[0]["warehouse_id"]).p50_on
    session.execute(sa.delete(RunOut).where(RunOut.warehouse_id == other.id))
    again = predictions.by_warehouse(session, product.id, TODAY)
    for one, kept in zip(again, places, strict=True):
        assert {name: one[name] for name in kept} == kept
    tomorrow = TODAY + timedelta(days=1)
    assert predictions.by_warehouse(session, product.id, tomorrow)[0]["as_of"] == tomorrow
