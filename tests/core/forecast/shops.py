"""Small invented shops for the forecast tests."""

import numpy as np
import pandas as pd

from core.forecast.history import History

SUNDAY = pd.Timestamp("2026-03-01")


def a_history(
    demand: np.ndarray, in_stock: np.ndarray | None = None, until: pd.Timestamp = SUNDAY
) -> History:
    """A history of the rows of `demand` (products, days), named p0, p1, ..."""
    demand = np.atleast_2d(np.asarray(demand, float))
    if in_stock is None:
        in_stock = np.ones(demand.shape, bool)
    return History(tuple(f"p{row}" for row in range(len(demand))), demand, np.atleast_2d(in_stock), until)


def a_shop(products: int, days: int = 300, seed: int = 1) -> History:
    """Products from rare to frequent, with whole pieces of demand."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.7, 2, (products, 1))
    return a_history(rng.poisson(rates, (products, days)) * rng.integers(1, 5, (products, 1)))
