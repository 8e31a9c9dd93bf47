"""Promised and happened: lines in the theme's colours, each with its doubt."""

import pandas as pd
import pytest

from dashboard import charts
from dashboard.charts import calibration

NAMES = {"issued": "ranges as shown", "backtest": "test on the past"}


def points(*rows):
    return pd.DataFrame(rows, columns=["source", "promised", "happened", "tasks"])


BOTH = points(
    ("issued", 0.9, 0.83, 61), ("issued", 0.1, 0.16, 61), ("issued", 0.5, 0.46, 61),
    ("backtest", 0.1, 0.12, 2400), ("backtest", 0.9, 0.91, 2400),
)  # fmt: skip


def draw(found=BOTH, **about):
    values = {"names": NAMES, "promised": "said", "happened": "came"} | about
    return calibration.figure(found, **values)


def test_each_source_is_a_line_in_the_order_of_its_promises():
    figure = draw()
    assert [trace.name for trace in figure.data] == ["ranges as shown", "test on the past"]
    assert list(figure.data[0].x) == [0.1, 0.5, 0.9]
    assert list(figure.data[0].y) == [0.16, 0.46, 0.83]


def test_a_source_without_points_is_not_named():
    figure = draw(BOTH[BOTH.source == "backtest"])
    (name,) = [trace.name for trace in figure.data]
    assert name == "test on the past"
    assert "ranges as shown" not in " ".join(note.text for note in figure.layout.annotations)


def test_both_axes_go_from_nothing_to_all_and_the_diagonal_is_what_was_promised():
    figure = draw()
    assert list(figure.layout.xaxis.ticktext) == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    (line,) = figure.layout.shapes
    assert (line.x0, line.y0, line.x1, line.y1) == (0, 0, 1, 1)
    assert "as promised" in " ".join(note.text for note in figure.layout.annotations)


def test_sources_are_told_apart_without_colours():
    issued, tested = draw().data
    assert issued.marker.symbol != tested.marker.symbol


def test_a_dot_grows_with_the_cases_behind_it():
    (line,) = draw(points(("backtest", 0.05, 0.04, 900), ("backtest", 0.45, 0.5, 100))).data
    assert line.marker.size[0] > line.marker.size[1]


@pytest.mark.parametrize("dark", [True, False])
def test_the_theme_decides_the_colours(dark):
    assert draw(dark=dark).data[0].line.color == charts.palette(dark).accent


def test_few_cases_leave_much_doubt_and_many_little():
    few, many = calibration.likely_share(16, 20), calibration.likely_share(1600, 2000)
    assert few[0] < many[0] < 0.8 < many[1] < few[1]
    assert few[1] - few[0] > 0.2
    assert many[1] - many[0] < 0.03


@pytest.mark.parametrize(("hits", "cases"), [(0, 5), (5, 5), (0, 0), (1, 1)])
def test_the_doubt_stays_between_nothing_and_all(hits, cases):
    low, high = calibration.likely_share(hits, cases)
    assert 0 <= low < high <= 1
