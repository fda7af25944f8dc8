"""The headers of the tables under ``data/``: rows and columns, from the footer alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from getiaction_cli.datasets.parquet import Broken, open_parquet

_WORKERS = 4
# Row groups of all tables together whose numbers are looked at; LeRobot writes one for each episode.
_MOST_GROUPS = 1000
_NUMBERED = ("index", "episode_index")


@dataclass(frozen=True, slots=True)
class TableHeader:
    """What a table's footer says. ``problem`` is empty when it could be read.

    Args:
        rows: frames in it.
        columns: column name → Arrow type in words ("fixed_size_list<element: float>[2]", "int64", …).
        spans: the lowest and the highest `index` and `episode_index`, where the footer keeps them.
        nulls: column name → values that are empty. Of a table of very many episodes, evenly spread ones are looked at.
        problem: the end of a sentence that begins with the file's name.
    """

    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)
    problem: str = ""


def read_header(path: Path, most_groups: int = _MOST_GROUPS) -> TableHeader:
    """Read one footer; a broken one becomes its ``problem``."""
    try:
        file = open_parquet(path)
    except Broken as why:
        return TableHeader(problem=str(why))
    columns = {f.name: str(f.type) for f in file.schema_arrow}
    spans, nulls = _numbers(file.metadata, columns, most_groups)
    return TableHeader(file.metadata.num_rows, columns, spans, nulls)


def read_headers(root: Path, names: list[str]) -> dict[str, TableHeader]:
    """Read many footers; disks and the decoder overlap."""
    if len(names) < 8:
        return {name: read_header(root / name) for name in names}
    most = max(2, _MOST_GROUPS // len(names))
    with ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(names, pool.map(lambda name: read_header(root / name, most), names), strict=True))


def _numbers(
    metadata: pq.FileMetaData, columns: dict[str, str], most_groups: int
) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """What the writer noted of its row groups: the spans of the numbered columns, and how much is null in which."""
    leaves = _leaves(metadata, columns)
    spans: dict[str, tuple[int, int]] = {}
    nulls: dict[str, int] = {}
    groups = metadata.num_row_groups
    step = max(1, -(-(groups - 1) // max(1, most_groups - 1)))
    for number in {*range(0, groups, step), *([groups - 1] if groups else [])}:
        group = metadata.row_group(number)
        for leaf, column in leaves.items():
            noted = group.column(leaf).statistics
            if noted is None:
                continue
            if noted.has_null_count and noted.null_count:
                nulls[column] = nulls.get(column, 0) + noted.null_count
            if column in _NUMBERED and noted.has_min_max and isinstance(noted.min, int):
                low, high = spans.get(column, (noted.min, noted.max))
                spans[column] = min(low, noted.min), max(high, noted.max)
    return spans, nulls


def _leaves(metadata: pq.FileMetaData, columns: dict[str, str]) -> dict[int, str]:
    """The place of each column of numbers or lists of them → its name. Pictures are structs with one part empty."""
    plain = {name for name, kind in columns.items() if "struct<" not in kind}
    found = {}
    for leaf in range(metadata.num_columns):
        path = metadata.schema.column(leaf).path
        name = path if path in plain else path.partition(".list.")[0]
        if name in plain:
            found[leaf] = name
    return found
