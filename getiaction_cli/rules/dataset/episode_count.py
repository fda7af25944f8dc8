"""info.json and the episodes disagree on how many episodes there are.

## What it finds
`total_episodes` differs from the number of rows in `meta/episodes`.

## Why it matters
Counted too high, LeRobot asks for episodes that are not there: it tries to download them, or stops with `IndexError`.
Counted too low, the last episodes are trained on but are out of reach of `episodes: […]` and of splits. It happens
when a dataset is edited or merged by hand, or when a recording was interrupted.

## Example
```json
{"total_episodes": 3}
```
where `meta/episodes` has 2 rows.

## Instead
```json
{"total_episodes": 2}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA411", dataset="episode-row-lost", cause=("meta/episodes", "episodes"), breaks=("rows",))
def episode_count(dataset: Dataset) -> Iterator[Finding]:
    """Compare `total_episodes` with the rows."""
    there, declared = len(dataset.episodes), dataset.total_episodes
    if declared is None or there == declared:
        return
    file = dataset.episodes.files[0] if dataset.episodes.files else "meta/episodes"
    yield Finding(
        f"info.json counts {count(declared, 'episode')}, the episodes' own files have {there:,}",
        file="meta/info.json",
        key="total_episodes",
        related=(Related(f"{count(there, 'row')}", file=file),),
        help="the files of the episodes are what training reads; correct info.json, or restore what is lost",
        breaks=None if _are_wrong(dataset) else (),
    )


def _are_wrong(dataset: Dataset) -> bool:
    """True if rows are missing or duplicated, so that more than the count is wrong."""
    frames = int(dataset.episodes.length.sum())
    tables = [header for header in dataset.tables.values() if not header.problem] if dataset.has_data else []
    whole = sum(header.rows for header in tables) if tables else dataset.total_frames
    return whole is not None and frames != whole
