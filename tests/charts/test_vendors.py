"""Pictures of vendors: totals by day of arrival, and prices over time."""

from datetime import date, timedelta

import pytest

from dashboard.charts import prices, vendors
from dashboard.charts.vendors import Spot

TODAY = date(2026, 11, 21)


def day(number):
    return TODAY + timedelta(days=number)


def spot(name, arrives, total, *, late=None, is_recommended=False):
    return Spot(name, f"{name}: {total}", day(arrives), day(late or arrives + 3), total, is_recommended)


def words(figure):
    return {note.text: note for note in figure.layout.annotations}


def test_each_vendor_is_a_point_with_its_name_and_a_line_to_its_late_days():
    figure = vendors.figure(
        [spot("Fast", 3, 120.0, is_recommended=True), spot("Slow", 28, 100.0)], today=TODAY
    )
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(trace.x[0], trace.y[0]) for trace in points] == [(day(3), 120.0), (day(28), 100.0)]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert tuple(lines[0].x) == (day(3), day(6))
    assert {"<b>Fast</b>", "Slow"} <= words(figure).keys()
    assert words(figure)["<b>Fast</b>"].xanchor == "left"
    assert words(figure)["Slow"].xanchor == "right", "it stands at the edge"


def test_names_that_would_lie_on_each_other_stand_above_and_below():
    figure = vendors.figure([spot("One", 5, 100.0, is_recommended=True), spot("Two", 6, 100.5),
                             spot("Far", 6, 300.0)], today=TODAY)  # fmt: skip
    said = words(figure)
    assert (said["<b>One</b>"].yanchor, said["Two"].yanchor) == ("bottom", "top")
    assert said["Far"].yanchor == "bottom"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_days_in_which_it_runs_out_are_grey(dark):
    figure = vendors.figure([spot("One", 20, 100.0)], today=TODAY, run_out=(day(5), day(12)), dark=dark)
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == (day(5), day(13))
    assert "runs out" in words(figure)


@pytest.mark.parametrize("run_out", [(None, None), (day(60), day(90))], ids=["never", "after all arrived"])
def test_a_run_out_that_is_far_away_is_not_drawn(run_out):
    assert not vendors.figure([spot("One", 20, 100.0)], today=TODAY, run_out=run_out).layout.shapes


def test_an_open_end_is_grey_to_the_edge():
    figure = vendors.figure([spot("One", 20, 100.0, late=22)], today=TODAY, run_out=(day(5), None))
    assert figure.layout.shapes[0].x1 == day(23)


def test_one_vendor_who_costs_nothing_can_be_drawn():
    figure = vendors.figure([spot("Free", 0, 0.0, late=0)], today=TODAY)
    low, high = figure.layout.yaxis.range
    assert low < high


# -- Prices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(day(-90), 2.0), (day(-5), 2.1)], "Rose 5 % with the last change"),
        ([(day(-90), 2.0), (day(-5), 1.9)], "Fell 5 % with the last change"),
        ([(day(-90), 2.0), (day(-5), 2.0)], "The price is what it was"),
        ([(day(-90), 2.0), (day(5), 3.0)], "What it asked so far"),
        ([(day(-90), 0.0), (day(-5), 3.0)], "What it asked so far"),
        ([], "What it asked so far"),
    ],
    ids=["rose", "fell", "same", "to come", "from nothing", "none"],
)
def test_the_finding_speaks_of_the_last_change(points, said):
    assert prices.finding(points, TODAY) == said


def test_a_price_holds_until_the_next_one_and_the_last_until_today():
    line = prices.Line("1+ €2.10", [(day(-90), 2.0), (day(-5), 2.1)])
    figure = prices.figure([line], today=TODAY)
    assert figure.data[0].line.shape == "hv"
    assert (list(figure.data[0].x)[-1], list(figure.data[0].y)) == (TODAY, [2.0, 2.1, 2.1])


def test_words_of_prices_that_are_near_stand_apart():
    lines = [prices.Line(name, [(day(-90), price)]) for name, price in (("1+", 4.18), ("50+", 4.17))]
    figure = prices.figure(lines, today=TODAY)
    said = words(figure)
    low, high = figure.layout.yaxis.range
    assert (said["1+"].y - said["50+"].y) / (high - low) * 240 > 16


def test_a_quantity_that_was_not_sold_before_has_a_gap_and_days_to_come_are_marked():
    line = prices.Line("50+", [(day(-90), None), (day(30), 1.9)])
    figure = prices.figure(
        [prices.Line("1+", [(day(-90), 2.0), (day(30), 2.0)]), line], today=TODAY, dark=True
    )
    assert figure.data[1].y[0] is None
    assert "today" in words(figure)
