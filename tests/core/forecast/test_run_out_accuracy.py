"""The accuracy bench keeps the contract of the evaluation script."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.run_out_accuracy import predict
from core.forecast import backtest, history
from core.forecast.models import pool_for

DEV_SET = Path(__file__).parents[4] / "shared" / "data" / "online_retail_daily_dev.parquet"
LEVELS = [0.1, 0.5, 0.9]


def test_predict_answers_every_line_with_rising_quantiles():
    rng = np.random.default_rng(1)
    days = pd.date_range("2026-01-01", periods=90)
    frame = pd.concat(
        [pd.DataFrame({"unique_id": u, "ds": days, "y": rng.poisson(3, 90) * 1.0}) for u in "ab"]
    )
    stock = pd.DataFrame({"unique_id": ["b", "a", "b"], "k": [5, 10, 20], "S": [15, 30, 60]})
    answer = predict(frame, stock, 56, LEVELS)
    assert list(answer.columns) == ["unique_id", "k", "p14", "q0.1", "q0.5", "q0.9"]
    assert set(zip(answer["unique_id"], answer["k"], strict=True)) == {("b", 5), ("a", 10), ("b", 20)}
    assert (np.diff(answer[["q0.1", "q0.5", "q0.9"]], axis=1) >= 0).all()
    assert answer.set_index(["unique_id", "k"])["q0.5"].loc[("a", 10)] == pytest.approx(10, abs=2)


@pytest.mark.skipif(
    not DEV_SET.exists(), reason="the development set of real demand is not beside the project"
)
def test_the_pool_beats_the_naive_rule_by_a_third_on_real_demand():
    known = history.from_frame(pd.read_parquet(DEV_SET)).before(pd.Timestamp("2011-12-09"))
    scores = backtest.score(pool_for, known, [pd.Timestamp("2011-08-12")], n_paths=100)
    shop = backtest.of_shop(scores)
    assert shop["skill"] > 0.35
    assert 0.78 <= shop["coverage"] <= 0.88
