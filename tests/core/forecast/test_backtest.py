"""Scores worked out by hand, and a back-test that never looks ahead."""

import numpy as np
import pandas as pd
import pytest

from core.forecast import backtest, exams
from core.forecast.models import NaiveRule, Pool, pool_for
from tests.core.forecast.shops import SUNDAY, a_history, a_shop

ORIGIN = SUNDAY - pd.Timedelta(days=56)


def test_a_single_date_scores_its_error_in_days():
    assert backtest.crps_days(np.full(10, 12), 15, 56) == 3
    assert backtest.crps_days(np.full(10, 15), 15, 56) == 0
    assert backtest.crps_days(np.full(10, 90), 50, 56) == 7  # beyond the horizon is day 57


def test_two_dates_at_even_chance_score_a_quarter_of_each_day_between():
    # F is 1/2 from day 10 to 13 and 1 from day 14; it happened on day 12: 4 days at (1/2)^2.
    assert backtest.crps_days(np.array([10, 14]), 12, 56) == 1
    # It happened on day 20: 4 days at 1/4 and 6 days (14 to 19) at 1.
    assert backtest.crps_days(np.array([10, 14]), 20, 56) == 7


def test_pinball_by_hand():
    assert backtest.pinball(np.array([8, 10, 12]), (0.1, 0.5, 0.9), 11) == pytest.approx(
        (0.3 + 0.5 + 0.1) / 3
    )


def test_quantiles_are_the_first_days_with_enough_chance_and_beyond_the_horizon_when_there_is_none():
    reached = np.array([0, 0.1, 0.1, 0.6, 0.8])  # the horizon is day 4
    assert backtest.quantiles(reached, (0.1, 0.5, 0.9)).tolist() == [1, 3, 5]


class Fixed:
    """Always the same futures, one row a path."""

    name = "fixed"

    def __init__(self, paths):
        self._paths = np.asarray(paths, float)

    def paths(self, history, *_):
        if "p1" in history.ids:
            raise ZeroDivisionError("not this one")
        return np.stack([self._paths] * len(history))


def test_the_marks_of_a_task_by_hand():
    demand = np.concatenate([np.tile([7.0, 0, 0, 0, 0, 0, 0], 12), np.full(4, 1.0)])  # 1 a day on average
    exam = exams.set_exam(a_history(demand), SUNDAY - pd.Timedelta(days=4), 4, covers=(2,))
    answers = exams.sit(exam, Fixed([[2, 2, 2, 2], [0, 0, 0, 2]]), 2, 0)
    (task,) = backtest.marks(exam, answers).to_dict("records")
    assert (task["stock"], task["actual"]) == (2, 2)
    assert (task["p10"], task["p50"], task["p90"]) == (1, 1, 4)
    assert task["crps"] == 1 / 4 + 2 * 1 / 4  # day 1 came with even chance, 2 and 3 lacked one in two
    assert task["crps_naive"] == 0
    assert task["bias"] == -1
    assert task["covered"]
    assert task["brier_14"] == 0  # within the horizon of 4 days both ran out
    assert np.isnan(task["mase"])  # each day was as the week before, so there is no scale


def test_the_mase_is_measured_in_errors_of_a_week_ago():
    demand = np.concatenate([np.tile([2.0, 4.0], 42), np.full(4, 1.0)])  # a week ago is always off by 2
    exam = exams.set_exam(a_history(demand), SUNDAY - pd.Timedelta(days=4), 4, covers=(1,))
    (task,) = backtest.marks(exam, exams.sit(exam, Fixed([[2, 2, 2, 2]]), 2, 0)).to_dict("records")
    assert task["mase"] == pytest.approx(1 / 2)
    assert task["mase_naive"] == pytest.approx((3 - 1) / 2)


def test_a_product_on_which_a_forecaster_fails_is_its_own_failure_only():
    exam = exams.set_exam(a_shop(4), ORIGIN, 56)
    answers = exams.sit(exam, Fixed(np.ones((3, 56))), 3, 0)
    assert answers.failed == {"p1": "ZeroDivisionError: not this one"}
    assert set(backtest.marks(exam, answers)["unique_id"]) == {"p0", "p2", "p3"}


