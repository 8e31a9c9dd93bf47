"""Figures, money and dates in the shop's way."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from dashboard import saving, ui
from dashboard.formats import Formats

BRITISH = Formats("en_GB", "EUR", "Europe/Dublin")
GERMAN = Formats("de_DE", "EUR", "Europe/Berlin")
TODAY = date.today()  # noqa: DTZ011  (the year is written when it is not near)


@pytest.mark.parametrize(
    ("value", "british", "german"),
    [
        (Decimal("1234.5000"), "1,234.5", "1.234,5"),
        (Decimal("9.0000"), "9", "9"),
        (Decimal("0.0001"), "0.0001", "0,0001"),
        (Decimal("100000000000"), "100,000,000,000", "100.000.000.000"),
        (Decimal("-3"), "-3", "-3"),
    ],
)
def test_quantities_without_false_precision(value, british, german):
    assert BRITISH.quantity(value) == british
    assert GERMAN.quantity(value) == german


def test_a_change_has_its_sign():
    assert BRITISH.change(Decimal("-3.0000")) == "−3"
    assert BRITISH.change(Decimal("12.5")) == "+12.5"


@pytest.mark.parametrize(
    ("value", "british"),
    [
        (0, "€0"),
        (Decimal("999.99"), "€999.99"),
        (1000, "€1,000"),
        (Decimal("1234.5600"), "€1,235"),
        (None, "–"),
    ],
)
def test_money_has_no_cents_from_a_thousand_up(value, british):
    assert BRITISH.money(value) == british


def test_money_in_another_locale():
    assert GERMAN.money(1234567).replace("\xa0", " ") == "1.234.567 €"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0 days"),
        (0.4, "< 1 day"),
        (1.9, "1 day"),
        (59.9, "59 days"),
        (60, "9 weeks"),
        (400, "57 weeks"),
        (None, "–"),
    ],
)
def test_days_are_whole_below_sixty_then_weeks(days, words):
    assert BRITISH.duration(days) == words


def test_a_chance_is_never_quite_certain():
    assert [BRITISH.share(p) for p in (0, 0.001, 0.5, 0.999, 1)] == [
        "< 1 %",
        "< 1 %",
        "50 %",
        "> 99 %",
        "> 99 %",
    ]


def test_dates_people_can_act_on():
    soon = TODAY + timedelta(days=3)
    assert BRITISH.day_from(soon, TODAY).endswith("(in 3 days)")
    assert BRITISH.day_from(TODAY, TODAY).endswith("(today)")
    assert BRITISH.day_from(TODAY - timedelta(days=2), TODAY).endswith("(2 days ago)")


def test_a_range_names_the_month_once():
    first = date(TODAY.year, TODAY.month, 12)
    written = BRITISH.span(first, first + timedelta(days=7), TODAY)
    assert written.startswith("12–19 ")
    assert BRITISH.span(first, None, TODAY).startswith("from 12 ")
    assert BRITISH.span(TODAY, TODAY, TODAY) == "today"


def test_moments_are_in_the_shops_time_zone():
    at = datetime(2024, 7, 1, 22, 30, tzinfo=UTC)
    assert GERMAN.moment(at) == "2 Juli 2024, 00:30"
    assert BRITISH.ago(at, at + timedelta(hours=5)) == "yesterday 23:30"


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NaT])
def test_what_the_database_does_not_know_is_a_dash(nothing):
    assert BRITISH.quantity(nothing) == BRITISH.money(nothing) == BRITISH.day(nothing) == "–"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@sum(A1)", "\t=1", "  =1", "|calc"])
def test_a_download_holds_no_formula(text):
    lines = saving.as_csv(pd.DataFrame({"Product": [text], "Change": [-3]})).decode("utf-8-sig").splitlines()
    assert lines[1].strip('"').startswith("'")
    assert lines[1].endswith(",-3")


def test_typed_text_cannot_become_markdown():
    shown = ui.safe_md("![x](http://evil.example) **b** :red[c] `d` $e$ www.evil.example\nnext")
    assert "![" not in shown
    assert "**" not in shown
    assert "http://" not in shown
    assert "www.e" not in shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("unit", "quantity", "word"),
    [("pair", 1, "pair"), ("pair", 8, "pairs"), ("box", 15, "boxes"), ("kg", 2.5, "kg"), ("each", 3, "")],
)
def test_units_have_a_plural(unit, quantity, word):
    assert BRITISH.unit(unit, quantity) == word


@pytest.mark.parametrize(
    ("per_day", "words"),
    [(38.42, "38.4 a day"), (250.4, "250 a day"), (0.2, "0.2 a day"), (0.037, "1.1 a month"),
     (0.0, "hardly any"), (None, "–")],
)  # fmt: skip
def test_rare_demand_is_told_by_the_month(per_day, words):
    assert BRITISH.rate(per_day) == words


def test_an_empty_shelf_has_no_cover_and_a_piece_never_lasts_zero_days():
    assert BRITISH.cover(0, 0) == "–"
    assert BRITISH.cover(0.0, 1) == "< 1 day"
    assert BRITISH.cover(44.2, 189) == "44 days"
