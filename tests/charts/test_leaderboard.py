"""The methods beside the simple rule."""

import pandas as pd
import pytest

from dashboard import charts
from dashboard.charts import leaderboard

METHODS = pd.DataFrame(
    [
        ("Pool", 6.3, "6.3 days", True),
        ("Own weeks", 6.4, "6.4 days", True),
        ("Prophet", 8.7, "about 8.7 days", False),
    ],
    columns=["title", "crps", "words", "is_used"],
)


def draw(methods=METHODS, **about):
    values = {"rule": 10.2, "rule_words": "simple rule 10 days"} | about
    return leaderboard.figure(methods, **values)


def test_the_best_stands_on_top_with_its_name_and_error_over_its_bar():
    figure = draw()
    (bars,) = figure.data
    assert list(bars.x) == [6.3, 6.4, 8.7]
    top = figure.layout.yaxis.range[1]
    assert abs(bars.y[0] - top) < abs(bars.y[2] - top)
    names = [note.text for note in figure.layout.annotations]
    assert names[0] == "<b>Pool</b>  6.3 days"
    assert names[2] == "Prophet  about 8.7 days"


def test_what_is_used_has_the_accent_and_what_was_only_judged_is_grey():
    used, _, judged = draw().data[0].marker.color
    assert (used, judged) == (charts.LIGHT.accent, charts.LIGHT.muted)


def test_the_simple_rule_is_a_line_within_sight():
    figure = draw(rule=14.0)
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 14.0
    assert figure.layout.xaxis.range[1] > 14.0
    assert "simple rule 10 days" in [note.text for note in figure.layout.annotations]
    assert not draw(rule=None).layout.shapes


@pytest.mark.parametrize("count", [1, 3, 9, 30])
def test_its_height_is_one_of_the_houses(count):
    methods = pd.concat([METHODS] * 10).head(count)
    assert draw(methods).layout.height in charts.HEIGHTS
