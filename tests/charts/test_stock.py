"""The stock path: history, fan, run-out, days without stock, in both themes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from dashboard import charts
from dashboard.charts import stock

TODAY = date(2026, 6, 1)


def a_path(days=30, **about):
    calendar = [TODAY - timedelta(days=n) for n in range(days, -1, -1)]
    closing = np.linspace(60, 20, days + 1)
    return pd.DataFrame({"day": calendar, "closing": closing, "in_stock": True} | about)


def a_fan(days=120):
    left = np.maximum(20 - np.arange(1, days + 1), 0).astype(float)
    return pd.DataFrame(
        {"day": [TODAY + timedelta(days=n) for n in range(days)],
         "p10": np.maximum(left - 4, 0), "p25": np.maximum(left - 2, 0),
         "p50": left, "p75": left + 2, "p90": left + 4}
    )  # fmt: skip


def trace(figure, name):
    return next(t for t in figure.data if t.name == name)


def draw(**about):
    run_out = (TODAY + timedelta(days=15), TODAY + timedelta(days=19), TODAY + timedelta(days=23))
    values = {"path": a_path(), "fan": a_fan(), "today": TODAY, "on_hand": 20.0, "run_out": run_out,
              "run_out_words": "runs out 16–24 Jun"} | about  # fmt: skip
    return stock.figure(values.pop("path"), values.pop("fan"), **values)


def test_history_and_future_meet_in_the_stock_of_now():
    figure = draw(on_hand=17.5)
    history, likely = trace(figure, "on hand"), trace(figure, "most likely")
    assert (history.x[-1], history.y[-1]) == (TODAY, 17.5)
    assert (likely.x[0], likely.y[0]) == (TODAY, 17.5)


def test_the_fan_holds_the_50_percent_band_within_the_80():
    figure = draw()
    assert all(np.array(trace(figure, "80 % upper").y) >= np.array(trace(figure, "50 % upper").y))
    assert all(np.array(trace(figure, "80 % band").y) <= np.array(trace(figure, "50 % band").y))
    assert trace(figure, "80 % band").fill == "tonexty"


def test_the_run_out_is_a_bracket_on_the_axis_with_its_words():
    figure = draw()
    bracket = trace(figure, "runs out")
    assert list(bracket.y) == [0, 0]
    assert list(bracket.x) == [date(2026, 6, 16), date(2026, 6, 24)]
    assert trace(figure, "most likely run-out").x == (date(2026, 6, 20),)
    assert "runs out 16–24 Jun" in [note.text for note in figure.layout.annotations]


def test_large_quantities_get_the_room_that_their_axis_needs():
    assert draw().layout.yaxis.automargin == "left"


def test_a_run_out_without_an_end_in_sight_stays_open():
    figure = draw(run_out=(TODAY + timedelta(days=90), None, None))
    bracket = trace(figure, "runs out")
    assert bracket.marker.symbol[1] == "triangle-right"
    assert bracket.x[1] == trace(figure, "most likely").x[-1]


def test_only_as_much_future_as_is_worth_seeing():
    ahead = trace(draw(), "most likely").x
    assert (ahead[-1] - TODAY).days == 37  # 14 days past the 90 % day
    assert len(trace(draw(run_out=(None, None, None)), "most likely").x) == 120
    assert (trace(draw(on_hand=0.0), "most likely").x[-1] - TODAY).days == 30


def test_without_a_forecast_there_is_history_alone():
    figure = draw(fan=None)
    assert [t.name for t in figure.data] == ["on hand"]


def test_a_product_without_history_is_drawn_too():
    empty = pd.DataFrame(columns=["day", "closing", "in_stock"])
    assert list(trace(draw(path=empty, fan=None, on_hand=0.0), "on hand").y) == [0.0]


def test_days_without_stock_are_shaded_once_per_run():
    there = [True] * 31
    there[3:6] = [False] * 3
    there[10] = False
    figure = draw(path=a_path(in_stock=there))
    shaded = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(shaded) == 2
    ends = [at.date() for at in (shaded[0].x0, shaded[0].x1)]
    assert ends == [TODAY - timedelta(days=27), TODAY - timedelta(days=24)]


@pytest.mark.parametrize("dark", [True, False])
def test_the_theme_decides_the_colours(dark):
    assert trace(draw(dark=dark), "on hand").line.color == charts.palette(dark).ink


def test_no_mode_bar_and_no_zoom():
    figure = draw()
    assert charts.CONFIG["displayModeBar"] is False
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.dragmode is False
    assert figure.layout.height in charts.HEIGHTS


def test_a_near_run_out_is_looked_at_closely_and_a_far_one_with_its_past():
    assert (
        len(trace(draw(path=a_path(days=90)), "on hand").x) == 57
    )  # 38 days ahead, 1.5 times as many behind
    far = draw(path=a_path(days=90), run_out=(None, None, None))
    assert len(trace(far, "on hand").x) == 91


def test_words_stand_over_the_picture_and_make_no_room_for_themselves():
    there = [True] * 31
    there[3:13] = [False] * 10
    figure = draw(path=a_path(in_stock=there))
    over = {note.text: note for note in figure.layout.annotations if note.yref == "paper"}
    assert set(over) == {"no stock", "today"}
    assert figure.layout.xaxis.range[1].date() == trace(figure, "most likely").x[-1]


def test_the_run_outs_words_end_where_the_bracket_ends():
    figure = draw()
    note = next(note for note in figure.layout.annotations if note.text.startswith("runs out"))
    assert (note.x, note.xanchor) == (date(2026, 6, 24), "right")


def test_what_is_on_its_way_is_an_upright_step_with_its_words():
    day = TODAY + timedelta(days=5)
    fan = a_fan()
    later = [when >= day for when in fan.day]
    fan.loc[later, ["p10", "p25", "p50", "p75", "p90"]] += 30
    figure = draw(fan=fan, receipts=[(day, 30.0, "+30")])
    likely = trace(figure, "most likely")
    at = [y for x, y in zip(likely.x, likely.y, strict=True) if x == day]
    assert at == [15, 44]  # the foot is what the day before left, the top what is left that evening
    words = next(note for note in figure.layout.annotations if note.text == "+30")
    assert (words.x, words.y) == (day, 48)


def test_what_may_come_today_steps_up_from_the_stock_of_now():
    figure = draw(receipts=[(TODAY, 30.0, "+30 overdue")])
    likely = trace(figure, "most likely")
    assert list(zip(likely.x, likely.y, strict=True))[:2] == [(TODAY, 20), (TODAY, 50)]


def test_a_late_receipt_is_in_sight_and_one_beyond_the_horizon_is_not_drawn():
    late = TODAY + timedelta(days=80)
    assert trace(draw(on_hand=0.0, receipts=[(late, 5.0, "+5")]), "most likely").x[-1] == late + timedelta(7)
    beyond = draw(receipts=[(TODAY + timedelta(days=300), 5.0, "+5")])
    assert "+5" not in [note.text for note in beyond.layout.annotations]


def test_receipts_close_together_do_not_write_over_each_other():
    days = [TODAY + timedelta(days=n) for n in (5, 5, 6, 25)]
    figure = draw(receipts=[(day, 1.0, f"+{n}") for n, day in enumerate(days, start=1)])
    heights = {note.text: note.yshift for note in figure.layout.annotations if note.text.startswith("+")}
    assert heights["+1"] < heights["+2"] < heights["+3"]
    assert heights["+4"] == heights["+1"]


def lost_on(*places, units=2.0, days=31):
    there, lost = [True] * days, [0.0] * days
    for place in places:
        there[place], lost[place] = False, units
    return {"in_stock": there, "lost": lost}


def test_a_gap_says_how_much_was_probably_lost_in_it():
    figure = draw(path=a_path(**lost_on(*range(3, 10))))
    note = next(note for note in figure.layout.annotations if note.text.endswith("lost"))
    assert note.text == "about 14 lost"
    assert TODAY - timedelta(days=27) <= note.x <= TODAY - timedelta(days=20)


def test_a_gap_in_which_nobody_asked_says_that_there_was_no_stock():
    figure = draw(path=a_path(**lost_on(*range(3, 13), units=0.01)))
    assert "no stock" in [note.text for note in figure.layout.annotations]
    assert not [note for note in figure.layout.annotations if note.text.endswith("lost")]


def test_the_hover_of_a_day_says_what_it_lost():
    history = trace(draw(path=a_path(**lost_on(5))), "on hand")
    assert history.text[5] == ", about 2 lost"
    assert history.text[6] == ""
    assert len(history.text) == len(history.x)


def test_gaps_close_together_write_on_two_rows_and_the_most_lost_comes_first():
    about = lost_on(8, 9)
    for place in (13, 14, 15):
        about["in_stock"][place], about["lost"][place] = False, 9.0
    figure = draw(path=a_path(**about))
    heights = {note.text: note.yshift for note in figure.layout.annotations if note.text.endswith("lost")}
    assert heights["about 27 lost"] < heights["about 4 lost"]
    assert figure.layout.margin.t > draw().layout.margin.t


def test_thousands_lost_are_written_as_the_shop_writes_them():
    assert charts.lost_words(1234.4, ",.") == "about 1.234 lost"
    assert charts.lost_words(0.4) == ""
    assert charts.lost_words(0.6) == "about 1 lost"


def a_scenario(**about):
    days = [TODAY + timedelta(days=n) for n in (40, 44, 50)]
    return stock.WhatIf(**{"fan": a_fan().assign(p50=np.linspace(30, 0, 120)), "run_out": tuple(days),
                           "words": "what if: 11–21 Jul", "order": ()} | about)  # fmt: skip


def test_a_scenario_lies_over_what_is_in_a_colour_of_its_own_and_in_sight():
    plain, figure = draw(), draw(what_if=a_scenario())
    for name in ("most likely", "80 % band", "80 % upper"):
        assert list(trace(figure, name).y)[:20] == list(trace(plain, name).y)[:20]
    likely = trace(figure, "what if")
    assert (likely.line.color, likely.line.dash) == (charts.LIGHT.what_if, "dash")
    assert likely.x[-1] >= TODAY + timedelta(days=50)
    assert "what if: 11–21 Jul" in [note.text for note in figure.layout.annotations]


def test_an_order_of_a_scenario_is_a_step_of_its_fan_alone():
    when = TODAY + timedelta(days=7)
    figure = draw(what_if=a_scenario(order=((when, 30.0, "+30 ordered"),)))
    (said,) = [note for note in figure.layout.annotations if note.text == "+30 ordered"]
    assert said.font.color == charts.LIGHT.what_if
    assert list(trace(figure, "what if").x).count(when) == 2
    assert list(trace(figure, "most likely").x).count(when) == 1


def test_a_scenario_that_never_runs_out_has_no_bracket_and_says_so():
    figure = draw(what_if=a_scenario(run_out=(None, None, None), words="what if: over 3 months"))
    bracket = [shape for shape in figure.layout.shapes if shape.line.color == charts.LIGHT.what_if]
    assert bracket == []
    assert "what if: over 3 months" in [note.text for note in figure.layout.annotations]
