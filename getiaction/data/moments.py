"""The moments of recorded episodes at which a policy predicts, as batches of observations and recorded actions.

On a robot, a policy predicts every `n_action_steps` frames. In a recording these moments are known beforehand, so a
batch contains moments of many episodes. A policy that remembers its earlier predictions predicts at every frame
instead, for many episodes in parallel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from getiaction.data.layout import layout_of
from getiaction.data.mixture import MixtureDataset, Opened, column_of, rows_of
from getiaction.data.windows import Batch
from getiaction.lerobot.datasets import ACTION, OBS_PREFIX


@dataclass(frozen=True)
class Episodes:
    """The rows of the chosen episodes in an opened dataset.

    Attributes:
        numbers: `(episodes,)` their indices in the dataset.
        firsts: `(episodes,)` the row of each one's first frame.
        lengths: `(episodes,)` frames of each.
        strides: `(episodes,)` frames from one step of a mixture to the next; 1 for a single dataset.
    """

    numbers: np.ndarray
    firsts: np.ndarray
    lengths: np.ndarray
    strides: np.ndarray

    @classmethod
    def of(cls, dataset: Opened) -> Episodes:
        """The episodes of an opened dataset."""
        if isinstance(dataset, MixtureDataset):
            numbers = dataset.chosen
            lengths = dataset.stops[numbers] - dataset.starts[numbers]
            strides = dataset.strides[numbers]
        else:
            layout = layout_of(dataset.meta)
            numbers = layout.chosen(dataset.episodes)
            lengths = layout.stops[numbers] - layout.starts[numbers]
            strides = np.ones_like(lengths)
        return cls(numbers, np.cumsum(lengths) - lengths, lengths, strides)


class Moments(Dataset[Batch]):
    """Batches of moments, in order; item `i` is the whole i-th batch.

    Each batch has

        observations   one dictionary per observation that a prediction depends on, oldest first; (batch, …) each
        recorded       (batch, steps, action) the recorded actions from the moment on, in the dataset's units
        valid          (batch, steps) False where the episode has ended
        row            (batch,) the row of the moment
        new_episode    whether the batch begins with episodes that are new to the policy

    Args:
        dataset: opened without `delta_timestamps`.
        collate: collate function for samples of LeRobotDataset.
        steps: number of actions executed from one prediction.
        observations: number of observations that one prediction depends on.
        independent: whether predictions are independent of each other; else each frame is a moment.
        batch_size: moments per batch.
        rows: the moments to use; None for all. Only with independent predictions.
        stride: frames from one action to the next; rows count only every `stride`th frame of each episode.

    Attributes:
        frames: `(rows,)` the dataset's row of each row.
    """

    def __init__(
        self,
        dataset: Opened,
        collate: Any,
        *,
        steps: int,
        observations: int = 1,
        independent: bool = True,
        batch_size: int = 32,
        rows: Sequence[int] | np.ndarray | None = None,
        stride: int = 1,
    ) -> None:
        self.dataset, self.collate = dataset, collate
        self.steps, self.observations, self.independent = (steps if independent else 1), observations, independent
        whole = Episodes.of(dataset)
        strides = stride * whole.strides
        kept = [np.arange(f, f + n, s) for f, n, s in zip(whole.firsts, whole.lengths, strides, strict=True)]
        left = np.array([len(frames) for frames in kept], dtype=np.int64)
        self.frames = np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
        self.episodes = Episodes(whole.numbers, np.cumsum(left) - left, left, strides)
        self.actions = numbers(dataset, ACTION)[self.frames]
        firsts, lengths = self.episodes.firsts, self.episodes.lengths
        # First row of the episode of each row, and the row after its last one.
        self._first = np.repeat(firsts, lengths)
        self._stop = np.repeat(firsts + lengths, lengths)
        self.batches: list[
            tuple[np.ndarray, np.ndarray, bool]
        ] = []  # (rows, mask of valid rows, whether episodes start)
        if independent:
            every = [np.arange(first, first + length, steps) for first, length in zip(firsts, lengths, strict=True)]
            chosen = np.concatenate(every) if rows is None else np.asarray(rows, dtype=np.int64)
            for at in range(0, len(chosen), batch_size):
                part = chosen[at : at + batch_size]
                self.batches.append((part, np.ones(len(part), dtype=bool), True))
            return
        for at in range(0, len(firsts), batch_size):
            begin, long = firsts[at : at + batch_size], lengths[at : at + batch_size]
            for frame in range(int(long.max(initial=0))):
                # An ended episode stays in the batch at its last frame: the policy's state depends on the position.
                self.batches.append((begin + np.minimum(frame, long - 1), frame < long, frame == 0))

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> Batch:
        rows, counts, new_episode = self.batches[i]
        ahead = rows[:, None] + np.arange(self.steps)
        inside = np.minimum(ahead, self._stop[rows][:, None] - 1)
        back = range(self.observations - 1, -1, -1) if self.independent else (0,)
        return {
            "observations": [self.observations_at(np.maximum(rows - k, self._first[rows])) for k in back],
            "recorded": torch.from_numpy(self.actions[inside]),
            "valid": torch.from_numpy((inside == ahead) & counts[:, None]),
            "row": torch.from_numpy(rows),
            "new_episode": new_episode,
        }

    def observations_at(self, rows: np.ndarray) -> Batch:
        """The policy's inputs at these rows: observations and the task."""
        batch = rows_of(self.dataset, self.frames[rows], self.collate)
        return {key: value for key, value in batch.items() if key.startswith(OBS_PREFIX) or key == "task"}


def numbers(dataset: Opened, key: str) -> np.ndarray:
    """The values of a numeric feature for all rows, `(rows, size)` as float32 or int64; size is 1 for scalars.

    Raises:
        KeyError: the dataset has no such feature.
    """
    values = column_of(dataset, key)
    kind = np.float32 if values.dtype.kind == "f" else np.int64
    return np.ascontiguousarray(values, dtype=kind).reshape(len(values), -1)
