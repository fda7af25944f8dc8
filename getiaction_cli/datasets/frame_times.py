"""The moment of each frame as the tables say it, read for as many frames as a check before training may cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from getiaction_cli.datasets.arrays import numbers
from getiaction_cli.datasets.parquet import Broken, open_parquet

# Three columns of this many rows take about 10 ms.
_MOST_ROWS = 400_000
_MOST_FILES = 50
_COLUMNS = ("episode_index", "frame_index", "timestamp")


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Where and when each frame is, as the tables say: arrays of one length, `complete` when all tables were read."""

    episode: npt.NDArray[np.int64]
    frame: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    complete: bool = True


def read_frame_times(root: Path, names: Iterable[str]) -> FrameTimes:
    """Read the index columns of these tables, in order; a table that can't be read ends it."""
    parts: list[list[npt.NDArray[np.float64]]] = []
    rows, complete = 0, True
    for count, name in enumerate(names):
        if rows >= _MOST_ROWS or count >= _MOST_FILES:
            complete = False
            break
        try:
            file = open_parquet(root / name)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=list(_COLUMNS))
                parts.append([numbers(table[column], np.float64, np.nan) for column in _COLUMNS])
                rows += len(table)
                if rows >= _MOST_ROWS:
                    break
        except (Broken, pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError):
            complete = False
            break
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 3
    whole = np.isfinite(np.stack(columns)).all(axis=0) if parts else np.zeros(0, bool)
    episode, frame, seconds = (column[whole] for column in columns)
    return FrameTimes(episode.astype(np.int64), frame.astype(np.int64), seconds, complete)
