"""Demand as sample paths, run-out as their first passage: arithmetic only, no session and no clock."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def predict(
    history: "pd.DataFrame", stock: "pd.DataFrame", horizon: int, levels: list[float]
) -> "pd.DataFrame":
    """Run-out quantiles of the default pool in one call; see `contract.predict`."""
    from core.forecast import contract  # the models are slow to load, and pages that only look need none

    return contract.predict(history, stock, horizon, levels)
