"""What every forecaster promises: its shape, its fairness to companions, its sense on odd products."""

import numpy as np
import pandas as pd
import pytest

from core.forecast.analogs import Analogs, Library, build_library
from core.forecast.blocks import BlockBootstrap
from core.forecast.depletion import first_passage
from core.forecast.history import from_frame
from core.forecast.models import NaiveRule, Pool, Single, in_chunks, pool_for
from core.forecast.occurrence import OccurrenceSize
from tests.core.forecast.shops import SUNDAY, a_history, a_shop


@pytest.fixture(scope="module")
def shop():
    return a_shop(40)


@pytest.fixture(scope="module")
def library(shop):
    return build_library(shop)


def forecasters(library):
    return [
        NaiveRule(),
        Single(BlockBootstrap()),
        Single(OccurrenceSize()),
        Single(Analogs(library)),
        Pool(),
        Pool(library),
    ]


def test_paths_are_non_negative_and_have_one_row_per_product_path_and_day(shop, library):
    for forecaster in forecasters(library):
        for horizon, paths in ((1, 7), (56, 50), (120, 10)):
            drawn = forecaster.paths(shop.take(slice(0, 3)), horizon, paths, seed=1)
            assert drawn.shape == (3, paths, horizon)
            assert np.isfinite(drawn).all()
            assert (drawn >= 0).all()


def test_a_product_gets_the_same_paths_alone_among_others_and_in_another_order(shop, library):
    for forecaster in forecasters(library):
        together = forecaster.paths(shop, 60, 30, seed=4)
        assert np.array_equal(forecaster.paths(shop.take(slice(7, 8)), 60, 30, seed=4)[0], together[7])
        turned = forecaster.paths(shop.take(np.arange(len(shop))[::-1]), 60, 30, seed=4)
        assert np.array_equal(turned[::-1], together)


def test_another_seed_gives_other_paths_and_other_products_do_not_share_theirs(shop, library):
    same = a_history(np.repeat(shop.demand[:1], 2, axis=0))
    pool = Pool(library)
    assert not np.array_equal(pool.paths(shop, 30, 40, 1)[0], pool.paths(shop, 30, 40, 2)[0])
    first, second = pool.paths(same, 30, 40, 1)
    assert not np.array_equal(first, second)


def test_chunks_give_what_one_call_gives(library):
    shop = a_shop(120, days=90)
    pool = Pool(library)
    whole = pool.paths(shop, 30, 12, 3)
    for row, (unique_id, paths) in enumerate(in_chunks(pool, shop, 30, 12, 3)):
        assert unique_id == shop.ids[row]
        assert np.array_equal(paths, whole[row])


def test_a_library_comes_back_from_its_bytes_and_gives_the_same_paths(shop, library):
    again = Library.load(library.dump())
    assert np.array_equal(Pool(again).paths(shop, 30, 20, 1), Pool(library).paths(shop, 30, 20, 1))


def test_few_products_or_few_windows_leave_the_analogs_out(shop, library):
    def names(pool, series):
        return [member.name for member in pool.line_up(series)]

    product = shop.series(0)
    assert names(Pool(library), product) == ["blocks", "occurrence", "analogs"]
    assert names(pool_for(shop.take(slice(0, 29))), product) == ["blocks", "occurrence"]
    assert names(pool_for(a_shop(40, days=150)), product) == ["blocks", "occurrence"]
    assert names(pool_for(a_shop(40, days=60)), product) == ["blocks", "occurrence"]


def test_less_than_28_days_are_judged_by_occurrence_and_size_alone(library):
    for days, expected in ((27, ["occurrence"]), (28, ["blocks", "occurrence"])):
        (young,) = a_shop(1, days=days)
        assert [member.name for member in Pool(library).line_up(young)] == expected


def test_dormant_products_are_asked_only_when_they_wake(library):
    (dormant,) = a_history(np.concatenate([np.full(100, 2.0), np.zeros(28)]))
    (slow,) = a_history(np.concatenate([np.full(100, 2.0), np.zeros(27)]))
    assert [member.name for member in Pool(library).line_up(dormant)] == ["waking"]
    assert len(Pool(library).line_up(slow)) == 3


