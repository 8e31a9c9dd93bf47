"""Demand by day as bars, with its mean, grey days and the expected rate."""

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.charts import demand

TODAY = date(2026, 6, 1)


def a_path(sold=(3, 0, 5, 2)):
    days = [TODAY - timedelta(days=len(sold) - n) for n in range(len(sold))]
    return pd.DataFrame({"day": [*days, TODAY], "demand": [*sold, 9], "in_stock": True})


def test_one_bar_a_day_until_yesterday():
    figure = demand.figure(a_path(), today=TODAY)
    assert list(figure.data[0].y) == [3, 0, 5, 2]
    assert figure.data[0].x[-1] == TODAY - timedelta(days=1)


def test_a_returned_sale_never_draws_below_zero():
    assert min(demand.figure(a_path((1, -2)), today=TODAY).data[0].y) == 0


def test_the_mean_of_seven_days_runs_along():
    line = demand.figure(a_path((7,) * 10), today=TODAY).data[1]
    assert set(line.y) == {7}


def test_the_expected_rate_lies_ahead():
    figure = demand.figure(a_path(), today=TODAY, daily_rate=2.5, rate_words="expected 2.5 a day")
    ahead = figure.data[2]
    assert ahead.x[0] == TODAY
    assert set(ahead.y) == {2.5}
    assert "expected 2.5 a day" in figure.layout.annotations[0].text


def test_every_line_has_its_words_and_none_of_them_lies_on_the_bars():
    (words,) = demand.figure(a_path(), today=TODAY, daily_rate=2.5, rate_words="expected").layout.annotations
    assert "mean of 7 days" in words.text
    assert (words.yref, words.y, words.yanchor) == ("paper", 1, "bottom")


@pytest.mark.parametrize("rate", [None])
def test_without_a_forecast_nothing_is_promised(rate):
    assert len(demand.figure(a_path(), today=TODAY, daily_rate=rate).data) == 2


def test_what_was_probably_lost_stands_on_top_of_what_was_sold():
    path = a_path().assign(lost=0.0)
    path.loc[3, "lost"] = 2.4
    figure = demand.figure(path, today=TODAY)
    lost = next(bars for bars in figure.data if bars.name == "probably lost")
    assert lost.y[3] == 2.4
    assert figure.layout.barmode == "stack"
    assert "lost" in " ".join(note.text for note in figure.layout.annotations)


def test_where_nothing_was_lost_nothing_is_said_of_it():
    figure = demand.figure(a_path().assign(lost=0.01), today=TODAY)
    assert "probably lost" not in [bars.name for bars in figure.data]
