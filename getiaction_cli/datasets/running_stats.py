"""What is kept of a feature while its numbers stream by: exact sums, and a sample for the quantiles.

The memory that they take is bounded, however many frames there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from getiaction_cli.datasets.features import Feature
from getiaction_cli.datasets.scan import Matrix, Spot
from getiaction_cli.datasets.stats import LEVELS, QUANTILES

FEW = 5  # spots kept of one kind
_SAMPLE_BYTES = 128_000_000  # numbers kept for the quantiles


@dataclass(slots=True)
class Running:
    """One feature, so far. Files are scanned apart and merged; every part is exact.

    Args:
        count, mean, m2, low, high: (dimensions,) of the finite values; m2 sums up the squared distances from the mean.
        at_low, at_high: (dimensions,) how many values are the lowest, the highest.
        not_finite: values that are NaN or infinite.
        spots: the first of these.
        step: (dimensions,) the largest step from a frame to the next.
        step_spots: dimension → where that is.
        steps: (rows, dimensions) some steps of each table, for what is usual.
        extremes: episode → its lowest and highest values, while its table is read.
        still: (episodes, dimensions) of each table: what does not move in an episode.
    """

    count: Matrix
    mean: Matrix
    m2: Matrix
    low: Matrix
    high: Matrix
    at_low: npt.NDArray[np.int64]
    at_high: npt.NDArray[np.int64]
    not_finite: int = 0
    spots: list[Spot] = field(default_factory=list)
    step: Matrix = field(default_factory=lambda: np.zeros(0))
    step_spots: dict[int, Spot] = field(default_factory=dict)
    steps: list[npt.NDArray[np.float32]] = field(default_factory=list)
    extremes: dict[int, tuple[Matrix, Matrix]] = field(default_factory=dict)
    still: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    @classmethod
    def empty(cls, size: int) -> Running:
        """Nothing yet of a feature with so many dimensions."""
        zero = np.zeros(size)
        counts = np.zeros(size, np.int64)
        start = cls(zero.copy(), zero.copy(), zero.copy(), zero + np.inf, zero - np.inf, counts, counts.copy())
        start.step = np.zeros(size)
        return start

    def add(self, values: Matrix) -> None:
        """Take in finite and non-finite values of shape (rows, dimensions)."""
        fine = np.isfinite(values)
        self.not_finite += int(values.size - np.count_nonzero(fine))
        if not fine.all():
            values = np.where(fine, values, np.nan)
            n = fine.sum(axis=0).astype(np.float64)
            low = np.where(fine, values, np.inf).min(axis=0, initial=np.inf)
            high = np.where(fine, values, -np.inf).max(axis=0, initial=-np.inf)
            mean = np.where(fine, values, 0).sum(axis=0) / np.maximum(n, 1)
            m2 = (np.where(fine, values - mean, 0) ** 2).sum(axis=0)
        else:
            n = np.full(values.shape[1], float(len(values)))
            low, high = values.min(axis=0), values.max(axis=0)
            mean = values.mean(axis=0)
            m2 = np.square(values - mean).sum(axis=0)
        at_low, at_high = (values == low).sum(axis=0), (values == high).sum(axis=0)
        self._merge(n, mean, m2, low, high, at_low, at_high)

    def _merge(self, n: Any, mean: Any, m2: Any, low: Any, high: Any, at_low: Any, at_high: Any) -> None:
        total = self.count + n
        safe = np.maximum(total, 1)
        delta = mean - self.mean
        self.m2 = self.m2 + m2 + delta**2 * self.count * n / safe
        self.mean = self.mean + delta * n / safe
        self.count = total
        self.at_low = np.where(low < self.low, at_low, self.at_low + np.where(low == self.low, at_low, 0))
        self.at_high = np.where(high > self.high, at_high, self.at_high + np.where(high == self.high, at_high, 0))
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def merge(self, other: Running) -> None:
        """Take in another file's part."""
        self._merge(other.count, other.mean, other.m2, other.low, other.high, other.at_low, other.at_high)
        self.not_finite += other.not_finite
        self.spots = sorted([*self.spots, *other.spots], key=lambda s: (s.episode, s.frame))[:FEW]
        for dimension, spot in other.step_spots.items():
            if other.step[dimension] > self.step[dimension]:
                self.step_spots[dimension] = spot
        self.step = np.maximum(self.step, other.step)
        self.steps += other.steps
        self.still += other.still

    def close(self) -> None:
        """At the end of a table, keep one bit of each episode's extremes: whether they are the same."""
        if self.extremes:
            in_order = [self.extremes[index] for index in sorted(self.extremes)]
            self.still.append(np.array([low == high for low, high in in_order], bool))
            self.extremes.clear()


class QuantileSample:
    """Every n-th frame of the dataset, for the quantiles: all of them while they fit."""

    def __init__(self, features: list[Feature], rows: list[int]) -> None:
        kinds = {feature.key: _kept_as(feature) for feature in features}
        row = sum(feature.size * kinds[feature.key].itemsize for feature in features)
        self.every = max(1, -(-sum(rows) * row // _SAMPLE_BYTES))
        kept = [-(-count // self.every) for count in rows]
        self.starts = np.concatenate([[0], np.cumsum(kept)])
        self.rows = int(self.starts[-1])
        self.values = {f.key: np.full((self.rows, f.size), np.nan, kinds[f.key]) for f in features}
        self.episode = np.full(self.rows, -1, np.int64)

    def put(self, table: int, key: str, row: int, values: Matrix) -> None:
        """Rows of one table from ``row`` on; tables write to places of their own, so no lock is needed."""
        first = -row % self.every
        chosen = values[first :: self.every]
        at = int(self.starts[table]) + (row + first) // self.every
        target = self.episode if key == "episode_index" else self.values[key]
        target[at : at + len(chosen)] = chosen

    def quantiles(self, key: str) -> dict[str, Matrix]:
        """The quantiles of each dimension, non-finite values left out."""
        values = self.values[key]
        found = np.full((len(LEVELS), values.shape[1]), np.nan)
        for i in range(values.shape[1]):
            column = values[:, i]
            column = column[np.isfinite(column)]
            if len(column):
                found[:, i] = np.quantile(column.astype(np.float64), LEVELS)
        return dict(zip(QUANTILES, found, strict=True))


def _kept_as(feature: Feature) -> np.dtype[Any]:
    """The smallest float that holds every value of a feature: seconds since 1970 are not exact in float32."""
    wide = feature.dtype in ("float64", "double", "int32", "uint32", "int64", "uint64")
    return np.dtype(np.float64 if wide else np.float32)
