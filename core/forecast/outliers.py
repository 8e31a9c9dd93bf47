"""One-off outliers: a single day far above all others of its product, as a slip of the keyboard makes it.

Such a day counts as much as the largest other one, and is reported. Large orders that came at least twice are
regular demand. Limiting does not make real forecasts better: on five sets of shops (10,700 run-outs of the
past) limits of 2, 3 and 5 times the second largest day change the CRPS by 0.0 to +0.6 %, on no set clearly
beyond chance, and 10 times by +0.02 and -0.04 %. So the limit is one that hardly anything but a slip passes:
18 products of 1,540.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.forecast.history import History

TIMES_THE_SECOND = 10.0  # a digit too many
LEAST_OTHER_DAYS = 8  # with demand: fewer do not say what is usual


def limit(history: History) -> tuple[History, dict[str, list[list[Any]]]]:
    """The history as it is learned from, and what was limited.

    Per product, whatever else is in the call: a day above ten times the second largest one, where at least
    eight other days had demand, counts as that one. Returns by unique_id [[day, demand, counted], ...],
    days as ISO dates; products without such a day are not in it.
    """
    demand = np.nan_to_num(history.demand)
    if demand.shape[1] <= LEAST_OTHER_DAYS:
        return history, {}
    rows = np.arange(len(history))
    column = demand.argmax(axis=1)
    largest = demand[rows, column]
    others = demand.copy()
    others[rows, column] = 0.0
    second, sold = others.max(axis=1), (others > 0).sum(axis=1)
    is_odd = (largest > TIMES_THE_SECOND * second) & (sold >= LEAST_OTHER_DAYS)
    if not is_odd.any():
        return history, {}
    counted = history.demand.copy()
    counted[rows[is_odd], column[is_odd]] = second[is_odd]
    limited = {
        history.ids[row]: [[_day(history, column[row]), float(largest[row]), float(second[row])]]
        for row in np.flatnonzero(is_odd)
    }
    return replace(history, demand=counted), limited


def _day(history: History, column: int) -> str:
    days_ago = history.demand.shape[1] - 1 - int(column)
    return (history.until - pd.Timedelta(days=days_ago)).date().isoformat()
