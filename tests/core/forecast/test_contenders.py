"""Contenders draw counts around a mean: nothing below zero, and no demand that nobody had."""

import numpy as np
import pytest

from core.forecast import contenders
from core.forecast.contenders import LevelNoise, MeanPath, NotForThis
from core.forecast.models import Pool, Single
from core.forecast.prophet_member import ProphetMember, fitted, table
from tests.core.forecast.shops import a_history, a_shop


def flat(mean):
    return MeanPath("flat", lambda _, days: np.full(days, mean))


def dead():
    (series,) = a_history(np.concatenate([np.full(100, 3.0), np.zeros(28)]))
    return series


@pytest.mark.parametrize("mean", [0.05, 0.4, 3.0])
def test_counts_keep_the_mean_however_rare_the_sales(mean):
    demand = np.random.default_rng(1).negative_binomial(0.3, 0.3 / (0.3 + mean), 200)
    drawn = Single(flat(mean)).paths(a_history(demand), 56, 2000, 1)
    assert drawn.mean() == pytest.approx(mean, rel=0.06)
    assert np.array_equal(drawn, np.rint(drawn))


def test_counts_vary_as_the_past_did():
    steady, bursts = np.random.default_rng(2).poisson(4, 300), np.tile([0, 0, 0, 16.0], 75)
    drawn = Single(flat(4.0)).paths(a_history(np.stack([steady, bursts])), 28, 1000, 1)
    wide = drawn.std(axis=2).mean(axis=1)
    assert wide[0] == pytest.approx(2, rel=0.15)
    assert wide[1] == pytest.approx(7, rel=0.15)


def test_what_is_sold_in_decimals_is_drawn_in_decimals():
    kilos = np.round(np.random.default_rng(4).gamma(2, 1, 120), 2)
    drawn = Single(flat(2.0)).paths(a_history(kilos), 28, 500, 1)
    assert drawn.mean() == pytest.approx(2, rel=0.05)
    assert not np.array_equal(drawn, np.rint(drawn))


def test_a_mean_below_zero_counts_as_none():
    drawn = Single(flat(-3.0)).paths(a_history(np.random.default_rng(1).poisson(2, 100)), 28, 50, 1)
    assert drawn.sum() == 0


def test_a_method_without_an_answer_fails_and_says_so():
    with pytest.raises(ValueError, match="no mean for p0"):
        Single(flat(np.nan)).paths(a_history(np.ones(100)), 28, 10, 1)


def test_the_level_follows_weekdays_and_recent_change():
    weeks = np.concatenate([np.tile([2.0, 2, 2, 2, 2, 2, 0], 30), np.tile([8.0, 8, 8, 8, 8, 8, 0], 12)])
    drawn = Single(LevelNoise()).paths(a_history(weeks), 28, 800, 1)[0].mean(axis=0)
    assert 5 < drawn[:6].mean() < 8
    assert drawn[6::7].mean() < 0.15 * drawn.mean()


def test_a_product_gets_the_same_paths_alone_and_among_others():
    shop = a_shop(5)
    together = Single(LevelNoise()).paths(shop, 28, 20, 3)
    assert np.array_equal(Single(LevelNoise()).paths(shop.take(slice(2, 3)), 28, 20, 3)[0], together[2])


def test_a_product_that_never_sold_is_expected_to_sell_nothing():
    for member in (LevelNoise(), flat(2.0), ProphetMember()):
        assert Single(member).paths(a_history(np.zeros(60)), 28, 10, 1).sum() == 0


def test_croston_is_never_asked_about_dead_stock():
    with pytest.raises(NotForThis, match="dead"):
        contenders.by_name("croston").draw(dead(), 28, 10, np.random.default_rng(1))
    assert [one.name for one in contenders.fit_for(("tsb", "croston"), dead())] == ["tsb"]
    line_up = Pool(admitted=("blocks", "occurrence", "croston")).line_up(dead())
    assert [member.name for member in line_up] == ["waking"]


def test_a_name_that_is_nobodys_is_refused_and_one_of_an_earlier_version_takes_no_part():
    with pytest.raises(KeyError):
        contenders.by_name("crystal ball")
    (series,) = a_shop(1)
    line_up = Pool(admitted=("blocks", "crystal ball", "tsb")).line_up(series)
    assert [member.name for member in line_up] == ["blocks", "tsb"]


def test_the_pool_takes_in_who_is_admitted_and_leaves_out_who_is_not():
    (series,) = a_shop(1)
    pool = Pool(admitted=("occurrence", "level"))
    assert [member.name for member in pool.line_up(series)] == ["occurrence", "level"]
    assert Pool(admitted=("analogs",)).line_up(series)[0].name == "occurrence"  # somebody must draw


def test_methods_of_statsforecast_give_counts_near_the_level():
    demand = np.random.default_rng(5).poisson(3, 150)
    for name in ("tsb", "croston"):
        drawn = Single(contenders.by_name(name)).paths(a_history(demand), 28, 200, 1)
        assert drawn.mean() == pytest.approx(3, rel=0.25), name


def test_prophet_sees_weekdays_ignores_days_without_stock_and_leaves_the_shared_randomness_alone():
    demand = np.tile([10.0, 4, 4, 4, 4, 4, 0], 20)  # ends on a Sunday
    in_stock = np.ones(140, bool)
    in_stock[40:61] = False
    history = a_history(np.where(in_stock, demand, 0.0), in_stock)
    np.random.seed(1)
    drawn = Single(ProphetMember()).paths(history, 28, 300, 1)
    state = np.random.random()
    by_weekday = drawn[0].mean(axis=0).reshape(4, 7).mean(axis=0)
    assert (drawn >= 0).all()
    assert by_weekday[0] == pytest.approx(10, rel=0.2)
    assert by_weekday[6] < 1
    np.random.seed(2)
    assert np.array_equal(Single(ProphetMember()).paths(history, 28, 300, 1), drawn)
    np.random.seed(1)
    assert np.random.random() == state


def test_prophet_looks_for_a_yearly_season_and_holidays_from_two_years_on():
    rng = np.random.default_rng(3)
    for days, expected in ((729, {"weekly"}), (730, {"weekly", "yearly"})):
        (series,) = a_history(rng.poisson(3, days))
        model = fitted(table(series), country="GB")
        assert set(model.seasonalities) == expected
        assert (model.train_holiday_names is not None) == (days >= 730)
