"""The map of movements: any features can be placed, the same ones always at the same place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.anomaly import embedding
from core.anomaly.embedding import Map
from core.errors import BadInput

WILD = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-38, 0.0]


def heaps(rng, many=3, each=60, wide=6):
    """Lines in a few heaps that lie well apart; the last column never changes, one holds gaps."""
    of = np.repeat(np.arange(many), each)
    features = (rng.normal(0, 12, (many, wide))[of] + rng.normal(size=(many * each, wide))).astype(np.float32)
    features[:, -1] = 3.0
    features[rng.random(len(features)) < 0.05, 0] = np.nan
    return features, of


@pytest.fixture(scope="module")
def learned():
    features, of = heaps(np.random.default_rng(3))
    return Map.learn(features, seed=7), features, of


def test_lines_of_different_heaps_are_in_different_clusters_and_apart_on_the_map(learned):
    made, features, of = learned
    cluster, x, y = made.place(features)
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert not set(cluster[of == one]) & set(cluster[of == two])
        middles = [np.array([np.median(x[of == heap]), np.median(y[of == heap])]) for heap in (one, two)]
        widths = [np.hypot(x[of == heap].std(), y[of == heap].std()) for heap in (one, two)]
        assert np.linalg.norm(middles[0] - middles[1]) > sum(widths)
    assert (cluster.dtype, x.dtype, y.dtype) == (np.int16, np.float32, np.float32)


def test_an_axis_rises_with_the_feature_that_it_says_most_of(learned):
    made, features, _ = learned
    for axis, place in ((0, 1), (1, 2)):
        said = features[:, int(made.follows[axis])]
        known = np.isfinite(said)
        assert np.corrcoef(said[known], made.place(features)[place][known])[0, 1] > 0.5


def test_the_odds_of_errors_draw_the_map_and_make_no_clusters():
    features, of = heaps(np.random.default_rng(3))
    features[:, 1] = np.random.default_rng(4).choice([-50, 50], len(features))
    names = ["a", "odds_times_ten", "b", "c", "d", "e"]
    made = Map.learn(features, seed=7, names=names)
    turned = features.copy()
    turned[:, 1] *= -1
    cluster, x, y = made.place(features)
    assert (cluster == made.place(turned)[0]).all()
    assert (x != made.place(turned)[1]).any()
    assert all(not set(cluster[of == one]) & set(cluster[of == two]) for one, two in ((0, 1), (0, 2), (1, 2)))
    assert np.isfinite([x, y]).all()


def test_the_same_lines_and_seed_give_the_same_map_and_the_largest_cluster_is_the_first(learned):
    made, features, _ = learned
    again = Map.learn(features, seed=7)
    assert all(np.array_equal(kept, again.to_arrays()[name]) for name, kept in made.to_arrays().items())
    sizes = np.bincount(made.place(features)[0])
    assert list(sizes) == sorted(sizes, reverse=True)


def test_a_map_of_other_lines_of_the_same_shop_is_not_mirrored():
    rng = np.random.default_rng(5)
    features, _ = heaps(rng, each=400)
    half = rng.random(len(features)) < 0.5
    one, two = Map.learn(features[half], seed=7), Map.learn(features[~half], seed=8)
    for axis in (1, 2):
        assert np.corrcoef(one.place(features)[axis], two.place(features)[axis])[0, 1] > 0.9


def test_a_line_lies_at_the_same_place_alone_and_among_others(learned):
    made, features, _ = learned
    cluster, x, y = made.place(features)
    for at in (0, 7, 100):
        alone = made.place(features[at : at + 1])
        assert (alone[0][0], alone[1][0], alone[2][0]) == (cluster[at], x[at], y[at])


def test_a_map_comes_back_from_its_arrays_and_others_are_refused(learned):
    made, features, _ = learned
    kept = made.to_arrays()
    back = Map.from_arrays(kept)
    assert all(np.array_equal(a, b) for a, b in zip(made.place(features), back.place(features), strict=True))
    broken = (
        {name: array for name, array in kept.items() if name != "axes"},
        kept | {"centres": kept["centres"][:, :1]},
        kept | {"centres": kept["centres"][:0]},
        kept | {"mean": np.array(["a"])},
        kept | {"middle": kept["middle"][:-1]},
        kept | {"directions": np.float64(1)},
        kept | {"centres": np.float64(1)},
    )
    for arrays_ in broken:
        with pytest.raises(BadInput, match="no map"):
            Map.from_arrays(arrays_)


def test_another_number_of_features_is_refused(learned):
    made, features, _ = learned
    for other in (features[:, 1:], features[0], np.zeros((3, 0), np.float32)):
        with pytest.raises(BadInput, match="6 features"):
            made.place(other)


def test_no_line_at_all_can_be_placed(learned):
    made, features, _ = learned
    assert [len(column) for column in made.place(features[:0])] == [0, 0, 0]


@settings(deadline=None, max_examples=40)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(1, 7)),
        elements=st.floats(width=32) | st.sampled_from(WILD) | st.integers(-3, 3).map(float),
    )
)
def test_whatever_the_features_hold_every_line_has_a_finite_place_and_a_cluster(features):
    made = Map.learn(features, seed=7)
    cluster, x, y = made.place(np.vstack([features, -features, np.full_like(features[:1], np.inf)]))
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert ((cluster >= 0) & (cluster < len(made.centres))).all()
    assert len(made.centres) <= embedding.CLUSTERS


def test_one_wild_line_does_not_bend_the_map():
    features, _ = heaps(np.random.default_rng(3), each=600)
    made = Map.learn(features, seed=7)
    wild = np.vstack([features, np.full((1, features.shape[1]), 1e30, np.float32)])
    _, x, y = Map.learn(wild, seed=7).place(features)
    calm = made.place(features)
    assert np.corrcoef(x, calm[1])[0, 1] > 0.9
    assert np.corrcoef(y, calm[2])[0, 1] > 0.9
