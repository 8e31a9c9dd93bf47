"""The bulk reads and writes of an import: keys, products, levels, sales that a return may take back."""

import io
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from core.imports import sales_history
from core.imports.table_dialect import SCALE
from core.imports.table_text import ISSUE_COLUMNS
from db.models import Import, Product, StockLevel

if TYPE_CHECKING:
    from core.imports.sales_plan import Plan

CHUNK = 20_000
NAME_CHARACTERS = 200
NOT_BEGUN = np.iinfo(np.int64).min  # no day is before it

_KNOWN = text("SELECT key FROM import_line WHERE key = ANY(CAST(:keys AS uuid[]))")
# The first row of the roll-up of each shelf: one look into its index.
_FIRST_DAYS = text("""
    SELECT level.product_id, level.warehouse_id, first.day
    FROM stock_level AS level
    CROSS JOIN LATERAL (
        SELECT s.day FROM stock_day AS s
        WHERE s.product_id = level.product_id AND s.warehouse_id = level.warehouse_id
        ORDER BY s.day LIMIT 1
    ) AS first
    WHERE level.product_id = ANY(CAST(:products AS integer[]))
""")
# Sales that a return may take back: not answered yet, inside the window before the first return.
_OPEN_SALES = text("""
    SELECT m.id AS returns_id, m.product_id, m.warehouse_id, m.change, m.occurred_at, m.customer
    FROM movement AS m
    WHERE m.product_id = ANY(CAST(:products AS integer[]))
      AND m.change < 0 AND m.demand_day IS NOT NULL AND m.reverses_id IS NULL
      AND m.occurred_at BETWEEN :since AND :until
      AND NOT EXISTS (SELECT 1 FROM movement AS later
                      WHERE (later.returns_id = m.id OR later.reverses_id = m.id)
                        AND NOT EXISTS (SELECT 1 FROM movement AS undone WHERE undone.reverses_id = later.id))
    ORDER BY m.id
""")


def known_keys(session: Session, keys: np.ndarray, source: str) -> np.ndarray:
    """Which lines were imported before."""
    if session.scalar(select(Import.id).where(Import.source == source).limit(1)) is None:
        return np.zeros(len(keys), bool)
    known: set[str] = set()
    for start in range(0, len(keys), CHUNK):
        found = session.scalars(_KNOWN, {"keys": list(keys[start : start + CHUNK])})
        known.update(key.hex for key in found)
    return np.fromiter((key in known for key in keys), bool, len(keys))


def products(session: Session, codes: pd.Series) -> tuple[list[str], np.ndarray]:
    """The distinct codes of the file and the id of each product, -1 where there is none yet.

    A product is found by its SKU whatever the case; the same spelling wins.
    """
    exact: dict[str, int] = {}
    folded: dict[str, int] = {}
    for product_id, sku in session.execute(select(Product.id, Product.sku).order_by(Product.id)):
        exact[sku] = product_id
        folded.setdefault(sku.casefold(), product_id)
    distinct = [str(code) for code in pd.unique(codes)]
    ids = [exact.get(code, folded.get(code.casefold(), -1)) for code in distinct]
    return distinct, np.asarray(ids, np.int64)


def first_days(session: Session, pairs: pd.DataFrame) -> np.ndarray:
    """For each pair the first day (number) on which something moved there; NOT_BEGUN where nothing did."""
    ids = [int(product_id) for product_id in pairs["product_id"].unique() if product_id >= 0]
    rows = session.execute(_FIRST_DAYS, {"products": ids})
    begun = {(product, warehouse): (day - date(1970, 1, 1)).days for product, warehouse, day in rows}
    named = zip(pairs["product_id"], pairs["warehouse_id"], strict=True)
    return np.fromiter((begun.get(pair, NOT_BEGUN) for pair in named), np.int64, len(pairs))


