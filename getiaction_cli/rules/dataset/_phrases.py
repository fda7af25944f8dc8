"""Words that several dataset rules share."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from getiaction.spec.hub_cache import is_offline
from getiaction_cli.diagnostics import Unavailable

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.files import Rows
    from getiaction_cli.datasets.scan import Spot

# Where to get an undamaged file: "restore it …".
RESTORE = "from where the dataset was recorded, from a backup or from the Hub"


def few(names: Sequence[object], most: int = 3) -> str:
    """ "a, b, c and 9 more"."""
    words = [str(name) for name in names[:most]]
    rest = len(names) - len(words)
    if rest:
        return ", ".join(words) + f" and {rest} more"
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def count(number: int, one: str, many: str = "") -> str:
    """ "1 episode", "3 episodes"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def place(spot: Spot) -> str:
    """ "episode 3, frame 17"."""
    return f"episode {spot.episode}, frame {spot.frame}"


def recompute(dataset: Dataset) -> str:
    """Return the command that recomputes the statistics from the data."""
    root = shlex.quote(str(dataset.root))
    return f"getiaction inspect-dataset {root} --deep --write-stats computes them again from the data"


def rows_in(files: Mapping[str, Rows], names: Sequence[str]) -> Rows:
    """Return the rows of the episodes whose data is in some of these files."""
    import numpy as np  # only where a file is missing or damaged

    return np.unique(np.concatenate([files[name] for name in names]))


def needs_all_files(dataset: Dataset) -> None:
    """Skip a rule about missing files if training downloads the missing ones."""
    needs_files(dataset)
    if dataset.place.is_cached_copy and not is_offline():
        raise Unavailable("the dataset is a cached copy: training downloads what it lacks")


def needs_files(dataset: Dataset) -> None:
    """Skip a rule if tables and videos are not on this disk, so that they are not reported as missing."""
    if not dataset.has_data:
        raise Unavailable("only meta/ of the dataset is here, its tables and videos are not downloaded yet")
