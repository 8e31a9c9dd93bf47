"""What a code means in this shop, wherever it was read: a product and its pack, a place, a command."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from core import auth, barcodes, inputs, products
from core.auth import Actor
from core.errors import BadInput, RuleBroken
from core.scanning import reading
from core.scanning.reading import Reading
from db.models import Barcode, Product, VendorOffer, Warehouse

ONE = Decimal(1)
# A number such as "1" may be that of a hundred products; more than these are no help in choosing.
MOST_CANDIDATES = 20
# Products that are counted by weight: what the code says it weighs is what one scan means.
KILOGRAMS = ("kg", "kilogram", "kilograms", "kilogramme", "kilogrammes", "kilo", "kilos")
_PALLET = "(00)"


@dataclass(frozen=True)
class Candidate:
    """A product that a code may mean; one scan would be `pieces` of it."""

    id: int
    uid: UUID
    sku: str
    name: str
    is_active: bool
    pack_factor: Decimal
    pieces: Decimal


@dataclass(frozen=True)
class Resolved:
    """What a code means.

    `kind` is "product", "place", "command", "unknown" or "ambiguous"; `reason` is a sentence for the last
    two. `pieces` is what one scan stands for: the pack factor times the count in the code, where it names
    one. It is 0 where a scale printed an empty label. `candidates` are the products to choose from, or the
    one whose pack an unknown code may be.
    """

    kind: str
    reading: Reading
    product: products.Detail | None = None
    pack_factor: Decimal = ONE
    pieces: Decimal = ONE
    warehouse: Warehouse | None = None
    command: str | None = None
    candidates: tuple[Candidate, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class _Hit:
    """A product that has the code as its `way`: "barcode", "SKU" or "vendor's number"."""

    product: Product
    pack_factor: Decimal
    way: str


def resolve(session: Session, actor: Actor, raw: str, *, symbology: str | None = None) -> Resolved:
    """What a code means, from whatever source: a barcode before a SKU, a vendor's number, a place.

    Refuses only what cannot be read (BadInput). What nobody knows, and what may be several things, is an
    answer with its reason.
    """
    auth.must(actor, "read")
    try:
        said = reading.read(raw, symbology)
    except BadInput:
        # The shop's own numbers have no check digit: one of them may look like a barcode with a slip.
        own = None if symbology in reading.ITF else _own_number(session, raw)
        if own is None:
            raise
        return own
    if said.kind == "command":
        return Resolved("command", said, command=said.command)
    if said.kind == "place":
        return _at(session, said, said.place) or _unknown(
            said, f"There is no warehouse '{_quoted(said.place)}'."
        )
    if said.kind == "sku":
        hits = _by_sku(_hits(session, [said.sku]), said.sku)
        return _of(session, said, hits) or _unknown(said, f"No product has the SKU '{_quoted(said.sku)}'.")
    return _code(session, said)


def choose(session: Session, found: Resolved, product_id: int) -> Resolved:
    """What an ambiguous code means once somebody chose. Refuses a product that it cannot stand for."""
    choices = found.candidates if found.kind == "ambiguous" else ()
    chosen = next((candidate for candidate in choices if candidate.id == product_id), None)
    if chosen is None:
        raise RuleBroken(f"'{_quoted(found.reading.text)}' does not stand for that product: link it first.")
    detail = products.detail(session, session.get_one(Product, chosen.id))
    return replace(
        found, kind="product", product=detail, pack_factor=chosen.pack_factor, pieces=chosen.pieces,
        candidates=(), reason=None,
    )  # fmt: skip


def _code(session: Session, said: Reading) -> Resolved:
    hits = _hits(session, list(dict.fromkeys((said.code, said.text))))
    of_the_shop = [hit for hit in hits if hit.way == "barcode"] + _by_sku(hits, said.text)
    found = _of(session, said, of_the_shop or hits) or _at(session, said, said.text)
    if found is not None:
        return found
    if said.code.startswith(_PALLET):
        return _unknown(said, f"{said.code} is the number of a pallet: it does not say what lies on it.")
    if not said.gtin and (said.lot or said.serial or said.expires_on or said.quantity or said.weight_kg):
        return _unknown(
            said, f"'{_quoted(said.text)}' holds no product's number: scan the other code beside it."
        )
    number = said.code if said.gtin and not said.text.isdigit() else said.text
    return _relative(session, said) or _unknown(said, f"No product has the code '{_quoted(number)}'.")


# -- Who has the code ----------------------------------------------------------------------------------------


def _hits(session: Session, names: list[str]) -> list[_Hit]:
    """Products with one of these as a barcode, as their SKU or as a vendor's number for them."""
    lowered = [func.lower(name) for name in names]
    ways = union_all(
        select(Barcode.product_id, Barcode.pack_factor, literal("barcode").label("way"))
        .where(Barcode.code.in_(names)),
        select(Product.id, literal(ONE), literal("SKU")).where(func.lower(Product.sku).in_(lowered)),
        select(VendorOffer.product_id, literal(ONE), literal("vendor's number"))
        .where(func.lower(VendorOffer.vendor_sku).in_(lowered), VendorOffer.vendor_sku.is_not(None),
               VendorOffer.withdrawn_at.is_(None))
        .distinct()
        .limit(MOST_CANDIDATES),
    ).subquery()  # fmt: skip
    rows = session.execute(
        select(Product, ways.c.pack_factor, ways.c.way)
        .join(ways, ways.c.product_id == Product.id)
        .order_by(ways.c.way, Product.sku)
    )
    return [_Hit(*row) for row in rows]


