"""The list of vendors: what each offers, what is on order there, how it keeps its word."""

from datetime import UTC, datetime, timedelta

import pytest

from db.models import PurchaseOrder, PurchaseOrderLine
from tests.dashboard.conftest import plain, words
from tests.makers import a_product, a_vendor, an_actor, an_offer, the_warehouse

TODAY = datetime.now(UTC).date()


def table(app):
    return app.dataframe[0].value


def an_order(session, vendor, product, quantity=10, *, late=0, state="sent"):
    """An order of yesterday at 2 each, expected so many days ago."""
    number = f"PO-2026-{vendor.id:04d}-{product.id}"
    order = PurchaseOrder(
        number=number, vendor_id=vendor.id, currency=vendor.currency, state=state,
        sent_on=TODAY - timedelta(days=late + 7) if state != "draft" else None,
        created_by=an_actor(session).id, expected_on=TODAY - timedelta(days=late),
    )  # fmt: skip
    session.add(order)
    session.flush()
    session.add(PurchaseOrderLine(order_id=order.id, product_id=product.id, quantity=quantity, unit_price=2,
                                  warehouse_id=the_warehouse(session).id))  # fmt: skip
    session.flush()
    session.refresh(order)
    return order


@pytest.mark.parametrize(
    ("role", "hint"), [("manager", "bring in a price list"), ("viewer", "Managers add them")]
)
def test_an_empty_shop_says_what_to_do(browser, role, hint):
    app = browser(role, "vendors")
    assert not app.exception
    assert "There is no vendor yet" in words(app)
    assert hint in words(app)


def test_the_list_says_what_is_on_order_and_how_the_offers_stand(browser, session):
    vendor, other = a_vendor(session, name="Delta *Imports*"), a_vendor(session, name="Ems", lead_time_days=4)
    product = a_product(session)
    an_offer(session, product, vendor, lead_time_days=9, valid_until=TODAY - timedelta(days=1))
    an_offer(session, a_product(session), vendor, lead_time_days=9, valid_until=TODAY + timedelta(days=3))
    an_order(session, vendor, product, late=3)
    an_order(session, other, product, state="draft")
    app = browser("viewer", "vendors")
    rows = table(app).set_index("Vendor")
    first = rows.loc["Delta *Imports*"]
    assert (first["Products"], first["Orders"], first["Quoted"]) == ("2", "1 late", "9 days")
    assert first["On order"].endswith("20.00")
    assert (first["Offers"], first["On time"]) == ("1 expired, 1 ending soon", "0 %")
    assert (rows.loc["Ems", "Orders"], rows.loc["Ems", "Quoted"]) == ("", "4 days")


def test_search_order_and_page_come_from_the_address(browser, session):
    for name in ("Anker", "Beta", "Gamma"):
        an_offer(session, a_product(session), a_vendor(session, name=name))
    closed = a_vendor(session, name="Closed", is_active=False)
    app = browser("viewer", "vendors", sort="-name")
    assert table(app)["Vendor"].tolist() == ["Gamma", "Beta", "Anker"]
    app = browser("viewer", "vendors", q="bet")
    assert table(app)["Vendor"].tolist() == ["Beta"]
    app = browser("viewer", "vendors", state="closed")
    assert f"{closed.name} (deactivated)" in table(app)["Vendor"].tolist()
    app = browser("viewer", "vendors", q="nobody")
    assert "No vendor fits these filters" in words(app)


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [("sort", "x", "There is no order 'x'"), ("page", "9", "There is no page 9"),
     ("page", "-1", "is not a number"),     ("state", "x", "there is no 'x'")],
)  # fmt: skip
def test_a_wrong_address_is_one_red_sentence_and_the_list_stands(browser, session, word, value, said):
    a_vendor(session)
    app = browser("viewer", "vendors", **{word: value})
    assert not app.exception
    assert said in plain(app.error[0].value)
    assert len(table(app)) == 1


def test_only_who_may_buy_is_offered_a_new_vendor(browser):
    def links(role):
        return [link.label for link in browser(role, "vendors").get("page_link")]

    assert "New vendor" in links("manager")
    assert "New vendor" not in links("user")
