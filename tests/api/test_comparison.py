"""The vendors of a product over HTTP: what an order would cost in all, and one of them recommended."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core import auth, stock
from db.models import Product, Vendor
from db.session import transaction
from jobs.train import train
from tests import makers

NOW = datetime.now(UTC)


def vendors_of(client, as_role, product, **query):
    return client.get(f"/api/v1/products/{product}/vendors", params=query, headers=as_role("viewer"))


@pytest.fixture
def product(client):  # noqa: ARG001
    """Uid of a product of which four leave daily, and ten are left; a missing one costs three."""
    with transaction() as session:
        made = makers.a_product(
            session, 190, stock_at=NOW - timedelta(days=46), sku="SELLS-1", unit_cost=3, unit_price=6
        )
        system, place = auth.system_actor(session), makers.the_warehouse(session)
        for ago in range(45, 0, -1):
            stock.remove(
                session, system, made.id, place.id, 4,
                reason_code="sale", occurred_at=NOW - timedelta(days=ago),
            )  # fmt: skip
        slow = makers.a_vendor(session, name="Slow and cheap")
        fast = makers.a_vendor(session, name="Fast and dear", currency="USD", exchange_rate="0.5")
        makers.an_offer(session, made, slow, prices={1: "3.00", 500: "2.90"}, lead_time_days=21)
        makers.an_offer(session, made, fast, prices={1: "6.24"}, lead_time_days=2, vendor_sku="FX-9")
    train(NOW)
    return str(made.uid)


def test_the_cheapest_unit_price_loses_where_waiting_costs_more(client, as_role, product):
    answer = vendors_of(client, as_role, product, quantity=60)
    assert answer.status_code == 200
    best, other = answer.json()
    assert (best["vendor_name"], best["is_recommended"]) == ("Fast and dear", True)
    assert (other["vendor_name"], other["is_recommended"]) == ("Slow and cheap", False)
    assert (best["unit_price"], best["quoted_unit_price"], best["quoted_currency"]) == (3.12, 6.24, "USD")
    assert best["reason"].startswith(
        "0.12 a piece dearer than Slow and cheap, but arrives 19 days sooner: waiting would cost about "
    )
    assert other["reason"].startswith("Cheapest a piece, 0.12 less than Fast and dear, but arrives 19 days")
    assert other["price_steps"] == [
        {"minimum_quantity": 1, "unit_price": 3},
        {"minimum_quantity": 500, "unit_price": 2.9},
    ]
    assert (best["lead_time_days"], best["minimum_order_quantity"], best["vendor_sku"]) == (2, None, "FX-9")
    assert other["days_difference"] == 19
    assert other["cost_difference"] > 0
    assert best["chance_before_delivery"] < other["chance_before_delivery"] == 1
    for row in (best, other):
        parts = ("goods_cost", "freight_cost", "order_cost", "holding_cost", "shortage_cost")
        assert row["total_cost"] == pytest.approx(sum(row[part] for part in parts))


def test_without_a_quantity_it_is_what_sells_until_the_next_review(client, as_role, product):
    for row in vendors_of(client, as_role, product).json():
        assert row["quantity_basis"] == "until the next review"
        assert 24 <= row["needed_quantity"] <= 32


def test_two_orders_are_offered_where_they_beat_one(client, as_role, product):
    rows = vendors_of(client, as_role, product, quantity=400).json()
    (two,) = {row["two_orders"]["reason"]: row["two_orders"] for row in rows}.values()
    assert two["first"]["vendor_name"] == "Fast and dear"
    assert two["second"]["vendor_name"] == "Slow and cheap"
    assert two["first"]["quantity"] + two["second"]["quantity"] >= 400
    assert two["saves"] > 0
    assert two["total_cost"] == pytest.approx(min(row["total_cost"] for row in rows) - two["saves"])


def test_a_product_that_nobody_offers_has_no_rows(client, as_role):
    with transaction() as session:
        uid = makers.a_product(session).uid
    answer = vendors_of(client, as_role, uid)
    assert (answer.status_code, answer.json()) == (200, [])


def test_what_is_not_known_is_said(client, as_role):
    with transaction() as session:
        made = makers.a_product(session, unit_price=None)
        makers.an_offer(session, made)
    (row,) = vendors_of(client, as_role, made.uid).json()
    assert row["quantity_basis"] == "one"
    assert row["chance_before_delivery"] is None
    assert row["shortage_cost"] is None
    assert row["median_lead_time_days"] is None
    assert row["missing"] == [
        "No forecast: the chance to run out is not known.",
        "No delivery measured yet: the quoted lead time counts.",
    ]
    assert row["reason"] == "The only vendor with a price. What waiting would cost is not counted."


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"quantity": 0}, 422),
        ({"quantity": -3}, 422),
        ({"quantity": "many"}, 422),
        ({"quantity": "NaN"}, 422),
        ({"quantity": "1e30"}, 422),
        ({"quantity": "0.00001"}, 422),
        ({"warehouse_id": "nowhere"}, 422),
        ({"warehouse_id": str(uuid.UUID(int=7))}, 404),
    ],
)
def test_what_cannot_be_meant_is_refused(client, as_role, product, query, status):
    assert vendors_of(client, as_role, product, **query).status_code == status


def test_an_unknown_product_is_404(client, as_role):
    assert vendors_of(client, as_role, uuid.UUID(int=7)).status_code == 404


def test_a_product_preferred_by_hand_is_recommended_and_says_what_it_costs(client, as_role, product):
    with transaction() as session:
        found = session.scalars(select(Product).where(Product.uid == uuid.UUID(product))).one()
        vendor = session.scalars(select(Vendor).where(Vendor.name == "Slow and cheap")).one()
        found.preferred_vendor_id = vendor.id
    rows = {row["vendor_name"]: row for row in vendors_of(client, as_role, product, quantity=60).json()}
    assert rows["Slow and cheap"]["is_recommended"]
    assert rows["Slow and cheap"]["is_preferred"]
    assert rows["Slow and cheap"]["reason"].startswith("Chosen by hand; ")
    assert rows["Slow and cheap"]["reason"].endswith(" dearer than Fast and dear.")
    assert rows["Fast and dear"]["reason"].endswith("Slow and cheap is chosen by hand.")


def test_the_largest_quantity_is_answered_too(client, as_role, product):
    answer = vendors_of(client, as_role, product, quantity=99_999_999_999)
    assert answer.status_code == 200
    assert all(row["is_recommended"] in (True, False) and row["total_cost"] > 0 for row in answer.json())
