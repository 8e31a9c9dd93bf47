"""The map of movements: where a line lies among the others, and which heap of them it belongs to.

Features are brought to one scale. The two directions in which lines differ most are drawn (how much larger
than usual a line is, and how odd). The clusters lie in the main directions of what describes a line, without
the odds of errors, so that they can be named. The map is for people to look around on; it finds no errors
(see docs/decisions/0014-odd-movements-are-hypotheses.md).

Arithmetic: no session, no clock. scikit-learn where it learns, numpy where it places.
"""

from collections.abc import Mapping, Sequence
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
OF_ERRORS = ("odds_", "likely_")
"""Features of these names say how an error would explain a line, and describe no line."""
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
    axes: np.ndarray  # float64 (F, 2)
    follows: np.ndarray  # float64 (2,): the place of the feature that each axis says most of
    origin: np.ndarray  # float64 (2,)
    unit: np.ndarray  # float64 (2,)

    @classmethod
    def learn(cls, features: np.ndarray, seed: int, names: Sequence[str] | None = None) -> "Map":
        """The map of these lines, float (n, F); the same lines and seed give the same map. Needs one line.

        Without the names of the features all of them make clusters.
        """
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(features))[:MOST_LEARNED])
        known = _known(features[chosen])
        middle, spread = _scale(known)
        scaled = _scaled(known, middle, spread)
        mean = scaled.mean(axis=0)
        axes, follows = _directions(scaled, 2)
        drawn = (scaled - mean) @ axes
        low, origin, high = np.percentile(drawn, (5, 50, 95), axis=0)
        unit = np.where(high - low > FLAT, (high - low) / 2, 1.0)
        describing = np.array([not name.startswith(OF_ERRORS) for name in names or [""] * len(middle)])
        directions, _ = _directions(np.where(describing, scaled, 0.0), DIRECTIONS)
        centres = _centres((scaled - mean) @ directions, seed)
        return cls(middle, spread, mean, directions, centres, axes, follows, origin, unit)

    def place(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster (int16), x and y (float32) of each line; always finite, most of them within -1 and 1.

        A line's place does not depend on the lines beside it. Raises BadInput for another number of features.
        """
        if features.ndim != 2 or features.shape[1] != len(self.middle):
            raise BadInput(f"This map knows {len(self.middle)} features, not {features.shape[1:]}.")
        scaled = _scaled(_known(features), self.middle, self.spread) - self.mean
        x, y = np.arcsinh((scaled @ self.axes - self.origin) / self.unit).T.astype(np.float32)
        return _nearest(scaled @ self.directions, self.centres).astype(np.int16), x, y

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
            "centres": (many, deep), "axes": (wide, 2), "follows": (2,), "origin": (2,), "unit": (2,),
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


def _directions(scaled: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """The main directions as columns, and the feature that each follows most; none where lines are alike.

    The feature rises along its direction: a new training does not mirror the map.
    """
    from sklearn.decomposition import PCA

    wide, most = scaled.shape[1], min(wanted, len(scaled) - 1, scaled.shape[1])
    directions, follows = np.zeros((wide, wanted)), np.zeros(wanted)
    if most < 1 or not (scaled.std(axis=0) > FLAT).any():
        return directions, follows
    found = PCA(most, svd_solver="covariance_eigh").fit(scaled)
    for at in np.flatnonzero(found.explained_variance_ > FLAT):
        direction = found.components_[at]
        along = _correlation(scaled, scaled @ direction)
        follows[at] = np.abs(along).argmax()
        directions[:, at] = direction if along[int(follows[at])] > 0 else -direction
    return directions, follows


def _correlation(columns: np.ndarray, with_: np.ndarray) -> np.ndarray:
    """Of each column; 0 for one that never changes."""
    centred, other = columns - columns.mean(axis=0), with_ - with_.mean()
    norm = np.sqrt((centred**2).sum(axis=0) * (other**2).sum())
    return np.where(norm > FLAT, centred.T @ other / np.maximum(norm, FLAT), 0.0)


def _centres(embedded: np.ndarray, seed: int) -> np.ndarray:
    """The middles of the clusters, the largest first."""
    from sklearn.cluster import KMeans

    different = len(np.unique(embedded.round(6), axis=0))
    found = KMeans(min(CLUSTERS, different), n_init=RESTARTS, random_state=seed).fit(embedded)
    centres = found.cluster_centers_.astype(np.float64)
    sizes = np.bincount(_nearest(embedded, centres), minlength=len(centres))
    return centres[np.lexsort((centres[:, 0], -sizes))]


def _nearest(embedded: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each line; the first of equally near ones."""
    return (-2 * embedded @ centres.T + (centres**2).sum(axis=1)).argmin(axis=1)
