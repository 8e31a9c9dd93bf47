"""How long do the pages take with 10,000 products and a million movements?

`python -m bench.pages [--products N --movements N --home FOLDER]`: milliseconds of the looks that the pages
take, and of whole reruns of their scripts, beside what a sum over the ledger would cost.
"""

import argparse
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from bench import advice as buying
from bench import ratios, shop, visitor
from core import auth, demand, predictions, products, stock
from core.buying import advice, advice_lines, advice_state, basket, drafts, order_lists, vendor_list
from db import server
from db import session as doors

PAGE_ROWS = 50
COOKIE = "runout_sign_in"
EMAIL, PASSWORD = "bench@shop.example", "correct horse battery"
# A page that only says "sign in" or "something went wrong" is no measurement.
LEAST_BYTES = 20_000
PAGES = {
    "Today": "", "Products": "products", "Movements": "movements", "Reorder": "reorder", "Orders": "orders",
    "Vendors": "vendors",
}  # fmt: skip
DRAFTS = 10  # vendors of whom something is in a draft


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--products", type=int, default=shop.Size.products)
    parser.add_argument("--movements", type=int, default=shop.Size.movements)
    parser.add_argument("--looks-only", action="store_true", help="not the scripts of the dashboard")
    options = parser.parse_args()
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_pages") as url:
            today = datetime.now(UTC).date()
            size = shop.Size(products=options.products, movements=options.movements)
            shop.build(url, today, size)
            buying.offer(url, size, today)
            print(f"{size.products:,} products, {size.warehouses} warehouses, {size.movements:,} movements")
            app = server.url(doors.APP_ROLE, "bench_pages", home)
            engine = doors.new_engine(app)
            doors.bind(engine)
            buy()
            ratios.compare("Looks of Today and Products", looks(today))
            ratios.compare("Looks of Reorder, Orders and Vendors", buying_looks(today))
            if not options.looks_only:
                scripts(app)
            engine.dispose()
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def buy() -> None:
    """Somebody who buys, advice on the whole shop, and of what it says some drafts."""
    now = datetime.now(UTC)
    with doors.transaction() as session:
        manager = auth.create_person(session, email=EMAIL, name="Bench", role="manager", password=PASSWORD)
        session.flush()
        buyer = auth.actor_of(manager)
    with doors.transaction(seconds=600) as session:
        advice.make(session, None, now)
    with doors.transaction(seconds=600) as session:
        found = advice_lines.vendors_summary(session, now.date())
        uids = [str(vendor.uid) for vendor in found if vendor.uid][:DRAFTS]
        drafts.create(session, buyer, now, key="bench", vendor_uids=uids)


def look(question: Callable) -> Callable[[], object]:
    """The question as a page asks it: in a transaction of its own."""

    def ask() -> object:
        with doors.reading() as session:
            return question(session)

    return ask


def buying_looks(today: date) -> dict[str, Callable[[], object]]:
    """Every question that the pages of buying ask, after what is the least that a question takes."""
    now = datetime.now(UTC)
    with doors.reading() as session:
        found = advice_lines.lines(session, today, include_snoozed=True, limit=None).rows
        (vendor, *_) = advice_lines.vendors_of(session, found, today)
    uid = str(vendor.uid)
    return {
        "empty look": look(lambda s: s.execute(sa.text("SELECT 1"))),
        "did the shop move on": look(advice_state.now),
        "head": look(lambda s: advice_lines.head(s, now)),
        f"all {len(found):,} lines": look(
            lambda s: advice_lines.lines(s, today, include_snoozed=True, limit=2000)
        ),
        "lines: a page": look(lambda s: advice_lines.lines(s, today, limit=PAGE_ROWS)),
        "vendors of the lines": look(lambda s: advice_lines.vendors_of(s, found, today)),
        "basket of a vendor": look(lambda s: basket.suggest(s, uid, today)),
        "orders": look(lambda s: order_lists.listing(s, today)),
        "vendors": look(lambda s: vendor_list.listing(s, today)),
    }


def looks(today: date) -> dict[str, Callable[[], object]]:
    """Every question the two pages ask, each in its own transaction; first what they must not do."""
    with doors.reading() as session:
        page, _ = products.search(session, limit=PAGE_ROWS)
    ids = page.product_id.tolist()
    ledger = sa.text("SELECT product_id, sum(change) FROM movement GROUP BY product_id")
    return {
        "sum over the ledger": look(lambda s: s.execute(ledger).all()),
        "empty look": look(lambda s: s.execute(sa.text("SELECT 1"))),
        "tiles": look(predictions.tiles),
        "list: do these first": look(lambda s: products.search(s, limit=PAGE_ROWS)),
        "list: by stock value": look(
            lambda s: products.search(s, sort="stock_value", descending=True, limit=PAGE_ROWS)
        ),
        "list: by name, page 100": look(lambda s: products.search(s, sort="name", limit=50, offset=5000)),
        "list: words": look(lambda s: products.search(s, text="lamp", limit=PAGE_ROWS)),
        "list: one warehouse": look(lambda s: products.search(s, warehouse_id=1, limit=PAGE_ROWS)),
        "list: one status": look(lambda s: products.search(s, status="order_now", limit=PAGE_ROWS)),
        "sparklines of a page": look(lambda s: demand.sparklines(s, ids, today)),
        "freshness": look(lambda s: predictions.freshness(s, today)),
        "categories": look(products.categories),
        "movements: newest": look(lambda s: stock.history(s, limit=PAGE_ROWS)),
        "movements: of a product": look(lambda s: stock.history(s, product_id=ids[0], limit=PAGE_ROWS)),
        "outlook of a product": look(lambda s: predictions.outlook(s, ids[0], today)),
        "stock path of a product": look(
            lambda s: demand.stock_path(s, ids[0], today.replace(year=today.year - 1), today)
        ),
    }


def scripts(url: str) -> None:
    """Whole reruns of the views in a real server process, from the wish to the end of the script.

    Figures of the shop are kept for some seconds (`dashboard/looks.py`), as they are for everybody.
    """
    with doors.transaction() as session:
        token = auth.sign_in(session, EMAIL, PASSWORD, "127.0.0.1", datetime.now(UTC)).token
        found, _ = products.search(session, limit=1)
    opened = str(found.uid[0])
    with visitor.serving(url) as port, visitor.arriving(port, f"{COOKIE}={token}") as browser:
        sizes = {page: sum(len(m.SerializeToString()) for m in browser.open(page)) for page in PAGES.values()}
        if min(sizes.values()) < LEAST_BYTES:
            raise RuntimeError(f"The pages are too small to be the real ones: {sizes}")
        ratios.compare(
            "Whole reruns of the dashboard's scripts",
            {name: partial(browser.open, page) for name, page in PAGES.items()}
            | {"Product": lambda: browser.open("product", f"id={opened}")},
        )


if __name__ == "__main__":
    main()
