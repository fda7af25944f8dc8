"""What getiaction takes from LeRobot's dataset classes: statistics, transforms, time steps, frames."""

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import draccus
import numpy as np
import torch
from draccus.utils import ParsingError
from lerobot.configs.video import DEFAULT_DEPTH_UNIT, DEPTH_METER_UNIT, DepthEncoderConfig
from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata
from lerobot.datasets.depth_utils import MM_PER_METRE, dequantize_depth
from lerobot.datasets.factory import resolve_delta_timestamps
from lerobot.datasets.feature_utils import check_delta_timestamps, get_delta_indices
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.sampler import EpisodeAwareSampler
from lerobot.datasets.video_utils import decode_video_frames
from lerobot.transforms import ImageTransforms, ImageTransformsConfig
from lerobot.utils.collate import lerobot_collate_fn
from lerobot.utils.constants import ACTION, IMAGENET_STATS, OBS_PREFIX

from getiaction.errors import DataError
from getiaction.lerobot.configuration import plain
from getiaction.lerobot.errors import first_line
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
    "image_transforms",
    "lerobot_collate_fn",
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


def image_transforms(given: Mapping[str, Any] | Callable[..., Any] | None) -> Callable[..., Any] | None:
    """LeRobot's random image transforms, from the fields of its `ImageTransformsConfig` or a callable.

    Raises:
        DataError: LeRobot refuses the fields.
    """
    if given is None or callable(given):
        return given
    try:
        config = draccus.decode(ImageTransformsConfig, {"enable": True, **plain(given)})
    except ParsingError as error:
        raise DataError(f"image_transforms: {first_line(error)}") from error
    return ImageTransforms(config) if config.enable else None


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