def levels(session: Session, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """For each pair: whether something moved there before, and what is on hand.

    What happened before anything moved (`is_past`) finds an empty ledger.
    """
    has_history = np.zeros(len(pairs), bool)
    on_hand = np.zeros(len(pairs), np.int64)
    wanted = {
        (product, warehouse): place
        for place, (product, warehouse, is_past) in enumerate(
            zip(pairs["product_id"], pairs["warehouse_id"], pairs["is_past"], strict=True)
        )
        if product >= 0 and not is_past
    }
    question = select(StockLevel.product_id, StockLevel.warehouse_id, StockLevel.quantity).where(
        StockLevel.last_movement_id.is_not(None)
    )
    for product, warehouse, quantity in session.execute(question):
        place = wanted.get((product, warehouse))
        if place is not None:
            has_history[place], on_hand[place] = True, int(quantity * SCALE)
    return has_history, on_hand


def with_partners(session: Session, lines: pd.DataFrame, going_on: pd.DataFrame) -> pd.DataFrame:
    """Lines with `partner` (place of the sale a return takes back) and `returns_id` (one in the ledger)."""
    earlier = _open_sales(session, lines, going_on)
    columns = ["pair", "customer", "change", "at"]
    both = pd.concat([earlier[columns], lines[columns]], ignore_index=True)
    partner = sales_history.match_returns(both)[len(earlier) :]
    in_ledger = (partner >= 0) & (partner < len(earlier))
    returns_id = np.full(len(lines), None, object)
    returns_id[in_ledger] = earlier["returns_id"].to_numpy()[partner[in_ledger]]
    in_file = np.where(partner >= len(earlier), partner - len(earlier), -1)
    return lines.assign(partner=in_file, returns_id=returns_id)


def _open_sales(session: Session, lines: pd.DataFrame, going_on: pd.DataFrame) -> pd.DataFrame:
    returns = lines[(lines["change"] > 0) & lines["pair"].isin(going_on["pair"])]
    empty = lines.iloc[:0].assign(returns_id=pd.Series(dtype=object))
    if not len(returns):
        return empty
    asked = going_on[going_on["pair"].isin(returns["pair"])]
    first, last = (pd.Timestamp(moment, tz="UTC") for moment in (returns["at"].min(), returns["at"].max()))
    found = session.execute(
        _OPEN_SALES,
        {
            "products": [int(product) for product in asked["product_id"].unique()],
            "since": (first - pd.Timedelta(sales_history.RETURN_WINDOW)).to_pydatetime(),
            "until": last.to_pydatetime(),
        },
    )
    frame = pd.DataFrame(found.fetchall(), columns=list(found.keys()))
    frame = frame.merge(asked[["product_id", "warehouse_id", "pair"]], on=["product_id", "warehouse_id"])
    if frame.empty:
        return empty
    return frame.assign(
        change=[int(change * SCALE) for change in frame["change"]],
        customer=frame["customer"].fillna(""),
        at=pd.to_datetime(frame["occurred_at"], utc=True).dt.tz_localize(None).to_numpy("datetime64[us]"),
    )


def create_products(session: Session, plan: "Plan") -> np.ndarray:
    """Make the products that are new; the id for each product number of the plan."""
    lines, names = plan.lines, plan.understood.names
    sold = lines[(lines["change"] < 0) & (lines["unit_price"] > 0)]
    prices = sold.groupby("product")["unit_price"].median()
    new = set(plan.outcome.new_products)
    rows = [
        {
            "sku": code,
            "name": (names.get(code) or code)[:NAME_CHARACTERS],
            "unit_price": Decimal(int(prices[number])) / SCALE if number in prices.index else None,
        }
        for number, code in enumerate(plan.codes)
        if code in new
    ]
    ids = plan.known.copy()
    number_of = {code: number for number, code in enumerate(plan.codes)}
    for start in range(0, len(rows), CHUNK):
        made = session.execute(
            insert(Product).returning(Product.id, Product.sku), rows[start : start + CHUNK]
        )
        for product_id, sku in made:
            ids[number_of[sku]] = product_id
    return ids


def remember_lines(session: Session, import_id: int, keys: np.ndarray) -> None:
    """Keep which lines are in the ledger now."""
    _copy(session, "import_line", pd.DataFrame({"key": keys, "import_id": import_id}))


def remember_issues(session: Session, import_id: int, issues: pd.DataFrame) -> None:
    """Keep what was said about lines."""
    _copy(session, "import_issue", issues[ISSUE_COLUMNS].assign(import_id=import_id))


def _copy(session: Session, table: str, frame: pd.DataFrame) -> None:
    columns = ", ".join(frame.columns)
    with session.connection().connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv)",
            io.StringIO(frame.to_csv(index=False, header=False)),
        )
