"""Datasets of every kind that LeRobot writes, small, and the comparison with what LeRobotDataset returns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import make_dataset
import torch
from torch.utils.data import default_collate

# What `make_dataset.make` is given; each shows something that the others do not.
KINDS: dict[str, dict[str, Any]] = {
    "one camera": {"cameras": {"observation.image": (16, 24)}, "lengths": (9, 7, 8), "reward": True},
    "av1": {"cameras": {"observation.image": (64, 64)}, "lengths": (9, 7), "codec": "libsvtav1"},
    "two cameras of two sizes, several files": {
        "cameras": {"observation.images.top": (32, 48), "observation.images.wrist": (16, 16)},
        "lengths": (12, 9, 11, 10),
        "tasks": ("Take.", "Give."),
        "video_files_size_in_mb": 0.002,
        "data_files_size_in_mb": 0.004,
        "fps": 30,
    },
    "pictures": {
        "cameras": {"observation.images.top": (16, 24), "observation.images.side": (8, 8)},
        "storage": "image",
        "lengths": (8, 6, 7),
        "done": True,
    },
    "depth": {
        "cameras": {"observation.images.top": (16, 24)},
        "depth": {"observation.images.depth": (16, 16)},
        "lengths": (7, 8),
    },
    "depth pictures": {
        "cameras": {"observation.images.top": (16, 24)},
        "depth": {"observation.images.depth": (16, 16)},
        "storage": "image",
        "lengths": (7, 8),
    },
    "numbers alone": {
        "cameras": {},
        "state": 1,
        "action": 1,
        "extra": {"observation.environment_state": 1, "observation.force": 3},
        "lengths": (6, 5, 9),
    },
}


def build(root: Path, kind: str) -> Path:
    return make_dataset.make(root, **{"codec": "h264", "true_quantiles": False, **KINDS[kind]})


def lerobot_batch(dataset: Any, rows: Sequence[int]) -> dict[str, Any]:
    return default_collate([dataset[row] for row in rows])


def assert_same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Same keys in the same order, same types, shapes and bits; uint8 pictures after the division by 255."""
    assert list(ours) == list(theirs)
    for key, their in theirs.items():
        our = ours[key]
        if not isinstance(their, torch.Tensor):
            assert our == their, key
            continue
        if our.dtype == torch.uint8 and their.dtype == torch.float32:
            our = our.to(torch.float32) / 255
        assert (our.dtype, our.shape) == (their.dtype, their.shape), key
        assert torch.equal(our, their), key
