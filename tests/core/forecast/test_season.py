"""What earlier years say about the coming weeks: shared by all products, doubted, never longer than known."""

import numpy as np
import pytest

from core.forecast.analogs import Library, build_library
from core.forecast.models import Pool
from core.forecast.season import AHEAD_DAYS, NO_SEASON, WIDEST, YEAR_DAYS, season_of
from tests.core.forecast.shops import SUNDAY, a_history

DAYS = YEAR_DAYS + 120
PEAK = slice(120 + 40, 120 + 60)  # of last year, 40 to 60 days after the anniversary of the last day
UNTIL = np.datetime64(SUNDAY, "D")


def a_seasonal_shop(products: int = 50, peak: float = 3.0, days: int = DAYS) -> np.ndarray:
    rate = np.full(days, 4.0)
    rate[PEAK.start - (DAYS - days) : PEAK.stop - (DAYS - days)] *= peak
    return np.random.default_rng(5).poisson(np.broadcast_to(rate, (products, days))).astype(float)


def test_a_peak_of_last_year_is_expected_again_at_the_same_time_and_not_believed_in_full():
    ahead = season_of(a_history(a_seasonal_shop())).ahead(UNTIL, 100)
    assert ahead[45:55].mean() > 2
    assert ahead.max() < 3.1
    assert ahead[:30].mean() == pytest.approx(1, abs=0.1)
    assert ahead[70:].mean() == pytest.approx(1, abs=0.1)


def test_a_shop_without_a_season_has_factors_of_about_one():
    assert season_of(a_history(a_seasonal_shop(peak=1.0))).factors == pytest.approx(
        (1,) * AHEAD_DAYS, abs=0.1
    )


@pytest.mark.parametrize("days", [30, YEAR_DAYS, YEAR_DAYS + 27])
def test_less_than_a_year_and_a_month_has_no_season(days):
    assert season_of(a_history(np.full((40, days), 3.0))) == NO_SEASON


def test_a_few_products_a_shop_of_new_products_and_one_that_sold_nothing_have_no_season():
    demand = a_seasonal_shop()
    assert season_of(a_history(demand[:1])) == NO_SEASON
    assert season_of(a_history(demand[:9])) == NO_SEASON
    assert season_of(a_history(np.zeros((40, DAYS)))) == NO_SEASON
    demand[:, : DAYS - 90] = np.nan
    assert season_of(a_history(demand)) == NO_SEASON


def test_products_that_died_since_do_not_look_like_a_season_that_fell():
    demand = a_seasonal_shop(peak=1.0)
    demand[:25, 150:] = 0
    assert min(season_of(a_history(demand)).factors) > 0.85


def test_whatever_was_measured_a_season_stays_within_its_bounds():
    demand = a_seasonal_shop(peak=1000.0)
    demand[:, PEAK.stop : PEAK.stop + 20] = 0
    factors = season_of(a_history(demand)).factors
    assert max(factors) <= WIDEST
    assert min(factors) >= 1 / WIDEST


def test_days_after_the_known_ones_have_the_last_factor_and_a_later_day_begins_later():
    season = season_of(a_history(a_seasonal_shop()))
    far = season.ahead(UNTIL, AHEAD_DAYS + 50)
    assert (far[AHEAD_DAYS:] == far[AHEAD_DAYS - 1]).all()
    assert np.array_equal(season.ahead(UNTIL + 5, 60), far[5:65])


def test_the_pool_draws_the_season_whatever_the_companions_and_keeps_it_with_the_library():
    shop = a_history(a_seasonal_shop())
    library = build_library(shop)
    assert Library.load(library.dump()).season == library.season != NO_SEASON
    pool = Pool(Library.load(library.dump()))
    drawn = pool.paths(shop.take(slice(3, 5)), 70, 100, 1)
    assert drawn[:, :, 42:58].mean() > 1.6 * drawn[:, :, :30].mean()
    assert np.array_equal(drawn, np.rint(drawn))
    assert np.array_equal(pool.paths(shop.take(np.array([4])), 70, 100, 1)[0], drawn[1])
    assert np.array_equal(pool.paths(shop.take(np.array([4, 3])), 70, 100, 1)[1], drawn[0])
