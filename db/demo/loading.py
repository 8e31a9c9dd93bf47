"""The way of the demo shop into an empty database: catalogue rows, then the ledger in batches by COPY."""

import hashlib
import io
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import bcrypt
import numpy as np
import pandas as pd
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from db.demo import buying, catalogue
from db.demo.ledger import SEED, DemoShop, frames
from db.models import Barcode, Person, Product, Shop, Warehouse
from db.roles import SetupError

BCRYPT_ROUNDS = 12
SYSTEM_EMAIL = "runout@localhost"
PEOPLE = (
    ("admin@erp.example.com", "Aoife Brennan", "admin"),
    ("manager@erp.example.com", "Daniel Finch", "manager"),
    ("viewer@erp.example.com", "Maeve Doyle", "viewer"),
    ("user@erp.example.com", "Tomás Kelly", "user"),
)
PASSWORDS = {email: f"{role}123" for email, _, role in PEOPLE}

# What is older came in one go from the books before; since then people booked it themselves.
OWN_DAYS = 14
NOON = 12 * 60
COLUMNS = (
    "batch", "line_no", "product_id", "warehouse_id", "type", "reason_code", "change", "unit_price",
    "occurred_at", "reason", "reference_type", "reference_id", "customer", "returns_id", "returns_line",
    "counterpart_line",
)  # fmt: skip


def load(
    session: Session, today: date, progress: Callable[[float], None] | None = None, seed: int = SEED
) -> DemoShop:
    """Fill an empty shop with the demo shop; everything or, when the caller's transaction fails, nothing.

    Args:
        progress: called with the share done, 0..1.

    Raises:
        SetupError: when somebody has an account already, or something is in the catalogue.
    """
    refuse_unless_empty(session)
    report = progress or (lambda _share: None)
    shop = frames(today, seed)
    report(0.25)
    system, manager, user = _people(session)
    skus, codes = _catalogue(session, shop)
    vendors = buying.vendors(session, today)
    buying.offers(session, shop, vendors, skus, today)
    report(0.3)
    movements = shop.movements.assign(
        product_id=shop.movements.sku.map(skus), warehouse_id=shop.movements.warehouse.map(codes)
    )
    ids = np.zeros(len(movements), dtype=np.int64)
    booked = 0
    for name, rows in _batches(movements, today):
        actor = {"history": system, "morning": user, "afternoon": manager}[name.partition(" ")[0]]
        ids[rows] = _book(session, movements.loc[rows], ids, actor, f"demo {seed} {name}")
        booked += len(rows)
        report(0.3 + 0.7 * booked / len(movements))
    main = codes[shop.warehouses.code.iloc[0]]  # where vendors deliver
    buying.orders(session, shop, ids, vendors, skus, main, (manager, user))
    return shop


def refuse_unless_empty(session: Session) -> None:
    """Refuse a database in which somebody has an account or something is in the catalogue."""
    if session.scalar(select(Person.id).where(Person.email != SYSTEM_EMAIL).limit(1)) is not None:
        raise SetupError("The demo shop needs an empty database, and in this one somebody has an account.")
    if session.scalar(select(Product.id).limit(1)) or session.scalar(select(Warehouse.id).limit(1)):
        raise SetupError("The demo shop needs an empty database, and this one has products or warehouses.")