@pytest.mark.parametrize("days", [1, 2, 6, 7, 8, 13, 29, 57])
def test_any_length_of_history_gives_paths(days, library):
    young = a_history(np.arange(days) % 3)
    for forecaster in forecasters(library):
        assert forecaster.paths(young, 120, 11, seed=1).shape == (1, 11, 120)


def test_a_constant_demand_stays_constant():
    history = a_history(np.full(100, 5.0))
    assert (Pool().paths(history, 30, 40, 1) == 5).all()


def test_dead_stock_fades_and_never_grows(library):
    alive = np.random.default_rng(2).poisson(2, 200)
    for forecaster in (Single(BlockBootstrap()), Single(OccurrenceSize()), Pool(), Pool(library)):
        per_day = [
            forecaster.paths(a_history(np.concatenate([alive, np.zeros(quiet)])), 56, 400, 1).mean()
            for quiet in (0, 28, 60, 120, 360)
        ]
        assert (np.diff(per_day) < 0).all(), forecaster.name
        assert per_day[3] < 0.5, forecaster.name
        assert per_day[4] < 0.2, forecaster.name


def test_a_product_that_never_sold_is_expected_to_sell_nothing(library):
    history = a_history(np.zeros(100))
    for forecaster in forecasters(library):
        assert forecaster.paths(history, 30, 10, 1).sum() == 0


def test_days_without_stock_do_not_lower_the_forecast(library):
    true = np.random.default_rng(3).poisson(4, 140).astype(float)
    in_stock = np.ones(140, bool)
    in_stock[60:75] = in_stock[100:112] = in_stock[125:] = False
    seen = np.where(in_stock, true, 0.0)
    for forecaster in forecasters(library)[:3] + forecasters(library)[4:5]:
        censored = forecaster.paths(a_history(seen, in_stock), 56, 400, 1).mean()
        believed = forecaster.paths(a_history(seen), 56, 400, 1).mean()
        assert censored == pytest.approx(4, rel=0.15), forecaster.name
        assert believed < 0.8 * censored, forecaster.name


def test_what_was_sold_on_a_day_that_ended_empty_is_a_lower_bound():
    demand = np.full(70, 2.0)
    in_stock = np.ones(70, bool)
    demand[-14:], in_stock[-14:] = 0, False
    demand[-14] = 9
    drawn = Single(BlockBootstrap()).paths(a_history(demand, in_stock), 28, 200, 1)
    assert drawn.mean() >= 1.9


def test_a_product_never_in_stock_is_judged_by_its_sales(library):
    demand = np.tile([0, 3.0], 50)
    for forecaster in forecasters(library):
        drawn = forecaster.paths(a_history(demand, np.zeros(100, bool)), 28, 300, 1)
        assert drawn.mean() == pytest.approx(1.5, rel=0.35)


def test_closed_weekdays_stay_closed_in_blocks_and_nearly_in_the_pool():
    open_days = np.tile([1, 1, 1, 1, 1, 1, 0], 30)  # ends on a Sunday
    demand = open_days * np.random.default_rng(1).poisson(6, 210)
    history = a_history(demand)
    sundays = slice(6, None, 7)
    assert Single(BlockBootstrap()).paths(history, 56, 200, 1)[:, :, sundays].sum() == 0
    pool = Pool().paths(history, 56, 200, 1)
    assert pool[:, :, sundays].mean() < 0.1 * pool.mean()


def test_forecasts_keep_the_decimals_in_which_a_product_is_sold():
    rng = np.random.default_rng(4)
    pieces, kilos = rng.poisson(3, 120), np.round(rng.gamma(2, 1, 120), 2)
    drawn = Pool().paths(a_history([pieces, kilos]), 60, 100, 1)
    assert np.array_equal(drawn[0], np.rint(drawn[0]))
    assert np.allclose(drawn[1] * 100, np.rint(drawn[1] * 100), atol=1e-6)
    assert not np.allclose(drawn[1], np.rint(drawn[1]))


def test_the_naive_rule_is_the_mean_of_28_days():
    demand = np.concatenate([np.full(60, 100.0), np.full(28, 3.0)])
    assert (NaiveRule().paths(a_history(demand), 10, 2, 1) == 3).all()


