"""Where a product runs out, warehouse by warehouse."""

from datetime import UTC, datetime, timedelta

import pytest

from core import stock
from tests.dashboard.conftest import words
from tests.makers import a_warehouse, an_actor


@pytest.fixture
def product(session, sold_daily):
    """2 a day from the first warehouse with 200 left, 1 a day from the second with 3 left."""
    made, other = sold_daily(left=200, name="Desk lamp"), a_warehouse(session, "NORTH")
    actor = an_actor(session)
    start = datetime.now(UTC).replace(hour=1, minute=0) - timedelta(days=60)
    stock.add(session, actor, made.id, other.id, 63, occurred_at=start)
    for n in range(60):
        stock.remove(
            session, actor, made.id, other.id, 1, reason_code="sale",
            occurred_at=start + timedelta(days=n, hours=1),
        )  # fmt: skip
    return made


def table(app):
    return next(one.value for one in app.dataframe if "Warehouse" in one.value)


def test_each_warehouse_says_when_it_runs_out_and_whether_an_order_would_come_too_late(
    browser, product, train
):
    train()
    app = browser("viewer", "product", id=str(product.uid))
    assert not app.exception
    shown = table(app).set_index("Warehouse")
    assert shown.loc["NORTH", "On hand"] == "3"
    assert shown.loc["NORTH", "Late"] == "> 99 %"
    assert shown["Late"].tolist() != ["> 99 %", "> 99 %"]
    assert shown.loc["NORTH", "Runs out"]


def test_before_the_first_forecast_it_is_unknown(browser, product):
    app = browser("viewer", "product", id=str(product.uid))
    assert not app.exception
    assert set(table(app)["Runs out"]) == {"unknown"}


def test_one_warehouse_needs_no_table(browser, sold_daily, train):
    product = sold_daily()
    train()
    assert "By warehouse" not in words(browser("viewer", "product", id=str(product.uid)))
