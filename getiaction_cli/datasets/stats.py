"""Statistics of a dataset: ``meta/stats.json``, and sums of the episodes' own."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from getiaction_cli.datasets.arrays import is_list, lists, numbers
from getiaction_cli.datasets.episodes import EpisodeSums
from getiaction_cli.datasets.header import Findings
from getiaction_cli.datasets.jsonfile import read_json
from getiaction_cli.diagnostics import Finding

Stats = dict[str, dict[str, npt.NDArray[np.float64]]]

STATS = "meta/stats.json"
_MOST_STRAYS = 100
QUANTILES = ("q01", "q10", "q50", "q90", "q99")
LEVELS = (0.01, 0.10, 0.50, 0.90, 0.99)
EPISODE_STATISTICS = ("min", "max", "mean", "count")


def read_stats(root: Path, features: Collection[str]) -> tuple[Stats | None, Findings]:
    """Read ``meta/stats.json``; a missing file is left to its rule."""
    path = root / STATS
    if not path.is_file():
        return None, ()
    file = read_json(path)
    if file.problem or not isinstance(file.value, dict):
        problem = file.problem or "is not a mapping of features to statistics"
        return None, (("GA402", Finding(f"{STATS} {problem}", file=STATS)),)
    # Entries of no feature are of no use to anybody; a few are judged, as a key may be misspelled.
    strays = (key for key in file.value if key not in features)
    kept = {*islice(strays, _MOST_STRAYS), *features}
    return to_arrays({key: entry for key, entry in file.value.items() if key in kept})


def to_arrays(raw: dict[str, Any]) -> tuple[Stats, Findings]:
    """Numbers out of a mapping of features to statistics; anything but a number becomes a finding."""
    stats: Stats = {}
    wrong: list[tuple[str, str]] = []
    for key, entry in raw.items():
        if not isinstance(entry, dict):
            wrong.append((key, f"the statistics of {key} are not a mapping"))
            continue
        found = {name: as_array(value) for name, value in entry.items()}
        stats[key] = {name: array for name, array in found.items() if array is not None}
        wrong += [
            (f"{key}.{name}", f"{name} of {key} is not a list of numbers")
            for name, array in found.items()
            if array is None
        ]
    return stats, tuple(("GA402", Finding(message, file=STATS, key=key)) for key, message in wrong)


def as_array(value: object) -> npt.NDArray[np.float64] | None:
    """A rectangular array of floats, at least one-dimensional; None for anything else (LeRobot stops at a null)."""
    try:
        array = np.asarray(value, dtype=object)
        if array.size and any(item is None or isinstance(item, str | list | dict) for item in array.flat):
            return None
        return np.atleast_1d(array.astype(np.float64))
    except (ValueError, TypeError, OverflowError, RuntimeError):  # the last: more than 32 dimensions
        return None


def aggregate(parts: list[Stats], *, quantiles: bool = False) -> Stats:
    """Statistics of all from statistics of each: exact for min, max, mean, std and count.

    Args:
        parts: statistics of each.
        quantiles: also the means of the quantiles that all have, as LeRobot's `aggregate_stats` takes them.
    """
    total: Stats = {}
    for key in dict.fromkeys(key for part in parts for key in part):
        entries = [part[key] for part in parts if {"min", "max", "mean", "std", "count"} <= part.get(key, {}).keys()]
        shapes = {entry[name].shape for entry in entries for name in ("min", "max", "mean", "std")}
        if not entries or len(shapes) != 1:
            continue
        counts = np.array([entry["count"].flat[0] if entry["count"].size else 0 for entry in entries])
        weight = counts.reshape((-1,) + (1,) * len(next(iter(shapes))))
        n = counts.sum()
        if not n > 0:
            continue
        means = np.stack([entry["mean"] for entry in entries])
        mean = (means * weight).sum(axis=0) / n
        variance = ((np.stack([e["std"] for e in entries]) ** 2 + (means - mean) ** 2) * weight).sum(axis=0) / n
        total[key] = {
            "min": np.min([entry["min"] for entry in entries], axis=0),
            "max": np.max([entry["max"] for entry in entries], axis=0),
            "mean": mean,
            "std": np.sqrt(variance),
            "count": np.array([float(n)]),
        }
        for name in entries[0] if quantiles else ():
            if name[0] == "q" and name[1:].isdigit() and all(name in entry for entry in entries):
                total[key][name] = (np.stack([entry[name] for entry in entries]) * weight).sum(axis=0) / n
    return total


def flat(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One number per dimension (or per channel), from any shape in the file."""
    return array.reshape(-1)


def sum_columns(*columns: Any) -> EpisodeSums | None:
    """Sum up the EPISODE_STATISTICS of one feature; None when they are not plain numbers of one length."""
    low, high, mean, count = map(_matrix, columns)
    if low is None or high is None or mean is None or count is None or not len(low):
        return None
    if not low.shape == high.shape == mean.shape or count.shape[1] != 1:
        return None
    frames = count.sum()
    return EpisodeSums(
        len(low), float(frames), low.min(axis=0), high.max(axis=0), (mean * count).sum(axis=0) / max(frames, 1)
    )


def _matrix(column: Any) -> npt.NDArray[np.float64] | None:
    """A column of (nested) lists of equal length as (rows, numbers)."""
    import pyarrow as pa

    rows = len(column)
    try:
        while is_list(column.type):
            column = lists(column)[1]
        values = numbers(column, np.float64, np.nan)
    except (pa.ArrowException, TypeError):
        return None
    return values.reshape(rows, -1) if rows and len(values) % rows == 0 else None
