"""What does the ledger cost? Bookings per second beside a bare UPDATE and INSERT, and 100,000 lines at once.

`python -m bench.posting [--seconds S] [--lines N]`
"""

import argparse
import io
import multiprocessing
import os
import random
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench import ratios, shop
from core import auth, stock
from core.auth import Actor
from db import queries, server
from db import session as doors
from db.models import Product, Warehouse

PRODUCTS, ROUNDS, CLIENTS = 2000, 3, 8
PLAIN = (
    "CREATE TABLE plain_level (product_id integer PRIMARY KEY, quantity numeric(18, 4) NOT NULL)",
    "CREATE TABLE plain_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " product_id integer NOT NULL, change numeric(18, 4) NOT NULL, at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO plain_level SELECT id, 1000000 FROM product",
    "GRANT ALL ON plain_level, plain_entry TO runout_app",
)
UPDATE = sa.text("UPDATE plain_level SET quantity = quantity - 1 WHERE product_id = :p AND quantity >= 1")
INSERT = sa.text("INSERT INTO plain_entry (product_id, change) VALUES (:p, -1)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.posting", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="per variant and round")
    parser.add_argument("--lines", type=int, default=100_000, help="of the booking in bulk")
    options = parser.parse_args()
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_posting") as url:
            admin = sa.create_engine(url)
            app = server.url(doors.APP_ROLE, "bench_posting", home)
            doors.bind(doors.new_engine(app))
            actor, products, warehouse_id = world()
            with admin.begin() as connection:
                for statement in PLAIN:
                    connection.execute(sa.text(statement))
            for clients in (1, CLIENTS):
                singles(app, actor, products, warehouse_id, clients, options.seconds)
            bulk(admin, actor, products, warehouse_id, options.lines)
            with admin.connect() as connection:
                faults = dict(connection.execute(queries.sql("ledger_faults")).mappings().one())
            print(f"\nThe ledger afterwards: {'sound' if not any(faults.values()) else faults}")
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def world() -> tuple[Actor, list[int], int]:
    """Products with a million pieces each in one warehouse, and who books."""
    with doors.transaction() as session:
        warehouse = Warehouse(code="WH", name="WH", time_zone="UTC", is_default=True)
        products = [Product(sku=f"P-{n}", name=f"Product {n}") for n in range(PRODUCTS)]
        session.add_all([warehouse, *products])
        session.flush()
        ids = [product.id for product in products]
        opening = pd.DataFrame({"product_id": ids}).assign(
            warehouse_id=warehouse.id, type="in", reason_code="opening", change=1_000_000
        )
        actor = auth.system_actor(session)
        stock.post_lines(session, actor, "opening", opening, "opening", b"")
    return actor, ids, warehouse.id


# -- One at a time -------------------------------------------------------------------------------------------


def singles(
    url: str, actor: Actor, products: list[int], warehouse_id: int, clients: int, seconds: float
) -> None:
    """Transactions per second of each variant, with that many processes booking on random products."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(clients):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_client, args=(theirs, url, actor, products, warehouse_id, number), daemon=True
        )
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()  # imported and connected
    rates: dict[str, list[float]] = {name: [] for name in _variants(actor, warehouse_id)}
    for _ in range(ROUNDS):
        for name, seen in rates.items():
            for pipe in pipes:
                pipe.send((name, seconds))
            seen.append(sum(pipe.recv() for pipe in pipes))
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(None)
        process.join()
    ratios.show(
        f"One booking a transaction, {clients} client{'s' if clients > 1 else ''}",
        "per second",
        {name: (statistics.median(r), min(r), max(r)) for name, r in rates.items()},
    )


def _client(
    pipe: Connection, url: str, actor: Actor, products: list[int], warehouse_id: int, number: int
) -> None:
    doors.bind(doors.new_engine(url))
    with doors.reading() as session:
        session.execute(sa.text("SELECT 1"))
    chance, variants = random.Random(number), _variants(actor, warehouse_id)
    pipe.send("ready")
    while (order := pipe.recv()) is not None:
        name, seconds = order
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            with doors.transaction() as session:
                variants[name](session, chance.choice(products))
            done += 1
        pipe.send(done / (time.perf_counter() - started))


def _variants(actor: Actor, warehouse_id: int) -> dict[str, Callable[[Session, int], object]]:
    def plain(session: Session, product_id: int) -> None:
        session.execute(UPDATE, {"p": product_id})
        session.execute(INSERT, {"p": product_id})

    def book(session: Session, product_id: int) -> object:
        return stock.remove(session, actor, product_id, warehouse_id, 1)

    return {"UPDATE and INSERT": plain, "stock.remove": book}


# -- Many at once --------------------------------------------------------------------------------------------


def bulk(admin: sa.Engine, actor: Actor, products: list[int], warehouse_id: int, lines: int) -> None:
    """Rows per second of `stock.post_lines`, beside a bare COPY into a table like the ledger's."""
    chance = np.random.default_rng(1)
    days = chance.integers(0, 365, lines)
    now = datetime.now(UTC)
    frame = pd.DataFrame(
        {
            "product_id": chance.choice(products, lines),
            "warehouse_id": warehouse_id,
            "type": "out",
            "reason_code": "sale",
            "change": -chance.integers(1, 9, lines),
            "unit_price": 9.99,
            "occurred_at": [(now - timedelta(days=int(day))).isoformat() for day in days],
            "reference_id": [f"R-{n // 10}" for n in range(lines)],
        }
    )
    before = _on_hand()
    rates: dict[str, list[float]] = {"COPY": [], "stock.post_lines": []}
    for turn in range(ROUNDS):
        started = time.perf_counter()
        _copy(admin, frame)
        rates["COPY"].append(lines / (time.perf_counter() - started))
        started = time.perf_counter()
        with doors.transaction(seconds=600) as session:
            stock.post_lines(session, actor, "import", frame, f"bulk {turn}", b"")
        rates["stock.post_lines"].append(lines / (time.perf_counter() - started))
    ratios.show(
        f"{lines:,} movements in one transaction",
        "rows per second",
        {name: (statistics.median(r), min(r), max(r)) for name, r in rates.items()},
    )
    wanted = before.add(frame.groupby("product_id").change.sum() * ROUNDS, fill_value=0)
    wrong = int((_on_hand() != wanted).sum())
    print(f"  wrong balances: {wrong} of {len(wanted)}")


def _on_hand() -> pd.Series:
    with doors.reading() as session:
        rows = session.execute(sa.text("SELECT product_id, quantity FROM stock_level")).all()
    return pd.Series({product: float(quantity) for product, quantity in rows}).sort_index()


def _copy(admin: sa.Engine, frame: pd.DataFrame) -> None:
    """The same columns into a table with the ledger's columns, checks and indexes, but no rules."""
    with admin.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS plain_movement"))
        connection.execute(sa.text("CREATE TABLE plain_movement (LIKE movement INCLUDING ALL)"))
        rows = frame.assign(
            id=range(1, len(frame) + 1), posting_id=1, stock_before=10_000, day=frame.occurred_at.str[:10]
        )
        rows["stock_after"] = rows.stock_before + rows.change
        with connection.connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY plain_movement ({', '.join(rows)}) FROM STDIN WITH (FORMAT csv)",
                io.StringIO(rows.to_csv(index=False, header=False)),
            )


if __name__ == "__main__":
    main()
