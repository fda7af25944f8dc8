"""Measure whether a policy uses its cameras and its state, and how long a prediction takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from getiaction.data.moments import Moments
from getiaction.data.windows import Batch
from getiaction.evaluation.measures import evenly, share
from getiaction.evaluation.open_loop import BATCH_BYTES, repeatable
from getiaction.evaluation.result import Latency, Probe

MAX_MOMENTS = 128
FEWEST_MOMENTS = 16
LATENCY_TRIES = 5
LATENCY_SECONDS = 10.0


def chosen_rows(moments: Moments, frame_bytes: int) -> np.ndarray:
    """Rows of frames spread evenly over all episodes; their number is limited by the size of their images."""
    fitting = 4 * BATCH_BYTES // max(1, frame_bytes * moments.observations)
    count = int(np.clip(fitting, FEWEST_MOMENTS, MAX_MOMENTS))
    return np.array(evenly(range(len(moments.actions)), count))


class Probes:
    """Predictions for some moments of an evaluation with inputs exchanged between these moments.

    Args:
        policy: a built `LeRobotPolicy`.
        moments: the moments of the evaluation.
        rows: the rows of the moments to predict again.
        scale: `(action,)` each joint's range.
        batch: number of moments to predict at once.
    """

    def __init__(self, policy: Any, moments: Moments, rows: np.ndarray, scale: np.ndarray, batch: int) -> None:
        self.policy, self.scale, self.batch = policy, scale, batch
        self.moments = len(rows)
        back = range(moments.observations - 1, -1, -1) if moments.independent else (0,)
        first = np.repeat(moments.episodes.firsts, moments.episodes.lengths)[rows]
        self.seen: list[Batch] = [moments.observations_at(np.maximum(rows - k, first)) for k in back]
        ahead = rows[:, None] + np.arange(moments.steps)
        stop = np.repeat(moments.episodes.firsts + moments.episodes.lengths, moments.episodes.lengths)[rows][:, None]
        self.recorded, self.valid = moments.actions[np.minimum(ahead, stop - 1)], ahead < stop
        # Each moment gets the inputs of another one: a random cycle has no fixed point.
        order = np.random.default_rng(0).permutation(self.moments)
        self.other = np.empty(self.moments, dtype=np.int64)
        self.other[order] = np.roll(order, 1)
        self._as_recorded: np.ndarray | None = None

    def exchange(self, inputs: Sequence[str]) -> Probe | None:
        """Measure with these features exchanged between the moments; None with too few moments or no such feature."""
        present = tuple(key for key in inputs if key in self.seen[-1])
        if self.moments < FEWEST_MOMENTS or not present:
            return None
        if self._as_recorded is None:
            self._as_recorded = self._predict(self.seen)
        mixed = [{k: v[self.other] if k in present else v for k, v in seen.items()} for seen in self.seen]
        exchanged = self._predict(mixed)
        before, after = self._errors(self._as_recorded), self._errors(exchanged)
        moved = share(np.abs(exchanged - self._as_recorded), self.scale)[self.valid].mean()
        doubt = (after - before).std(ddof=1) / np.sqrt(len(before))
        return Probe(present, self.moments, float(before.mean()), float(after.mean()), float(moved), float(doubt))

    def _predict(self, seen: list[Batch]) -> np.ndarray:
        parts = []
        with repeatable():
            for at in range(0, self.moments, self.batch):
                part = [{key: value[at : at + self.batch] for key, value in one.items()} for one in seen]
                parts.append(self.policy.predict_chunk(part).float().numpy())
        return np.concatenate(parts)[:, : self.recorded.shape[1]]

    def _errors(self, predicted: np.ndarray) -> np.ndarray:
        """The error of each moment."""
        errors = share(np.abs(predicted - self.recorded), self.scale)
        return (errors * self.valid).sum(axis=1) / self.valid.sum(axis=1)

    def latency(self) -> Latency:
        """Measure the duration of one prediction, from a raw observation to actions in the dataset's units."""
        one = [{key: value[:1] for key, value in seen.items()} for seen in self.seen]
        taken: list[float] = []
        with repeatable():
            self.policy.predict_chunk(one)  # the first one allocates and compiles
            begun = time.perf_counter()
            while len(taken) < LATENCY_TRIES and time.perf_counter() - begun < LATENCY_SECONDS:
                then = time.perf_counter()
                self.policy.predict_chunk(one)
                taken.append(time.perf_counter() - then)
        return Latency(statistics.median(taken), min(taken), len(taken), _device_name(self.policy.device))


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
