"""Predict recorded frames as on a robot, for many moments in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from getiaction.data.loader import ahead
from getiaction.data.moments import Moments
from getiaction.evaluation.measures import Predicted
from getiaction.lerobot.datasets import LeRobotDatasetMetadata

# Bytes of the images of one batch of moments as float32, before preprocessing.
BATCH_BYTES = 192 * 2**20
LARGEST_BATCH = 64

Progress = Callable[[int, int], None]


def batch_size(meta: LeRobotDatasetMetadata, observations: int) -> int:
    """The number of moments to predict at once, by the size of their images."""
    shapes = [meta.features[key]["shape"] for key in meta.camera_keys]
    one = sum(4 * int(np.prod(shape)) for shape in shapes) * observations
    return max(1, min(LARGEST_BATCH, BATCH_BYTES // max(one, 1)))


@contextmanager
def repeatable(seed: int = 0) -> Iterator[None]:
    """Context with a fixed seed for policies that sample noise; the caller's random state is restored."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def predict(policy: Any, moments: Moments, progress: Progress | None = None) -> Predicted:
    """Predict every frame of the episodes of these moments.

    Args:
        policy: a built `LeRobotPolicy`.
        moments: all moments of some episodes.
        progress: called with the number of frames done and in total.
    """
    actions = np.full_like(moments.actions, np.nan)
    starts = np.zeros(len(actions), dtype=np.int64)
    source: Iterator[Any] = (moments[i] for i in range(len(moments)))
    if policy.device.type != "cpu":
        source = ahead(source)
    done = 0
    with repeatable():
        for batch in source:
            predicted = policy.predict_chunk(batch["observations"], new_episode=batch["new_episode"]).float().numpy()
            valid = batch["valid"].numpy()
            rows = batch["row"].numpy()[:, None] + np.arange(moments.steps)
            actions[rows[valid]] = predicted[:, : moments.steps][valid]
            starts[rows[valid]] = np.broadcast_to(batch["row"].numpy()[:, None], rows.shape)[valid]
            done += int(valid.sum())
            if progress is not None:
                progress(done, len(actions))
    episodes = moments.episodes
    return Predicted(actions, moments.actions, starts, episodes.firsts, episodes.lengths, episodes.numbers)
