"""The headers of the tables under ``data/``: rows and columns from the footer, and how the rows are numbered.

The footers' own statistics are not looked at: where a damaged footer contradicts itself, pyarrow ends the process.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from getiaction_cli.datasets.arrays import numbers
from getiaction_cli.datasets.parquet import Broken, open_parquet

_WORKERS = 4
_NUMBERED = ("index", "episode_index")
# Rows of a row group, on average, that are read for their numbers. LeRobot makes an episode a group, pandas a million.
_MOST_ROWS = 2**20


@dataclass(frozen=True, slots=True)
class TableHeader:
    """What a table says of itself. ``problem`` is empty when it could be read.

    Args:
        rows: frames in it.
        columns: column name → Arrow type in words ("fixed_size_list<element: float>[2]", "int64", …).
        spans: the lowest and the highest `index` and `episode_index` of its first and last row group, where they could
            be read.
        problem: the end of a sentence that begins with the file's name.
    """

    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    problem: str = ""


def read_header(path: Path) -> TableHeader:
    """Read one footer; a broken one becomes its ``problem``."""
    try:
        file = open_parquet(path)
    except Broken as why:
        return TableHeader(problem=str(why))
    columns = {f.name: str(f.type) for f in file.schema_arrow}
    return TableHeader(file.metadata.num_rows, columns, _spans(file, [name for name in _NUMBERED if name in columns]))


def read_headers(root: Path, names: list[str]) -> dict[str, TableHeader]:
    """Read many footers; disks and the decoder overlap."""
    if len(names) < 8:
        return {name: read_header(root / name) for name in names}
    with ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(names, pool.map(lambda name: read_header(root / name), names), strict=True))


def _spans(file: pq.ParquetFile, columns: list[str]) -> dict[str, tuple[int, int]]:
    groups = file.num_row_groups
    if not columns or not groups or file.metadata.num_rows > groups * _MOST_ROWS:
        return {}
    try:
        table = file.read_row_groups(sorted({0, groups - 1}), columns=columns)
        found = {name: numbers(table[name], np.int64, -1) for name in columns}
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError):
        return {}  # damaged pages are found by the look at the data itself
    return {name: (int(column.min()), int(column.max())) for name, column in found.items() if len(column)}
