"""A big shop from a seed, copied straight into the ledger's tables: a million movements in about a minute.

Copying passes the posting functions by, as the superuser only; afterwards `db/queries/ledger_faults.sql` says
whether levels, chain and roll-up are what the functions would have made of the same movements.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import auth, model_runs, predictions
from core.forecast import depletion, packing
from db import queries, roles, server

CATEGORIES = ("Kitchen", "Garden", "Lighting", "Stationery", "Toys", "Textiles", "Tools", "Decoration")
WORDS = ("Small", "Large", "Red", "Blue", "Oak", "Steel", "Paper", "Glass", "Folding", "Classic")
THINGS = ("box", "lamp", "mug", "basket", "notebook", "cushion", "hook", "tray", "clock", "frame")
LINES_PER_POSTING = 10
PATHS, HORIZON_DAYS, RATES = 200, 120, 40


@dataclass(frozen=True)
class Size:
    """How big the shop is; movements are spread over `days` up to yesterday."""

    products: int = 10_000
    warehouses: int = 3
    movements: int = 1_000_000
    days: int = 400


@contextmanager
def a_database(home: Path, name: str) -> Iterator[str]:
    """A fresh migrated database on the server of `home`; yields the superuser's URL, drops it afterwards."""
    admin = sa.create_engine(server.admin_url(folder=home), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    url = server.admin_url(name, home)
    try:
        roles.make_roles(url)
        roles.migrate(url)
        yield url
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def build(url: str, today: date, size: Size | None = None, seed: int = 1) -> None:
    """Fill an empty migrated database (superuser's `url`). Raises ValueError when the ledger is not sound."""
    size = size or Size()
    chance = np.random.default_rng(seed)
    engine = sa.create_engine(url)
    try:
        with Session(engine) as session, session.begin():
            _catalogue(session, size, chance)
        moves = _moves(today, size, chance)
        with Session(engine) as session, session.begin():
            _ledger(session, moves)
        with Session(engine) as session, session.begin():
            _forecasts(session, moves, today, size, chance)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
            faults = dict(connection.execute(queries.sql("ledger_faults")).mappings().one())
        if any(faults.values()):
            raise ValueError(f"The generated ledger is not sound: {faults}")
    finally:
        engine.dispose()


def _catalogue(session: Session, size: Size, chance: np.random.Generator) -> None:
    """Warehouses 1..n and products 1..n; the ids are given, so that the ledger can be made in memory."""
    auth.system_actor(session)
    warehouses = pd.DataFrame({"id": np.arange(1, size.warehouses + 1)})
    warehouses["code"] = "WH-" + warehouses.id.astype(str)
    warehouses = warehouses.assign(name=warehouses.code, time_zone="UTC", is_default=warehouses.id == 1)
    copy(session, "warehouse", warehouses)
    number = np.arange(1, size.products + 1)
    cost = np.round(np.exp(chance.normal(1.5, 1, size.products)) + 0.1, 2)
    products = pd.DataFrame(
        {
            "id": number,
            "sku": [f"P-{n:06d}" for n in number],
            "name": [f"{WORDS[n % 10]} {THINGS[n // 10 % 10]} {n}" for n in number],
            "category": np.array(CATEGORIES)[chance.integers(0, len(CATEGORIES), size.products)],
            "unit_cost": cost,
            "unit_price": np.round(cost * 1.8, 2),
            "lead_time_days": chance.choice((5, 10, 14, 21), size.products),
        }
    )
    copy(session, "product", products)
    copy(session, "barcode", pd.DataFrame({"product_id": number, "code": [f"20{n:011d}" for n in number]}))
    for table in ("warehouse", "product"):
        session.execute(
            sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        )


def _moves(today: date, size: Size, chance: np.random.Generator) -> pd.DataFrame:
    """Movements in booking order: each shelf opens with what it will need, then sells and is refilled."""
    shelves = size.products * size.warehouses
    popularity = np.exp(chance.normal(0, 1.2, size.products))
    share = np.repeat(popularity / popularity.sum(), size.warehouses) / size.warehouses
    rest = max(size.movements - shelves, 0)
    shelf = np.concatenate([np.arange(shelves), chance.choice(shelves, rest, p=share)])
    second = np.concatenate([np.zeros(shelves), np.sort(chance.integers(1, size.days * 86_400, rest))])
    # Refills are fewer than sales, so the opening stock shrinks and the lowest point lies near the end.
    is_sale = chance.random(len(shelf)) < 0.955
    change = np.where(is_sale, -chance.integers(1, 6, len(shelf)), chance.integers(20, 60, len(shelf)))
    change[:shelves] = 0
    moves = pd.DataFrame({"shelf": shelf, "change": change, "is_sale": is_sale})
    lowest = moves.groupby("shelf").change.cumsum().groupby(moves.shelf).min().to_numpy()
    # What is left at the end is a few pieces to a few months of cover, so that every status occurs.
    left = chance.integers(0, 60, shelves) * chance.random(shelves)
    moves.loc[: shelves - 1, "change"] = np.maximum(left.astype(int) - np.minimum(lowest, 0), 1)
    moves.loc[: shelves - 1, "is_sale"] = False
    after = moves.groupby("shelf").change.cumsum()
    begin = np.datetime64(today - timedelta(days=size.days), "s")
    happened = begin + second.astype("timedelta64[s]")
    number = np.arange(1, len(moves) + 1)
    return pd.DataFrame(
        {
            "id": number,
            "posting_id": (number - 1) // LINES_PER_POSTING + 1,
            "product_id": moves.shelf // size.warehouses + 1,
            "warehouse_id": moves.shelf % size.warehouses + 1,
            "type": np.where(moves.is_sale, "out", "in"),
            "reason_code": np.where(moves.is_sale, "sale", np.where(number <= shelves, "opening", "receipt")),
            "change": moves.change,
            "stock_before": after - moves.change,
            "stock_after": after,
            "occurred_at": happened,
            "day": happened.astype("datetime64[D]"),
        }
    )


def _ledger(session: Session, moves: pd.DataFrame) -> None:
    """Postings, movements, levels and roll-up of the moves."""
    # Foreign keys are checked row by row by triggers; the ids are right by construction.
    session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    actor = auth.system_actor(session)
    postings = moves.groupby("posting_id").occurred_at.max().reset_index(name="recorded_at")
    postings = postings.rename(columns={"posting_id": "id"}).assign(
        actor_id=actor.id, kind="import", request_hash="\\x00", answer="{}"
    )
    postings["key"] = "bench " + postings.id.astype(str)
    copy(session, "posting", postings)
    rows = moves.assign(
        occurred_at=moves.occurred_at.dt.strftime("%Y-%m-%d %H:%M:%S+00"),
        demand_day=moves.day.where(moves.type == "out"),
        unit_price=np.where(moves.type == "out", 9.9, np.nan),
    )
    copy(session, "movement", rows)
    place = ["product_id", "warehouse_id"]
    last = moves.groupby(place).agg(quantity=("stock_after", "last"), last_movement_id=("id", "last"))
    copy(session, "stock_level", last.reset_index())
    sold = np.where(moves.type == "out", -moves.change, 0)
    daily = moves.assign(demand=sold, receipts=moves.change + sold).groupby([*place, "day"], sort=False)
    days = daily.agg(demand=("demand", "sum"), receipts=("receipts", "sum"), closing=("stock_after", "last"))
    copy(session, "stock_day", days.reset_index().assign(other=0))
    for name, highest in (("movement", moves.id.max()), ("posting", moves.posting_id.max())):
        session.execute(sa.text(f"SELECT setval('{name}_id_seq', {int(highest)})"))


def _forecasts(
    session: Session, moves: pd.DataFrame, today: date, size: Size, chance: np.random.Generator
) -> None:
    """A published run: Poisson paths of a few rates shared by all products, and the run-outs they mean."""
    actor = auth.system_actor(session)
    as_of = today - timedelta(days=1)
    run_id = model_runs.start(session, actor, as_of, {"name": "bench"}, None)
    sold = -moves.change.where(moves.type == "out", 0).groupby(moves.product_id).sum()
    daily = sold.reindex(np.arange(1, size.products + 1), fill_value=0).to_numpy() / size.days
    rates = np.quantile(daily, (np.arange(RATES) + 0.5) / RATES)
    paths = [np.cumsum(chance.poisson(rate, (PATHS, HORIZON_DAYS)), axis=1) for rate in rates]
    packed = [f"\\x{packing.encode(drawn).hex()}" for drawn in paths]
    fans = [json.dumps(depletion.fan(drawn)) for drawn in paths]
    nearest = np.abs(daily[:, None] - rates).argmin(axis=1)
    rows = pd.DataFrame({"product_id": np.arange(1, size.products + 1)}).assign(
        model_run_id=run_id, is_current=True, as_of=as_of, state="ok", reason="Drawn for a measurement.",
        method="bench", demand_class="smooth", history_days=size.days, demand_days=size.days,
        daily_rate=daily.round(4), paths=[packed[n] for n in nearest], fan=[fans[n] for n in nearest],
    )  # fmt: skip
    copy(session, "forecast", rows)
    outs = list(predictions.run_out_rows(session, rows.product_id.tolist(), today))
    copy(session, "run_out", pd.DataFrame(outs, dtype=object))
    session.execute(
        sa.text("UPDATE model_run SET state = 'published', trained = :n, finished_at = :at WHERE id = :run"),
        {"n": size.products, "run": run_id, "at": datetime.now(UTC)},
    )


def copy(session: Session, table: str, frame: pd.DataFrame) -> None:
    """COPY a frame whose columns are named like those of the table; NaN and None become null."""
    columns = ", ".join(f'"{name}"' for name in frame)
    with session.connection().connection.cursor() as cursor:
        for start in range(0, len(frame), 200_000):
            text = frame.iloc[start : start + 200_000].to_csv(index=False, header=False)
            cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN WITH (FORMAT csv)', io.StringIO(text))
