"""How good are the run-out dates? The project's pool behind the contract of the depletion evaluation."""

import numpy as np
import pandas as pd

from core.forecast import depletion, history, models

N_PATHS = 500
SEED = 7


def predict(frame: pd.DataFrame, stock: pd.DataFrame, horizon: int, levels: list[float]) -> pd.DataFrame:
    """Quantiles of the run-out day per product and k, and the chance to run out within 14 days.

    `frame`: unique_id, ds, y up to the origin; `stock`: unique_id, k, S. Returns unique_id, k, p14 and one
    column `q{level}` per level; horizon + 1 means "not within the horizon".
    """
    past = history.from_frame(frame)
    wanted = stock.assign(unique_id=stock["unique_id"].astype(str)).groupby("unique_id")
    asked = past.take(np.flatnonzero(np.isin(past.ids, list(wanted.groups))))
    rows = []
    for unique_id, paths in models.in_chunks(models.pool_for(past), asked, horizon, N_PATHS, SEED):
        running = np.cumsum(paths, axis=1)
        for line in wanted.get_group(unique_id).itertuples():
            days = depletion.first_passage(running, float(line.S))
            quantiles = np.quantile(days, levels, method="inverted_cdf")
            rows.append([unique_id, line.k, np.mean(days <= 14), *quantiles])
    return pd.DataFrame(rows, columns=["unique_id", "k", "p14", *(f"q{level}" for level in levels)])