def test_a_frame_with_gaps_becomes_a_dense_calendar_from_each_first_day():
    frame = pd.DataFrame(
        {
            "unique_id": ["b", "a", "a", "b", "a"],
            "ds": pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-03", "2026-01-02", "2026-01-09"]),
            "y": [1.0, 2.0, 3.0, 4.0, 5.0],
            "in_stock": [True, True, False, True, True],
        }
    )
    history = from_frame(frame, until=pd.Timestamp("2026-01-04"))
    assert history.ids == ("a", "b")
    assert np.array_equal(history.series(0).demand, [2, 0, 3, 0])
    assert np.array_equal(history.series(0).in_stock, [True, True, False, True])
    assert np.array_equal(history.series(1).demand, [5, 0, 0])
    assert history.series(1).weekday.tolist() == [4, 5, 6]


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_frame_with_impossible_demand_is_refused(bad):
    with pytest.raises(ValueError, match="at least 0"):
        from_frame(pd.DataFrame({"unique_id": ["a"], "ds": [SUNDAY], "y": [bad]}))


def test_an_empty_frame_is_refused():
    with pytest.raises(ValueError, match="no demand"):
        from_frame(pd.DataFrame({"unique_id": [], "ds": [], "y": []}))


def test_what_was_known_earlier_leaves_out_later_days_and_later_products():
    demand = np.array([[1.0, 2, 3, 4], [np.nan, np.nan, np.nan, 5]])
    known = a_history(demand).before(SUNDAY - pd.Timedelta(days=1))
    assert known.ids == ("p0",)
    assert known.demand.tolist() == [[1, 2, 3]]
    assert known.until == SUNDAY - pd.Timedelta(days=1)


def test_a_shop_of_one_product_is_forecast_by_itself_alone():
    alone = a_shop(1, days=200)
    pool = pool_for(alone)
    assert [member.name for member in pool.line_up(alone.series(0))] == ["blocks", "occurrence"]
    assert np.array_equal(pool.paths(alone, 60, 50, 1), Pool().paths(alone, 60, 50, 1))


def test_a_shop_in_which_nothing_ever_changes_keeps_every_product_constant():
    shop = a_history(np.repeat(np.arange(1.0, 41)[:, None], 500, axis=1))
    drawn = pool_for(shop).paths(shop.take(slice(4, 6)), 120, 60, 1)
    assert (drawn[0] == 5).all()
    assert (drawn[1] == 6).all()


def test_huge_and_tiny_quantities_keep_their_level(library):
    rng = np.random.default_rng(6)
    demand = rng.poisson(5, 250)
    for scale, grain in ((1e7, 1.0), (0.001, 0.001)):
        drawn = Pool(library).paths(a_history(demand * scale), 56, 300, 1)
        assert np.isfinite(drawn).all()
        assert drawn.mean() == pytest.approx(5 * scale, rel=0.25)
        assert np.allclose(drawn / grain, np.rint(drawn / grain), atol=1e-3)


def test_more_stock_never_runs_out_earlier_on_any_path(shop, library):
    running = np.cumsum(Pool(library).paths(shop.take(slice(0, 5)), 120, 60, 1), axis=2)
    days = [first_passage(running, stock) for stock in (1, 2, 5, 20, 21, 100)]
    assert (np.diff(days, axis=0) >= 0).all()


def test_a_rare_product_remembers_at_least_one_interval_between_sales():
    demand = np.zeros(300)
    demand[9::50] = 1.0  # every 50 days, the last 40 days ago
    rare = Single(OccurrenceSize()).paths(a_history(demand), 100, 400, 1)
    assert 0.5 < rare.sum(axis=2).mean() < 4


def test_one_bulk_order_is_drawn_again_as_five_mean_sizes_and_no_more():
    demand = np.tile([0, 2.0], 60)
    demand[101] = 60
    size = demand[demand > 0].mean()
    for member in (BlockBootstrap(), OccurrenceSize()):
        drawn = member.draw(a_history(demand).series(0), 56, 300, np.random.default_rng(1))
        largest_noise = 2.0  # a level factor of 20 % hardly ever doubles
        assert 2.5 * size < drawn.max() < 5 * size * largest_noise
