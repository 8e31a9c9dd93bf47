"""Products by the ten thousand: read whole, made and changed in a few statements."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from db.models import Barcode, Product, RunOut

CHUNK = 10_000
FIELDS = (
    "sku", "name", "description", "category", "unit_of_measure", "unit_cost", "unit_price",
    "reorder_threshold", "lead_time_days",
)  # fmt: skip

_INSERT = text("""
    INSERT INTO product (sku, name, description, category, unit_of_measure, unit_cost, unit_price,
                         reorder_threshold, lead_time_days, is_active)
    SELECT * FROM unnest(
        CAST(:sku AS text[]), CAST(:name AS text[]), CAST(:description AS text[]), CAST(:category AS text[]),
        CAST(:unit_of_measure AS text[]), CAST(:unit_cost AS numeric[]), CAST(:unit_price AS numeric[]),
        CAST(:reorder_threshold AS numeric[]), CAST(:lead_time_days AS smallint[]),
        CAST(:is_active AS boolean[]))
    RETURNING id, sku
""")
_UPDATE = text("""
    UPDATE product AS p
    SET name = n.name, description = n.description, category = n.category,
        unit_of_measure = n.unit_of_measure, unit_cost = n.unit_cost, unit_price = n.unit_price,
        reorder_threshold = n.reorder_threshold, lead_time_days = n.lead_time_days,
        is_active = n.is_active, updated_at = clock_timestamp()
    FROM unnest(
        CAST(:id AS integer[]), CAST(:name AS text[]), CAST(:description AS text[]),
        CAST(:category AS text[]), CAST(:unit_of_measure AS text[]), CAST(:unit_cost AS numeric[]),
        CAST(:unit_price AS numeric[]), CAST(:reorder_threshold AS numeric[]),
        CAST(:lead_time_days AS smallint[]), CAST(:is_active AS boolean[])
    ) AS n (id, name, description, category, unit_of_measure, unit_cost, unit_price, reorder_threshold,
            lead_time_days, is_active)
    WHERE p.id = n.id
""")
_BARCODES = text("""
    INSERT INTO barcode (product_id, code)
    SELECT * FROM unnest(CAST(:id AS integer[]), CAST(:code AS text[]))
""")
# As if they were of yesterday: the minute's tick brings them up to date, and lists keep what they had.
_STALE = text("UPDATE run_out SET as_of = as_of - 1 WHERE product_id = ANY(CAST(:id AS integer[]))")


def by_sku(session: Session, *, lock: bool = False) -> Callable[[str], dict[str, Any] | None]:
    """How to find a product (id, fields, is_active) by its SKU: the same spelling first, else any case.

    With `lock` nobody else changes a product until this transaction ends; booking stock goes on.
    """
    columns = [getattr(Product, name) for name in ("id", *FIELDS, "is_active")]
    question = select(*columns).order_by(Product.id)
    if lock:
        question = question.with_for_update(key_share=True)
    exact: dict[str, dict[str, Any]] = {}
    folded: dict[str, dict[str, Any]] = {}
    for row in session.execute(question).mappings():
        known = dict(row)
        exact[known["sku"]] = known
        folded.setdefault(known["sku"].casefold(), known)
    return lambda sku: exact.get(sku) or folded.get(sku.casefold())


def sku_by_barcode(session: Session) -> dict[str, str]:
    """Whose each barcode of the shop is."""
    question = select(Barcode.code, Product.sku).join(Product, Product.id == Barcode.product_id)
    return dict(session.execute(question).all())


def insert(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Make products (`FIELDS` and is_active); their ids in the same order."""
    ids: list[int] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        made = session.execute(_INSERT, _columns(chunk, (*FIELDS, "is_active")))
        id_of = {sku: product_id for product_id, sku in made}
        ids.extend(id_of[row["sku"]] for row in chunk)
    return ids


def update(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write whole products by their id; the SKU stays."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        session.execute(_UPDATE, _columns(chunk, ("id", *FIELDS[1:], "is_active")))


def add_barcodes(session: Session, codes: Sequence[tuple[int, str]]) -> None:
    """Give products (by id) a barcode of one piece each."""
    for start in range(0, len(codes), CHUNK):
        ids, texts = zip(*codes[start : start + CHUNK], strict=True)
        session.execute(_BARCODES, {"id": list(ids), "code": list(texts)})


def mark_stale(session: Session, product_ids: Sequence[int]) -> None:
    """What run-outs say about money and time follows from the products: have them worked out anew."""
    if product_ids:
        session.execute(_STALE, {"id": list(product_ids)})


def forget_run_outs(session: Session, product_ids: Sequence[int]) -> None:
    """Products that are not sold any more run out of nothing."""
    for start in range(0, len(product_ids), CHUNK):
        some = product_ids[start : start + CHUNK]
        session.execute(delete(RunOut).where(RunOut.product_id.in_(some)))


def _columns(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, list]:
    return {name: [row[name] for row in rows] for name in names}
