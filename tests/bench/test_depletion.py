"""The proof of the run-out days: its own scorer, equal to the evaluation's, and one command for any data."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench import depletion, depletion_score
from core.forecast.history import from_frame
from tests.core.forecast.shops import SUNDAY, a_history

SHARED = Path(__file__).parents[3] / "shared"
EVALUATOR = SHARED / "eval" / "depletion_eval.py"
DEV_SET = SHARED / "data" / "online_retail_daily_dev.parquet"
# crps, pin9, mae, cov80, width80, brier14 on the invented shop; skill with its interval
FROZEN = {
    "naive": [6.525974, 3.262987, 6.525974, 0.1428571, 0.0, 0.1558442],
    "blocks": [3.8503199, 1.2552994, 5.6818182, 0.7792208, 15.1883117, 0.1056698],
    "skill": [0.4100007, 0.3068838, 0.4772421],
}
ORIGINS = [pd.Timestamp("2025-08-06"), pd.Timestamp("2025-10-01")]


def a_task(actual, stock=10, mean=1.0):
    return pd.DataFrame({"unique_id": ["p0"], "S": [stock], "T": [actual], "m28": [mean]})


def scores_of(actual, quantiles, levels=(0.1, 0.5, 0.9), **more):
    return depletion_score.score(a_task(actual), levels, np.array([quantiles], float), 56, **more).iloc[0]


def test_a_single_date_scores_its_distance():
    one = scores_of(12, [9, 9, 9])
    assert (one.crps, one.mae, one.width80) == (pytest.approx(3), 3, 0)
    assert (one.cov80, one.chance_14, one.brier14) == (0, 1, 0)
    assert scores_of(12, [9], levels=(0.5,)).crps == pytest.approx(3)


def test_never_is_the_day_after_the_horizon():
    for never in (np.inf, np.nan, 99):
        assert scores_of(57, [never] * 3).crps == 0
        assert scores_of(47, [never] * 3).crps == pytest.approx(10)


def test_levels_may_come_in_any_order_and_lines_that_cross_are_sorted():
    expected = scores_of(12, [5, 10, 20])
    assert scores_of(12, [20, 5, 10], levels=(0.9, 0.1, 0.5)).equals(expected)
    assert scores_of(12, [10, 5, 20]).equals(expected)
    assert (expected.cov80, expected.width80, expected.mae) == (1, 15, 2)


def test_the_chance_of_14_days_is_the_given_one_or_read_off_the_quantiles():
    assert scores_of(12, [5, 10, 20]).chance_14 == pytest.approx(0.5 + 0.4 * 4.5 / 10)
    assert scores_of(12, [15, 16, 20]).chance_14 == 0
    assert scores_of(12, [5, 10, 14]).chance_14 == 1
    told = scores_of(12, [5, 10, 20], chance_14=np.array([0.8]))
    assert (told.chance_14, told.brier14) == (0.8, pytest.approx(0.04))


def test_tasks_are_days_of_cover_and_the_day_they_were_used_up():
    demand = np.vstack(
        [np.full(140, 2.0), np.r_[np.ones(70), np.zeros(70)], np.r_[np.full(120, np.nan), np.ones(20)]]
    )
    history = a_history(demand)
    origin = SUNDAY - pd.Timedelta(days=40)
    asked = depletion_score.tasks(history, [origin], 40, [5, 30])
    assert asked[["unique_id", "k", "S", "T"]].to_numpy().tolist() == [["p0", 5, 10, 5], ["p0", 30, 60, 30]]
    assert asked["cls"].tolist() == ["smooth", "smooth"]
    asleep = depletion_score.tasks(history, [origin], 40, [5], dormant=True)
    assert asleep[["unique_id", "S", "T", "m28"]].to_numpy().tolist() == [
        ["p0", 10, 5, 2.0],
        ["p1", 1, 41, 0.0],
    ]


def test_an_origin_without_enough_days_around_it_is_refused():
    history = a_history(np.ones(100))
    with pytest.raises(ValueError, match="After 2026-02-01 fewer than 56 days"):
        depletion_score.tasks(history, [pd.Timestamp("2026-02-01")], 56, [5])
    with pytest.raises(ValueError, match="begins after"):
        depletion_score.tasks(history, [pd.Timestamp("2020-02-01")], 56, [5])
    with pytest.raises(ValueError, match="7 days of history"):
        depletion_score.tasks(history, [SUNDAY], 56, [5], min_history=3)


def test_the_references_on_an_invented_shop_are_the_ones_we_know():
    history = from_frame(depletion.an_invented_shop())
    asked = depletion_score.tasks(history, ORIGINS, 56, [5, 20], dormant=True)
    scored = {
        name: depletion_score.score(asked, depletion_score.LEVELS, days, 56)
        for name, days in (
            ("naive", depletion_score.naive_rule(asked)),
            ("blocks", depletion_score.block_bootstrap(asked, history, 56)),
        )
    }
    table = depletion_score.table(scored).set_index("method")
    assert table.loc["naive", depletion_score.SCORES].tolist() == pytest.approx(FROZEN["naive"], abs=1e-6)
    assert table.loc["blocks", depletion_score.SCORES].tolist() == pytest.approx(FROZEN["blocks"], abs=1e-6)
    assert table.loc["blocks", ["skill", "skill_lo", "skill_hi"]].tolist() == pytest.approx(
        FROZEN["skill"], abs=1e-6
    )


def test_the_reliability_of_a_perfect_and_of_a_boastful_forecaster():
    happened = np.arange(100) % 10 < 3
    scored = pd.DataFrame({"T": np.where(happened, 5, 50), "chance_14": 0.3})
    rows = depletion_score.reliability(scored)
    assert rows.loc["30-40 %"].tolist() == [pytest.approx(0.3), pytest.approx(0.3), 100]
    assert rows["tasks"].sum() == 100
    boast = depletion_score.reliability(scored.assign(chance_14=1.0)).loc["90-100 %"]
    assert boast.tolist() == [1, pytest.approx(0.3), 100]


def test_one_command_prints_the_table_the_sleepers_the_groups_and_the_reliability(tmp_path, capsys):
    data, out = tmp_path / "demand.csv", tmp_path / "scores.parquet"
    shop = depletion.an_invented_shop()
    asleep = (shop["unique_id"] == "p00") & (shop["ds"] > "2025-07-01")
    shop.assign(y=shop["y"].where(~asleep, 0)).query("y > 0").to_csv(data, index=False)
    told_to = f"--data {data} --origins 2025-08-06 --ks 5 --include-dormant --by cls,origin --out {out}"
    depletion.main(told_to.split())
    told = capsys.readouterr().out
    for words in ("naive_rule", "block_bootstrap", "runout", "ms per product", "CRPS by origin", "90-100 %"):
        assert words in told
    assert told.index("nothing sold in the last 28 days") < told.index("Runs out within 14 days")
    assert pd.read_parquet(out)["method"].nunique() == 3


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        (["--origins", "2025-11-20"], "fewer than 56 days"),
        (["--origins", "2024-11-20"], "begins after"),
        (["--origins", "2025-08-06", "--min-history", "300"], "No product can be judged"),
        (["--by", "colour"], "Groups are cls, k, origin"),
        (["--data", "absent.parquet"], "absent.parquet"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(wishes, sentence):
    with pytest.raises(SystemExit, match=sentence):
        depletion.main(wishes)


@pytest.mark.skipif(
    not (EVALUATOR.exists() and DEV_SET.exists()), reason="the evaluation is not beside the project"
)
def test_the_scorer_equals_the_evaluation_to_a_millionth():
    evaluator = evaluation()
    frame = pd.read_parquet(DEV_SET)
    frame = frame[frame["unique_id"].isin(frame["unique_id"].unique()[::6])]
    origins = [pd.Timestamp("2011-08-12"), pd.Timestamp("2011-10-14")]
    history, wide = from_frame(frame), dense(frame)
    ours = depletion_score.tasks(history, origins, 56, [5, 20], dormant=True)
    theirs = evaluator.build(wide, origins, 56, [5, 20], 56, True)
    columns = ["unique_id", "origin", "k", "S", "T", "m28", "cls"]
    pd.testing.assert_frame_equal(ours[columns], theirs[columns], check_dtype=False, atol=1e-9)
    naive = depletion_score.naive_rule(ours), evaluator.naive(theirs)
    weeks = depletion_score.block_bootstrap(ours, history, 56), evaluator.blockboot(theirs, wide, 56)
    rough = np.sort(np.random.default_rng(3).gamma(2, 12, (len(ours), 4)), axis=1)
    levels = [0.07, 0.33, 0.6, 0.93]
    scored, expected = {}, {}
    for name, (own, other), known in (
        ("naive", naive, depletion_score.LEVELS),
        ("weeks", weeks, depletion_score.LEVELS),
        ("rough", (rough, rough), levels),
    ):
        assert np.array_equal(own, other)
        scored[name] = depletion_score.score(ours, known, own, 56)
        expected[name] = evaluator.score(theirs, list(known), other, 56)
        for column in depletion_score.SCORES:
            assert np.allclose(scored[name][column], expected[name][column], rtol=0, atol=1e-6), (
                name,
                column,
            )
    chance = np.random.default_rng(1)
    lines = pd.DataFrame(
        [evaluator.line(name, each, expected["naive"], chance) for name, each in expected.items()]
    )
    pd.testing.assert_frame_equal(depletion_score.table(scored), lines, check_dtype=False, atol=1e-6, rtol=0)


def evaluation():
    spec = importlib.util.spec_from_file_location("depletion_evaluation", EVALUATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dense(frame):
    """Days by products, NaN before a product's first row: what the evaluation calls wide."""
    wide = frame.pivot_table(index="ds", columns="unique_id", values="y", aggfunc="sum").asfreq("D")
    for name, first in frame.groupby("unique_id")["ds"].min().items():
        wide.loc[first:, name] = wide.loc[first:, name].fillna(0)
    return wide


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sku,day,sold\nA,2025-01-01,3\n", "demand.csv has no column unique_id"),
        ("a tale\nof one\nand one, two, three\n", "demand.csv cannot be read as CSV"),
        ("", "demand.csv cannot be read as CSV"),
    ],
    ids=["other headers", "no table", "empty"],
)
def test_a_file_that_is_no_demand_is_refused_by_name(tmp_path, text, sentence):
    file = tmp_path / "demand.csv"
    file.write_text(text)
    with pytest.raises(SystemExit, match=sentence):
        depletion.main(["--data", str(file)])
