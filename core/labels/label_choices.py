"""What labels can be printed for: products with their codes, places, and the commands of the scanner."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from core import auth, inputs, warehouses
from core.auth import Actor
from core.errors import NotFound
from core.labels.designs import Label
from core.posting import plain
from core.scanning import reading
from db import queries
from db.models import Barcode, Product, PurchaseOrder, PurchaseOrderLine, StockLevel, Warehouse

MOST_PRODUCTS = 300  # on one list; what goes beyond is found with a narrower search
MOST_COPIES = 1000  # of one label
PIECES = ("each", "piece", "pcs")
# Of what is measured nobody sticks a label on each; boxes, rolls and pairs are counted like pieces.
MEASURES = {
    "mm", "cm", "m", "km", "in", "ft", "yd", "metre", "metres", "meter", "meters", "m2", "m²", "m3", "m³",
    "g", "kg", "t", "oz", "lb", "gram", "grams", "kilo", "kilos", "kilogram", "kilograms", "tonne", "tonnes",
    "ml", "cl", "l", "litre", "litres", "liter", "liters", "gal",
}  # fmt: skip
# What a scanner's command is called on its label, and what it does there.
COMMANDS = {
    "look_up": ("Look up", "Show what is scanned, book nothing"),
    "in": ("In", "Book what is scanned as received"),
    "out": ("Out", "Book what is scanned as taken"),
    "transfer": ("Transfer", "Move what is scanned to another place"),
    "count": ("Count", "Count what lies here"),
    "link": ("Link a code", "Give a product the code that is scanned"),
    "undo": ("Undo", "Take back the last booking"),
    "add1": ("+1", "One more of the last product"),
    "add10": ("+10", "Ten more of the last product"),
    "remove1": ("\N{MINUS SIGN}1", "One less of the last product"),
}


@dataclass(frozen=True)
class Choice:
    """One code of a product, or `sku:...` for one that has none for a piece.

    `is_piece`: it stands for one piece; `is_own`: the product has no code, its SKU is printed; `arrived`: how
    much came with the order that was asked for, None without one.
    """

    product_id: int
    product_uid: uuid.UUID
    sku: str
    name: str
    unit_of_measure: str
    unit_price: Decimal | None
    code: str
    pack_factor: Decimal
    is_own: bool
    on_hand: Decimal
    arrived: Decimal | None

    @property
    def is_piece(self) -> bool:
        return self.pack_factor == 1


def of_products(
    session: Session,
    actor: Actor,
    *,
    text: str | None = None,
    category: str | None = None,
    without_code: bool = False,
    product_uids: Collection[uuid.UUID | str] = (),
    order_uid: uuid.UUID | str | None = None,
) -> tuple[list[Choice], int]:
    """The codes of the active products that fit, by name, and how many products fit in all.

    Args:
        text: part of a SKU or a name, or a whole code.
        without_code: only products that have no code for one piece.
        product_uids: only these.
        order_uid: only what arrived with this purchase order.

    At most `MOST_PRODUCTS` products. Refuses an unknown or malformed id.
    """
    auth.must(actor, "read")
    fits = [Product.is_active, *_filters(text, category, without_code)]
    if product_uids:
        fits.append(Product.id.in_(_ids(session, product_uids)))
    arrived: dict[int, Decimal] | None = None
    if order_uid is not None:
        arrived = _arrived(session, order_uid)
        fits.append(Product.id.in_(list(arrived)))
    total = session.scalar(select(func.count()).select_from(Product).where(and_(*fits))) or 0
    chosen = session.scalars(
        select(Product).where(and_(*fits)).order_by(Product.name, Product.id).limit(MOST_PRODUCTS)
    ).all()
    codes, lying = _codes(session, chosen), _lying(session, chosen)
    return [
        _choice(product, code, factor, lying.get(product.id, Decimal(0)), arrived)
        for product in chosen
        for code, factor in codes[product.id]
    ], total


def order_number(session: Session, actor: Actor, order_uid: uuid.UUID | str) -> str:
    """What people call the order. Refuses an unknown or malformed id."""
    auth.must(actor, "read")
    return _order(session, order_uid).number


def copies(choice: Choice, by: str) -> int:
    """How many labels of a code: 1, as many as lie on the shelf ("stock"), as many as arrived ("arrived").

    A code for a pack gets none by itself: how many packs there are nobody knows. What is measured (metres,
    kilograms) gets one.
    """
    if not choice.is_piece:
        return 0
    much = {"stock": choice.on_hand, "arrived": choice.arrived}.get(by)
    if much is None or choice.unit_of_measure.strip().lower() in MEASURES:
        return 1
    return int(min(much.to_integral_value(ROUND_UP), Decimal(MOST_COPIES)))


def of_product(choice: Choice, price: str | None = None) -> Label:
    """The label of a code: name, SKU, pieces of a pack, and the price where one is given."""
    pack = "" if choice.is_piece else _pack(choice)
    right = " · ".join(part for part in (pack, price or "") if part)
    return Label(choice.name, choice.code, choice.sku, right)


def of_places(session: Session, actor: Actor, uids: Collection[uuid.UUID | str] = ()) -> list[Label]:
    """The labels of the places in use, or of these. Refuses an unknown or malformed id."""
    auth.must(actor, "read")
    found = [warehouses.by_uid(session, uid) for uid in uids] or warehouses.listing(session)
    return [of_place(place) for place in found]


def of_place(place: Warehouse) -> Label:
    name = place.name if place.name != place.code else ""
    return Label(place.code, f"loc:{place.code}", name, is_big=True)


def of_commands() -> list[Label]:
    """The labels with which a scanner is steered: what to do with the next scans, once more, take back."""
    return [
        Label(COMMANDS[name][0], f"cmd:{name}", COMMANDS[name][1], is_big=True) for name in reading.COMMANDS
    ]


# -- What is looked up ---------------------------------------------------------------------------------------


def _filters(text: str | None, category: str | None, only_without: bool) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = []
    if like := queries.like(inputs.text(text or "", "Search", reading.CHARACTERS)):
        code = exists().where(Barcode.product_id == Product.id, Barcode.code == reading.spoken(text or ""))
        fits.append(or_(Product.name.ilike(like), Product.sku.ilike(like), code))
    if category:
        fits.append(Product.category == category)
    if only_without:
        fits.append(~exists().where(Barcode.product_id == Product.id, Barcode.pack_factor == 1))
    return fits


def _ids(session: Session, uids: Collection[uuid.UUID | str]) -> list[int]:
    wanted = {inputs.uid(uid, "a product") for uid in uids}
    found = list(session.scalars(select(Product.id).where(Product.uid.in_(wanted))))
    if len(found) < len(wanted):
        raise NotFound("There is no such product; it may have been another shop's link.")
    return found


def _order(session: Session, order_uid: uuid.UUID | str) -> PurchaseOrder:
    wanted = inputs.uid(order_uid, "a purchase order")
    order = session.scalar(select(PurchaseOrder).where(PurchaseOrder.uid == wanted))
    if order is None:
        raise NotFound("There is no such purchase order; it may have been another shop's link.")
    return order


def _arrived(session: Session, order_uid: uuid.UUID | str) -> dict[int, Decimal]:
    """What came of an order, by product."""
    rows = session.execute(
        select(PurchaseOrderLine.product_id, func.sum(PurchaseOrderLine.received).label("received"))
        .where(PurchaseOrderLine.order_id == _order(session, order_uid).id, PurchaseOrderLine.received > 0)
        .group_by(PurchaseOrderLine.product_id)
    )
    return {row.product_id: row.received for row in rows}


def _of(products: Sequence[Product], question: Select[Any], column: Any) -> Select[Any]:
    return question.where(column.in_([product.id for product in products]))


def _codes(session: Session, products: Sequence[Product]) -> dict[int, list[tuple[str, Decimal]]]:
    """Codes and pack factors of each product, pieces first; its SKU where none is for a piece."""
    question = select(Barcode.product_id, Barcode.code, Barcode.pack_factor).order_by(
        Barcode.pack_factor, Barcode.id
    )
    codes: dict[int, list[tuple[str, Decimal]]] = {product.id: [] for product in products}
    for product_id, code, factor in session.execute(_of(products, question, Barcode.product_id)):
        codes[product_id].append((code, factor))
    for product in products:
        if all(factor != 1 for _, factor in codes[product.id]):
            codes[product.id].insert(0, (f"sku:{product.sku}", Decimal(1)))
    return codes


def _lying(session: Session, products: Sequence[Product]) -> dict[int, Decimal]:
    question = select(StockLevel.product_id, func.sum(StockLevel.quantity).label("lying")).group_by(
        StockLevel.product_id
    )
    rows = session.execute(_of(products, question, StockLevel.product_id))
    return {row.product_id: row.lying for row in rows}


def _choice(
    product: Product, code: str, factor: Decimal, on_hand: Decimal, arrived: dict[int, Decimal] | None
) -> Choice:
    return Choice(
        product.id, product.uid, product.sku, product.name, product.unit_of_measure, product.unit_price,
        code, factor, code.startswith("sku:"), on_hand, None if arrived is None else arrived[product.id],
    )  # fmt: skip


def _pack(choice: Choice) -> str:
    """12 pieces, 12 × box."""
    factor, unit = plain(choice.pack_factor), choice.unit_of_measure
    return f"{factor} pieces" if unit in PIECES else f"{factor} × {unit}"
