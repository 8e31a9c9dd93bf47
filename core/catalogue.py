"""The catalogue: making, changing and retiring products, with their barcodes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete as erase
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import (
    alert_watch,
    audit,
    auth,
    barcodes,
    inputs,
    posting,
    predictions,
    product_fields,
    stock,
    warehouses,
)
from core.auth import Actor
from core.errors import BadInput, KeyReused, NotFound, RuleBroken
from core.scanning import reading
from db.models import (
    Alert,
    Barcode,
    DemandPattern,
    Forecast,
    Posting,
    Product,
    RunOut,
    Scan,
    WarehouseThreshold,
)

MOST_BARCODES = 100  # of one product
# A run-out follows from these; it is worked out anew when one of them changes.
OF_THE_RUN_OUT = {"lead_time_days", "unit_cost", "unit_price"}
_ONE_SKU_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('sku ' || :sku, 3))")


# -- Products ------------------------------------------------------------------------------------------------


def create(
    session: Session,
    actor: Actor,
    *,
    sku: str,
    name: str,
    today: date,
    barcodes: Sequence[str] = (),
    opening_stock: Decimal | int | str | None = None,
    warehouse_id: int | None = None,
    key: str | None = None,
    **about: Any,
) -> Product:
    """Add a product, its barcodes (of one piece each), and what lies on the shelf already.

    Args:
        about: description, category, unit_of_measure, unit_cost, unit_price, reorder_threshold,
            lead_time_days.
        opening_stock: booked with the reason `opening`, in the default warehouse unless another is named.
        key: with an opening stock, the same key finds the product made before, and refuses another request.

    Refuses a SKU that another product has, whatever its case.
    """
    auth.must(actor, "edit catalogue")
    values = product_fields.checked({"sku": sku, "name": name, "unit_of_measure": "each"} | about)
    opening = posting.exact(opening_stock, "Opening stock") if opening_stock is not None else Decimal(0)
    if opening < 0:
        raise BadInput("Opening stock cannot be below zero.")
    # First the lock: a retry that comes while the request itself is still being answered waits here for it.
    session.execute(_ONE_SKU_AT_A_TIME, {"sku": values["sku"].lower()})
    product = _made_before(session, actor, key, values["sku"]) if opening and key else None
    is_new = product is None
    if product is None:
        _refuse_known_sku(session, values["sku"], None)
        product = Product(**values)
        session.add(product)
        session.flush()
        audit.note(session, actor.id, "created", "product", product.uid, after=product_fields.said(values))
        for code in barcodes:
            add_barcode(session, actor, product.id, code)
    if opening:
        place = warehouse_id if warehouse_id is not None else warehouses.default(session).id
        asked = product_fields.said(values | {"barcodes": list(barcodes), "warehouse_id": warehouse_id})
        request = asked | {"opening_stock": posting.plain(opening)}
        stock.add(session, actor, product.id, place, opening, reason_code="opening", key=key, request=request)
    if is_new:
        predictions.refresh(session, [product.id], today)
        alert_watch.look_at_now(session, [product.id])
    return product


def change(session: Session, actor: Actor, product_id: int, today: date, **fields: Any) -> Product:
    """Change what is known about a product: only the given fields, None clears one.

    Fields: sku, name, description, category, unit_of_measure, unit_cost, unit_price, reorder_threshold,
    lead_time_days; another is a TypeError. What is the same already is no change and leaves no trace.
    """
    auth.must(actor, "edit catalogue")
    values = product_fields.checked(fields)
    product = locked(session, product_id)
    changed = {name: value for name, value in values.items() if getattr(product, name) != value}
    if not changed:
        return product
    if "sku" in changed:
        _refuse_known_sku(session, changed["sku"], product.id)
    if "unit_of_measure" in changed:
        _refuse_shared_history(session, product)
    before = {name: getattr(product, name) for name in changed}
    for name, value in changed.items():
        setattr(product, name, value)
    product.updated_at = datetime.now(UTC)
    session.flush()
    audit.note(
        session,
        actor.id,
        "changed",
        "product",
        product.uid,
        before=product_fields.said(before),
        after=product_fields.said(changed),
    )
    if OF_THE_RUN_OUT & changed.keys():
        predictions.refresh(session, [product.id], today)
    if "reorder_threshold" in changed:
        alert_watch.look_at_now(session, [product.id])
    return product


def deactivate(session: Session, actor: Actor, product_id: int) -> Product:
    """Take a product off the lists, run-outs and forecasts; its page and history stay. Twice is once."""
    auth.must(actor, "edit catalogue")
    return _deactivate(session, actor, product_id)


def reactivate(session: Session, actor: Actor, product_id: int, today: date) -> Product:
    """Sell a product again: it is back on the lists, with its run-out of now."""
    auth.must(actor, "edit catalogue")
    product = locked(session, product_id)
    if not product.is_active:
        _switch(session, actor, product, is_active=True)
        predictions.refresh(session, [product.id], today)
        alert_watch.look_at_now(session, [product.id])
    return product


def delete(session: Session, actor: Actor, product_id: int) -> str:
    """Erase a product that nothing ever referred to; one with a history is deactivated.

    Answers "erased" or "deactivated". Its barcodes, thresholds, alerts, forecasts and pictures go with it,
    for they say nothing without it; scans that booked nothing stay and name it in words only. A movement,
    stock on its way, a vendor's price or what people said of its demand keeps it.
    """
    auth.must(actor, "delete catalogue")
    # A refresh would write down a run-out that names the forecast erased here.
    predictions.hold_back_refreshes(session)
    product = locked(session, product_id)
    uid, said = (
        product.uid,
        product_fields.said({name: getattr(product, name) for name in product_fields.FIELDS}),
    )
    try:
        # The foreign keys know better than any list here what refers to a product.
        with session.begin_nested():
            for table in (Barcode, WarehouseThreshold, Alert, RunOut, Forecast, DemandPattern):
                session.execute(erase(table).where(table.product_id == product.id))
            session.execute(update(Scan).where(Scan.product_id == product.id).values(product_id=None))
            session.execute(erase(Product).where(Product.id == product.id))
    except IntegrityError:
        _deactivate(session, actor, product_id)
        return "deactivated"
    audit.note(session, actor.id, "deleted", "product", uid, before=said)
    return "erased"


def _deactivate(session: Session, actor: Actor, product_id: int) -> Product:
    product = locked(session, product_id)
    if product.is_active:
        _switch(session, actor, product, is_active=False)
        session.execute(erase(RunOut).where(RunOut.product_id == product.id))
        alert_watch.look_at_now(session, [product.id])
    return product


def _switch(session: Session, actor: Actor, product: Product, *, is_active: bool) -> None:
    product.is_active, product.updated_at = is_active, datetime.now(UTC)
    session.flush()
    action = "reactivated" if is_active else "deactivated"
    audit.note(
        session, actor.id, action, "product", product.uid,
        before={"is_active": not is_active}, after={"is_active": is_active},
    )  # fmt: skip


def locked(session: Session, product_id: int) -> Product:
    """The product as it is now; who else changes it waits, who books stock of it does not."""
    product = session.scalar(
        select(Product)
        .where(Product.id == inputs.small_id(product_id, "product"))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if product is None:
        raise NotFound(f"There is no product {product_id}.")
    return product


def _refuse_known_sku(session: Session, sku: str, product_id: int | None) -> None:
    # Two that make it at once wait for each other here: the table itself tells A-1 and a-1 apart.
    session.execute(_ONE_SKU_AT_A_TIME, {"sku": sku.lower()})
    question = select(Product).where(func.lower(Product.sku) == sku.lower())
    other = session.scalar(question.where(Product.id != product_id) if product_id else question)
    if other is not None:
        mark = "" if other.is_active else ", which is not sold any more"
        raise RuleBroken(f"SKU '{inputs.shown(sku)}' belongs to {inputs.shown(other.name)} already{mark}.")


def _refuse_shared_history(session: Session, product: Product) -> None:
    """Pieces and kilograms cannot be one history, see `successors`."""
    replaced_by = select(Product.sku).where(Product.predecessor_id == product.id).limit(1)
    if product.predecessor_id is not None or session.scalar(replaced_by) is not None:
        raise RuleBroken(
            f"{product.sku} shares its demand with what it replaces or is replaced by: take that back before "
            "you change what it is counted in."
        )


def _made_before(session: Session, actor: Actor, key: str, sku: str) -> Product | None:
    """The product that the same request made when it came first."""
    answer = session.scalar(select(Posting.answer).where(Posting.actor_id == actor.id, Posting.key == key))
    if answer is None:
        return None
    lines = answer.get("lines") or [{}]
    product = session.get(Product, lines[0].get("product_id") or 0)
    if product is None or product.sku != sku:
        raise KeyReused("This key was used before for another request.")
    return product


# -- Barcodes ------------------------------------------------------------------------------------------------


def add_barcode(
    session: Session, actor: Actor, product_id: int, code: str, pack_factor: Decimal | int | str = 1
) -> Barcode:
    """Give a product a code; scanning it means `pack_factor` pieces. Given again, it means the new number.

    Refuses a code of another product, and another product's SKU, by that product's name.
    """
    auth.must(actor, "move stock")
    given, factor = code, posting.exact(pack_factor, "Pieces in a pack")
    code = barcodes.normal(given)
    if factor <= 0:
        raise BadInput(f"Pieces in a pack: {posting.plain(factor)} is not above zero.")
    product = locked(session, product_id)
    if session.scalar(select(func.count()).where(Barcode.product_id == product.id)) >= MOST_BARCODES:
        raise RuleBroken(f"{product.sku} has {MOST_BARCODES} barcodes already: remove one first.")
    _refuse_sku_of_another(session, product, {code, given.strip()})
    made = session.scalar(
        upsert(Barcode)
        .values(product_id=product.id, code=code, pack_factor=factor)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(Barcode.id)
    )
    barcode = session.scalars(
        select(Barcode).where(Barcode.code == code).execution_options(populate_existing=True)
    ).one()
    if barcode.product_id != product.id:
        owner = session.get_one(Product, barcode.product_id)
        raise RuleBroken(f"Barcode {inputs.shown(code)} belongs to {owner.sku} {inputs.shown(owner.name)}.")
    if made is None and barcode.pack_factor == factor:
        return barcode
    before = {"barcode": code, "pack_factor": posting.plain(barcode.pack_factor)} if made is None else None
    barcode.pack_factor = factor
    session.flush()
    audit.note(
        session, actor.id, "added barcode", "product", product.uid,
        before=before, after={"barcode": code, "pack_factor": posting.plain(factor)},
    )  # fmt: skip
    return barcode


def _refuse_sku_of_another(session: Session, product: Product, names: set[str]) -> None:
    """A scan of it could mean either."""
    other = session.scalars(
        select(Product).where(
            func.lower(Product.sku).in_([func.lower(name) for name in names]), Product.id != product.id
        )
    ).first()
    if other is not None:
        raise RuleBroken(f"'{inputs.shown(other.sku)}' is the SKU of {inputs.shown(other.name)} already.")


def remove_barcode(session: Session, actor: Actor, product_id: int, code: str) -> None:
    """Take a code from a product. Refuses one that it does not have."""
    auth.must(actor, "edit catalogue")
    product = locked(session, product_id)
    found = session.scalar(
        select(Barcode).where(
            Barcode.product_id == product.id, Barcode.code.in_([code, reading.spoken(code)])
        )
    )
    if found is None:
        raise NotFound(f"{product.sku} has no barcode '{inputs.shown(code)}'.")
    session.delete(found)
    session.flush()
    audit.note(
        session, actor.id, "removed barcode", "product", product.uid,
        before={"barcode": found.code, "pack_factor": posting.plain(found.pack_factor)},
    )  # fmt: skip
