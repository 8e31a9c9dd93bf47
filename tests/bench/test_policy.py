"""The proof of the advice: a shop played through, rules to compare with, one command for any demand."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench import policy, policy_rules, policy_score
from bench.depletion import an_invented_shop

SHARED = Path(__file__).parents[3] / "shared"
EVALUATOR = SHARED / "eval" / "policy_eval.py"
DEV_SET = SHARED / "data" / "online_retail_daily_dev.parquet"
START = pd.Timestamp("2025-08-20")
# An advisor for the comparison with the evaluation: days of cover at the mean of four weeks.
ADVISOR = """
import pandas as pd
def advise(history, items, review_days, targets):
    recent = history[history.ds > history.ds.max() - pd.Timedelta(days=28)]
    rate = recent.groupby("unique_id").y.sum().reindex(items.unique_id).fillna(0).to_numpy() / 28
    span = items.lead_mean.to_numpy() + review_days
    return pd.concat([
        pd.DataFrame({"unique_id": items.unique_id, "target": t, "order_up_to": rate * span * (0.3 + t) ** 3})
        for t in targets
    ])
"""


def a_world(demand, scored_from=1, reviews=(0,), pack=1, price=1.0):
    demand = np.array(demand, float)
    days = pd.date_range("2025-01-01", periods=demand.shape[1])
    ids = tuple(f"p{row}" for row in range(len(demand)))
    first = np.zeros(len(demand), int)
    return policy_score.World(
        pd.DataFrame(), ids, days, demand, first, np.full(len(demand), price), reviews, scored_from, pack
    )


def test_a_play_by_hand():
    world = a_world([[0, 2, 0, 4, 1, 0, 3, 0, 5]], reviews=(0, 3))
    level = (np.array([[5.0]]), np.array([[4.9]]))
    came = policy_score.play(world, [level, level], np.array([[2, 2]]))
    # Five there; two go, three of four are served, the evening orders five, which come on the fifth day.
    assert came.served.tolist() == [[2 + 3 + 3 + 2]]
    assert came.asked.tolist() == [[15]]
    assert came.lines_served[0, 0] == pytest.approx(1 + 3 / 4 + 0 + 1 + 2 / 5)
    assert came.lines.tolist() == [[5]]
    assert came.stock[0, 0] == pytest.approx(4 + 3 + 1.5 + 0 + 0 + 3.5 + 2 + 1)


def test_only_whole_packs_are_ordered_and_only_at_or_below_the_point():
    world = a_world([[0, 3, 0, 0, 0, 0, 0, 0]], reviews=(0, 1), pack=4)
    up_to = np.array([[4.0, 4.0]])
    came = policy_score.play(world, [(up_to, np.array([[3.0, 0.0]]))] * 2, np.array([[1, 1]]))
    assert came.stock.ravel().tolist() == pytest.approx([2.5 + 1 + 5 * 5, 2.5 + 6])


def test_stock_is_compared_where_both_serve_the_same():
    chance = np.random.default_rng(3)
    world = a_world(chance.poisson(1.5, (12, 200)), scored_from=71, reviews=tuple(range(28, 199, 7)))
    plays = {}
    for rotation in range(2):
        for name, rule in policy_rules.rules(world, rotation).items():
            plays.setdefault(name, []).append(policy_score.play(world, rule, world.leads(rotation)))
    twice = [
        policy_score.Played(one.served, one.asked, 2 * one.stock, one.lines_served, one.lines)
        for one in plays["normal84"]
    ]
    figures = policy_score.compared(world, {**plays, "twice": twice}, "twice", resamples=20)
    assert figures["line0.95"]["stock_vs_normal84"] == pytest.approx([1, 1, 1])
    assert figures["line0.95"]["stock_vs_fixed_min"][0] < 1


@pytest.mark.skipif(not EVALUATOR.exists(), reason="the evaluation is not here")
def test_equals_the_evaluation_on_some_products(tmp_path):
    frame = pd.read_parquet(DEV_SET)
    frame = frame[frame["unique_id"].isin(sorted(frame["unique_id"].unique())[:14])]
    frame = frame[frame["ds"] <= "2011-08-20"]
    frame.to_parquet(tmp_path / "some.parquet")
    (tmp_path / "advisor.py").write_text(ADVISOR)
    call = ["--data", "some.parquet", "--module", "advisor:advise", "--boot", "10", "--json", "out.json"]
    subprocess.run([sys.executable, EVALUATOR, *call], cwd=tmp_path, check=True, capture_output=True)
    theirs = json.loads((tmp_path / "out.json").read_text())

    space: dict = {}
    exec(ADVISOR, space)
    world = policy_score.world(frame, pd.Timestamp("2011-06-10"))
    plays = {}
    for rotation in range(4):
        leads = world.leads(rotation)
        own = policy_score.advised(world, rotation, space["advise"])
        for name, rule in {**policy_rules.rules(world, rotation), "CANDIDATE": own}.items():
            plays.setdefault(name, []).append(policy_score.play(world, rule, leads))
    ours = policy_score.compared(world, plays, "CANDIDATE", resamples=10)
    for key, figures in ours.items():
        for name, days in figures.pop("stock_days").items():
            assert days == pytest.approx(theirs[key]["stock_days"][name], abs=0.051, nan_ok=True), (key, name)
        for name, figure in figures.items():
            expected = theirs[key][f"CANDIDATE_{name}"]
            assert figure == pytest.approx(expected, abs=6e-4, nan_ok=True), (key, name)
    kept = policy_score.kept(plays["CANDIDATE"])
    assert kept["promise_error"] == pytest.approx(theirs["promise_error"], abs=1e-4)


def test_more_service_is_never_a_lower_level_and_the_same_twice():
    frame = an_invented_shop()
    frame = frame[frame["unique_id"] < "p12"]
    world = policy_score.world(frame, START)
    items = world.items(1).assign(pack=3)
    advised = policy.advise(frame[frame["ds"] <= START], items, 7, [0.5, 0.9, 0.99])
    wide = advised.pivot(index="unique_id", columns="target", values="order_up_to")
    assert (wide[0.5] <= wide[0.9]).all()
    assert (wide[0.9] <= wide[0.99]).all()
    assert (wide % 3 == 0).all(axis=None)
    assert wide[0.99].sum() > wide[0.5].sum() > 0
    policy._drawn.clear(), policy._fronts.clear(), policy._chosen.clear()
    again = policy.advise(frame[frame["ds"] <= START], items, 7, [0.5, 0.9, 0.99])
    pd.testing.assert_frame_equal(advised, again)


def test_a_product_that_was_not_there_some_weeks_ago_gets_advice():
    frame = an_invented_shop()
    frame = frame[(frame["unique_id"] < "p03") & (frame["ds"] <= START)]
    is_new = (frame["unique_id"] == "p02") & (frame["ds"] <= START - pd.Timedelta(days=20))
    items = policy_score.world(frame, START - pd.Timedelta(days=2)).items(0)
    advised = policy.advise(frame[~is_new], items, 7, [0.95])
    assert advised["order_up_to"].notna().all()
    assert (advised["order_up_to"] >= 0).all()


def test_a_command_plays_an_invented_shop(monkeypatch, capsys, tmp_path):
    frame = an_invented_shop()
    some = frame[(frame["unique_id"] < "p06") & (frame["ds"] < "2025-06-01")]
    monkeypatch.setattr(policy, "an_invented_shop", lambda: some)
    file = tmp_path / "figures.json"
    policy.main(["--start", "2025-05-15", "--warm", "14", "--resamples", "5", "--json", str(file)])
    told = capsys.readouterr().out
    assert "6 products" in told
    assert "promised and happened" in told
    assert {"line0.95", "fill0.9", "promise", "promise_error"} <= set(json.loads(file.read_text()))


@pytest.mark.parametrize(
    ("demand", "prices", "start", "sentence"),
    [
        ("sku,day\nA,1\n", None, None, "demand.csv has no column unique_id"),
        ("unique_id,ds,y\nA,2025-01-01,3\nA,2025-03-01,3\n", None, None, "does not lie 98 days after"),
        ("unique_id,ds,y\nA,2025-01-01,3\nA,2025-12-01,3\n", "sku,cost\nA,1\n", None, "no column unique_id"),
        ("unique_id,ds,y\nA,2025-01-01,3\nA,2025-12-01,3\n", None, "2026-01-01", "and before the last"),
    ],
    ids=["other headers", "too short", "no prices", "after the end"],
)
def test_what_cannot_be_played_is_refused_with_a_sentence(tmp_path, demand, prices, start, sentence):
    (tmp_path / "demand.csv").write_text(demand)
    call = ["--data", str(tmp_path / "demand.csv")]
    if prices:
        (tmp_path / "prices.csv").write_text(prices)
        call += ["--prices", str(tmp_path / "prices.csv")]
    if start:
        call += ["--start", start]
    with pytest.raises(SystemExit, match=sentence):
        policy.main(call)
