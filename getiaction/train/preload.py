"""Load what a training loads before its first step, and train nothing: `getiaction fetch` checks the caches with it.

Run as a process of its own, because libraries read HF_HUB_OFFLINE when they are imported:
`HF_HUB_OFFLINE=1 python -m getiaction.train.preload < recipe.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from getiaction.data.layout import layout_of, missing_files
from getiaction.data.metadata import find
from getiaction.errors import DataError, TrainingError
from getiaction.lerobot import datasets
from getiaction.lerobot.errors import first_line
from getiaction.spec import episode_split
from getiaction.train import build
from getiaction.train.failures import in_plain_words


def load(recipe: Mapping[str, Any]) -> None:
    """Find every file of the recipe's dataset, and build its policy on the CPU.

    Args:
        recipe: the recipe as plain values.

    Raises:
        TrainingError: a file is missing, or the policy can't be built.
    """
    data: Any = build.data(dict(recipe))
    _, meta = find(data.repo_id, data.root, data.revision)
    layout = layout_of(meta)
    used = episode_split.used(meta.total_episodes, data.episodes, data.exclude_episodes)
    if missing := missing_files(layout, used):
        raise DataError(f"{len(missing)} of the files of {data.repo_id} are not in {layout.root}")
    policy = build.policy(dict(recipe))
    policy.build(meta, datasets.training_stats(meta, data.use_imagenet_stats))


def main() -> None:
    """Load the recipe on standard input; one line on standard error says what is missing."""
    try:
        with in_plain_words():
            load(json.load(sys.stdin))
    except TrainingError as error:
        sys.exit(f"{error.message}")
    except Exception as error:  # a library's own error about a file that is not there
        sys.exit(f"{type(error).__name__}: {first_line(error)}")


if __name__ == "__main__":
    main()
