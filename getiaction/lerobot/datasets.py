"""LeRobot's datasets: statistics, tasks and episodes of merged datasets, time steps, decoding."""

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
    """The dataset's statistics as in lerobot-train, optionally with ImageNet's for colour cameras."""
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
    """The combined statistics of several datasets, computed as in LeRobot's `merge_datasets`."""
    return several[0] if len(several) == 1 else aggregate_stats(list(several))


def merged_tasks(metas: Sequence[LeRobotDatasetMetadata]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The tasks of several datasets, numbered as in LeRobot's `merge_datasets`.

    Returns:
        The table, and for each dataset the indices of its tasks in that table.
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
    """The episodes of several datasets: length, tasks, and first and last frame."""
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
    """Convert seconds around each frame to frames, as in LeRobotDataset.

    Raises:
        ValueError: a time that is not a multiple of a frame.
    """
    seconds = {key: list(moments) for key, moments in (delta_timestamps or {}).items()}
    check_delta_timestamps(seconds, fps, tolerance_s)
    return get_delta_indices(seconds, fps)


def decoded_frame(path: Path, second: float, tolerance_s: float, backend: str, is_depth: bool) -> torch.Tensor:
    """One frame of a video as LeRobotDataset decodes it, `(channels, height, width)`."""
    frames = decode_video_frames(path, [second], tolerance_s, backend, return_uint8=True, is_depth=is_depth)
    return frames[0]


def distances(meta: LeRobotDatasetMetadata) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """For each depth camera, the conversion of stored values to distances, `(n, 1, height, width)` float32."""
    return {key: _distances(meta.features[key]) for key in meta.depth_keys}


def _distances(feature: Mapping[str, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    info = feature.get("info") or {}
    if feature["dtype"] == "video":
        encoder = DepthEncoderConfig.from_video_info(feature.get("info"))
        # A table of all 16-bit values: a lookup is faster than LeRobot's exponential for every pixel.
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