def _people(session: Session) -> tuple[int, int, int]:
    """Make the four accounts; ids of the system, the manager and the user."""
    system = session.scalar(select(Person.id).where(Person.email == SYSTEM_EMAIL))
    if system is None:
        nobody = {"email": SYSTEM_EMAIL, "name": "Runout", "role": "admin", "password_hash": "!"}
        system = session.scalar(insert(Person).values(**nobody, is_active=False).returning(Person.id))
    ids = {}
    for email, name, role in PEOPLE:
        hashed = bcrypt.hashpw(PASSWORDS[email].encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
        row = {"email": email, "name": name, "role": role, "password_hash": hashed, "is_demo": True}
        ids[role] = session.scalar(insert(Person).values(**row).returning(Person.id))
    return system, ids["manager"], ids["user"]


def _catalogue(session: Session, shop: DemoShop) -> tuple[dict[str, int], dict[str, int]]:
    """Write shop, warehouses, products and codes; ids by SKU and by warehouse code."""
    settings = catalogue.SHOP | {"is_demo": True}
    session.execute(upsert(Shop).values(id=1, **settings).on_conflict_do_nothing())
    session.execute(update(Shop).where(Shop.id == 1).values(**settings))
    places = [row | {"time_zone": settings["time_zone"]} for row in _rows(shop.warehouses)]
    codes = _insert(session, Warehouse, places, Warehouse.code)
    main = codes[shop.warehouses.code.iloc[0]]
    session.execute(update(Warehouse).where(Warehouse.id != main).values(supplied_by_id=main))
    columns = ["sku", "name", "category", "unit_of_measure", "unit_cost", "unit_price", "reorder_threshold",
               "lead_time_days"]  # fmt: skip
    skus = _insert(session, Product, _rows(shop.products[columns]), Product.sku)
    barcodes = shop.barcodes.assign(product_id=shop.barcodes.sku.map(skus)).drop(columns="sku")
    session.execute(insert(Barcode), _rows(barcodes))
    return skus, codes


def _insert(session: Session, table: type, rows: list[dict[str, Any]], key: Any) -> dict[str, int]:
    session.execute(insert(table), rows)
    return {name: number for number, name in session.execute(select(table.id, key))}


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as the driver wants them: plain values, fractions as exact decimals."""
    return [
        {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def _batches(movements: pd.DataFrame, today: date) -> list[tuple[str, np.ndarray]]:
    """Names and rows of the postings in booking order: a month each, at the end two for each day."""
    own = today - timedelta(days=OWN_DAYS)
    local = movements.occurred_at.dt.tz_convert(catalogue.SHOP["time_zone"])
    afternoon = (local.dt.hour * 60 + local.dt.minute) >= NOON
    names = [
        f"history {day:%Y-%m}" if day < own else f"{'afternoon' if late else 'morning'} {day}"
        for day, late in zip(movements.day, afternoon, strict=True)
    ]
    found = pd.Series(movements.index, index=names).groupby(level=0, sort=False)
    return [(name, rows.to_numpy()) for name, rows in found]


def _book(session: Session, lines: pd.DataFrame, ids: np.ndarray, actor: int, key: str) -> np.ndarray:
    """Book consecutive rows of the ledger as one posting; ids of their movements, in order.

    `ids` holds the ids of all rows booked before, for returns of an earlier batch's sale.
    """
    first, batch = lines.index[0], uuid.uuid5(uuid.NAMESPACE_OID, key)
    earlier = lines.returns_line < first
    sale_ids = pd.Series(ids[lines.returns_line.fillna(0).astype(int)], lines.index, dtype="Int64")
    copied = lines.assign(
        batch=batch,
        line_no=lines.index - first,
        returns_id=sale_ids.where(earlier),
        returns_line=(lines.returns_line - first).where(~earlier),
        counterpart_line=lines.counterpart_line - first,
    )
    data = copied.to_csv(columns=list(COLUMNS), header=False, index=False)
    with session.connection().connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY posting_line ({', '.join(COLUMNS)}) FROM STDIN WITH (FORMAT csv)", io.StringIO(data)
        )
    answer = session.scalar(
        text("SELECT post_stock_lines(:actor, 'demo', :key, :hash, :batch)"),
        {"actor": actor, "key": key, "hash": hashlib.sha256(data.encode()).digest(), "batch": batch},
    )
    if "refused" in answer:
        raise SetupError(f"The ledger refused the demo's lines: {answer['refused'][:3]}.")
    booked = text("SELECT id FROM movement WHERE posting_id = :posting ORDER BY id")
    return np.array(session.scalars(booked, {"posting": answer["posting_id"]}).all())