def test_origins_do_not_overlap_and_leave_eight_weeks_to_learn_from():
    ends = [str(day.date()) for day in exams.origins(a_shop(1, days=56 * 4), 56, most=5)]
    assert ends == ["2025-09-14", "2025-11-09", "2026-01-04"]
    assert len(exams.origins(a_shop(1, days=56 * 4), 56, most=2)) == 2
    assert exams.origins(a_shop(1, days=111), 56, most=5) == []


def test_a_perfect_forecast_scores_zero_and_so_does_the_naive_rule_on_constant_demand():
    scores = backtest.score(pool_for, a_history(np.full(150, 4.0)), [ORIGIN], n_paths=20)
    assert scores["actual"].tolist() == [5, 10, 20]
    assert scores[["crps", "crps_naive", "pinball"]].to_numpy().sum() == 0
    assert scores["covered"].all()
    assert np.isnan(backtest.of_shop(scores)["skill"])  # nothing to be better than


def test_the_naive_forecaster_has_no_skill_against_the_naive_rule():
    scores = backtest.score(lambda _: NaiveRule(), a_shop(12), [ORIGIN], n_paths=5)
    assert np.allclose(scores["crps"], scores["crps_naive"])
    assert backtest.of_shop(scores)["skill"] == pytest.approx(0)


def test_the_pool_beats_the_naive_rule_on_irregular_demand():
    scores = backtest.score(pool_for, a_shop(30), [ORIGIN, ORIGIN - pd.Timedelta(days=56)], n_paths=60)
    shop, products = backtest.of_shop(scores), backtest.by_product(scores)
    assert shop["skill"] > 0.1
    assert 0.6 < shop["coverage"] <= 1
    assert products["tasks"].sum() == shop["tasks"] == len(scores)
    assert products["inside"].sum() == shop["inside"] == scores["covered"].sum()
    assert 0 < shop["mase"] < shop["mase_naive"] + 0.1
    assert shop["brier_14"] < 0.25


def test_the_future_changes_no_forecast():
    shop = a_shop(6, days=200)
    changed = shop.demand.copy()
    changed[:, -56:] = 99
    columns = ["unique_id", "cover", "stock", "p10", "p50", "p90"]
    before, after = (
        backtest.score(pool_for, history, [ORIGIN], n_paths=20)[columns]
        for history in (shop, a_history(changed))
    )
    pd.testing.assert_frame_equal(before, after)


def test_products_that_were_out_of_stock_dormant_or_young_are_not_judged():
    demand = np.random.default_rng(1).poisson(3, (4, 150)).astype(float)
    in_stock = np.ones((4, 150), bool)
    in_stock[1, -10] = False
    demand[2, 60:94] = 0
    demand[3, :60] = np.nan
    scores = backtest.score(lambda _: Pool(), a_history(demand, in_stock), [ORIGIN], n_paths=5)
    assert set(scores["unique_id"]) == {"p0"}


def test_nothing_to_judge_gives_an_empty_table():
    scores = backtest.score(lambda _: Pool(), a_history(np.zeros(150)), [ORIGIN], n_paths=5)
    assert scores.empty
    assert backtest.by_product(scores).empty
    assert backtest.of_shop(scores).isna().all()


def test_an_origin_without_a_known_future_is_refused():
    with pytest.raises(ValueError, match="fewer than 56"):
        backtest.score(lambda _: Pool(), a_history(np.ones(150)), [SUNDAY], n_paths=5)


def test_a_slip_of_the_keyboard_is_limited_for_the_forecaster_but_counts_for_the_naive_rule():
    demand = np.random.default_rng(1).poisson(3, 200).astype(float) + 1
    demand[-60] = 3000  # within the last 28 days that are known
    seen = []

    def make(known):
        seen.append(np.nanmax(known.demand))
        return NaiveRule()

    scores = backtest.score(make, a_history(demand), [ORIGIN], n_paths=5, covers=(5,))
    assert seen[0] < 20
    assert scores["stock"][0] > 500
