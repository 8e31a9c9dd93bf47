"""At how many pieces a product is low in one warehouse, beside the threshold of the whole shop."""

from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core import alert_watch, audit, auth, catalogue, inputs, product_fields
from core.auth import Actor
from core.errors import NotFound
from db.models import Warehouse, WarehouseThreshold


def of_product(session: Session, product_id: int) -> dict[int, Decimal]:
    """At or below how many pieces the product is low in a warehouse, by id of the warehouse."""
    rows = session.execute(
        select(WarehouseThreshold.warehouse_id, WarehouseThreshold.reorder_threshold).where(
            WarehouseThreshold.product_id == inputs.small_id(product_id, "product")
        )
    )
    return dict(rows.all())


def change(
    session: Session,
    actor: Actor,
    product_id: int,
    warehouse_id: int,
    threshold: Decimal | int | str | None,
) -> None:
    """Say at or below how many pieces the product is low in one warehouse; None says nothing there."""
    auth.must(actor, "edit catalogue")
    wanted = product_fields.threshold(threshold)
    product = catalogue.locked(session, product_id)
    place = session.get(Warehouse, inputs.small_id(warehouse_id, "warehouse"))
    if place is None:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    before = of_product(session, product.id).get(place.id)
    if before == wanted:
        return
    if wanted is None:
        session.execute(
            delete(WarehouseThreshold).where(
                WarehouseThreshold.product_id == product.id, WarehouseThreshold.warehouse_id == place.id
            )
        )
    else:
        kept = {"product_id": product.id, "warehouse_id": place.id, "reorder_threshold": wanted}
        session.execute(
            upsert(WarehouseThreshold)
            .values(kept)
            .on_conflict_do_update(index_elements=["product_id", "warehouse_id"], set_=kept)
        )
    alert_watch.look_at_now(session, [product.id])
    word = f"threshold in {place.code}"
    audit.note(
        session, actor.id, "changed", "product", product.uid,
        before=product_fields.said({word: before}), after=product_fields.said({word: wanted}),
    )  # fmt: skip
