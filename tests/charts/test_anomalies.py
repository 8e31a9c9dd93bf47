"""The pictures of odd movements: a booking against its history, and the map of all of them."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from dashboard.charts import evidence, movement_map

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def history(*values: float) -> pd.DataFrame:
    at = [NOW - timedelta(days=len(values) - n) for n in range(len(values))]
    return pd.DataFrame({"at": at, "value": [float(value) for value in values]})


def test_the_booking_and_its_repair_stand_at_one_moment_beside_their_history():
    figure = evidence.figure(
        history(10, 12, 8), NOW, evidence.Mark(24, "24 booked"), evidence.Mark(12, "12 if repaired"),
        what="pieces out",
    )  # fmt: skip
    earlier, repaired, booked = figure.data
    assert list(earlier.y) == [10, 12, 8]
    assert (list(booked.x), list(booked.y)) == ([NOW], [24])
    assert (list(repaired.x), list(repaired.y)) == ([NOW], [12])
    assert {words.text for words in figure.layout.annotations} == {
        "<b>24 booked</b>",
        "<b>12 if repaired</b>",
    }
    assert figure.layout.yaxis.type is None
    assert figure.layout.yaxis.range[0] == 0


def test_what_is_far_beyond_its_history_is_drawn_on_a_log_scale_with_round_labels():
    figure = evidence.figure(
        history(1, 2, 3), NOW, evidence.Mark(80_995, "80.995"), None, what="out", separators=",."
    )
    assert figure.layout.yaxis.type == "log"
    assert list(figure.layout.yaxis.ticktext) == ["1", "10", "100", "1.000", "10.000"]
    assert len(figure.data) == 2


def test_a_wrong_sign_is_drawn_on_both_sides_of_zero():
    figure = evidence.figure(
        history(-500, -3), NOW, evidence.Mark(12, "+12"), evidence.Mark(-12, "−12"), what="pieces"
    )
    low, high = figure.layout.yaxis.range
    assert low < -500 < 12 < high
    assert figure.layout.yaxis.type is None


@pytest.mark.parametrize(("values", "bands"), [((), 0), ((3, 3, 3, 3), 0), ((1, 2, 3, 4, 50), 1)])
def test_a_usual_range_is_drawn_from_five_points_on(values, bands):
    figure = evidence.figure(history(*values), NOW, evidence.Mark(9, "9"), None, what="out")
    assert len(figure.layout.shapes) == bands


def test_words_of_a_booking_near_its_repair_stand_apart():
    figure = evidence.figure(
        history(10, 12), NOW, evidence.Mark(14, "a"), evidence.Mark(13, "b"), what="out", dark=True
    )
    above, below = figure.layout.annotations
    assert above.yshift > 0 > below.yshift


def the_map(**about):
    points = pd.DataFrame(
        {
            "movement_id": [7, 8, 9],
            "x": [0.0, 1.0, 5.0],
            "y": [0.0, 1.0, 5.0],
            "cluster_id": [0, 0, 6],
            "is_anomaly": [False, True, False],
            "words": ["one", "two", "three"],
        }
    )
    return movement_map.figure(points, {0: "small deliveries"}, **about)


def test_a_point_knows_its_movement_and_its_cluster():
    small, other, odd = the_map().data
    assert list(small.customdata) == [7, 8]
    assert "small deliveries" in small.hovertemplate
    assert "Cluster 7" in other.hovertemplate
    assert (odd.name, list(odd.customdata)) == (movement_map.ODD, [8])
    assert [words.text for words in the_map().layout.annotations] == ["<b>1</b>", "<b>7</b>"]


def test_clusters_of_one_colour_have_different_shapes():
    small, other, _ = the_map(dark=True).data
    assert small.marker.color == other.marker.color
    assert small.marker.symbol != other.marker.symbol


def test_the_movement_that_is_looked_at_has_a_ring_of_its_own():
    assert list(the_map(chosen=9).data[-1].customdata) == [9]


def test_an_odd_movement_that_is_chosen_dims_nothing():
    for trace in the_map().data:
        assert trace.selected.marker.opacity == trace.unselected.marker.opacity
