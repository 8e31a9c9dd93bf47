"""The Forecasts view: how good they are, where they are worst and why, and what is there before that."""

from datetime import timedelta
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa
import streamlit as st

from core.forecast.verdicts import MemberScore, Report
from dashboard import forecast_list, forecasting, looks
from db.models import Forecast, IssuedRange, JobRun, ModelRun
from tests.dashboard.conftest import plain, words
from tests.makers import a_product

SCORES = {
    "tasks": 9.0, "inside": 7.0, "coverage": 7 / 9, "crps": 6.2, "crps_naive": 9.1, "skill": 0.32,
    "bias": 0.2, "mase": 0.84, "mase_naive": 0.97,
}  # fmt: skip


def a_member(name, title, crps, **about):
    values = {
        "tasks": 900, "products": 100, "crps": crps, "skill": 0.3, "coverage": 0.82, "brier_14": 0.17,
        "bias": 0.5, "ms_per_product": 3.1, "against_pool": crps / 6.2 - 1, "against_error": 0.01,
        "comparable_crps": crps, "failed": 0, "is_default": False, "admitted": False,
        "reason": f"Why {title}.", "sample": "100 products, 900 forecasts",
    }  # fmt: skip
    return MemberScore(name=name, title=title, **values | about)


REPORT = Report(
    members=(
        a_member("pool", "Runout's pool", 6.2, skill=0.32),
        a_member("blocks", "Own weeks drawn again", 6.4, admitted=True, is_default=True),
        a_member("prophet", "Prophet", 8.7, products=15, failed=2),
        a_member("naive", "Simple rule", 9.1, ms_per_product=None),
        a_member("ets", "AutoETS", 7.0, comparable_crps=None),
    ),
    calibration=({"level": 0.1, "share": 0.12, "tasks": 900}, {"level": 0.9, "share": 0.88, "tasks": 900}),
    reliability=(
        {"chance": 0.1, "happened": 0.09, "tasks": 400},
        {"chance": 0.9, "happened": 0.93, "tasks": 500},
    ),
    sample={"products": 100, "of_products": 300, "tasks": 900, "horizon_days": 56},
    origins=("2026-07-31", "2026-09-25"),
)  # fmt: skip


@pytest.fixture
def judged(session, sold_daily, train):
    """`judged(M6=scores, ...)`: trained products by name with the scores of a test; the shop has a report."""

    def make(**scores):
        made = {name: sold_daily(name=name) for name in scores}
        train()
        for name, figures in scores.items():
            mine = (Forecast.product_id == made[name].id) & Forecast.warehouse_id.is_(None)
            session.execute(sa.update(Forecast).where(mine).values(scores=figures))
        of_shop = SCORES | {"tasks": 900.0, "inside": 738.0, "coverage": 0.82}
        session.execute(sa.update(ModelRun).values(report=REPORT.plain(), scores=of_shop))
        return made

    return make


def button(app, key):
    return next(b for b in app.button if b.key == key)


def keys(app):
    return [b.key for b in app.button]


def told(app):
    assert not app.exception
    assert not app.error
    return plain(words(app))


def issue(session, product, states):
    for n, state in enumerate(states):
        day = looks.today() - timedelta(days=40 + n)
        session.add(
            IssuedRange(
                product_id=product.id, issued_on=day, method="pool", demand_class="smooth",
                on_hand=Decimal(20), p10_on=day + timedelta(days=8), p50_on=day + timedelta(days=10),
                p90_on=day + timedelta(days=14), until=day + timedelta(days=120), chance_14=0.9, state=state,
                closed_on=day + timedelta(days=15),
                ran_out_on=day + timedelta(days=9) if state == "inside" else None,
            )
        )  # fmt: skip
    session.flush()


# -- Before there is anything to say -------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "user", "manager", "admin"])
def test_before_the_first_training_it_says_so(browser, role):
    app = browser(role, "forecasts")
    assert "No forecasts yet" in told(app)
    assert ("train_forecasts" in keys(app)) == (role in ("manager", "admin"))


