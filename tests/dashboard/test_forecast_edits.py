"""The forecast by week on a product's page: changed by managers, seen by everybody."""

from datetime import UTC, datetime, timedelta

import pytest

from core import forecast_edits
from core.forecast.edits import monday
from dashboard import forecast_edits as editing_weeks
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product, an_actor

NOW = datetime.now(UTC)
TODAY = NOW.date()
NEXT = monday(TODAY) + timedelta(days=7)


@pytest.fixture
def product(sold_daily, train):
    made = sold_daily(left=40, name="Desk lamp")
    train()
    return made


@pytest.fixture
def open_page(browser, product):
    def opened(role="manager"):
        app = browser(role, "product", id=str(product.uid), show="weeks")
        assert not app.exception
        return app

    return opened


def week_label(day=NEXT):
    return f"{day.day} {day:%b}"


def grid(app):
    """The rows of the grid, weeks as columns."""
    return next(table.value for table in app.dataframe if "Computed" in table.value.index)


def cell(app, name, day=NEXT):
    return field(app, f"Week of {week_label(day)}, {name}")


def kept(session, product):
    return {row.week_on: row for row in forecast_edits.grid(session, product.id, TODAY) if row.is_edited}


def test_the_grid_has_twelve_weeks_with_what_is_computed_and_what_counts(open_page):
    shown = grid(open_page("viewer"))
    assert list(shown.index) == ["Computed", "Adds", "Replaces", "Result"]
    assert shown.shape[1] == 12
    assert shown.loc["Computed"].tolist() == shown.loc["Result"].tolist()
    assert set(shown.loc["Adds"]) == {""}


def test_a_week_is_changed_and_says_what_became_of_it(open_page, product, session):
    app = open_page()
    press(app, "Change")
    cell(app, "adds").input("+6")
    cell(app, "replaces", NEXT + timedelta(days=7)).input("70")
    field(app, "Note on the change").input("Fair *hall 2*")
    press(app, "Save")
    assert not app.exception
    found = kept(session, product)
    assert (found[NEXT].adds, found[NEXT + timedelta(days=7)].replaces) == (6, 70)
    told = plain(words(app))
    assert "2 weeks changed" in told
    assert "runs out **" in told
    assert f"**{week_label()}**" in told
    assert "Fair *hall 2*" in told
    shown = grid(app)
    assert shown.loc["Adds", week_label()] == "+6"
    assert shown.loc["Result", week_label(NEXT + timedelta(days=7))] == "70"
    press(app, "Undo")
    assert kept(session, product) == {}
    assert "Undone" in words(app)


def test_a_wrong_value_is_refused_with_its_week_and_what_was_typed_stays(open_page, product, session):
    app = open_page()
    press(app, "Change")
    cell(app, "replaces").input("-5")
    cell(app, "adds").input("3")
    press(app, "Save")
    assert f"Week of {week_label()}, replaces: -5 is less than 0." in plain(app.error[0].value)
    assert (cell(app, "replaces").value, cell(app, "adds").value) == ("-5", "3")
    assert kept(session, product) == {}
    cell(app, "replaces").input("a lot")
    press(app, "Save")
    assert "'a lot' is not a number" in plain(app.error[0].value)
    press(app, "Close")
    assert not app.error


@pytest.mark.parametrize(
    ("typed", "separators", "meant"),
    [
        ("1,000", ".,", "1000"),
        ("+12,345.5", ".,", "+12345.5"),
        ("1.000", ",.", "1000"),
        ("12,5", ",.", "12.5"),
        ("1.5", ",.", "1.5"),
        ("0.125", ",.", "0.125"),
        ("1 000", ",\u202f", "1000"),
        ("\N{MINUS SIGN}6", ".,", "-6"),
        ("1,00", ".,", "1,00"),
        ("abc", ".,", "abc"),
        ("", ".,", ""),
    ],
)
def test_a_quantity_is_read_as_the_page_writes_it(typed, separators, meant):
    assert editing_weeks.meant(typed, separators) == meant


def test_a_cell_that_is_emptied_is_computed_again(open_page, product, session):
    change(session, product, {NEXT: {"adds": 6, "replaces": 70}})
    app = open_page()
    press(app, "Change")
    assert (cell(app, "adds").value, cell(app, "replaces").value) == ("6", "70")
    cell(app, "replaces").input("")
    press(app, "Save")
    found = kept(session, product)[NEXT]
    assert (found.adds, found.replaces) == (6, None)


def test_one_week_or_all_of_them_go_back_to_computed(open_page, product, session):
    weeks = [NEXT + timedelta(days=7 * n) for n in range(3)]
    change(session, product, {week: {"adds": 6} for week in weeks})
    app = open_page()
    next(button for button in app.button if button.key == f"reset-{weeks[1]}").click().run()
    assert sorted(kept(session, product)) == [weeks[0], weeks[2]]
    press(app, "Reset all to computed")
    assert kept(session, product) == {}
    press(app, "Undo")
    assert sorted(kept(session, product)) == [weeks[0], weeks[2]]


def test_an_undo_that_comes_too_late_says_so(open_page, product, session):
    app = open_page()
    press(app, "Change")
    cell(app, "adds").input("6")
    press(app, "Save")
    change(session, product, {NEXT: {"adds": 9}})
    session.commit()
    press(app, "Undo")
    assert "was changed again since" in plain(app.error[0].value)
    assert kept(session, product)[NEXT].adds == 9


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_change_it_sees_it_with_who_did(open_page, product, session, role):
    change(session, product, {NEXT: {"replaces": 70}}, note="Fair")
    app = open_page(role)
    assert grid(app).loc["Replaces", week_label()] == "70"
    assert "Fair" in words(app)
    labels = {button.label for button in app.button}
    assert not {"Change", "Reset", "Reset all to computed"} & labels


def test_without_a_forecast_there_is_nothing_to_change(browser, session):
    app = browser("manager", "product", id=str(a_product(session).uid), show="weeks")
    assert not app.exception
    assert "Weeks can be changed as soon as there is one" in words(app)
    assert "Change" not in {button.label for button in app.button}


def change(session, product, wanted, note=None):
    return forecast_edits.change(session, an_actor(session), product.id, wanted, note=note, now=NOW)
