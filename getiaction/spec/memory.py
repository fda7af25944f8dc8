"""Memory requirements of a training step as plain numbers, batch sizes that fit, and a cache of measurements.

A step's peak is the largest of several moments: those of the forward and backward pass, each a constant plus a number
of bytes per sample, and the optimizer's step. `getiaction.train.memory` measures them, `validate-config` reads them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.files import write_atomically

FORMAT = 2
MAX_BATCH_SIZE = 1024  # the most that `train_batch_size: auto` chooses
_LARGEST_FILE = 1 << 20
_MAX = 1e20  # more bytes or operations than any step needs: a file with more is damaged

# Workspaces of cuDNN and cuBLAS on a GPU. Without them, predictions are 2 to 8 % below the peaks measured on an H100
# (docs/memory.md).
WORKSPACE = 100 << 20
# Bytes of a GPU's memory that CUDA's context takes, and the fraction lost to fragmentation: assumed, not measured.
_CONTEXT, _FRAGMENTED = 600 << 20, 0.04


@dataclass(frozen=True)
class Setting:
    """The settings of a training that its memory depends on.

    Attributes:
        gpu: Whether it trains on a GPU, where the optimizer updates all parameters at once.
        accumulated: Whether gradients are accumulated over several batches.
        processes: Processes that train together; each keeps a copy of the gradients to exchange.
    """

    gpu: bool = True
    accumulated: bool = False
    processes: int = 1


@dataclass(frozen=True)
class Need:
    """The memory and operations that one training step of a policy needs.

    Attributes:
        parameters: Number of parameters.
        trained: Number of those that are trained.
        weights: Bytes of all parameters and buffers.
        gradients: Bytes of the gradients.
        largest_tensor: Bytes of the largest trained tensor.
        optimizer: Bytes that the optimizer keeps between steps.
        average: Bytes of the averaged weights (`ema`).
        moments: (bytes, bytes per sample) of everything else, gradients included, at the moments of the forward and
            backward pass that are the peak for some batch size.
        flops: Floating point operations of a step per sample.
        operations: Operations that a step launches.
    """

    parameters: int
    trained: int
    weights: int
    gradients: int
    largest_tensor: int
    optimizer: int
    average: int
    moments: tuple[tuple[float, float], ...]
    flops: float
    operations: int

    @property
    def held(self) -> int:
        """Bytes that are held from step to step: weights, optimizer and average."""
        return self.weights + self.optimizer + self.average

    def activations(self, batch: int) -> int:
        """The peak bytes of the forward and backward pass at this batch size, in addition to `held`."""
        return math.ceil(max(constant + each * batch for constant, each in self.moments))

    def peak(self, batch: int, setting: Setting) -> int:
        """Peak bytes of tensors in a step."""
        copies = self.gradients * ((setting.processes > 1) + setting.accumulated)
        # Adam's temporary tensors: for all parameters at once on a GPU, for one parameter after the other on a CPU.
        stepping = self.gradients + (self.gradients if setting.gpu else 2 * self.largest_tensor)
        passes = self.activations(batch) + copies
        return self.held + max(passes, stepping) + (WORKSPACE if setting.gpu else 0)

    def largest(self, room: int, setting: Setting) -> int:
        """The largest batch size whose peak fits into `room` bytes; 0 if one sample does not fit."""
        least, most = 0, 1
        while most <= MAX_BATCH_SIZE * 1024 and self.peak(most, setting) <= room:
            least, most = most, 2 * most
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if self.peak(middle, setting) <= room else (least, middle)
        return least

    def divisor(self, samples: int, room: int, setting: Setting) -> int:
        """The largest divisor of a step's samples that fits as one batch, with accumulation; 0 if none fits.

        Args:
            samples: Samples of an optimizer step in one process.
            room: Bytes that tensors may take.
            setting: How the recipe trains now.
        """
        largest = self.largest(room, replace(setting, accumulated=True))
        return max((batch for batch in range(1, min(largest, samples) + 1) if samples % batch == 0), default=0)


def usable_bytes(memory: int, *, gpu: bool) -> int:
    """The bytes of a device's memory that tensors may take: three quarters of host memory, most of a GPU's."""
    return int(memory * (1 - _FRAGMENTED)) - _CONTEXT if gpu else memory * 3 // 4


def auto_batch_size(largest: int, samples: int) -> int:
    """The batch size that `auto` chooses: a power of two, at most `MAX_BATCH_SIZE` and a sixteenth of the samples.

    Args:
        largest: The largest batch size that fits.
        samples: Samples of an epoch.
    """
    bound = min(largest, MAX_BATCH_SIZE, max(1, samples // 16))
    return 1 << max(0, bound.bit_length() - 1)


def cache_key(recipe: Mapping[str, Any], features: Mapping[str, Any], fps: float) -> str:
    """The cache key of a measurement, equal for recipes whose steps have the same requirements.

    Args:
        recipe: The recipe as plain Python values.
        features: The dataset's raw features.
        fps: The dataset's frames per second.
    """
    model = recipe.get("model") or {}
    arguments = {name: value for name, value in (model.get("init_args") or {}).items() if name != "learning_rate"}
    data = (recipe.get("data") or {}).get("init_args") or {}
    content = {
        "format": FORMAT,
        "versions": [_version(package) for package in ("torch", "lerobot", "transformers", "peft")],
        "model": [model.get("class_path"), arguments, _config(arguments.get("pretrained_path"))],
        "timing": data.get("delta_timestamps"),
        "precision": str((recipe.get("trainer") or {}).get("precision", "")),
        "features": {name: [raw.get("dtype"), list(raw.get("shape") or ())] for name, raw in features.items()},
        "fps": float(fps),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


def load(name: str) -> Need | None:
    """Load the measurement with this key; None if it is missing or damaged."""
    try:
        values = trust.read_json(_folder() / f"{name}.json", _LARGEST_FILE)
        values["moments"] = tuple((float(constant), float(each)) for constant, each in values["moments"])
        need = Need(**values)
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    counts = [getattr(need, field) for field in asdict(need) if field != "moments"]
    counts += [each for _, each in need.moments] + [abs(constant) for constant, _ in need.moments]
    sound = all(isinstance(count, int | float) and not isinstance(count, bool) for count in counts)
    return need if sound and need.moments and all(0 <= count <= _MAX for count in counts) else None


def store(name: str, need: Need) -> None:
    """Store a measurement; an unwritable cache is ignored."""
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        write_atomically(_folder() / f"{name}.json", json.dumps(asdict(need)))


def _folder() -> Path:
    from getiaction.spec.frame_loading import frames_root

    return frames_root().parent / "memory"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _config(path: Any) -> str:
    """The digest of a pretrained folder's configuration; empty for a Hub id."""
    if not isinstance(path, str | os.PathLike):
        return ""
    with contextlib.suppress(OSError, ValueError), trust.open_regular(Path(path).expanduser() / "config.json") as file:
        return hashlib.sha256(file.read(_LARGEST_FILE)).hexdigest()
    return ""
