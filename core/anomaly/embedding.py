"""The map of movements: where a line lies among the others, and which heap of them it belongs to.

Features are brought to one scale, projected on their main directions, and put into clusters there. The two
axes that are drawn are those in which the clusters lie furthest apart. The map is for people to look around
on; it finds no errors (see docs/decisions/0014-odd-movements-are-hypotheses.md).

Arithmetic: no session, no clock. scikit-learn where it learns, numpy where it places.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from core.errors import BadInput

CLUSTERS = 8
"""As many as a legend can hold and a reader can tell apart by colour."""
DIRECTIONS = 6
"""The clusters are found in so many main directions: the study's figure for the seed's way."""
MOST_LEARNED = 30_000
"""A map is learned from so many lines, drawn at random: more do not move it, and cost seconds."""
FURTHEST = 5.0
"""Nothing lies further out in one feature than this, on its scale: one wild line must not bend the map."""
RESTARTS = 4
SHRINKAGE = 0.1
"""This share of the spread within clusters is taken as round: a tight cluster must not blow up an axis."""
MINOR = 0.01
"""A cluster of fewer of the lines than this has no say in the axes."""
FLAT = 1e-9
"""A spread below this is none."""


@dataclass(frozen=True)
class Map:
    """A learned map as plain arrays; F features, d directions, k clusters (the largest is number 0)."""

    middle: np.ndarray  # float64 (F,): the usual value, taken where none is known
    spread: np.ndarray  # float64 (F,): one step of the scale; inf for what never changes
    mean: np.ndarray  # float64 (F,)
    directions: np.ndarray  # float64 (F, d)
    centres: np.ndarray  # float64 (k, d)
    axes: np.ndarray  # float64 (d, 2)
    origin: np.ndarray  # float64 (2,)
    unit: np.ndarray  # float64 (2,)

    @classmethod
    def learn(cls, features: np.ndarray, seed: int) -> "Map":
        """The map of these lines, float (n, F); the same lines and seed give the same map. Needs one line."""
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(features))[:MOST_LEARNED])
        known = _known(features[chosen])
        middle, spread = _scale(known)
        scaled = _scaled(known, middle, spread)
        mean = scaled.mean(axis=0)
        directions = _directions(scaled, seed)
        embedded = (scaled - mean) @ directions
        centres, cluster = _clusters(embedded, seed)
        axes = _axes(embedded, cluster)
        drawn = embedded @ axes
        low, origin, high = np.percentile(drawn, (5, 50, 95), axis=0)
        unit = np.where(high - low > FLAT, (high - low) / 2, 1.0)
        return cls(middle, spread, mean, directions, centres, axes, origin, unit)

    def place(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster (int16), x and y (float32) of each line; always finite, most of them within -1 and 1.

        A line's place does not depend on the lines beside it. Raises BadInput for another number of features.
        """
        if features.ndim != 2 or features.shape[1] != len(self.middle):
            raise BadInput(f"This map knows {len(self.middle)} features, not {features.shape[1:]}.")
        embedded = (_scaled(_known(features), self.middle, self.spread) - self.mean) @ self.directions
        x, y = np.arcsinh((embedded @ self.axes - self.origin) / self.unit).T.astype(np.float32)
        return _nearest(embedded, self.centres).astype(np.int16), x, y

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The map as arrays by name, to be kept in a file."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Map":
        """The map of `to_arrays`. Raises BadInput when one is missing or they do not belong together."""
        try:
            made = cls(**{f.name: np.asarray(arrays[f.name], np.float64) for f in fields(cls)})
            (wide,), (many, deep) = made.middle.shape, made.centres.shape
        except (KeyError, TypeError, ValueError) as trouble:
            raise BadInput(f"These arrays are no map: {trouble}.") from None
        wanted = {
            "middle": (wide,), "spread": (wide,), "mean": (wide,), "directions": (wide, deep),
            "centres": (many, deep), "axes": (deep, 2), "origin": (2,), "unit": (2,),
        }  # fmt: skip
        wrong = [name for name, shape in wanted.items() if getattr(made, name).shape != shape]
        if wrong or not many:
            raise BadInput(f"These arrays are no map: {', '.join(wrong) or 'no cluster'}.")
        return made


