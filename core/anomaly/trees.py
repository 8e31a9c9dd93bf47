"""Boosted trees as flat arrays: judged with numpy alone, stored without pickle.

LightGBM grows the trees where the model learns. Where it judges, LightGBM is not imported (2.8 seconds).

Arithmetic: no session, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

CHUNK = 2_048
"""Rows that go down the trees together: rows x trees of node numbers stay in the processor's cache."""


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees in one row of arrays; a node's right child stands behind its left one.

    A node asks column `column[node]`: below half of the columns a missing value goes left, in the second half
    (the same columns again) right. A leaf is its own child, and nothing is above its threshold.
    """

    columns: np.ndarray  # int32: which features are asked at all
    roots: np.ndarray  # int32 (trees,)
    column: np.ndarray  # int32 (nodes,): place in columns, or that plus len(columns)
    threshold: np.ndarray  # float32: at most this goes left
    child: np.ndarray  # int32
    value: np.ndarray  # float64
    depth: int

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """The sum of the trees' leaves for each row of features."""
        out = np.empty(len(features))
        for start in range(0, len(features), CHUNK):
            out[start : start + CHUNK] = self._chunk(features[start : start + CHUNK])
        return out

    def _chunk(self, features: np.ndarray) -> np.ndarray:
        asked = features[:, self.columns].astype(np.float32)
        missing = np.isnan(asked)
        table = np.concatenate((np.where(missing, -np.inf, asked), np.where(missing, np.inf, asked)), axis=1)
        flat = np.ascontiguousarray(table).ravel()
        starts = (np.arange(len(features), dtype=np.int32) * table.shape[1])[:, None]
        node = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        for _ in range(self.depth):
            is_right = flat.take(self.column.take(node) + starts) > self.threshold.take(node)
            node = self.child.take(node) + is_right
        return np.asarray(self.value.take(node).sum(axis=1))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "columns": self.columns, "roots": self.roots, "column": self.column, "threshold": self.threshold,
            "child": self.child, "value": self.value, "depth": np.array(self.depth, np.int32),
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Trees":
        """The trees that `to_arrays` told."""
        named = {name: arrays[name] for name in ("columns", "roots", "column", "threshold", "child", "value")}
        return cls(**named, depth=int(arrays["depth"]))

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> "Trees":
        """The trees of LightGBM's `dump_model()`."""
        nodes = _Nodes()
        roots = [nodes.add(tree["tree_structure"]) for tree in model["tree_info"]]
        columns = np.unique([f for f in nodes.feature if f >= 0]).astype(np.int32)
        feature = np.array(nodes.feature)
        column = np.searchsorted(columns, feature) * (feature >= 0)
        column = column + len(columns) * np.array(nodes.goes_right, bool)
        if not len(columns):  # nothing was learned: every tree is one leaf
            columns = np.zeros(1, np.int32)
        return cls(
            columns=columns,
            roots=np.array(roots, np.int32),
            column=column.astype(np.int32),
            threshold=_at_most(np.array(nodes.threshold)),
            child=np.array(nodes.child, np.int32),
            value=np.array(nodes.value),
            depth=nodes.depth,
        )


class _Nodes:
    """Nodes as they are numbered, breadth first within a tree."""

    def __init__(self) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.child: list[int] = []
        self.value: list[float] = []
        self.goes_right: list[bool] = []
        self.depth = 0

    def add(self, root: Mapping[str, Any]) -> int:
        first = self._leaf()
        waiting = [(first, root, 0)]
        while waiting:
            node, told, depth = waiting.pop(0)
            self.depth = max(self.depth, depth)
            if "split_feature" not in told:
                self.value[node] = float(told["leaf_value"])
                continue
            left, right = self._leaf(), self._leaf()
            threshold = float(told["threshold"])
            # Without missing values in training LightGBM takes one for zero.
            left_when_missing = told["default_left"] if told["missing_type"] == "NaN" else threshold >= 0
            self.feature[node], self.threshold[node] = int(told["split_feature"]), threshold
            self.child[node], self.goes_right[node] = left, not left_when_missing
            waiting += [(left, told["left_child"], depth + 1), (right, told["right_child"], depth + 1)]
        return first

    def _leaf(self) -> int:
        node = len(self.feature)
        self.feature.append(-1)
        self.threshold.append(np.inf)
        self.child.append(node)
        self.value.append(0.0)
        self.goes_right.append(False)
        return node


def _at_most(threshold: np.ndarray) -> np.ndarray:
    """The largest 32-bit number that is not above each: features have 32 bits, so they fall alike."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
    return np.where(near.astype(np.float64) > threshold, np.nextafter(near, np.float32(-np.inf)), near)
