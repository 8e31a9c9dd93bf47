"""Pictures of trend, weekdays, season and holidays."""

from datetime import date, timedelta

import pytest

from dashboard.charts import patterns

AS_OF = date(2026, 3, 1)
POINTS = [(AS_OF + timedelta(weeks=n), 4.0 - max(n, 0) / 10, 4.0, 4.0 + max(n, 0) / 10) for n in range(-9, 9)]


def test_the_trend_is_solid_up_to_today_and_dotted_with_its_range_from_there():
    upper, band, past, ahead = patterns.trend(POINTS, as_of=AS_OF).data
    assert past.x[-1] == ahead.x[0] == upper.x[0] == AS_OF
    assert (past.line.dash, ahead.line.dash) == ("solid", "dot")
    assert band.fill == "tonexty"
    assert (band.y[-1], upper.y[-1]) == (pytest.approx(3.2), pytest.approx(4.8))


def test_weekdays_that_chance_may_explain_are_grey():
    figure = patterns.weekdays([1.5, 1, 1, 1, 1, 0.9, 0], [(1.2, 1.8), *[(0.8, 1.3)] * 5, (0, 0)])
    (bars,) = figure.data
    assert list(bars.x) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert bars.y[0] == 150
    assert bars.marker.color[0] == bars.marker.color[6] != bars.marker.color[1]
    assert list(bars.error_y.array[:1]) == [pytest.approx(30)]
    assert figure.layout.yaxis.range[1] > 180


def test_the_season_is_drawn_in_per_cent_of_its_mean():
    figure = patterns.season([(date(2026, 1, 1), 0.5), (date(2026, 12, 1), 1.5)], dark=True)
    assert list(figure.data[0].y) == [50, 150]
    assert figure.layout.yaxis.ticksuffix == " %"
    assert figure.layout.shapes[0].y0 == 100


def test_the_strongest_holiday_is_on_top_and_long_names_are_cut():
    figure = patterns.holidays([("Christmas Day (substitute day)", -0.8), ("Boxing Day", 0.2)])
    (bars,) = figure.data
    assert bars.y[-1] == "Christmas Day (substi…"
    assert bars.customdata[-1] == "Christmas Day (substitute day)"
    assert list(bars.x) == [20, -80]
