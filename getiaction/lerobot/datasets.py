"""What getiaction takes from LeRobot's dataset classes: statistics, transforms, time steps, frames."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from lerobot.configs.video import DEFAULT_DEPTH_UNIT, DEPTH_METER_UNIT, DepthEncoderConfig
from lerobot.datasets.compute_stats import aggregate_stats
from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
from lerobot.datasets.depth_utils import MM_PER_METRE, dequantize_depth
from lerobot.datasets.factory import resolve_delta_timestamps
from lerobot.datasets.feature_utils import check_delta_timestamps, get_delta_indices
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.sampler import EpisodeAwareSampler
from lerobot.datasets.video_utils import decode_video_frames
from lerobot.utils.collate import lerobot_collate_fn
from lerobot.utils.constants import ACTION, IMAGENET_STATS, OBS_PREFIX

from getiaction.lerobot.features import Stats

__all__ = [
    "ACTION",
    "OBS_PREFIX",
    "EpisodeAwareSampler",
    "LeRobotDataset",
    "LeRobotDatasetMetadata",
    "decoded_frame",
    "delta_indices",
    "distances",
    "lerobot_collate_fn",
    "merged_episodes",
    "merged_stats",
    "merged_tasks",
    "resolve_delta_timestamps",
    "training_stats",
]


def training_stats(meta: LeRobotDatasetMetadata, use_imagenet_stats: bool) -> Stats:
    """The dataset's statistics as lerobot-train uses them: ImageNet's for its colour cameras, if asked."""
    meta = copy.copy(meta)
    meta.stats = copy.deepcopy(meta.stats) or {}
    meta.rescale_depth_stats(DEFAULT_DEPTH_UNIT)
    if use_imagenet_stats:
        for key in meta.camera_keys:
            if key not in meta.depth_keys:
                imagenet = {name: torch.tensor(value, dtype=torch.float32) for name, value in IMAGENET_STATS.items()}
                meta.stats[key] = {**meta.stats.get(key, {}), **imagenet}
    return meta.stats


def merged_stats(several: Sequence[Stats]) -> Stats:
    """The statistics of several datasets together, as LeRobot's `merge_datasets` computes them."""
    return several[0] if len(several) == 1 else aggregate_stats(list(several))


def merged_tasks(metas: Sequence[LeRobotDatasetMetadata]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The tasks of several datasets, numbered as LeRobot's `merge_datasets` numbers them.

    Returns:
        The table, and for each dataset the numbers in it of the dataset's own tasks.
    """
    tables = [meta.tasks for meta in metas if meta.tasks is not None and len(meta.tasks)]
    texts = pd.concat(tables).index.unique() if tables else pd.Index([])
    table = pd.DataFrame({"task_index": range(len(texts))}, index=pd.Index(texts, name="task"))
    numbers = [
        texts.get_indexer(meta.tasks.index).astype(np.int64) if meta.tasks is not None else np.zeros(1, dtype=np.int64)
        for meta in metas
    ]
    return table, numbers


def merged_episodes(metas: Sequence[LeRobotDatasetMetadata], first_frames: Sequence[int]) -> Dataset:
    """The episodes of several datasets: length, tasks, and the frames that they begin and end with."""
    columns: dict[str, list[Any]] = {"length": [], "tasks": [], "dataset_from_index": [], "dataset_to_index": []}
    for meta, first in zip(metas, first_frames, strict=False):
        table = meta.episodes.data
        columns["length"] += table.column("length").to_pylist()
        columns["tasks"] += table.column("tasks").to_pylist()
        for name in ("dataset_from_index", "dataset_to_index"):
            columns[name] += [int(first) + number for number in table.column(name).to_pylist()]
    return Dataset.from_dict(columns)


def delta_indices(
    delta_timestamps: Mapping[str, Sequence[float]] | None, fps: int, tolerance_s: float
) -> dict[str, list[int]]:
    """Frames around each frame, as LeRobotDataset counts them.

    Raises:
        ValueError: a moment that is not a multiple of a frame.
    """
    seconds = {key: list(moments) for key, moments in (delta_timestamps or {}).items()}
    check_delta_timestamps(seconds, fps, tolerance_s)
    return get_delta_indices(seconds, fps)


def decoded_frame(path: Path, second: float, tolerance_s: float, backend: str, is_depth: bool) -> torch.Tensor:
    """One frame of a video as LeRobotDataset decodes it, `(channels, height, width)`."""
    frames = decode_video_frames(path, [second], tolerance_s, backend, return_uint8=True, is_depth=is_depth)
    return frames[0]


def distances(meta: LeRobotDatasetMetadata) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """For each depth camera what makes LeRobot's distances, `(n, 1, height, width)` float32, of its stored numbers."""
    return {key: _distances(meta.features[key]) for key in meta.depth_keys}


def _distances(feature: Mapping[str, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    info = feature.get("info") or {}
    if feature["dtype"] == "video":
        encoder = DepthEncoderConfig.from_video_info(feature.get("info"))
        # All 16-bit numbers once: reading a table is cheaper than LeRobot's exponential of every pixel.
        table = (
            dequantize_depth(
                torch.arange(2**16, dtype=torch.int32).reshape(1, 1, 256, 256),
                depth_min=encoder.depth_min,
                depth_max=encoder.depth_max,
                shift=encoder.shift,
                use_log=encoder.use_log,
                output_unit=DEFAULT_DEPTH_UNIT,
            )
            .numpy()
            .reshape(-1)
        )
        return lambda stored: torch.from_numpy(table[stored.numpy()])
    unit = info.get("depth_unit")
    if unit is None or unit == DEFAULT_DEPTH_UNIT:
        return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32))
    if unit == DEPTH_METER_UNIT:
        return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32)) * MM_PER_METRE
    return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32)) / MM_PER_METRE