def _by_sku(hits: Iterable[_Hit], name: str) -> list[_Hit]:
    """Those whose SKU it is; A-1 and a-1 are two where both exist."""
    named = [hit for hit in hits if hit.way == "SKU"]
    return [hit for hit in named if hit.product.sku == name] or named


def _own_number(session: Session, raw: str) -> Resolved | None:
    """The product whose SKU, or vendor's number, these digits are."""
    text = raw.strip()
    if not barcodes.is_number(text):
        return None
    hits = [hit for hit in _hits(session, [text]) if hit.way != "barcode"]
    return _of(session, Reading(text, code=text), _by_sku(hits, text) or hits)


def _relative(session: Session, said: Reading) -> Resolved | None:
    """The product of which an unknown number may be a pack, or the piece: the maker numbers them alike."""
    others = barcodes.relatives(said.code)
    if not others:
        return None
    row = session.execute(
        select(Product, Barcode.pack_factor, Barcode.code)
        .join(Barcode, Barcode.product_id == Product.id)
        .where(Barcode.code.in_(others), Product.is_active)
        .order_by(Barcode.pack_factor)
    ).first()
    if row is None:
        return None
    product, factor, known = row
    is_pack = len(said.code) == barcodes.GTIN_14
    what = "a case" if is_pack else "one piece"
    how = "the number of pieces in it" if is_pack else "1 piece"
    reason = (
        f"{said.code} looks like {what} of {_called(product)} (known by {known}, "
        f"{factor.normalize():f} in a scan): link it with {how}."
    )
    return Resolved(
        "unknown", said, reason=reason, candidates=(_candidate(said, _Hit(product, ONE, "barcode")),)
    )


# -- What it means -------------------------------------------------------------------------------------------


def _of(session: Session, said: Reading, hits: list[_Hit]) -> Resolved | None:
    """The product, or the ones to choose from; None where there is none."""
    by_product: dict[int, _Hit] = {}
    for hit in hits:  # barcodes come first: their pack counts
        by_product.setdefault(hit.product.id, hit)
    found = list(by_product.values())
    if not found:
        return None
    if len(found) == 1 and found[0].product.is_active:
        (hit,) = found
        return Resolved(
            "product", said, products.detail(session, hit.product), hit.pack_factor,
            _pieces(said, hit.product, hit.pack_factor),
        )  # fmt: skip
    reason = _several(said, found) if len(found) > 1 else f"{_called(found[0].product)} is not sold any more."
    return Resolved(
        "ambiguous", said, reason=reason, candidates=tuple(_candidate(said, hit) for hit in found)
    )


def _several(said: Reading, found: list[_Hit]) -> str:
    named = [f"{inputs.shown(hit.product.sku)} ({hit.way})" for hit in found[:3]]
    more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
    return f"'{_quoted(said.text)}' may be {len(found)} products: {', '.join(named)}{more}. Choose one."


def _at(session: Session, said: Reading, code: str) -> Resolved | None:
    """The place with this code, in whatever case."""
    place = session.scalars(
        select(Warehouse).where(func.lower(Warehouse.code) == func.lower(code)).order_by(Warehouse.id)
    ).first()
    if place is None:
        return None
    if not place.is_active:
        return _unknown(said, f"{place.code} is not in use: reactivate it first.")
    return Resolved("place", said, warehouse=place)


def _unknown(said: Reading, reason: str) -> Resolved:
    return Resolved("unknown", said, reason=reason)


def _candidate(said: Reading, hit: _Hit) -> Candidate:
    product = hit.product
    pieces = _pieces(said, product, hit.pack_factor)
    return Candidate(
        product.id, product.uid, product.sku, product.name, product.is_active, hit.pack_factor, pieces
    )


def _pieces(said: Reading, product: Product, pack_factor: Decimal) -> Decimal:
    if said.weight_kg is not None and product.unit_of_measure.strip().lower() in KILOGRAMS:
        return said.weight_kg
    return pack_factor * (said.quantity or ONE)


def _called(product: Product) -> str:
    return f"{inputs.shown(product.sku)} {inputs.shown(product.name)}"


def _quoted(text: str | None) -> str:
    return inputs.shown(text or "")
