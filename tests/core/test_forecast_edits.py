"""A week of the forecast as people know it better: kept, counted everywhere at once, reset and undone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core import forecast_edits, forecasts, paths, predictions, products, stock
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, Forecast, ForecastEdit, RunOut
from jobs.train import train
from tests.core.test_predictions import row, sold_daily
from tests.makers import a_product, a_warehouse, an_actor

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday
TODAY = NOW.date()
THIS = date(2026, 6, 1)
NEXT = THIS + timedelta(days=7)


@pytest.fixture
def product(session):
    """Sells 2 a day, 20 on hand: used up on Friday of next week."""
    made = sold_daily(session, left=20)
    train(NOW)
    return made


@pytest.fixture
def manager(session):
    return an_actor(session)


def change(session, actor, product, week_on=NEXT, *, note=None, now=NOW, **cells):
    return forecast_edits.change(session, actor, product.id, {week_on: cells}, note=note, now=now)


def week(session, product, week_on=NEXT, today=TODAY):
    return next(
        found for found in forecast_edits.grid(session, product.id, today) if found.week_on == week_on
    )


def test_the_grid_shows_this_week_as_far_as_it_is_still_to_come_and_eleven_more(session, product):
    found = forecast_edits.grid(session, product.id, TODAY)
    assert len(found) == 12
    assert (found[0].week_on, found[0].first_on, found[0].last_on) == (THIS, TODAY, date(2026, 6, 7))
    assert found[0].computed == pytest.approx(10, abs=3)
    assert found[1].computed == found[1].result == pytest.approx(14, abs=3)
    assert not any(found_week.is_edited for found_week in found)


def test_a_replaced_week_counts_in_lists_on_the_page_and_at_the_api_at_once(session, product, manager):
    before = row(session, product).p50_on
    change(session, manager, product, replaces="70", note="Fair")
    kept = row(session, product)
    assert kept.p50_on < before
    assert kept.edits == [["2026-06-08", None, "70", "2026-06-08"]]
    seen = predictions.outlook(session, product.id, TODAY)
    assert seen.verdict.p50_on == kept.p50_on
    assert [found.result for found in seen.edits] == [pytest.approx(70)]
    assert forecasts.prediction(session, product.id, TODAY).p50_on == kept.p50_on
    assert products.search(session)[0].p50_on[0] == kept.p50_on
    edited = week(session, product)
    assert (edited.replaces, edited.note, edited.by, edited.at) == (70, "Fair", manager.name, NOW)
    assert edited.computed == pytest.approx(14, abs=3)
    assert predictions.freshness(session, TODAY)["stale"] == 0


def test_the_stored_paths_stay_as_they_are(session, product, manager):
    stored = session.scalar(sa.select(Forecast.paths).where(Forecast.is_current))
    change(session, manager, product, adds=5)
    assert session.scalar(sa.select(Forecast.paths).where(Forecast.is_current)) == stored


def test_without_an_edit_nothing_is_another_than_before(session, product, manager):
    before = predictions.outlook(session, product.id, TODAY)
    stored = {name: value for name, value in vars(row(session, product)).items() if name[0] != "_"}
    change(session, manager, product, replaces=70)
    forecast_edits.reset(session, manager, product.id, now=NOW)
    after = predictions.outlook(session, product.id, TODAY)
    assert after.passage == before.passage
    assert after.fan.equals(before.fan)
    again = {name: value for name, value in vars(row(session, product)).items() if name[0] != "_"}
    assert {**again, "computed_at": None} == {**stored, "computed_at": None}


def test_adds_and_replaces_are_cells_of_their_own_and_each_goes_back_to_computed(session, product, manager):
    change(session, manager, product, adds=6, replaces=30)
    assert week(session, product).result == pytest.approx(30)
    change(session, manager, product, replaces=None)
    assert week(session, product).result == pytest.approx(week(session, product).computed + 6)
    change(session, manager, product, adds=0)  # which is what is computed
    assert not week(session, product).is_edited
    assert session.scalar(sa.select(sa.func.count()).select_from(ForecastEdit)) == 0


def test_all_weeks_go_back_to_computed_at_once(session, product, manager):
    wanted = {NEXT + timedelta(days=7 * n): {"adds": n + 1} for n in range(3)}
    forecast_edits.change(session, manager, product.id, wanted, now=NOW)
    forecast_edits.reset(session, manager, product.id, NEXT, now=NOW)
    assert [found.adds for found in forecast_edits.grid(session, product.id, TODAY) if found.adds] == [2, 3]
    forecast_edits.reset(session, manager, product.id, now=NOW)
    assert not any(found.is_edited for found in forecast_edits.grid(session, product.id, TODAY))
    assert row(session, product).edits is None


def test_an_undo_brings_back_who_said_what_and_when(session, product, manager):
    change(session, manager, product, replaces=70, note="Fair")
    other = an_actor(session)
    done = change(session, other, product, replaces=80, now=NOW + timedelta(hours=1))
    forecast_edits.undo(session, other, product.id, done, now=NOW + timedelta(hours=2))
    found = week(session, product)
    assert (found.replaces, found.note, found.by, found.at) == (70, "Fair", manager.name, NOW)
    first = forecast_edits.reset(session, other, product.id, now=NOW)
    forecast_edits.undo(session, other, product.id, first, now=NOW)
    assert week(session, product).replaces == 70


def test_an_undo_does_not_take_back_what_somebody_else_said_since(session, product, manager):
    done = change(session, manager, product, adds=5)
    change(session, an_actor(session), product, adds=9)
    with pytest.raises(RuleBroken, match="Week of 8 Jun was changed again since"):
        forecast_edits.undo(session, manager, product.id, done, now=NOW)
    assert week(session, product).adds == 9


@pytest.mark.parametrize(
    ("week_on", "cells", "sentence"),
    [
        (NEXT, {"replaces": -5}, "Week of 8 Jun, replaces: -5 is less than 0."),
        (NEXT, {"adds": "abc"}, "Week of 8 Jun, adds: 'abc' is not a number."),
        (NEXT, {"adds": "0.00001"}, "Week of 8 Jun, adds: 0.00001 has more than 4 decimals."),
        (NEXT, {"replaces": "Infinity"}, "Week of 8 Jun, replaces: Infinity is not a quantity"),
        (TODAY, {"adds": 1}, "Week of 3 Jun: this is not a Monday"),
        (THIS - timedelta(days=7), {"adds": 1}, "Week of 25 May is over."),
        (THIS + timedelta(days=84), {"adds": 1}, "Week of 24 Aug is too far away: the last one to change is"),
    ],
    ids=["below zero", "letters", "decimals", "infinite", "no Monday", "over", "too far"],
)
def test_a_wrong_value_is_refused_with_its_week_and_changes_nothing(
    session, product, manager, week_on, cells, sentence
):
    with pytest.raises(BadInput) as refusal:
        forecast_edits.change(session, manager, product.id, {THIS: {"adds": 3}, week_on: cells}, now=NOW)
    assert sentence in refusal.value.sentence
    assert session.scalar(sa.select(sa.func.count()).select_from(ForecastEdit)) == 0


def test_only_managers_change_a_forecast_and_only_one_that_there_is(session, product, manager):
    for role in ("viewer", "user"):
        with pytest.raises(NotAllowed, match="may not edit forecast"):
            change(session, an_actor(session, role), product, adds=1)
    with pytest.raises(NotFound):
        forecast_edits.change(session, manager, 10**6, {NEXT: {"adds": 1}}, now=NOW)
    with pytest.raises(RuleBroken, match="has no forecast yet"):
        change(session, manager, a_product(session), adds=1)
    assert forecast_edits.grid(session, a_product(session).id, TODAY) == []
    product.is_active = False
    session.flush()
    with pytest.raises(RuleBroken, match="is deactivated"):
        change(session, manager, product, adds=1)
    assert forecast_edits.grid(session, product.id, TODAY) == []


def test_it_is_in_the_audit_with_before_and_after_and_nothing_is_when_nothing_changed(
    session, product, manager
):
    change(session, manager, product, adds=5, replaces=35, note="Fair")
    change(session, manager, product, adds="5.0")
    forecast_edits.reset(session, manager, product.id, now=NOW)
    lines = session.scalars(
        sa.select(AuditLine).where(AuditLine.subject_id == str(product.uid)).order_by(AuditLine.id)
    ).all()
    told = {"week of 2026-06-08": "adds 5, replaces 35 (Fair)"}
    assert [(line.action, line.before, line.after) for line in lines[-2:]] == [
        ("changed the forecast of", {}, told),
        ("reset the forecast of", told, {}),
    ]


def test_what_was_said_of_a_week_before_it_began_shrinks_with_its_days(session, product, manager):
    change(session, manager, product, replaces=70)
    friday = NEXT + timedelta(days=4)
    found = week(session, product, today=friday)
    assert found.first_on == friday
    assert found.result == pytest.approx(30, abs=3)  # of 70 what three of seven days hold
    assert predictions.outlook(session, product.id, friday).passage is not None


def test_a_week_that_is_over_makes_nothing_stale_and_is_counted_no_more(session, product, manager):
    change(session, manager, product, THIS, replaces=30)
    monday = NEXT
    assert predictions.refresh_stale(session, monday) == 1
    assert row(session, product).edits is None
    assert predictions.freshness(session, monday)["stale"] == 0


def test_an_edit_written_elsewhere_makes_the_run_out_stale_until_the_next_tick(session, product, manager):
    session.add(
        ForecastEdit(
            product_id=product.id, week_on=NEXT, replaces=Decimal(70), edited_by=manager.id, edited_at=NOW
        )
    )
    session.flush()
    assert predictions.freshness(session, TODAY)["stale"] == 1
    predictions.refresh_stale(session, TODAY)
    assert predictions.freshness(session, TODAY)["stale"] == 0
    assert row(session, product).edits is not None


def test_a_new_training_keeps_what_people_said(session, product, manager):
    change(session, manager, product, replaces=70)
    before = row(session, product).p50_on
    train(NOW)
    assert week(session, product).replaces == 70
    assert abs((row(session, product).p50_on - before).days) <= 1
    assert predictions.freshness(session, TODAY)["stale"] == 0


def test_each_warehouse_gets_the_factor_of_the_whole(session, manager):
    product, other = sold_daily(session, left=40), a_warehouse(session)
    start = NOW - timedelta(days=60)
    stock.add(session, manager, product.id, other.id, 200, occurred_at=start)
    for n in range(60):
        stock.remove(
            session, manager, product.id, other.id, 1, reason_code="sale",
            occurred_at=start + timedelta(days=n, hours=1),
        )  # fmt: skip
    train(NOW)
    before = mean_demand(session, product)
    change(session, manager, product, replaces=42)  # computed: 21
    after = mean_demand(session, product)
    first = (NEXT - TODAY).days
    for place, was in before.items():
        of_week = was[first + 6] - was[first - 1]
        assert after[place][-1] - was[-1] == pytest.approx(of_week, rel=0.2)
    kept = session.scalars(sa.select(RunOut.edits).where(RunOut.product_id == product.id)).all()
    assert len(kept) == 3
    assert all(edits == kept[0] for edits in kept)


def mean_demand(session, product):
    """Mean cumulative demand from today on by warehouse (None: the whole)."""
    found = paths.lines(session, [product.id], TODAY)
    planned = paths.plans(found, TODAY)
    return {
        line["warehouse_id"]: paths.demand(line, TODAY, planned.get(product.id)).mean(axis=0)
        for line in found
    }
