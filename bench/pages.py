"""How long do Today and Products take with 10,000 products and a million movements?

`python -m bench.pages [--products N --movements N --home FOLDER]`: milliseconds of the looks that the pages
take, and of whole reruns of their scripts, beside what a sum over the ledger would cost.
"""

import argparse
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bench import ratios, shop, visitor
from core import auth, demand, predictions, products, stock
from db import server
from db import session as doors

PAGE_ROWS = 50
COOKIE = "runout_sign_in"
EMAIL, PASSWORD = "bench@shop.example", "correct horse battery"
# A page that only says "sign in" or "something went wrong" is no measurement.
LEAST_BYTES = 20_000


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
            print(f"{size.products:,} products, {size.warehouses} warehouses, {size.movements:,} movements")
            app = server.url(doors.APP_ROLE, "bench_pages", home)
            engine = doors.new_engine(app)
            doors.bind(engine)
            ratios.compare("Looks of Today and Products", looks(today))
            if not options.looks_only:
                scripts(app)
            engine.dispose()
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def looks(today) -> dict[str, Callable[[], object]]:
    """Every question the two pages ask, each in its own transaction; first what they must not do."""
    with doors.reading() as session:
        page, _ = products.search(session, limit=PAGE_ROWS)
    ids = page.product_id.tolist()

    def look(question: Callable) -> Callable[[], object]:
        def ask() -> object:
            with doors.reading() as session:
                return question(session)

        return ask

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
        person = auth.create_person(session, email=EMAIL, name="Bench", role="manager", password=PASSWORD)
        now = datetime.now(UTC)
        token = auth.sign_in(session, person.email, PASSWORD, "127.0.0.1", now).token
        found, _ = products.search(session, limit=1)
    opened = str(found.uid[0])
    with visitor.serving(url) as port, visitor.arriving(port, f"{COOKIE}={token}") as person:
        sizes = {
            page: sum(len(m.SerializeToString()) for m in person.open(page)) for page in ("", "products")
        }
        if min(sizes.values()) < LEAST_BYTES:
            raise RuntimeError(f"The pages are too small to be the real ones: {sizes}")
        ratios.compare(
            "Whole reruns of the dashboard's scripts",
            {
                "Today": lambda: person.open(""),
                "Products": lambda: person.open("products"),
                "Movements": lambda: person.open("movements"),
                "Product": lambda: person.open("product", f"id={opened}"),
            },
        )


if __name__ == "__main__":
    main()