def _known(features: np.ndarray) -> np.ndarray:
    """The features as float64; what is no number becomes nan."""
    wide = features.astype(np.float64)
    wide[~np.isfinite(wide)] = np.nan
    return wide


def _scale(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and spread of each column: between the quartiles, or over all where most lines are alike."""
    is_empty = np.isnan(known).all(axis=0)
    filled = np.where(is_empty, 0.0, known)
    low, middle, high = np.nanpercentile(filled, (25, 50, 75), axis=0)
    spread = (high - low) / 1.349  # of a normal distribution: its standard deviation
    spread = np.where(spread > FLAT, spread, np.nanstd(filled, axis=0))
    return middle, np.where(spread > FLAT, spread, np.inf)


def _scaled(known: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    steps = np.where(np.isnan(known), 0.0, known - middle) / spread
    return np.clip(np.arcsinh(steps), -FURTHEST, FURTHEST)


def _directions(scaled: np.ndarray, seed: int) -> np.ndarray:
    """The main directions as columns; one that says nothing where all lines are alike."""
    from sklearn.decomposition import PCA

    most = min(DIRECTIONS, len(scaled) - 1, scaled.shape[1])
    if most < 1 or not (scaled.std(axis=0) > FLAT).any():
        return np.zeros((scaled.shape[1], 1))
    found = PCA(most, svd_solver="full", random_state=seed).fit(scaled)
    says_something = found.explained_variance_ > FLAT
    return _signed(found.components_[says_something].T)


def _clusters(embedded: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The centres, the largest cluster first, and the cluster of each line."""
    from sklearn.cluster import KMeans

    different = len(np.unique(embedded.round(6), axis=0))
    found = KMeans(min(CLUSTERS, different), n_init=RESTARTS, random_state=seed).fit(embedded)
    sizes = np.bincount(found.labels_, minlength=len(found.cluster_centers_))
    order = np.lexsort((found.cluster_centers_[:, 0], -sizes))
    centres = found.cluster_centers_[order].astype(np.float64)
    return centres, _nearest(embedded, centres)


def _nearest(embedded: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each line; the first of equally near ones."""
    return (-2 * embedded @ centres.T + (centres**2).sum(axis=1)).argmin(axis=1)


def _axes(embedded: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The two axes, as columns, in which the clusters lie furthest apart for their width (Fisher, 1936).

    With fewer than three clusters, or one direction only, the main directions fill up what is missing.
    """
    deep = embedded.shape[1]
    major = (np.bincount(cluster) >= MINOR * len(cluster))[cluster]
    embedded, cluster = embedded[major], cluster[major]
    numbers, of = np.unique(cluster, return_inverse=True)
    means = np.array([embedded[cluster == number].mean(axis=0) for number in numbers])
    within = _square(embedded - means[of]) / len(embedded)
    within += (SHRINKAGE * np.trace(within) / deep + FLAT) * np.eye(deep)
    between = _square(means[of] - embedded.mean(axis=0)) / len(embedded)
    values, vectors = np.linalg.eigh(within)
    white = vectors / np.sqrt(values)
    strength, turned = np.linalg.eigh(white.T @ between @ white)
    apart = [white @ turned[:, at] for at in np.argsort(-strength)[:2] if strength[at] > FLAT]
    axes = [*apart, *np.eye(deep)][:2]
    axes += [np.zeros(deep)] * (2 - len(axes))
    return _signed(np.column_stack(axes))


def _square(rows: np.ndarray) -> np.ndarray:
    return rows.T @ rows


def _signed(columns: np.ndarray) -> np.ndarray:
    """The same directions, each with its largest part above zero: a new training does not mirror the map."""
    largest = np.abs(columns).argmax(axis=0)
    return columns * np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)
