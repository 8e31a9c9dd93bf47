"""Small invented ledgers for the tests of odd movements."""

import numpy as np

from core.anomaly.lines import FLOWS, NEVER, Lines, Shelf

MONDAY = 1_772_409_600.0  # 2 March 2026
DAY = 86_400.0


def a_ledger(documents: int = 150, seed: int = 1, places: int = 1, before: float = np.nan) -> Lines:
    """Sales of 12 products to 9 customers, three lines a document: 12s and 24s at a steady price."""
    rng = np.random.default_rng(seed)
    n = documents * 3
    document = np.repeat(np.arange(documents), 3)
    product = rng.integers(0, 12, n)
    return Lines(
        id=np.arange(1, n + 1),
        product=product.astype(np.int32),
        place=rng.integers(0, places, documents)[document].astype(np.int32),
        flow=np.full(n, FLOWS.index("out"), np.int8),
        change=-rng.choice([12.0, 24.0, 36.0], n),
        price=np.round(1.25 + 0.5 * product, 2),
        at=MONDAY + document * DAY / 6,
        customer=rng.integers(0, 9, documents)[document].astype(np.int32),
        document=document.astype(np.int32),
        person=np.zeros(n, np.int32),
        before=np.full(n, before),
        void_from=np.full(n, NEVER),
    )


A_SHELF = Shelf(packs={0: [6.0]}, near={1: [2]}, codes={number: f"A-{number}" for number in range(12)})
