"""Vendors: from whom the shop buys, and what they ask."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query, Response
from sqlalchemy.orm import Session

from api import schemas_buying
from api.deps import Needs, Now, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_buying import NewPrice, NewVendor, Price, PriceChange, Vendor, VendorChange
from core import shop, uids
from core.auth import Actor
from core.buying import offer_fields, offer_rows, offers, vendor_records, vendor_terms, vendors
from core.buying.offer_rows import Offer
from core.errors import NotFound

router = Router("/api/v1/vendors", "vendors")

Buyer = Annotated[Actor, Needs("buy")]
Viewer = Annotated[Actor, Needs("read")]


@router.get("", response_model=list[Vendor])
def list_vendors(
    session: Reading,
    _actor: Viewer,
    now: Now,
    response: Response,
    search: Annotated[
        str | None, Query(max_length=200, description="In name, contact, e-mail, phone.")
    ] = None,
    include_inactive: Annotated[bool, Query(description="Also those that are used no more.")] = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """Vendors in order of their names."""
    found, total = vendors.listing(
        session, search=search, only_active=not include_inactive, limit=limit, offset=skip
    )
    return page(response, _answers(session, [row.id for row in found], found, _today(session, now)), total)


@router.post("", response_model=Vendor, status_code=201, responses=refusals(400))
def create_vendor(session: Writing, actor: Buyer, now: Now, wanted: NewVendor) -> Any:
    """Add a vendor. Its name is nobody else's, whatever the case."""
    return _answer(session, vendors.create(session, actor, **schemas_buying.fields(wanted)), now)


@router.get("/{vendor_id}", response_model=Vendor)
def get_vendor(session: Reading, _actor: Viewer, now: Now, vendor_id: Id) -> Any:
    """One vendor, also one that is used no more."""
    return _answer(session, vendors.by_uid(session, vendor_id), now)


@router.put("/{vendor_id}", response_model=Vendor, responses=refusals(400))
def change_vendor(session: Writing, actor: Buyer, now: Now, vendor_id: Id, wanted: VendorChange) -> Any:
    """Change some fields, use it no more or again.

    Its currency stays once it has prices or orders. One with open orders stays in use.
    """
    vendor = vendors.by_uid(session, vendor_id)
    given = schemas_buying.fields(wanted)
    is_active = given.pop("is_active", None)
    if given:
        vendors.change(session, actor, vendor.id, **given)
    if is_active:
        vendors.reactivate(session, actor, vendor.id)
    elif is_active is False:
        vendors.deactivate(session, actor, vendor.id)
    return _answer(session, vendor, now)


@router.delete("/{vendor_id}", status_code=204, responses=refusals(400))
def delete_vendor(
    session: Writing, actor: Annotated[Actor, Needs("delete catalogue")], vendor_id: Id
) -> None:
    """Erase a vendor that nothing refers to; one with prices or orders is used no more."""
    vendors.delete(session, actor, vendors.by_uid(session, vendor_id).id)


# -- Prices --------------------------------------------------------------------------------------------------


@router.get("/{vendor_id}/prices", response_model=list[Price])
def list_prices(
    session: Reading,
    _actor: Viewer,
    now: Now,
    response: Response,
    vendor_id: Id,
    upcoming: Annotated[bool, Query(description="Those that hold from a later day on, instead.")] = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """What a vendor asks today, in order of the SKU; nothing while it is used no more."""
    vendor, today = vendors.by_uid(session, vendor_id), _today(session, now)
    if upcoming:
        found = offers.upcoming(session, None, today, vendor_id=vendor.id)
    else:
        found = offers.of_vendor(session, vendor.id, today)
    products = uids.named_products(session, {offer.product_id for offer in found})
    found.sort(key=lambda offer: (products[offer.product_id][1], offer.valid_from))
    shown = found[skip : skip + limit]
    return page(response, [schemas_buying.price(o, products[o.product_id]) for o in shown], len(found))


@router.post("/{vendor_id}/prices", response_model=Price, status_code=201, responses=refusals(400))
def add_price(session: Writing, actor: Buyer, now: Now, vendor_id: Id, wanted: NewPrice) -> Any:
    """Write down what a vendor asks for a product from a day on.

    Nothing is overwritten: of two prices the one with the later first day counts, of the same day the newer.
    """
    vendor, product_id = vendors.by_uid(session, vendor_id), uids.product(session, wanted.product_id)
    terms = wanted.model_dump(exclude={"product_id", "unit_price", "price_steps"})
    today = _today(session, now)
    made = offers.add(session, actor, vendor.id, product_id, steps=wanted.steps(), today=today, **terms)
    return _price(session, product_id, made.id, today)


@router.put("/{vendor_id}/prices/{product_id}", response_model=Price, responses=refusals(400))
def change_price(
    session: Writing, actor: Buyer, now: Now, vendor_id: Id, product_id: Id, wanted: PriceChange
) -> Any:
    """Write down what a vendor asks from now on, or from a later day; what it asked stays in the history."""
    vendor, product = vendors.by_uid(session, vendor_id), uids.product(session, product_id)
    today = _today(session, now)
    since = offer_fields.valid_from(wanted.valid_from or today, today)
    before = _offered(session, vendor.id, product, since, today)
    terms = {
        "lead_time_days": before.lead_time_days,
        "minimum_order_quantity": before.minimum_order_quantity,
        "order_multiple": before.order_multiple,
        "vendor_sku": before.vendor_sku,
    } | wanted.model_dump(exclude_unset=True, exclude={"unit_price", "price_steps"})
    steps = wanted.steps() or before.steps
    made = offers.add(session, actor, vendor.id, product, steps=steps, today=today, **terms)
    return _price(session, product, made.id, today)


@router.delete("/{vendor_id}/prices/{product_id}", status_code=204)
def withdraw_price(session: Writing, actor: Buyer, now: Now, vendor_id: Id, product_id: Id) -> None:
    """The vendor offers the product no more; what it asked stays in the history."""
    vendor, product = vendors.by_uid(session, vendor_id), uids.product(session, product_id)
    offers.withdraw(session, actor, vendor.id, product, _today(session, now))


# -- Answers -------------------------------------------------------------------------------------------------


def _today(session: Session, now: datetime) -> date:
    return shop.today(shop.get(session), now)


def _answer(session: Session, vendor: Any, now: datetime) -> dict[str, Any]:
    (answer,) = _answers(session, [vendor.id], [vendor], _today(session, now))
    return answer


def _answers(session: Session, ids: Sequence[int], rows: Sequence[Any], today: date) -> list[dict[str, Any]]:
    terms, records = vendor_terms.of(session, ids, today), vendor_records.of(session, ids, today)
    return [schemas_buying.vendor(row, records[row.id], terms[row.id].shutdowns) for row in rows]


def _offered(session: Session, vendor_id: int, product_id: int, day: date, today: date) -> Offer:
    """What the vendor asks on the day that is to change."""
    for asked_on in (day, today):
        for offer in offers.current(session, [product_id], asked_on):
            if offer.vendor_id == vendor_id:
                return offer
    raise NotFound("The vendor does not offer this product: add a price first.")


def _price(session: Session, product_id: int, offer_id: int, today: date) -> dict[str, Any]:
    offer = offer_rows.one(session, offer_id, today)
    return schemas_buying.price(offer, uids.named_products(session, [product_id])[product_id])
