"""Products that replace others: the successor's demand goes on from that of what it replaces."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit, auth, catalogue, inputs
from core.auth import Actor
from core.errors import NotFound, RuleBroken
from db.models import Product

MOST_PREDECESSORS = 10  # a longer line is a mistake, or a circle in the making
# Two that name each other at once would close a circle.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('successors', 0))")


def lines(session: Session, product_ids: Sequence[int] | None = None) -> dict[int, list[int]]:
    """The predecessors of each of these products (all when none are named), nearest first."""
    asked = select(Product.id, Product.predecessor_id).where(Product.predecessor_id.is_not(None))
    replaced = {row.id: row.predecessor_id for row in session.execute(asked)}
    wanted = replaced.keys() if product_ids is None else replaced.keys() & set(product_ids)
    return {product: _line(replaced, product) for product in sorted(wanted)}


def _line(replaced: dict[int, int], product: int) -> list[int]:
    line: list[int] = []
    while product in replaced and len(line) < MOST_PREDECESSORS:
        product = replaced[product]
        line.append(product)
    return line


def predecessor(session: Session, product_id: int) -> Product | None:
    """What the product replaces."""
    product = session.get_one(Product, inputs.small_id(product_id, "product"))
    return session.get(Product, product.predecessor_id) if product.predecessor_id is not None else None


def followers(session: Session, product_id: int) -> list[int]:
    """Ids of the products whose history holds this product's: its successors, and theirs."""
    return [product for product, olds in lines(session).items() if product_id in olds]


def take_over(
    session: Session, actor: Actor, product_id: int, predecessor_uid: uuid.UUID | str | None
) -> Product:
    """Let a product's demand go on from that of the one it replaces, or with None no more.

    Refuses the product itself, a circle, a line of more than ten, and another unit of measure.
    """
    auth.must(actor, "edit forecast")
    session.execute(_ONE_AT_A_TIME)
    product = catalogue.locked(session, product_id)
    old = None
    if predecessor_uid is not None:
        old = _locked(session, inputs.uid(predecessor_uid, "a product"))
        _check(session, product, old)
    before = predecessor(session, product.id)
    if (before and before.id) == (old and old.id):
        return product
    product.predecessor_id, product.predecessor_set_at = old and old.id, datetime.now(UTC)
    session.flush()
    audit.note(
        session, actor.id, "set what a product replaces", "product", product.uid,
        before={"replaces": before and before.sku}, after={"replaces": old and old.sku},
    )  # fmt: skip
    return product


def _check(session: Session, product: Product, old: Product) -> None:
    if old.id == product.id:
        raise RuleBroken(f"{product.sku} cannot replace itself: choose the product it came after.")
    if old.unit_of_measure != product.unit_of_measure:
        raise RuleBroken(
            f"{old.sku} is counted in {old.unit_of_measure}, {product.sku} in {product.unit_of_measure}: "
            "their demand cannot be one history."
        )
    known = lines(session)
    if product.id in known.get(old.id, []):
        raise RuleBroken(f"{old.sku} came after {product.sku} itself: that would be a circle.")
    above = 1 + len(known.get(old.id, []))
    below = max((olds.index(product.id) + 1 for olds in known.values() if product.id in olds), default=0)
    if above + below > MOST_PREDECESSORS:
        raise RuleBroken(
            f"{product.sku} would stand in a line of {above + below + 1} products: "
            f"at most {MOST_PREDECESSORS} may be replaced one after the other."
        )


def _locked(session: Session, predecessor_uid: uuid.UUID) -> Product:
    """The product to be replaced as it is now; who else changes it waits, who books stock of it does not."""
    found = session.scalar(
        select(Product)
        .where(Product.uid == predecessor_uid)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such product to replace.")
    return found
