"""The view of known events: told, changed, removed, refused, and looked at by those who may not write."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import demand_events
from core.event_effects import Lesson
from dashboard import event_words, remaking
from db.models import DemandEvent, Forecast, JobRun
from tests.dashboard.conftest import plain, words
from tests.dashboard.test_edit_product import field, press
from tests.makers import a_product, an_actor

TODAY = datetime.now(UTC).date()


def on(n):
    return TODAY + timedelta(days=n)


def told(session, name="Spring sale", first=3, last=5, **about):
    return demand_events.add(
        session, an_actor(session), TODAY, name=name, starts_on=on(first), ends_on=on(last), **about
    )


def events(session):
    return session.scalars(
        sa.select(DemandEvent).where(DemandEvent.removed_at.is_(None)).order_by(DemandEvent.id)
    ).all()


def test_nothing_told_is_a_designed_state_and_the_first_event_is_added_from_it(browser, session):
    a_product(session, category="Lamps")
    app = browser("manager", "events")
    assert "No events yet" in words(app)
    app.button(key="add_event").click().run()
    field(app, "Name").input("Spring *sale*")
    field(app, "From", "date_input").set_value(on(7))
    field(app, "Until", "date_input").set_value(on(9))
    field(app, "Effect", "number_input").set_value(38.5)
    field(app, "About", "selectbox").select("One category").run()
    field(app, "Category", "selectbox").select("Lamps")
    press(app, "Add")
    assert not app.exception
    (event,) = events(session)
    assert (event.name, event.starts_on, event.ends_on, event.effect_percent, event.category) == (
        "Spring *sale*", on(7), on(9), 38.5, "Lamps",
    )  # fmt: skip
    assert "**Spring *sale*** is added" in plain(words(app))
    row = app.dataframe[0].value.iloc[0]
    assert (row["Event"], row["Effect"], row["About"]) == ("Spring *sale*", "+38.5 %", "Lamps")
    press(app, "Undo")
    assert events(session) == []
    assert "is removed" in words(app)


def test_an_event_is_changed_and_taken_back_removed_and_restored(browser, session):
    event = told(session)
    app = browser("manager", "events", id=str(event.uid))
    assert "no earlier day of this name" in plain(words(app))
    field(app, "Effect", "number_input").set_value(50.0)
    field(app, "Name").input("Summer sale")
    press(app, "Save")
    assert not app.exception
    assert "Name **Spring sale → Summer sale**" in plain(words(app))
    assert "Effect **learned → +50 %**" in plain(words(app))
    press(app, "Undo")
    session.refresh(event)
    assert (event.name, event.effect_percent) == ("Spring sale", None)
    press(app, "Remove")
    assert events(session) == []
    assert "id" not in app.query_params
    press(app, "Undo")
    assert events(session) == [event]


@pytest.mark.parametrize(
    ("label", "kind", "value", "sentence"),
    [
        ("Name", "text_input", "", "say what happens"),
        ("From", "date_input", on(30), "lies before"),
        ("Effect", "number_input", -200.0, "is not between"),
        ("Kind of event", "selectbox", "closed", "closed days have no demand"),
    ],
    ids=["name", "from", "effect", "kind"],
)  # fmt: skip
def test_what_is_refused_is_one_red_sentence_and_nothing_typed_is_lost(
    browser, session, label, kind, value, sentence
):
    event = told(session, effect_percent=20)
    app = browser("manager", "events", id=str(event.uid))
    widget = field(app, label, kind)
    widget.input(value) if kind == "text_input" else widget.set_value(value)
    press(app, "Save")
    assert not app.exception
    assert sentence in plain(app.error[0].value)
    assert field(app, label, kind).value == value
    session.refresh(event)
    assert event.effect_percent == 20


def test_a_new_event_without_days_or_for_an_unknown_product_is_refused(browser, session):
    app = browser("manager", "events", id="new")
    field(app, "Name").input("Fair")
    press(app, "Add")
    assert "enter the first and the last day" in plain(app.error[0].value)
    field(app, "From", "date_input").set_value(on(1))
    field(app, "About", "selectbox").select("One product").run()
    press(app, "Add")
    assert "SKU: enter one first" in plain(app.error[0].value)
    field(app, "SKU").input("nobody")
    press(app, "Add")
    assert "no product with the SKU 'nobody'" in plain(app.error[0].value)
    assert events(session) == []
    press(app, "Close")
    assert "id" not in app.query_params


def test_the_list_has_what_is_coming_first_and_the_address_filters(browser, session):
    told(session, "Old fair", -30, -29)
    told(session, "New fair", 10, 11, kind="other")
    told(session, "Stocktaking", 20, 20, kind="closed")
    app = browser("viewer", "events")
    assert app.dataframe[0].value["Event"].tolist() == ["New fair", "Stocktaking", "Old fair"]
    assert app.dataframe[0].value["Effect"].tolist() == ["not known", "no demand", ""]
    assert "add_event" not in [button.key for button in app.button]
    assert browser("viewer", "events", when="past").dataframe[0].value["Event"].tolist() == ["Old fair"]
    assert browser("viewer", "events", kind="closed").dataframe[0].value["Event"].tolist() == ["Stocktaking"]
    assert browser("viewer", "events", q="new").dataframe[0].value["Event"].tolist() == ["New fair"]
    assert "No event fits these filters" in words(browser("viewer", "events", q="nothing"))
    assert "There is no page 9" in plain(words(browser("viewer", "events", page="9")))
    assert "Kind: there is no 'party'" in plain(words(browser("viewer", "events", kind="party")))


def test_who_may_not_write_reads_it_and_gets_no_form(browser, session):
    event = told(session, effect_percent=25)
    app = browser("user", "events", id=str(event.uid))
    assert "+25 % as stated" in plain(words(app))
    assert not app.text_input or all(not widget.label.startswith("Name") for widget in app.text_input)
    assert "Save" not in [button.label for button in app.button]
    assert "Only managers" in browser("user", "events", id="new").error[0].value
    for wanted in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        assert browser("user", "events", id=wanted).error[0].value


def test_the_forecast_of_the_product_follows_at_once(browser, session, sold_daily, train):
    product = sold_daily(left=60)
    train()
    before = session.scalar(sa.select(Forecast.daily_rate).where(Forecast.product_id == product.id))
    app = browser("manager", "events", id="new")
    field(app, "Name").input("Closed for works")
    field(app, "Kind of event", "selectbox").select("closed")
    field(app, "From", "date_input").set_value(on(1))
    field(app, "Until", "date_input").set_value(on(14))
    field(app, "About", "selectbox").select("One product").run()
    field(app, "SKU").input(product.sku.lower())
    press(app, "Add")
    assert not app.exception
    session.expire_all()
    after = session.scalar(sa.select(Forecast.daily_rate).where(Forecast.product_id == product.id))
    assert float(after) == pytest.approx(float(before) / 2, rel=0.05)


@pytest.mark.usefixtures("session")
def test_says_how_much_was_learned_from_how_many_days():
    def said(*about):
        return event_words.lesson_words(Lesson(*about))

    assert said(1.384, 12, 2, 300) == "+38 % learned from 12 days of 2 earlier ones."
    assert said(0.5, 1, 1, 1) == "\N{MINUS SIGN}50 % learned from 1 day of 1 earlier one."
    assert said(1.0, 3, 1, 1) == "as usual learned from 3 days of 1 earlier one."


def test_an_event_of_many_products_asks_a_job_to_make_the_forecasts_anew(browser, session):
    for _ in range(remaking.MOST_AT_ONCE + 1):
        a_product(session)
    app = browser("manager", "events", id="new")
    field(app, "Name").input("Black Friday")
    field(app, "From", "date_input").set_value(on(5))
    press(app, "Add")
    assert not app.exception
    assert "The forecasts concerned are being made anew" in words(app)
    asked = session.scalars(sa.select(JobRun).where(JobRun.job == "refresh")).all()
    assert len(asked) == 1
    press(app, "Undo")
    assert events(session) == []
    assert "The forecasts concerned are being made anew" in words(app)
