"""No page reads the whole ledger: PostgreSQL's plans for what the dashboard asks, on 50,000 movements."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench import shop
from core import (
    alerts,
    demand,
    forecast_report,
    issued_ranges,
    predictions,
    products,
    scorecard,
    stock,
    stock_list,
)
from core.buying import advice, advice_lines, decision_tally, vendor_list
from core.doctor import finding_lists, ledger_lines
from core.doctor.ledger_lines import Typed
from core.scanning import scan_history
from db import queries, server
from db.models import Scan
from db.session import new_engine
from tests.makers import a_person

TODAY = date(2026, 11, 20)
NOON = datetime.combine(TODAY, time(12), UTC)
SIZE = shop.Size(products=500, warehouses=2, movements=50_000, days=200)


def _issue_and_score(session: Session) -> None:
    assert issued_ranges.issue(session, TODAY)
    issued_ranges.score(session, TODAY + timedelta(days=2), TODAY + timedelta(days=1))


def _advised(session: Session) -> None:
    session.execute(sa.text("UPDATE warehouse SET supplied_by_id = 1 WHERE id <> 1"))
    advice.make(session, None, NOON)
    assert advice_lines.lines(session, TODAY, horizon_days=30).rows
    advice_lines.vendors_summary(session, TODAY)


def _typed(session: Session) -> None:
    line = Typed(7, 1, Decimal(-12), "sale", Decimal(2), NOON, "Customer 1", "invoice", "I-1")
    ledger_lines.typed(session, [line], NOON)


LISTS: dict[str, Callable[[Session], Any]] = {
    "status tiles": predictions.tiles,
    "status tiles of a warehouse": lambda s: predictions.tiles(s, warehouse_id=1),
    "do these first": lambda s: products.search(s),
    "products by name, a late page": lambda s: products.search(s, sort="name", limit=50, offset=300),
    "products by what is on hand": lambda s: products.search(s, sort="on_hand", descending=True),
    "products of a status in a warehouse": lambda s: products.search(s, status="late", warehouse_id=2),
    "products by words": lambda s: products.search(s, text="lamp"),
    "categories": products.categories,
    "products as programs read them": lambda s: stock_list.listing(s, limit=1000),
    "products that are low": lambda s: stock_list.listing(s, status="low_stock", search="lamp"),
    "sparklines": lambda s: demand.sparklines(s, list(range(1, 51)), TODAY),
    "stock path": lambda s: demand.stock_path(s, 7, TODAY - timedelta(days=180), TODAY),
    "outlook": lambda s: predictions.outlook(s, 7, TODAY),
    "alerts": lambda s: alerts.listing(s, today=TODAY),
    "the watch over alerts": lambda s: alerts.raise_all(s, datetime.now(UTC), TODAY),
    "how often ranges were right": lambda s: scorecard.records(s, range(1, 51), TODAY),
    "a scorecard": lambda s: scorecard.of_product(s, 7, TODAY),
    "the forecasts of the shop": lambda s: forecast_report.of_shop(s, TODAY),
    "the worst forecasts": lambda s: forecast_report.worst(s, today=TODAY),
    "ranges issued and held against what happened": _issue_and_score,
    "vendors": lambda s: vendor_list.listing(s, TODAY, search="a"),
    "the tally of decisions": decision_tally.tally,
    "decisions": lambda s: decision_tally.listing(s, verdict="worse", search="lamp"),
    "what to order, worked out and shown": _advised,
    "stale run-outs": lambda s: predictions.refresh_stale(s, TODAY + timedelta(days=1), most=20),
}
LEDGER: dict[str, Callable[[Session], Any]] = {
    "the newest movements": lambda s: stock.history(s),
    "an older page": lambda s: stock.history(s, before_id=20_000),
    "the page of newer ones": lambda s: stock.history(s, after_id=20_000),
    "movements of a product": lambda s: stock.history(s, product_id=7),
    "movements of a warehouse": lambda s: stock.history(s, warehouse_id=2),
    "movements of a kind": lambda s: stock.history(s, kind="in"),
    "freshness": lambda s: predictions.freshness(s, TODAY),
    "some movements with all that stood before them": lambda s: ledger_lines.of_ids(s, [400, 30_000], TODAY),
    "new movements with all that stood before them": lambda s: ledger_lines.after(
        s, 49_900, 50_000, 50, TODAY
    ),
    "a line that somebody types": _typed,
    "findings": lambda s: finding_lists.listing(s, text="lamp"),
    "how many findings wait": finding_lists.counts,
    "the map of movements": finding_lists.map_points,
}


SCANS: dict[str, Callable[[Session], Any]] = {
    "the newest scans": lambda s: scan_history.history(s),
    "an old page of scans": lambda s: scan_history.history(s, before_id=5_000),
    "the page of newer scans": lambda s: scan_history.history(s, after_id=5_000),
    "the last scans of a person": lambda s: scan_history.recent(s, person_id=2),
    "scans of a place": lambda s: scan_history.history(s, warehouse_id=2),
    "scans of a product": lambda s: scan_history.history(s, product_id=7),
    "scans by words": lambda s: scan_history.history(s, text="lamp"),
    "scans of a product that is deleted": lambda s: s.execute(sa.select(Scan).where(Scan.product_id == 7)),
}
# Every eighth of them booked something.
SCANNED = sa.text(
    """
    INSERT INTO scan (person_id, key, scanned_at, source, mode, code, outcome, product_id, warehouse_id,
                      posting_id)
    SELECT 2 + n % 2, gen_random_uuid(), now() - make_interval(mins => 20000 - n), 'camera',
           CASE WHEN n % 8 = 0 THEN 'out' ELSE 'look_up' END, 'C' || n,
           CASE WHEN n % 8 = 0 THEN 'booked' ELSE 'found' END, 1 + n % 500, 1 + n % 2,
           CASE WHEN n % 8 = 0 THEN n / 8 END
    FROM generate_series(1, 20000) AS n
    """
)


@pytest.fixture(scope="module")
def big_shop(make_database) -> Iterator[sa.Engine]:
    with make_database() as url:
        shop.build(server.admin_url(sa.make_url(url).database), TODAY, SIZE)
        engine = new_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def scanned(big_shop: sa.Engine) -> sa.Engine:
    """The big shop with 20,000 scans of two people."""
    with Session(big_shop) as session, session.begin():
        for _ in range(2):
            a_person(session, "user")
        session.execute(SCANNED)
    admin = sa.create_engine(server.admin_url(big_shop.url.database), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("ANALYZE scan"))
    admin.dispose()
    return big_shop


def plans(engine: sa.Engine, look: Callable[[Session], Any]) -> list[dict]:
    """Every node of every plan for what `look` asks, with the statement it belongs to."""
    found: list[dict] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:  # noqa: ARG001
        if statement.lstrip("- ").upper().startswith(("SELECT", "WITH")) or statement.startswith("--"):
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (plan,) = cursor.fetchone()
            plan = plan if isinstance(plan, list) else json.loads(plan)
            found.extend(node | {"statement": statement} for node in nodes(plan[0]["Plan"]))

    with Session(engine) as session:
        connection = session.connection()
        sa.event.listen(connection, "before_cursor_execute", explain)
        look(session)
        session.rollback()
    assert found, "the look asked nothing"
    return found


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def touches(plan: list[dict], table: str) -> list[str]:
    """How the table is read. EXISTS is left out (a scan that is itself an InitPlan): it stops at one row."""
    return [
        node["Node Type"]
        for node in plan
        if node.get("Relation Name") == table and node.get("Parent Relationship") != "InitPlan"
    ]


@pytest.mark.parametrize("look", LISTS.values(), ids=LISTS.keys())
def test_lists_and_figures_never_touch_the_ledger(big_shop, look):
    assert touches(plans(big_shop, look), "movement") == []


@pytest.mark.parametrize("look", LEDGER.values(), ids=LEDGER.keys())
def test_movements_are_read_by_an_index(big_shop, look):
    assert "Seq Scan" not in touches(plans(big_shop, look), "movement")


@pytest.mark.parametrize("look", SCANS.values(), ids=SCANS.keys())
def test_scans_are_read_by_an_index_and_the_ledger_only_for_what_is_shown(scanned, look):
    plan = plans(scanned, look)
    assert touches(plan, "scan")
    assert "Seq Scan" not in touches(plan, "scan") + touches(plan, "movement")


def test_a_page_of_movements_reads_about_a_page(big_shop):
    """The cursor is an index condition, so that page 400 costs what page 1 costs."""
    (scan,) = [
        node
        for node in plans(big_shop, LEDGER["an older page"])
        if node.get("Relation Name") == "movement" and node.get("Alias") == "m"
    ]
    assert "20000" in scan["Index Cond"]


def test_demand_of_a_page_of_products_is_read_by_the_key(big_shop):
    plan = plans(big_shop, lambda s: demand.sparklines(s, [1, 2, 3], TODAY))
    assert touches(plan, "stock_day")
    assert "Seq Scan" not in touches(plan, "stock_day")


def test_stale_run_outs_are_found_in_one_pass_and_not_product_by_product(big_shop):
    plan = plans(
        big_shop, lambda s: queries.rows(s, "stale_run_outs", today=TODAY + timedelta(days=1), most=20)
    )
    assert touches(plan, "expected_receipt")
    assert touches(plan, "stock_day") == []
    assert [node for node in plan if node.get("Parent Relationship") == "SubPlan"] == []
    looped = [node for node in plan if node["Node Type"] == "Nested Loop" and node["Plan Rows"] > 2000]
    assert looped == []


def test_what_moved_is_found_in_one_pass_and_not_product_by_product(big_shop):
    plan = plans(big_shop, lambda s: queries.rows(s, "moved_since_forecast", until=TODAY))
    assert touches(plan, "stock_day")
    assert [node for node in plan if node.get("Parent Relationship") == "SubPlan"] == []


def test_a_sum_over_the_ledger_would_be_noticed(big_shop):
    plan = plans(big_shop, lambda s: s.execute(sa.text("SELECT sum(change) FROM movement")))
    assert touches(plan, "movement") == ["Seq Scan"]
