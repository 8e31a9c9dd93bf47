"""What to order over HTTP: filtered, paged, each quantity with a receipt that adds up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import advice
from db.models import Forecast
from db.session import transaction
from tests.core.advice_world import sold
from tests.makers import a_vendor

NOW = datetime.now(UTC)


@pytest.fixture
def shop(client):  # noqa: ARG001
    """Two vendors; three products to order now, one in a while."""
    with transaction() as session:
        vendors = [a_vendor(session, name=name) for name in ("Alder", "Birch")]
        for place, stock in enumerate((0, 3, 5, 60)):
            sold(session, stock, 2.0, vendor=vendors[place % 2], sku=f"S-{place}", name=f"Thing {place}")
        session.execute(sa.update(Forecast).values(as_of=NOW.date() - timedelta(days=1)))
        advice.make(session, None, NOW)
        return [str(vendor.uid) for vendor in vendors]


def lines(client, as_role, **query):
    answer = client.get("/api/v1/reorder", params=query, headers=as_role("viewer"))
    assert answer.status_code == 200, answer.text
    return answer.json(), int(answer.headers["X-Total-Count"])


def test_every_line_has_a_receipt_that_adds_up(client, as_role, shop):
    found, total = lines(client, as_role)
    assert total == 3
    for line in found:
        assert line["action"] == "order"
        assert sum(Decimal(str(term["amount"])) for term in line["receipt"]) == Decimal(str(line["quantity"]))
        assert line["reason"]
        assert line["value"] == line["quantity"] * line["unit_cost"]
    assert {line["vendor_id"] for line in found} == set(shop)


def test_lines_are_filtered_sorted_and_paged(client, as_role, shop):
    assert lines(client, as_role, vendor_id=shop[0])[1] == 2
    assert lines(client, as_role, action="transfer") == ([], 0)
    assert lines(client, as_role, search="thing 2")[1] == 1
    assert lines(client, as_role, horizon_days=100)[1] == 4
    page, total = lines(client, as_role, sort="sku", skip=1, limit=1)
    assert (total, [line["product_sku"] for line in page]) == (3, ["S-1"])


@pytest.mark.parametrize(
    "query", [{"sort": "colour"}, {"action": "none"}, {"horizon_days": -1}, {"vendor_id": "x"}, {"what": 1}]
)
def test_what_it_does_not_know_is_refused(client, as_role, query):
    answer = client.get("/api/v1/reorder", params=query, headers=as_role("viewer"))
    assert answer.status_code == 422


def test_the_advice_as_a_whole(client, as_role, shop):
    answer = client.get("/api/v1/reorder/summary", headers=as_role("viewer")).json()
    assert answer["is_stale"] is False
    assert answer["goal"]["goal"] == "service"
    assert answer["totals"]["lines"] == 3
    assert {vendor["id"] for vendor in answer["vendors"]} == set(shop)
    assert sum(vendor["lines"] for vendor in answer["vendors"]) == 3
    assert answer["curve"][0]["stock"] < answer["curve"][-1]["stock"]


def test_before_the_first_advice_there_is_nothing(client, as_role):
    assert lines(client, as_role) == ([], 0)
    answer = client.get("/api/v1/reorder/summary", headers=as_role("viewer"))
    assert answer.status_code == 404
    assert "no advice yet" in answer.json()["detail"]