def test_train_now_asks_once_and_says_how_far_it_is(browser, session):
    app = browser("manager", "forecasts")
    button(app, "train_forecasts").click().run()
    assert session.scalars(sa.select(JobRun.state).where(JobRun.job == "train")).all() == ["queued"]
    assert "No scheduler runs" in told(app)
    assert "train_forecasts" not in keys(app)


def test_a_shop_that_was_just_trained_tells_what_is_not_known_yet(browser, sold_daily, train):
    sold_daily(name="M6 bolt")
    train()
    app = browser("viewer", "forecasts")
    text = told(app)
    assert "Nobody knows yet how good they are" in text
    assert "1 of 1" in text
    assert "Nothing to compare yet" in text
    assert app.dataframe[0].value["Product"].tolist() == ["M6 bolt"]
    assert "Too little history to try it on the past" in app.dataframe[0].value["Why"].tolist()


# -- The headline and the pictures ---------------------------------------------------------------------------


def test_before_twenty_ranges_are_over_the_test_speaks_and_is_called_that(browser, session, judged):
    product = judged(M6=SCORES)["M6"]
    issue(session, product, ["inside"] * 19)
    text = told(browser("viewer", "forecasts"))
    assert "In a test on the past right 738 of 900 ranges (82 %, promised 80 %)" in text
    assert "count when 20 of them are over: 19 are so far" in text


def test_twenty_ranges_that_are_over_speak_for_themselves(browser, session, judged):
    product = judged(M6=SCORES)["M6"]
    issue(session, product, ["inside"] * 17 + ["early", "late", "late", "void"])
    app = browser("viewer", "forecasts")
    text = told(app)
    assert "Right 17 of 20 ranges (85 %, promised 80 %)" in text
    assert "1 could not be judged" in text
    assert "Ranges hold as often as promised" in text
    assert len(app.get("plotly_chart")) == 3


def test_the_methods_stand_with_their_reasons_and_their_sample(browser, judged):
    judged(M6=SCORES)
    text = told(browser("viewer", "forecasts"))
    assert "What is used beats the simple rule by 32 %" in text
    assert "900 of them, for 100 of 300 products" in text
    assert "Slow methods were tried on 15 products and more" in text
    assert "Prophet** :gray-badge[Judged only] Why Prophet." in text
    assert "Own weeks drawn again** :blue-badge[In the pool]" in text
    assert "no answer for 2" in text


def test_a_method_tried_on_fewer_products_is_about_right_and_one_without_figures_has_no_bar(monkeypatch):
    monkeypatch.setattr(
        "dashboard.looks.the_shop", lambda: looks.Shop("Shop", "EUR", "en", "UTC", is_demo=False)
    )
    methods, rule = forecasting.standing(REPORT)
    assert rule == 9.1
    assert methods.title.tolist() == ["Runout's pool", "Own weeks drawn again", "Prophet"]
    assert methods.words.tolist() == ["6.2 days", "6.4 days", "about 8.7 days"]
    assert methods.is_used.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("right", "of", "finding"),
    [
        (160, 200, "Ranges hold as often as promised"),
        (15, 20, "Ranges hold as often as promised"),
        (120, 200, "Ranges hold less often than promised"),
        (196, 200, "Ranges hold more often than promised"),
    ],
)
def test_the_finding_knows_what_chance_can_do(monkeypatch, right, of, finding):
    monkeypatch.setattr(forecasting, "counted", lambda _: (right, of, "issued"))
    assert forecasting._range_finding(None) == finding


# -- The list ------------------------------------------------------------------------------------------------


