"""What service costs: one curve, where the shop is, and where the handle would put it."""

import pandas as pd
import pytest

from dashboard import charts
from dashboard.charts import service
from dashboard.charts.service import Spot

POINTS = pd.DataFrame(
    {"stock": [9_000, 4_000, 22_000, 14_000], "service": [0.91, 0.8, 0.99, 0.96], "words": list("bada")}
)
NOW = Spot(9_000, 0.91, "now 91 %")
HANDLE = Spot(14_000, 0.96, "96 %")


def draw(points=POINTS, now=NOW, handle=HANDLE, **about):
    return service.figure(points, now=now, handle=handle, money=lambda amount: f"EUR {amount:,.0f}", **about)


def said(figure):
    return [note.text for note in figure.layout.annotations]


def test_the_curve_goes_from_the_least_stock_to_the_most():
    curve = draw().data[0]
    assert list(curve.x) == [4_000, 9_000, 14_000, 22_000]
    assert list(curve.y) == [0.8, 0.91, 0.96, 0.99]
    assert list(curve.customdata) == ["a", "b", "a", "d"]


def test_what_the_handle_leaves_uncovered_is_shaded_up_to_all():
    lost, line = draw().layout.shapes
    assert (lost.y0, lost.y1) == (0.96, 1)
    assert line.x0 == line.x1 == 14_000


def test_now_and_the_handle_are_told_apart_without_colours_and_say_their_words():
    figure = draw()
    now, handle = figure.data[1:]
    assert (now.marker.symbol, handle.marker.symbol) == ("circle-open", "circle")
    assert {"now 91 %", "96 %"} <= set(said(figure))


def test_without_a_handle_nothing_is_shaded():
    figure = draw(handle=None)
    assert [trace.name for trace in figure.data] == ["curve", "now"]
    assert not figure.layout.shapes


def test_the_axis_of_money_is_written_as_the_shop_writes_it_in_few_round_amounts():
    axis = draw().layout.xaxis
    assert list(axis.ticktext) == ["EUR 0", "EUR 10,000", "EUR 20,000"]
    assert axis.range[1] > 22_000


@pytest.mark.parametrize("most", [0.4, 7, 12, 99, 4_321, 1_000_000, 8_765_432])
def test_any_amount_has_room_on_a_phone(most):
    figure = draw(POINTS.assign(stock=[most / 2, 0, most, most * 0.8]), now=None, handle=None)
    assert 1 <= len(figure.layout.xaxis.tickvals) <= 5


@pytest.mark.parametrize("least", [0.5, 0.62, 0.9, 0.985])
def test_the_axis_of_service_ends_at_all_and_has_few_lines(least):
    figure = draw(POINTS.assign(service=[least, least, 1, 1]), now=None, handle=None)
    axis = figure.layout.yaxis
    assert axis.ticktext[0] == "100 %"
    assert len(axis.tickvals) <= 8
    assert axis.range[0] <= least


def test_words_stay_inside_at_both_ends_of_the_curve():
    left, right = Spot(500, 0.8, "at the left"), Spot(22_000, 0.99, "at the right")
    anchors = {
        note.text: note.xanchor
        for handle, now in ((left, right), (right, left))
        for note in draw(handle=handle, now=now).layout.annotations
    }
    assert anchors["at the left"] == "left"
    assert anchors["at the right"] == "right"


def test_a_shop_with_one_point_and_no_stock_is_drawn():
    figure = draw(POINTS.head(1).assign(stock=0.0, service=1.0), now=None, handle=None)
    assert list(figure.data[0].x) == [0]


@pytest.mark.parametrize("dark", [True, False])
def test_it_is_drawn_in_the_colours_of_the_theme(dark):
    figure = draw(dark=dark)
    assert figure.data[2].marker.color == charts.palette(dark).accent
