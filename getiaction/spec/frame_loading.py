"""Choose how frames are loaded, from sizes alone, before anything is decoded. Standard library only.

The store of a camera takes `frames x height x width x channels` bytes (two bytes a pixel for depth maps). It is used
if the part still to be built fits into the limit that the recipe sets, or without a limit into half of the free space
of its disk: half, so that a training run has room for its checkpoints. If it does not fit, blocks of episodes
are decoded during training. LeRobotDataset loads the frames that neither of them can read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LoadingMethod = Literal["store", "blocks", "lerobot"]
LOADING_METHODS: tuple[LoadingMethod, ...] = ("store", "blocks", "lerobot")  # from the fastest to the slowest
GB = 1_000_000_000
# Measured on two cores; the estimates of validate-config are orders of magnitude, not promises.
COPIED_BYTES_PER_SECOND = 3e9
DECODED_PIXELS_PER_SECOND_AND_CORE = 100e6
LEROBOT_SECONDS_PER_CAMERA = 0.012


@dataclass(frozen=True)
class StoreOption:
    """The value of `data.init_args.frame_store`.

    Attributes:
        enabled: False for `off`.
        max_gb: Limit in gigabytes of 10^9 bytes; None for a limit by free space.
        path: Folder of the stores; None for the default.
    """

    enabled: bool = True
    max_gb: float | None = None
    path: str | None = None


@dataclass(frozen=True)
class Plan:
    """How frames are loaded, and why.

    Attributes:
        method: `store`, `blocks` or `lerobot`.
        reason: Why this method, as one clause.
        bytes: Size of the store for all cameras and chosen episodes.
        missing: Bytes of it that are still to be built.
        folder: Folder of the stores.
        free: Free bytes on its disk.
    """

    method: LoadingMethod
    reason: str
    bytes: int
    missing: int
    folder: Path
    free: int

    def __str__(self) -> str:
        """The message for the user: the method and the reason."""
        descriptions = {
            "store": "frames are decoded once and kept",
            "blocks": "frames are decoded block by block during training, in an order that differs from LeRobot's",
            "lerobot": "frames are decoded one by one by LeRobotDataset",
        }
        return f"{descriptions[self.method]}: {self.reason}"


def read_option(given: str | Mapping[str, Any] | bool | None) -> StoreOption:
    """Read `auto`, `off` or `{max_gb, path}`. YAML reads a bare `off` as False.

    Raises:
        ValueError: any other value.
    """
    if given in ("auto", None, True):
        return StoreOption()
    if given in ("off", False):
        return StoreOption(enabled=False)
    if isinstance(given, Mapping) and set(given) <= {"max_gb", "path"}:
        bound, path = given.get("max_gb"), given.get("path")
        usable = bound is None or (isinstance(bound, int | float) and not isinstance(bound, bool) and bound >= 0)
        if usable and (path is None or isinstance(path, str | os.PathLike)):
            return StoreOption(True, None if bound is None else float(bound), None if path is None else str(path))
    raise ValueError(f"frame_store is auto, off or a mapping with max_gb and path, not {given!r}")


def frames_root(option: StoreOption | None = None) -> Path:
    """The folder of all stores: the recipe's, `$GETIACTION_CACHE/frames`, or `~/.cache/getiaction/frames`."""
    if option is not None and option.path is not None:
        return Path(option.path).expanduser()
    home = os.environ.get("GETIACTION_CACHE")
    if home:
        return Path(home).expanduser() / "frames"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "getiaction" / "frames"


def choose(option: StoreOption, *, size: int, missing: int, folder: Path) -> Plan:
    """Choose between the store and blocks.

    Args:
        option: The recipe's `frame_store`.
        size: Bytes of the store.
        missing: Bytes of it that are not built yet.
        folder: Folder of the stores.
    """
    free = free_bytes(folder)
    bound = None if option.max_gb is None else int(option.max_gb * GB)

    def plan(method: LoadingMethod, reason: str) -> Plan:
        return Plan(method, reason, size, missing, folder, free)

    if not option.enabled:
        return plan("blocks", "frame_store is off")
    if bound is not None and size > bound:
        return plan("blocks", f"the store takes {gigabytes(size)} and frame_store allows {gigabytes(bound)}")
    if not missing:
        return plan("store", f"{gigabytes(size)}, built before")
    room = free if bound is not None else free // 2
    if missing > room:
        half = "" if bound is not None else ", of which it may take half"
        return plan("blocks", f"the store takes {gigabytes(missing)} and {folder} has {gigabytes(free)} free{half}")
    return plan("store", f"{gigabytes(missing)} to build once, {gigabytes(free)} free")


def free_bytes(folder: Path) -> int:
    """Free space on the disk that would hold this folder."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def expected_samples_per_second(
    method: LoadingMethod, *, cameras: int, window: int, frame_bytes: int, pixels: int, cores: int, workers: int
) -> float:
    """Estimate the throughput of the loader alone, in samples per second.

    Args:
        method: From the plan.
        cameras: Number of cameras.
        window: Frames of each camera in a sample.
        frame_bytes: Bytes of one frame of all cameras together.
        pixels: Pixels of one frame of all cameras together.
        cores: Cores that decode.
        workers: Worker processes, for LeRobotDataset.
    """
    if method == "store":
        return 1 / (20e-6 + window * frame_bytes / COPIED_BYTES_PER_SECOND)
    if method == "blocks":
        return cores / (cameras * 300e-6 + pixels / DECODED_PIXELS_PER_SECOND_AND_CORE)
    seconds = cameras * LEROBOT_SECONDS_PER_CAMERA + window * pixels / DECODED_PIXELS_PER_SECOND_AND_CORE
    return max(1, min(workers, cores)) / seconds


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gigabytes(size: float) -> str:
    """Format a size in bytes as `1.2 GB`, or as `34.0 MB` if it is small."""
    return f"{size / GB:.1f} GB" if size >= GB / 10 else f"{max(size, 0) / 1e6:.1f} MB"
