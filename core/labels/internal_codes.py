"""Codes that the shop makes itself, for products without one.

They are EAN-13 numbers that begin with 04: GS1 keeps them for numbering within a company, in every country
(General Specifications, "Company internal numbering – RCN-13 GS1 Prefix 04"), so no maker's number is among
them. 02 and 20 to 29 are for a region: each country's GS1 deals them out, often for goods by weight.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session
from stdnum import ean

from core import auth, catalogue, inputs
from core.auth import Actor
from core.errors import BadInput, NotFound, RuleBroken
from db.models import Barcode, Product
from db.models.scans import INTERNAL_CODES

PREFIX = "04"
DIGITS = 10  # of the number between prefix and check digit
MOST_AT_ONCE = 500
# Another system may have numbered here before: each look draws twice as many numbers to get past them.
MOST_LOOKS = 12


def give(session: Session, actor: Actor, product_ids: Collection[int]) -> dict[int, str]:
    """Give a code for one piece to each of the products that has none; answers code by id of the product.

    A product that has one by now is left alone, so that two people who press at once give one code only.
    Whoever may only link codes that are there already may not: a number is used up for good.

    Refuses no or too many products, and one that is unknown or not sold any more.
    """
    auth.must(actor, "edit catalogue")
    if not 1 <= len(set(product_ids)) <= MOST_AT_ONCE:
        raise BadInput(f"Choose 1 to {MOST_AT_ONCE} products; {len(set(product_ids)):,} are chosen.")
    waiting = _without(session, product_ids)
    codes = _free(session, len(waiting))
    given = dict(zip(waiting, codes, strict=True))
    for product_id, code in given.items():
        catalogue.add_barcode(session, actor, product_id, code)
    return given


def take_back(session: Session, actor: Actor, given: dict[int, str]) -> None:
    """Take the codes off their products again. Their numbers are not given twice: labels may be printed."""
    for product_id in sorted(given):
        catalogue.remove_barcode(session, actor, product_id, given[product_id])


def code(number: int) -> str:
    """The EAN-13 of a number. Refuses one that has no room between prefix and check digit."""
    if not 0 < number < 10**DIGITS:
        raise RuleBroken("All numbers for codes of the shop's own are used up: link other codes by hand.")
    body = f"{PREFIX}{number:0{DIGITS}d}"
    return body + ean.calc_check_digit(body)


def _without(session: Session, product_ids: Collection[int]) -> list[int]:
    """The products that have no code for one piece, locked, in the order of their ids."""
    wanted = sorted({inputs.small_id(one, "product") for one in product_ids})
    locked = session.scalars(
        select(Product)
        .where(Product.id.in_(wanted))
        .order_by(Product.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if missing := set(wanted) - {product.id for product in locked}:
        raise NotFound(f"There is no product {min(missing)}.")
    for product in locked:
        if not product.is_active:
            raise RuleBroken(f"{product.sku} is deactivated: reactivate it before it gets a code.")
    # Asked once the locks are held: who gave them codes just now has committed.
    has_code = exists().where(Barcode.product_id == Product.id, Barcode.pack_factor == 1)
    return list(
        session.scalars(select(Product.id).where(Product.id.in_(wanted), ~has_code).order_by(Product.id))
    )


def _free(session: Session, count: int) -> list[str]:
    """So many codes that nobody has. A number that was drawn never comes back, used or not."""
    found: list[str] = []
    for look in range(MOST_LOOKS):
        if len(found) >= count:
            break
        drawn = _drawn(session, (count - len(found)) * 2**look)
        taken = set(session.scalars(select(Barcode.code).where(Barcode.code.in_(drawn))))
        found += [one for one in drawn if one not in taken]
    if len(found) < count:
        raise RuleBroken("Many numbers for codes of the shop's own are taken already: try once more.")
    return found[:count]


def _drawn(session: Session, count: int) -> Sequence[str]:
    numbers = session.scalars(select(INTERNAL_CODES.next_value()).select_from(func.generate_series(1, count)))
    return [code(number) for number in numbers]
