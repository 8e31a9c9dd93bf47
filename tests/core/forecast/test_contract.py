"""The engine behind one call: everybody's data in, run-out quantiles out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.forecast import backtest, history, predict
from core.forecast.models import pool_for

DEV_SET = Path(__file__).parents[4] / "shared" / "data" / "online_retail_daily_dev.parquet"
LEVELS = [0.1, 0.5, 0.9]
QUANTILES = ["q0.1", "q0.5", "q0.9"]


def a_frame(products="ab", days=90):
    rng = np.random.default_rng(1)
    calendar = pd.date_range("2026-01-01", periods=days)
    demand = {name: rng.poisson(3, days) * 1.0 for name in products}
    return pd.concat(pd.DataFrame({"unique_id": name, "ds": calendar, "y": y}) for name, y in demand.items())


def a_stock(**columns):
    return pd.DataFrame({"unique_id": ["b", "a", "b"], "k": [5, 10, 20], "S": [15, 30, 60]} | columns)


def test_answers_every_row_in_its_order_with_rising_quantiles():
    answer = predict(a_frame(), a_stock(), 56, LEVELS)
    assert list(answer.columns) == ["unique_id", "k", "p14", *QUANTILES]
    assert list(zip(answer["unique_id"], answer["k"], strict=True)) == [("b", 5), ("a", 10), ("b", 20)]
    assert (np.diff(answer[QUANTILES], axis=1) >= 0).all()
    assert answer["q0.5"][1] == pytest.approx(10, abs=2)
    assert answer["p14"].tolist() == pytest.approx([1, 0.85, 0.05], abs=0.1)


def test_order_of_rows_and_other_columns_and_the_second_call_change_nothing():
    expected = predict(a_frame(), a_stock(), 56, LEVELS)
    shuffled = a_frame().sample(frac=1, random_state=2).assign(price=9.5)
    stock = a_stock(shelf="A1").sample(frac=1, random_state=1)
    assert predict(shuffled, stock, 56, LEVELS).equals(expected.loc[stock.index].reset_index(drop=True))
    assert predict(a_frame(), a_stock(), 56, LEVELS).equals(expected)


def test_levels_come_in_any_order_and_any_number():
    turned = predict(a_frame(), a_stock(), 56, [0.9, 0.1])
    assert list(turned.columns) == ["unique_id", "k", "p14", "q0.9", "q0.1"]
    assert turned["q0.9"].equals(predict(a_frame(), a_stock(), 56, LEVELS)["q0.9"])
    assert list(predict(a_frame(), a_stock(), 56, [0.5]).columns)[-1] == "q0.5"


def test_products_without_a_stock_row_are_learned_from_and_not_answered():
    answer = predict(a_frame("abc"), a_stock().iloc[:1], 56, LEVELS)
    assert answer["unique_id"].tolist() == ["b"]
    assert len(predict(a_frame(), a_stock().iloc[:0], 56, LEVELS)) == 0


@pytest.mark.parametrize("days", [1, 3, 8, 30])
def test_a_few_days_of_history_are_enough_for_an_answer(days):
    answer = predict(a_frame(days=days), a_stock(), 28, LEVELS)
    assert answer[QUANTILES].to_numpy().min() >= 1
    assert answer[QUANTILES].to_numpy().max() <= 29


def test_an_empty_shelf_is_out_today_and_a_full_one_is_beyond_the_horizon():
    answer = predict(a_frame(), a_stock(S=[0, 1e9, 1]), 56, LEVELS)
    assert answer["q0.5"].tolist()[:2] == [0, 57]
    assert answer["p14"].tolist() == [1, 0, 1]


def test_numbers_as_names_and_only_days_with_sales_are_understood():
    frame = a_frame().query("y > 0").assign(unique_id=lambda rows: rows.unique_id.map({"a": 1, "b": 2}))
    answer = predict(frame, a_stock(unique_id=[2, 1, 2]), 56, LEVELS)
    assert answer["unique_id"].tolist() == ["2", "1", "2"]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("y", None, "history has empty cells"),
        ("y", -1, "Demand .* at least 0"),
        ("y", "some", "Demand .* number"),
        ("ds", "soon", "no dates"),
    ],
)
def test_a_history_that_cannot_be_is_refused(column, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        predict(a_frame().assign(**{column: value}), a_stock(), 56, LEVELS)


@pytest.mark.parametrize("units", [-1, np.nan, np.inf, "many"])
def test_a_stock_that_cannot_be_is_refused(units):
    with pytest.raises(ValueError, match=r"Stock on hand|empty cells"):
        predict(a_frame(), a_stock(S=[units, 1, 1]), 56, LEVELS)


def test_a_missing_column_a_stranger_and_an_empty_history_are_refused():
    with pytest.raises(ValueError, match="history has no column y; it needs unique_id, ds, y"):
        predict(a_frame().drop(columns="y"), a_stock(), 56, LEVELS)
    with pytest.raises(ValueError, match="stock has no column S"):
        predict(a_frame(), a_stock().drop(columns="S"), 56, LEVELS)
    with pytest.raises(ValueError, match="z has stock but no row in the history; 1 such"):
        predict(a_frame(), a_stock(unique_id=["a", "b", "z"]), 56, LEVELS)
    with pytest.raises(ValueError, match="no demand to learn from"):
        predict(a_frame().iloc[:0], a_stock().iloc[:0], 56, LEVELS)


@pytest.mark.parametrize("horizon", [0, -3, 5.5, "56", None])
def test_a_horizon_that_is_no_number_of_days_is_refused(horizon):
    with pytest.raises(ValueError, match="horizon"):
        predict(a_frame(), a_stock(), horizon, LEVELS)


@pytest.mark.parametrize("levels", [[], [1.2], [-0.1], ["half"], [float("nan")]])
def test_levels_that_are_no_chances_are_refused(levels):
    with pytest.raises(ValueError, match="Levels"):
        predict(a_frame(), a_stock(), 56, levels)


@pytest.mark.skipif(
    not DEV_SET.exists(), reason="the development set of real demand is not beside the project"
)
def test_the_pool_beats_the_naive_rule_by_a_third_on_real_demand():
    known = history.from_frame(pd.read_parquet(DEV_SET)).before(pd.Timestamp("2011-12-09"))
    scores = backtest.score(pool_for, known, [pd.Timestamp("2011-08-12")], n_paths=100)
    shop = backtest.of_shop(scores)
    assert shop["skill"] > 0.35
    assert 0.78 <= shop["coverage"] <= 0.88
