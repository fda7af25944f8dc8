"""Frame indices in the tables disagree with the episode metadata.

## What it finds
A file under `data/` whose lowest and highest `index` or `episode_index` are not those of the episodes that
`meta/episodes` has in it: a merge that did not count on, an episode taken out of one and not of the other. Only its
first and last row group are looked at; that all rows are in order, only `inspect-dataset --deep` sees.

## Why it matters
LeRobot finds a window by position, and looks up its episode by the `episode_index` it reads there: bounds, task and
pictures are another episode's, or it stops with `IndexError` at the first step that reads such a row.

## Example
```text
data/chunk-000/file-001.parquet    episode_index 0 to 9
meta/episodes                      episodes 10 to 19 in that file
```

## Instead
Merge again with `lerobot-edit-dataset --operation.type merge`, or number the rows anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, needs_files

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_MAX = 5


@rule(
    "GA416",
    dataset="index-restarts",
    cause=("meta/episodes", "rows", "lengths", "episode order", "table rows", "columns"),
    help=f"restore it {RESTORE}",
)
def table_index(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tables' spans with the episodes' bounds."""
    needs_files(dataset)
    episodes, shown = dataset.episodes, 0
    ends = np.cumsum(episodes.length)
    for name, rows in dataset.data_files.items():
        header = dataset.tables.get(name)
        if header is None or header.problem or not len(rows):
            continue
        first, last = int(rows.min()), int(rows.max())
        wanted = {
            "episode_index": (int(episodes.index[first]), int(episodes.index[last])),
            "index": (int(ends[first] - episodes.length[first]), int(ends[last]) - 1),
        }
        for column, span in wanted.items():
            there = header.spans.get(column, span)
            if there != span and shown < _MAX:
                shown += 1
                yield Finding(
                    f"{name} has {column} {_format_span(there)}, its episodes {_format_span(span)}",
                    file=name,
                    related=(Related("the episodes of that file", file=episodes.file_of(first)),),
                    features=(column,),
                )
                break


def _format_span(span: tuple[int, int]) -> str:
    return f"{span[0]:,}" if span[0] == span[1] else f"{span[0]:,} to {span[1]:,}"
