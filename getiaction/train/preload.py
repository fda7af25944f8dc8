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
from getiaction.data.mixture import MixtureMetadata
from getiaction.errors import DataError, TrainingError
from getiaction.lerobot import datasets
from getiaction.lerobot.errors import first_line
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
    _, meta = data.find()
    used = data.used(meta)
    parts = [(meta, used)]
    if isinstance(meta, MixtureMetadata):
        parts = [(part, meta.of_part(i, used)) for i, part in enumerate(meta.parts)]
    for part, episodes in parts:
        layout = layout_of(part)
        if missing := missing_files(layout, episodes):
            raise DataError(f"{len(missing)} of the files of {part.repo_id} are not in {layout.root}")
    policy = build.policy(dict(recipe))
    policy.build(meta, datasets.training_stats(meta, data.use_imagenet_stats))


def main() -> None:
    """Load the recipe on standard input; one line on standard error says what is missing."""
    try:
        with in_plain_words():
            load(json.load(sys.stdin))
    except TrainingError as error:
        sys.exit(error.message)
    except Exception as error:  # a library's own error about a file that is not there
        sys.exit(f"{type(error).__name__}: {first_line(error)}")


if __name__ == "__main__":
    main()
