"""Vendors: made, changed, closed, preferred; and the days on which they are closed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from core.buying import offers, vendor_shutdowns, vendor_terms, vendors
from core.errors import BadInput, NotAllowed, NotFound, RuleBroken
from db.models import AuditLine, PurchaseOrder, RunOut, Vendor, VendorShutdown
from db.session import transaction
from tests.makers import a_product, a_vendor, an_actor, an_offer, the_warehouse

TODAY = date(2026, 11, 21)
TERMS = {
    "contact_name": "Ada Nord", "email": "orders@nord.example", "phone": "+49 30 1", "address": "Kai 1\nKiel",
    "note": "rings first", "currency": "usd", "exchange_rate": "0.92", "lead_time_days": 9,
    "order_minimum": "250", "free_freight_from": 500, "freight_cost": "12.5", "order_cost": 4,
    "order_weekdays": [5, 2, 2],
}  # fmt: skip


@pytest.fixture
def manager(session):
    return an_actor(session, "manager")


def an_order(session, actor, vendor, number="PO-2026-0001", state="draft"):
    order = PurchaseOrder(
        number=number, vendor_id=vendor.id, currency=vendor.currency, created_by=actor.id, state=state,
        sent_on=None if state == "draft" else TODAY,
        cancelled_at=datetime.now(UTC) if state == "cancelled" else None,
    )  # fmt: skip
    session.add(order)
    session.flush()
    return order


def noted(session, vendor_uid):
    lines = session.scalars(
        sa.select(AuditLine).where(AuditLine.subject_id == str(vendor_uid)).order_by(AuditLine.id)
    )
    return [(line.action, line.before, line.after) for line in lines]


# -- Made and changed ----------------------------------------------------------------------------------------


def test_a_vendor_keeps_its_terms_and_the_audit_says_who_made_it(session, manager):
    vendor = vendors.create(session, manager, name=" Nordlicht ", **TERMS)
    assert (vendor.name, vendor.currency, vendor.order_weekdays) == ("Nordlicht", "USD", [2, 5])
    (terms,) = vendor_terms.of(session, [vendor.id], TODAY).values()
    assert terms.exchange_rate == Decimal("0.92")
    assert terms.free_freight_from == 500
    assert terms.order_weekdays == (2, 5)
    assert terms.shutdowns == ()
    ((action, before, after),) = noted(session, vendor.uid)
    assert (action, before, after["order_minimum"]) == ("created", None, "250")


def test_without_a_currency_it_is_the_shops_at_a_rate_of_one(session, manager):
    vendor = vendors.create(session, manager, name="Nord")
    assert (vendor.currency, vendor.exchange_rate) == ("EUR", 1)


def test_only_given_fields_change_and_what_is_the_same_leaves_no_trace(session, manager):
    vendor = vendors.create(session, manager, name="Nord", **TERMS)
    vendors.change(
        session, manager, vendor.id, phone=None, order_minimum="250.00", order_weekdays=range(1, 8)
    )
    assert (vendor.phone, vendor.email, vendor.order_weekdays) == (None, TERMS["email"], None)
    vendors.change(session, manager, vendor.id, phone="")
    assert [action for action, _, _ in noted(session, vendor.uid)] == ["created", "changed"]
    assert noted(session, vendor.uid)[1][1] == {"phone": "+49 30 1", "order_weekdays": [2, 5]}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", " ", "needs 1 to 200"),
        ("name", "a\nb", "control character"),
        ("name", "x" * 201, "too many"),
        ("email", "nobody", "not one address"),
        ("email", "a@b.example, c@d.example", "not one address"),
        ("email", "a@b.example\nBcc: all@c.example", "control character"),
        ("currency", "EURO", "ISO 4217"),
        ("currency", "QQQ", "ISO 4217"),
        ("currency", 978, "ISO 4217"),
        ("exchange_rate", 0, "above 0"),
        ("exchange_rate", "-1", "above 0"),
        ("exchange_rate", "NaN", "above 0"),
        ("exchange_rate", "1e11", "above 0"),
        ("exchange_rate", "0.123456789", "8 decimals"),
        ("exchange_rate", "a", "not a number"),
        ("exchange_rate", None, "not a number"),
        ("order_minimum", -1, "Order minimum"),
        ("freight_cost", "x", "Freight"),
        ("free_freight_from", 10**10, "Free freight from"),
        ("order_cost", "0.00001", "4 decimals"),
        ("lead_time_days", 366, "0 to 365"),
        ("lead_time_days", "1.5", "whole number"),
        ("order_weekdays", [0], "1 (Monday) to 7"),
        ("order_weekdays", [True], "1 (Monday) to 7"),
        ("order_weekdays", "12", "1 (Monday) to 7"),
        ("note", "a\0b", "NUL"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(session, manager, field, value, says):
    with pytest.raises(BadInput) as refused:
        vendors.create(session, manager, **({"name": "Nord"} | TERMS | {field: value}))
    assert says in refused.value.sentence
    assert session.scalar(sa.select(sa.func.count()).select_from(Vendor)) == 0


def test_an_unknown_field_is_a_mistake_of_the_caller(session, manager):
    with pytest.raises(TypeError, match="colour"):
        vendors.create(session, manager, name="Nord", colour="red")


def test_money_of_another_country_needs_its_rate_and_the_shops_own_has_none(session, manager):
    with pytest.raises(BadInput, match="what 1 USD costs in EUR"):
        vendors.create(session, manager, name="Nord", currency="USD")
    with pytest.raises(BadInput, match="own currency, so it is 1"):
        vendors.create(session, manager, name="Nord", currency="EUR", exchange_rate="0.9")
    vendor = vendors.create(session, manager, name="Nord", currency="USD", exchange_rate="0.9")
    with pytest.raises(BadInput, match="what 1 GBP costs"):
        vendors.change(session, manager, vendor.id, currency="GBP")
    vendors.change(session, manager, vendor.id, currency="EUR")
    assert vendor.exchange_rate == 1


def test_its_currency_stays_once_it_has_prices(session, manager):
    vendor = vendors.create(session, manager, name="Nord")
    an_offer(session, a_product(session), vendor)
    with pytest.raises(RuleBroken, match="prices or orders in EUR: its currency stays"):
        vendors.change(session, manager, vendor.id, currency="USD", exchange_rate=1)


def test_a_name_is_given_once_whatever_its_case(session, manager):
    vendor = vendors.create(session, manager, name="Straße")
    other = vendors.create(session, manager, name="Nord")
    with pytest.raises(RuleBroken, match="a vendor 'Straße' already"):
        vendors.create(session, manager, name="STRAßE")
    with pytest.raises(RuleBroken, match="already"):
        vendors.change(session, manager, other.id, name="straße")
    vendors.change(session, manager, vendor.id, name="STRAßE")
    vendors.deactivate(session, manager, other.id)
    with pytest.raises(RuleBroken, match="reactivate it"):
        vendors.create(session, manager, name="nord")


@pytest.mark.usefixtures("clone")
def test_two_who_make_the_same_vendor_make_one():
    def make(_n):
        with transaction() as session:
            actor = an_actor(session)
            try:
                vendors.create(session, actor, name="Nord")
            except RuleBroken:
                return "refused"
            return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(4))) == ["made", "refused", "refused", "refused"]


def test_vendors_are_found_by_their_words(session, manager):
    for name, email in (("Zeta 50%", None), ("alpha", "orders@zeta.example"), ("Beta", None)):
        vendors.create(session, manager, name=name, email=email)
    vendors.deactivate(session, manager, vendors.listing(session, search="beta")[0][0].id)
    assert [v.name for v in vendors.listing(session)[0]] == ["alpha", "Zeta 50%"]
    assert [v.name for v in vendors.listing(session, search="ZETA")[0]] == ["alpha", "Zeta 50%"]
    assert [v.name for v in vendors.listing(session, search="0%")[0]] == ["Zeta 50%"]
    rows, total = vendors.listing(session, only_active=False, limit=1, offset=1)
    assert ([v.name for v in rows], total) == (["Beta"], 3)


@pytest.mark.parametrize("uid", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_id_is_refused(session, uid):
    with pytest.raises(NotFound):
        vendors.by_uid(session, uid)


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_weaker_roles_buy_nothing(session, role):
    weak, vendor = an_actor(session, role), a_vendor(session)
    with pytest.raises(NotAllowed):
        vendors.create(session, weak, name="Nord")
    with pytest.raises(NotAllowed):
        vendors.deactivate(session, weak, vendor.id)
    with pytest.raises(NotAllowed):
        vendor_shutdowns.add(session, weak, vendor.id, starts_on=TODAY, ends_on=TODAY, today=TODAY)


# -- Closed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "sent", "partly_received"])
def test_a_vendor_with_open_orders_stays_open(session, manager, state):
    vendor = a_vendor(session, name="Nord")
    an_order(session, manager, vendor, state=state)
    with pytest.raises(RuleBroken, match="Nord: PO-2026-0001 is open: receive or cancel it first"):
        vendors.deactivate(session, manager, vendor.id)
    with pytest.raises(RuleBroken):
        vendors.delete(session, an_actor(session, "admin"), vendor.id)
    assert vendors.closing(session, vendor.id, TODAY).open_orders == ("PO-2026-0001",)


def test_orders_that_ended_do_not_keep_it(session, manager):
    vendor = a_vendor(session)
    an_order(session, manager, vendor, "PO-2026-0001", "received")
    an_order(session, manager, vendor, "PO-2026-0002", "cancelled")
    assert not vendors.deactivate(session, manager, vendor.id).is_active


def test_offers_of_a_closed_vendor_do_not_count_until_it_is_back(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    an_offer(session, product, vendor)
    vendors.prefer(session, manager, product.id, vendor.id, TODAY)
    assert vendors.closing(session, vendor.id, TODAY) == vendors.Closing((), 1, 1)
    vendors.deactivate(session, manager, vendor.id)
    vendors.deactivate(session, manager, vendor.id)
    assert offers.current(session, [product.id], TODAY) == []
    vendors.reactivate(session, manager, vendor.id)
    (offer,) = offers.current(session, [product.id], TODAY)
    assert offer.is_preferred
    assert [a for a, _, _ in noted(session, vendor.uid)] == ["deactivated", "reactivated"]


def test_who_else_offers_a_product_is_counted_before_closing(session):
    product, other, vendor = a_product(session), a_product(session), a_vendor(session)
    an_offer(session, product, vendor)
    an_offer(session, other, vendor)
    an_offer(session, other)
    assert vendors.closing(session, vendor.id, TODAY).only_vendor_of == 1


def test_only_a_vendor_that_nothing_refers_to_is_erased(session, manager):
    admin, bare, priced = an_actor(session, "admin"), a_vendor(session), a_vendor(session)
    vendor_shutdowns.add(session, manager, bare.id, starts_on=TODAY, ends_on=TODAY, today=TODAY)
    an_offer(session, a_product(session), priced)
    uid, number = bare.uid, bare.id
    with pytest.raises(NotAllowed):
        vendors.delete(session, manager, number)
    assert vendors.delete(session, admin, number) == "erased"
    assert vendors.delete(session, admin, priced.id) == "deactivated"
    assert noted(session, uid)[-1][0] == "deleted"
    assert not priced.is_active
    with pytest.raises(NotFound):
        vendors.delete(session, admin, number)


# -- Whom a product is bought from ---------------------------------------------------------------------------


def test_the_lead_time_of_the_chosen_vendor_counts(session, manager):
    the_warehouse(session)
    product, slow, quick = a_product(session, 5), a_vendor(session), a_vendor(session)
    an_offer(session, product, slow, lead_time_days=30)
    an_offer(session, product, quick, lead_time_days=3)

    def lead():
        return session.scalar(
            sa.select(RunOut.lead_time_days).where(
                RunOut.product_id == product.id, RunOut.warehouse_id.is_(None)
            )
        )

    vendors.prefer(session, manager, product.id, slow.id, TODAY)
    assert lead() == 30
    vendors.prefer(session, manager, product.id, None, TODAY)
    assert lead() == 3
    assert [after for _, _, after in noted(session, product.uid)] == [
        {"preferred_vendor": slow.name}, {"preferred_vendor": None},
    ]  # fmt: skip


def test_a_vendor_that_does_not_offer_it_or_is_closed_is_not_preferred(session, manager):
    product, vendor = a_product(session), a_vendor(session)
    with pytest.raises(RuleBroken, match="does not offer"):
        vendors.prefer(session, manager, product.id, vendor.id, TODAY)
    an_offer(session, product, vendor)
    vendors.deactivate(session, manager, vendor.id)
    with pytest.raises(RuleBroken, match="deactivated"):
        vendors.prefer(session, manager, product.id, vendor.id, TODAY)
    with pytest.raises(NotFound):
        vendors.prefer(session, manager, product.id, 10**12, TODAY)


# -- Shutdowns -----------------------------------------------------------------------------------------------


def test_shutdowns_that_are_not_over_are_part_of_the_terms(session, manager):
    vendor = a_vendor(session)
    until = TODAY + timedelta(days=10)
    later = vendor_shutdowns.add(
        session, manager, vendor.id, starts_on=until, ends_on=until, note="  stocktaking ", today=TODAY
    )
    again = vendor_shutdowns.add(
        session, manager, vendor.id, starts_on=until, ends_on=until, note="stocktaking", today=TODAY
    )
    vendor_shutdowns.add(session, manager, vendor.id, starts_on=TODAY, ends_on=TODAY, today=TODAY)
    assert again is later
    (terms,) = vendor_terms.of(session, [vendor.id], TODAY).values()
    assert terms.shutdowns == ((TODAY, TODAY), (until, until))
    (terms,) = vendor_terms.of(session, [vendor.id], TODAY + timedelta(days=1)).values()
    assert terms.shutdowns == ((until, until),)
    vendor_shutdowns.remove(session, manager, later.uid)
    with pytest.raises(NotFound):
        vendor_shutdowns.remove(session, manager, later.uid)
    assert [a for a, _, _ in noted(session, vendor.uid)] == ["added shutdown"] * 2 + ["removed shutdown"]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (2, 1, "before the first day"),
        (-3, -1, "over already"),
        (0, 366, "more than a year"),
        (1090, 1100, "three years"),
    ],
)
def test_days_that_cannot_be_meant_are_refused(session, manager, first, last, says):
    days = {"starts_on": TODAY + timedelta(days=first), "ends_on": TODAY + timedelta(days=last)}
    with pytest.raises(BadInput, match=says):
        vendor_shutdowns.add(session, manager, a_vendor(session).id, today=TODAY, **days)
    assert session.scalar(sa.select(sa.func.count()).select_from(VendorShutdown)) == 0
