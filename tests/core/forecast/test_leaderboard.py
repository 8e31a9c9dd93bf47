"""The leaderboard: every method on the same tasks, the same whoever works it out, with reasons in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.forecast import backtest, contenders, exams, leaderboard, standings
from core.forecast.models import Pool, pool_for
from core.forecast.verdicts import Report
from tests.core.forecast.shops import SUNDAY, a_history, a_shop


@pytest.fixture(autouse=True)
def quick_contenders(monkeypatch):
    """Only the one that needs no library of others: those are compiled for seconds."""
    monkeypatch.setattr(contenders, "CHEAP", ("level",))
    monkeypatch.setattr(contenders, "SLOW", ())


@pytest.fixture(scope="module")
def shop():
    return a_shop(40)


def without_time(report):
    return [row | {"ms_per_product": None} for row in report["members"]]


def test_every_method_is_judged_on_the_same_tasks(shop):
    judged = leaderboard.judge(shop, pool_for)
    report = Report.of(judged.report)
    assert {row.name for row in report.members} == {
        "pool", "naive", "blocks", "occurrence", "analogs", "level",
    }  # fmt: skip
    pool, naive = report.of_member("pool"), report.of_member("naive")
    assert pool.tasks == naive.tasks == len(judged.scores)
    assert pool.skill > 0.1 > naive.skill == 0
    assert pool.against_pool == 0 < naive.against_pool
    assert report.origins == ("2025-09-14", "2025-11-09", "2026-01-04")
    assert (report.sample["products"], report.sample["of_products"]) == (39, 40)  # one is dormant
    assert [row.name for row in report.members[-2:]] == ["naive", "analogs"]
    analogs = report.of_member("analogs")
    assert (analogs.tasks, analogs.crps) == (0, None)  # at these origins its library was too small
    assert analogs.admitted
    assert analogs.reason == "In the fixed line-up, but there was nothing to judge it on."


def test_the_pools_row_says_what_the_back_test_says(shop):
    judged = leaderboard.judge(shop, pool_for, most_origins=1)
    origin = SUNDAY - np.timedelta64(56, "D")
    alone = backtest.score(pool_for, shop, [origin], n_paths=leaderboard.PATHS, seed=leaderboard.SEED)
    row, figures = Report.of(judged.report).of_member("pool"), backtest.of_shop(alone)
    for name in ("crps", "skill", "coverage", "bias", "brier_14"):
        assert getattr(row, name) == pytest.approx(figures[name], abs=1e-4), name
    assert judged.scores[backtest.COLUMNS].equals(alone[backtest.COLUMNS])


def test_batches_may_be_worked_through_by_anybody_in_any_order(shop):
    def backwards(work, batches, frozen):
        answers = [work(batch, frozen) for batch in reversed(batches)]
        return reversed(answers)

    seen = []
    one = leaderboard.judge(shop, pool_for, progress=lambda done, total: seen.append((done, total)))
    other = leaderboard.judge(shop, pool_for, run=backwards)
    assert without_time(one.report) == without_time(other.report)
    assert one.report["calibration"] == other.report["calibration"]
    assert seen[-1] == (seen[-1][1], seen[-1][1])
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_samples_are_bounded_and_stated(shop, monkeypatch):
    monkeypatch.setattr(contenders, "SLOW", ("level",))
    monkeypatch.setattr(contenders, "CHEAP", ())
    report = Report.of(
        leaderboard.judge(shop, pool_for, most_products=20, cheap_products=10, slow_products=4).report
    )
    assert report.of_member("pool").products == 20
    assert report.of_member("blocks").products == 10
    assert report.of_member("level").sample == "4 products, 24 forecasts"  # two origins, three stocks each
    assert "too few to change anything" in report.of_member("level").reason


def test_a_method_that_fails_on_a_product_is_judged_on_the_others(shop, monkeypatch):
    def only_some(series, days):
        if series.unique_id in ("p1", "p2"):
            raise ZeroDivisionError
        return np.full(days, series.level(28))

    monkeypatch.setattr(contenders, "by_name", lambda name, _: contenders.MeanPath(name, only_some))
    report = Report.of(leaderboard.judge(shop, pool_for, most_origins=1).report)
    level, pool = report.of_member("level"), report.of_member("pool")
    assert level.failed == 2
    assert level.products == pool.products - 2


def test_a_promotion_every_month_leaves_something_to_judge(shop):
    """Nobody learns from its days, but stock is used up on them as on any other."""
    in_stock, demand = shop.in_stock.copy(), shop.demand.copy()
    in_stock[:, ::28] = False
    demand[:, ::28] = np.where(np.isnan(demand[:, ::28]), np.nan, 0.0)
    learned = replace(shop, demand=demand, in_stock=in_stock)
    assert leaderboard.judge(learned, pool_for, most_origins=1).scores.empty
    judged = leaderboard.judge(learned, pool_for, happened=shop, most_origins=1).scores
    as_usual = leaderboard.judge(shop, pool_for, most_origins=1).scores
    assert len(judged) == len(as_usual)
    assert judged["crps"].mean() == pytest.approx(as_usual["crps"].mean(), rel=0.1)


def test_a_pool_that_fails_on_every_product_is_judged_on_nothing(shop, monkeypatch):
    def breaks(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Pool, "paths", breaks)
    judged = leaderboard.judge(shop, pool_for, most_origins=1)
    json.dumps(judged.report, allow_nan=False)
    report = Report.of(judged.report)
    assert judged.scores.empty
    assert (report.calibration, report.reliability, report.line_up) == ((), (), None)
    assert report.of_member("pool").failed == report.of_member("naive").products > 0
    assert report.of_member("naive").crps > 0


def test_too_short_a_history_gives_an_empty_report_and_leaves_the_line_up():
    judged = leaderboard.judge(a_shop(3, days=100), pool_for)
    assert judged.report["members"] == []
    assert judged.scores.empty
    assert judged.line_up is None
    assert leaderboard.judge(a_history(np.zeros(200)), pool_for).report["members"] == []


def test_a_report_is_kept_as_json_and_read_again(shop):
    judged = leaderboard.judge(shop, pool_for, most_origins=1)
    kept = json.loads(json.dumps(judged.report, allow_nan=False))
    assert Report.of(kept) == Report.of(judged.report)
    kept["members"][0]["of a later version"] = 1
    del kept["members"][0]["against_error"]
    assert Report.of(kept).members[0].against_error is None
    assert Report.of(None) == Report()


def test_the_line_up_is_told_only_when_it_is_another_than_the_fixed_one(shop):
    report = leaderboard.judge(shop, pool_for, most_origins=1).report
    assert Report.of(report).line_up is None
    for row in report["members"]:
        row["admitted"] |= row["name"] == "level"
        row["admitted"] &= row["name"] != "blocks"
    assert set(Report.of(report).line_up) == {"occurrence", "analogs", "level"}
    assert Pool(admitted=Report.of(report).line_up).line_up(shop.series(0))


def test_reasons_are_sentences_with_figures(shop):
    report = Report.of(leaderboard.judge(shop, pool_for).report)
    for row in report.members:
        assert row.reason.endswith(".")
        assert row.title
    assert "without it run-out dates would be" in report.of_member("blocks").reason
    assert "on 39 products" in report.of_member("level").reason
    prophet = standings._of_contender(
        "prophet", 0.12, standings.Change(-0.03, 0.01, 60), standings.Decision(("blocks", "occurrence"))
    )
    assert prophet == (
        "Alone, run-out dates 12 % worse than the pool's on 60 products; in the pool it would make them "
        "3.0 % worse, so it only draws the pictures."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (standings.Change(0.02, 0.001, 300), "2.0 % better on 300 products"),
        (standings.Change(0.02, 0.02, 300), "2.0 % better on 300 products, which may be chance"),
        (standings.Change(0.008, 0.001, 1), "0.8 % better on 1 product, too little to change anything"),
        (standings.Change(-0.12, 0.001, 300), "12 % worse on 300 products"),
        (standings.Change(0.0001, 0.001, 300), "the same on 300 products"),
    ],
    ids=range(5),
)
def test_a_change_in_words_tells_chance_from_certainty(change, words):
    assert standings._in_words(change) == words


def test_promises_that_hold_lie_on_the_diagonal():
    rng = np.random.default_rng(1)
    reached = np.tile(np.linspace(0, 0.6, 31), (20_000, 1))  # 2 % a day, 40 % beyond the horizon of 30 days
    actual = np.minimum(rng.integers(1, 51, 20_000), 31)
    for point in standings.calibration(reached, actual):
        assert point["share"] == pytest.approx(point["level"], abs=0.012)
    (bin_,) = standings.reliability(reached, actual, days=14)
    assert bin_["chance"] == pytest.approx(0.28)
    assert bin_["happened"] == pytest.approx(0.28, abs=0.01)


def test_stock_that_is_gone_too_early_lies_above_the_diagonal():
    reached = np.tile(np.linspace(0, 1, 31), (100, 1))
    shares = {point["level"]: point["share"] for point in standings.calibration(reached, np.full(100, 3))}
    assert shares[0.05] == 0
    assert shares[0.1] == 1


def test_exams_ask_only_what_forecasters_may_see():
    demand = np.random.default_rng(1).poisson(3, 200).astype(float)
    limited = demand[:-56].copy()
    limited[100] = 0
    known = a_history(demand).before(SUNDAY - np.timedelta64(56, "D"))
    learned = a_history(limited, until=known.until)
    exam = exams.set_exam(a_history(demand), known.until, 56, known=known, learned=learned)
    seen = []

    class Watching:
        name = "watching"

        def paths(self, history, horizon_days, n_paths, _):
            seen.append(history.demand[0, 100])
            return np.ones((len(history), n_paths, horizon_days))

    exams.sit(exam, Watching(), 3, 0)
    assert seen == [0]
    assert exam.known.demand[0, 100] == demand[100]