def test_the_costliest_error_comes_first_and_each_says_why(browser, judged):
    judged(
        good=SCORES | {"crps": 2.0},
        late=SCORES | {"crps": 12.0, "bias": 8.0, "coverage": 0.33, "inside": 3.0, "skill": -0.1},
    )
    table = browser("viewer", "forecasts").dataframe[0].value
    assert table["Product"].tolist() == ["late", "good"]
    assert table["Why"].iloc[0] == ("Ranges often wrong, dates too late, no better than the simple rule")
    assert table["Why"].iloc[1] == "Sells steadily"
    assert table["Ran out"].iloc[0] == "8 days earlier"
    assert table["Ranges right"].iloc[0] == "3 of 9 tested"


def test_it_is_searched_filtered_and_ordered_by_the_address(browser, session, judged):
    judged(bolt=SCORES, nut=SCORES | {"crps": 9.0})
    a_product(session, 5, name="new one")
    for address, expected in (
        ({"q": "bolt"}, ["bolt"]),
        ({"sort": "name"}, ["bolt", "new one", "nut"]),
        ({"sort": "-name"}, ["nut", "new one", "bolt"]),
        ({"state": "none"}, ["new one"]),
        ({"class": "smooth"}, ["nut", "bolt"]),
    ):
        st.cache_data.clear()
        app = browser("viewer", "forecasts", **address)
        assert not app.error
        assert app.dataframe[0].value["Product"].tolist() == expected, address


def test_products_without_a_forecast_say_why(browser, judged, sold_daily, train):
    judged(bolt=SCORES)
    sold_daily(name="young", days=12)
    train()
    app = browser("viewer", "forecasts", state="too_short")
    assert app.dataframe[0].value["Product"].tolist() == ["young"]
    assert "of 30 days" in app.dataframe[0].value["Why"].iloc[0]
    assert list(app.dataframe[1].value.columns) == ["Product", "Why"]


def test_nothing_fits_and_the_filters_can_be_cleared(browser, judged):
    judged(bolt=SCORES)
    app = browser("viewer", "forecasts", q="nowhere")
    assert "No product fits these filters" in told(app)
    button(app, "help").click().run()
    assert app.dataframe[0].value["Product"].tolist() == ["bolt"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"sort": "colour"}, "There is no order 'colour'"),
        ({"sort": "--cost"}, "There is no order '--cost'"),
        ({"class": "wild"}, "there is no 'wild'"),
        ({"state": "<b>"}, "there is no '<b>'"),
        ({"page": "-1"}, "'-1' in the address is not a number"),
        ({"page": "99"}, "There is no page 99"),
    ],
    ids=["order", "two signs", "class", "state", "no page", "far page"],
)
def test_a_wrong_address_is_one_red_sentence(browser, judged, address, sentence):
    judged(bolt=SCORES)
    app = browser("viewer", "forecasts", **address)
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in plain(app.error[0].value)
    assert app.dataframe[0].value["Product"].tolist() == ["bolt"]


def test_names_of_products_and_methods_are_only_text(browser, session, judged):
    evil = "![x](http://evil.example) <script>"
    judged(**{evil: SCORES})
    report = Report(members=(a_member("pool", evil, 6.2, reason=evil),), sample=REPORT.sample, origins=())
    session.execute(sa.update(ModelRun).values(report=report.plain()))
    app = browser("manager", "forecasts")
    assert not app.exception
    assert "](http" not in words(app)


def test_the_download_has_plain_numbers_and_words_of_the_shop():
    row = {
        "sku": "M6", "name": "Bolt", "state": "ok", "demand_class": "lumpy", "method": "pool", "tasks": 9.0,
        "crps": 6.25, "crps_naive": 9.1, "skill": 0.3, "coverage": 0.78, "bias": 1.0, "mase": 0.8,
        "mase_naive": 1.0, "daily_rate": 2.0, "cost": 25.0, "money_at_risk": 0.0, "issued_right": 0,
        "issued_of": 0, "history_days": 90, "reason": "because", "would_help": None,
    }  # fmt: skip
    frame = forecast_list.for_download(pd.DataFrame([row]))
    assert frame["Average error days"].tolist() == [6.25]
    assert frame["Demand"].tolist() == ["Now and then, now few now many"]
    assert frame["Forecast"].tolist() == ["With a forecast"]
