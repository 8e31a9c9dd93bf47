"""A shop that has sold for two months, for the tests that learn from its ledger."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from core import stock
from tests.makers import a_product, an_actor, the_warehouse

FIRST = datetime(2026, 9, 1, 8, tzinfo=UTC)
DAYS = 60
SECRETS = ("Anna Berg", "Otto Kahn", "INV-")
"""Words in its ledger that are nobody else's business."""


def a_shop_that_sells(session, documents=130, products=6):
    """Invoices of three lines each, in sixes and twelves, at steady prices; gives the products."""
    actor, place = an_actor(session), the_warehouse(session)
    rng = np.random.default_rng(3)
    sold = [
        a_product(session, 1_000_000, stock_at=FIRST - timedelta(days=1), sku=f"SOLD-{n}")
        for n in range(products)
    ]
    rows = []
    for document in range(documents):
        at = FIRST + timedelta(days=DAYS) * (document / documents)
        for line in rng.choice(products, 3, replace=False):
            rows.append((
                sold[line].id, place.id, "out", "sale", -int(rng.choice([6, 12, 24])), 1.25 + line, at,
                "invoice", f"INV-{document}", SECRETS[document % 2],
            ))  # fmt: skip
    names = ["product_id", "warehouse_id", "type", "reason_code", "change", "unit_price", "occurred_at",
             "reference_type", "reference_id", "customer"]  # fmt: skip
    stock.post_lines(session, actor, "import", pd.DataFrame(rows, columns=names), "sold", b"h")
    return sold
