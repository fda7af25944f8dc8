"""The headers of the tables under ``data/``: rows and columns, from the footer alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from getiaction_cli.datasets.parquet import Broken, open_parquet

_WORKERS = 4


@dataclass(frozen=True, slots=True)
class TableHeader:
    """What a table's footer says. ``problem`` is empty when it could be read.

    Args:
        rows: frames in it.
        columns: column name → Arrow type in words ("fixed_size_list<element: float>[2]", "int64", …).
        problem: the end of a sentence that begins with the file's name.
    """

    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def read_header(path: Path) -> TableHeader:
    """Read one footer; a broken one becomes its ``problem``."""
    try:
        file = open_parquet(path)
        return TableHeader(file.metadata.num_rows, {f.name: str(f.type) for f in file.schema_arrow})
    except Broken as why:
        return TableHeader(problem=str(why))


def read_headers(root: Path, names: list[str]) -> dict[str, TableHeader]:
    """Read many footers; disks and the decoder overlap."""
    if len(names) < 8:
        return {name: read_header(root / name) for name in names}
    with ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(names, pool.map(lambda name: read_header(root / name), names), strict=True))
