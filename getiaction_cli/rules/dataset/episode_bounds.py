"""The episodes' bounds don't fit together.

## What it finds
Episodes whose `length` is not `dataset_to_index - dataset_from_index`, that are empty, that overlap or leave a gap to
the next, or whose `episode_index` is not their position.

## Why it matters
LeRobot looks an episode up by its position and cuts windows at these bounds. Wrong ones make it mix the end of one
episode with the beginning of another, silently: the policy learns jumps that never happened.

## Example
```text
episode_index  length  dataset_from_index  dataset_to_index
0              24      0                   24
1              27      24                  44
```

## Instead
```text
1              20      24                  44
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import RESTORE, few

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


# Findings about the positions of episodes, not about their lengths.
_ORDER = ("episode order",)


@rule(
    "GA413",
    dataset="episode-length-wrong",
    cause=("meta/episodes",),
    breaks=("lengths", "episode order"),
    help=f"restore meta/episodes {RESTORE}",
)
def episode_bounds(dataset: Dataset) -> Iterator[Finding]:
    """Compare the columns of the episodes with each other."""
    episodes = dataset.episodes
    position = np.arange(len(episodes))

    def wrong(rows: np.ndarray, what: str, breaks: tuple[str, ...] | None = None) -> Iterator[Finding]:
        if len(rows):
            names = [f"episode {episodes.index[row]}" for row in rows[:4]] + [""] * (len(rows) - 4)
            yield Finding(f"{what}: {few(names)}", file=episodes.file_of(int(rows[0])), breaks=breaks)

    misplaced = episodes.index != position
    yield from wrong(np.nonzero(misplaced)[0], "episode_index is not the episode's position", _ORDER)
    yield from wrong(np.nonzero(episodes.length <= 0)[0], "no frames, or a negative number of them")
    if episodes.from_index is None or episodes.to_index is None:
        return
    spans = episodes.to_index - episodes.from_index
    unlike = (spans != episodes.length) & (episodes.length > 0)
    yield from wrong(np.nonzero(unlike)[0], "length is not dataset_to_index - dataset_from_index")
    # An episode that is misplaced, or has wrong bounds itself, is already reported and does not adjoin its neighbours.
    known = misplaced | unlike
    gaps = (episodes.from_index[1:] != episodes.to_index[:-1]) & ~known[1:] & ~known[:-1]
    yield from wrong(np.nonzero(gaps)[0] + 1, "dataset_from_index is not where the episode before ends", _ORDER)
    if len(episodes) and episodes.from_index[0] != 0 and not known[0]:
        yield from wrong(position[:1], "the first episode does not begin at frame 0", _ORDER)
