"""The plain ways to look for odd lines, which the shipped one is held against.

Each sees a line and what was booked before it, learns before the cut and scores from it on.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.anomaly_lines import Stream
from bench.anomaly_score import Ranking
from core.anomaly.lines import NOBODY, Lines

SEED = 7
USED = (
    "quantity", "price", "value", "is_back", "log_quantity",
    "quantity_off", "price_off", "customer_off", "document_off",
)  # fmt: skip
"""What the two learners look at: of five sets tried, the one that suits both best."""
WINDOW = 100  # earlier lines of its product
LEAST_HISTORY = 5  # lines; with fewer a product is held against the whole shop
COMPONENTS, CLUSTERS = 6, 8
TREES = 200
QUANTITY_FLOOR, PRICE_FLOOR = 0.5, 0.05  # of the spread of logarithms: what differs less is never odd
MAD = 1.4826  # from the median of absolute deviations to a standard deviation


def rankings(stream: Stream) -> dict[str, Ranking]:
    """Every rival's scores for the lines from the cut on."""
    table = features(stream.lines)
    return {name: rank(stream, table) for name, rank in RIVALS.items()}


def features(lines: Lines) -> pd.DataFrame:
    """Plain figures of every line, of itself and of what was booked before it."""
    quantity, price = np.abs(lines.change), np.nan_to_num(lines.price)
    log_quantity, log_price = np.log(quantity), np.log(np.maximum(price, 0.01))
    table = pd.DataFrame(
        {
            "quantity": -lines.change,
            "price": price,
            "value": quantity * price,
            "is_back": lines.change > 0,
            "log_quantity": log_quantity,
            "log_price": log_price,
            "usual_quantity": _past_median(log_quantity, lines.product),
            "usual_price": _past_median(log_price, lines.product),
            "seen": pd.Series(lines.product).groupby(lines.product).cumcount(),
            "customer_off": log_quantity - _past_mean(log_quantity, lines.customer),
            "document_off": log_quantity - _past_mean(log_quantity, lines.document),
        }
    )
    for name in ("quantity", "price"):
        off = table[f"log_{name}"] - table[f"usual_{name}"]
        table[f"{name}_off"] = off
        table[f"{name}_spread"] = MAD * _past_median(off.abs(), lines.product)
    return table


def _past_median(values: np.ndarray | pd.Series, group: np.ndarray) -> pd.Series:
    by = pd.Series(np.asarray(values)).groupby(group)
    return by.transform(lambda one: one.rolling(WINDOW, min_periods=1).median().shift(1))


def _past_mean(values: np.ndarray, group: np.ndarray) -> pd.Series:
    by = pd.Series(values).groupby(group)
    mean = (by.cumsum() - values) / by.cumcount().replace(0, np.nan)
    return mean.where(group != NOBODY)


def _line_value(stream: Stream, table: pd.DataFrame) -> Ranking:
    return _no_repair(stream, table["value"].to_numpy()[stream.later])


def _as_the_seed(stream: Stream, table: pd.DataFrame) -> Ranking:
    """Scaled figures, principal components, k-means: how far from the nearest middle."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    values = table[list(USED)].fillna(0).to_numpy(float)
    flat = make_pipeline(StandardScaler(), PCA(COMPONENTS, random_state=SEED))
    middles = KMeans(CLUSTERS, n_init=3, random_state=SEED)
    known = values[: stream.start]
    middles.fit(flat.fit_transform(known))
    return _no_repair(stream, middles.transform(flat.transform(values[stream.later])).min(axis=1))


def _isolation_forest(stream: Stream, table: pd.DataFrame) -> Ranking:
    from sklearn.ensemble import IsolationForest

    values = table[list(USED)].fillna(0).to_numpy(np.float32)
    forest = IsolationForest(n_estimators=TREES, random_state=SEED).fit(values[: stream.start])
    return _no_repair(stream, -forest.score_samples(values[stream.later]))


def _robust_z(stream: Stream, table: pd.DataFrame) -> Ranking:
    """Distance from the median of the product in spreads, of quantity or price, whichever is larger."""
    past, later = table[: stream.start], table.iloc[stream.later]
    is_known = (later["seen"] >= LEAST_HISTORY).to_numpy()
    away, usual = [], []
    for name, floor in (("quantity", QUANTITY_FLOOR), ("price", PRICE_FLOOR)):
        every = past[f"log_{name}"]
        middle = np.where(is_known, later[f"usual_{name}"], every.median())
        whole_spread = MAD * (every - every.median()).abs().median()
        spread = np.where(is_known, later[f"{name}_spread"], whole_spread)
        away.append(np.abs(later[f"log_{name}"].to_numpy() - middle) / np.maximum(spread, floor))
        usual.append(np.exp(middle))
    is_price = np.asarray(away[1] > away[0])
    sign = np.where(later["is_back"], -1, 1)
    quantity = [f"{one:g}" for one in sign * np.round(usual[0])]
    price = [f"{one:.2f}" for one in usual[1]]
    return Ranking(
        stream.rows[stream.later],
        np.maximum(*away),
        np.where(is_price, "price", "quantity").astype(object),
        np.where(is_price, "UnitPrice", "Quantity").astype(object),
        np.where(is_price, price, quantity).astype(object),
    )


def _no_repair(stream: Stream, score: np.ndarray) -> Ranking:
    nothing = np.full(len(score), "", object)
    return Ranking(stream.rows[stream.later], np.asarray(score, float), nothing, nothing, nothing)


RIVALS: dict[str, Callable[[Stream, pd.DataFrame], Ranking]] = {
    "line value": _line_value,
    "the seed's way": _as_the_seed,
    "isolation forest": _isolation_forest,
    "robust z": _robust_z,
}
