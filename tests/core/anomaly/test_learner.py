"""The trees judge as LightGBM does, chances are calibrated, and what cannot be learned is not pretended."""

import lightgbm
import numpy as np
import pytest

from core.anomaly.blind import Rarity, strongest
from core.anomaly.calibration import Calibration, chance
from core.anomaly.trees import Trees


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(3_000, 6)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    features[:, 5] = np.nan_to_num(features[:, 5])  # nothing missing here while it learns
    features[:, 4] = np.round(features[:, 4])
    truth = np.nan_to_num(features[:, 0]) + np.isnan(features[:, 1]) + features[:, 4] > 1
    rows = lightgbm.Dataset(features, truth.astype(float))
    growth = {"objective": "binary", "num_leaves": 15, "verbose": -1, "num_threads": 1, "deterministic": True}
    return lightgbm.train(growth, rows, 20), features


def test_flat_trees_say_what_lightgbm_says(grown):
    booster, features = grown
    features = features.copy()
    features[:50, 5] = np.nan
    features[50:60] = np.inf
    flat = Trees.of(booster.dump_model())
    np.testing.assert_allclose(flat.log_odds(features), booster.predict(features, raw_score=True), atol=1e-12)


def test_trees_come_back_from_their_arrays_as_they_were(grown):
    booster, features = grown
    flat = Trees.of(booster.dump_model())
    again = Trees.from_arrays(flat.to_arrays())
    np.testing.assert_array_equal(again.log_odds(features), flat.log_odds(features))


def test_one_row_gets_what_it_gets_among_many(grown):
    booster, features = grown
    flat = Trees.of(booster.dump_model())
    np.testing.assert_array_equal(flat.log_odds(features[7:8]), flat.log_odds(features)[7:8])


def test_trees_that_learned_nothing_say_the_same_of_everything():
    rows = lightgbm.Dataset(np.zeros((50, 2)), np.arange(50) % 2)
    flat = Trees.of(lightgbm.train({"objective": "binary", "verbose": -1}, rows, 2).dump_model())
    assert len(set(flat.log_odds(np.random.default_rng(1).normal(size=(5, 2))).tolist())) == 1


def test_chances_are_the_shares_that_were_wrong():
    rng = np.random.default_rng(1)
    score = rng.normal(-4, 2, 60_000)
    is_wrong = rng.random(len(score)) < chance(0.5 * score - 1)  # an overconfident score
    learned = Calibration.learn(score, is_wrong, np.ones(len(score)))
    told = chance(learned.log_odds(score, learned.rate))
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.6)):
        inside = (told >= low) & (told < high)
        assert is_wrong[inside].mean() == pytest.approx(told[inside].mean(), abs=0.03)


def test_a_higher_score_never_gets_a_lower_chance_and_hardly_ever_the_same():
    rng = np.random.default_rng(2)
    score = rng.normal(size=500)
    learned = Calibration.learn(score, rng.random(500) < 0.2, np.ones(500))
    assert (np.diff(learned.log_odds(np.linspace(-9, 9, 200))) > 0).all()


def test_where_errors_are_rarer_a_score_means_less():
    learned = Calibration.learn(np.arange(100.0), np.arange(100) > 90, np.ones(100))
    often, rarely = learned.log_odds(np.array([95.0]), 1 / 200), learned.log_odds(np.array([95.0]), 1 / 5_000)
    assert often > rarely


def test_evidence_is_as_rare_as_its_share_of_real_lines_and_rarer_beyond_them():
    rng = np.random.default_rng(1)
    odds = np.column_stack((rng.normal(size=20_000), np.full(20_000, -12.0))).astype(np.float32)
    rarity = Rarity.learn(odds, np.ones(len(odds)))
    asked = np.array([[np.quantile(odds[:, 0], 0.99), -12.0], [odds[:, 0].max() + 5, -12.0]], np.float32)
    told = rarity.of(asked)
    assert told[0, 0] == pytest.approx(2.0, abs=0.05)
    assert told[1, 0] > np.log10(20_000)
    assert (told[:, 1] == 0).all(), "a kind that cannot be says nothing"


def test_the_blind_judge_sees_the_same_whichever_kind_speaks():
    one, two = np.array([[4.0, 1.0, 0.0, 0.5]]), np.array([[0.0, 0.5, 4.0, 1.0]])
    np.testing.assert_array_equal(strongest(one), strongest(two))
