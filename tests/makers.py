"""Small worlds for tests: `a_product(session, stock=5)`."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import api_keys, auth, stock
from core.auth import Actor
from db.models import (
    AnomalyModel,
    ApiKey,
    Finding,
    Movement,
    Person,
    PriceStep,
    Product,
    Vendor,
    VendorOffer,
    Warehouse,
)

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def a_person(session: Session, role: str = "manager", **about) -> Person:
    """Somebody who may sign in with PASSWORD."""
    number = next(_numbers)
    about = {"email": f"{role}{number}@shop.example", "name": f"{role.title()} {number}"} | about
    return auth.create_person(session, role=role, password=PASSWORD, **about)


def an_actor(session: Session, role: str = "manager") -> Actor:
    person = a_person(session, role)
    session.refresh(person)
    return Actor(person.id, person.uid, person.name, person.email, person.role)


def a_key(
    session: Session, person: Person | None = None, rights: Iterable[str] = ("read",), **about
) -> tuple[ApiKey, str]:
    """An API key and its secret; of a user, and for looking only, where nothing else is said."""
    person = person or a_person(session, "user")
    session.flush()
    session.refresh(person)
    values = {"name": f"Till {next(_numbers)}"} | about
    admin = an_actor(session, "admin")
    return api_keys.create(session, admin, person.uid, rights=list(rights), now=datetime.now(UTC), **values)


def a_warehouse(session: Session, code: str | None = None, **about) -> Warehouse:
    """A warehouse in UTC; the first one of the shop is the default."""
    code = code or f"WH-{next(_numbers)}"
    is_first = session.scalar(select(Warehouse.id).limit(1)) is None
    values = {"name": code, "time_zone": "UTC", "is_default": is_first} | about
    warehouse = Warehouse(code=code, **values)
    session.add(warehouse)
    session.flush()
    session.refresh(warehouse)
    return warehouse


def the_warehouse(session: Session) -> Warehouse:
    """The default warehouse, made when missing."""
    return session.scalar(select(Warehouse).where(Warehouse.is_default)) or a_warehouse(session)


def a_product(
    session: Session,
    stock_: Decimal | int = 0,
    *,
    stock_at: datetime | None = None,
    warehouse: Warehouse | None = None,
    **about,
) -> Product:
    """A product, with an opening stock where asked for."""
    number = next(_numbers)
    values = {"sku": f"SKU-{number}", "name": f"Product {number}", "unit_cost": 2, "unit_price": 5} | about
    product = Product(**values)
    session.add(product)
    session.flush()
    session.refresh(product)
    if stock_:
        place = warehouse or the_warehouse(session)
        stock.add(
            session,
            auth.system_actor(session),
            product.id,
            place.id,
            stock_,
            reason_code="opening",
            occurred_at=stock_at,
        )
    return product


def a_vendor(session: Session, **about) -> Vendor:
    """Somebody who delivers, in euro, and asks nothing for freight."""
    vendor = Vendor(**({"name": f"Vendor {next(_numbers)}", "currency": "EUR"} | about))
    session.add(vendor)
    session.flush()
    session.refresh(vendor)
    return vendor


def an_offer(
    session: Session,
    product: Product,
    vendor: Vendor | None = None,
    *,
    prices: dict[Decimal | int, Decimal | int | str] | None = None,
    **about,
) -> VendorOffer:
    """What a vendor asks for a product: `prices` by the quantity they hold from, 2 from one piece on."""
    vendor = vendor or a_vendor(session)
    values = {"lead_time_days": 7, "valid_from": date(2020, 1, 1)} | about
    offer = VendorOffer(vendor_id=vendor.id, product_id=product.id, **values)
    session.add(offer)
    session.flush()
    steps = (prices or {1: 2}).items()
    session.add_all(
        PriceStep(offer_id=offer.id, minimum_quantity=Decimal(least), unit_price=Decimal(price))
        for least, price in steps
    )
    session.flush()
    session.refresh(offer)
    return offer


def a_model(session: Session, **about) -> AnomalyModel:
    """A published model for odd movements without its files: it has judged, and judges no more."""
    values = {"state": "published", "finished_at": datetime.now(UTC)} | about
    model = AnomalyModel(**values)
    session.add(model)
    session.flush()
    return model


def a_finding(
    session: Session, product: Product, change: Decimal | int = -1200, *, reason_code: str = "sale", **about
) -> Finding:
    """A movement of `change` and the finding about it: twelve times too much, where nothing else is said."""
    place = the_warehouse(session)
    price = about.pop("unit_price", None)
    booked = stock.adjust(
        session, auth.system_actor(session), product.id, place.id, change, reason_code=reason_code,
        unit_price=price,
    )  # fmt: skip
    movement = session.get_one(Movement, booked.lines[0].movement_id)
    model_id = session.scalar(select(AnomalyModel.id).order_by(AnomalyModel.id.desc()).limit(1))
    values = {
        "movement_id": movement.id, "product_id": product.id, "warehouse_id": place.id,
        "model_id": model_id or a_model(session).id, "found_on": movement.day, "listed": "likely",
        "kind": "times_pack", "field": "quantity", "repair": {"quantity": str(change // 12)}, "score": 0.92,
        "money_at_risk": Decimal(5500), "evidence": {},
        "message": f"{product.sku}: {abs(change)} out is 12 times the usual {abs(change) // 12}.",
    } | about  # fmt: skip
    finding = Finding(**values)
    session.add(finding)
    session.flush()
    session.refresh(finding)
    return finding


def on_hand(session: Session, product: Product, warehouse: Warehouse | None = None) -> Decimal:
    """What the level says."""
    from db.models import StockLevel

    where = [StockLevel.product_id == product.id]
    if warehouse is not None:
        where.append(StockLevel.warehouse_id == warehouse.id)
    return sum(session.scalars(select(StockLevel.quantity).where(*where)), Decimal(0))
