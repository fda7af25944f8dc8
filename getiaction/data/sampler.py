"""The order of samples: LeRobot's order for the same seed, exact resuming, and disjoint shares for ranks.

The order of an epoch is a pure function of the seed and the epoch, drawn as LeRobot's `EpisodeAwareSampler` draws it,
so `getiaction train` and `lerobot-train` see the same samples in the same batches. Ranks take batches in turn, as
with accelerate; a short last round is filled up from the start of the epoch, so that all ranks have the same number of
batches. A single rank keeps its short last batch. A run that is resumed on another number of ranks divides the rest of
the epoch again, so that each frame is still used once per epoch.

It is a `DistributedSampler` so that Lightning does not replace it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data.distributed import DistributedSampler

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """The share of an epoch that one part of a run used.

    Attributes:
        world_size: Number of ranks.
        batch_size: Samples per batch and rank.
        batches: Number of batches that each rank used.
    """

    world_size: int
    batch_size: int
    batches: int

    @property
    def samples(self) -> int:
        """Samples that all ranks used together."""
        return self.world_size * self.batch_size * self.batches


Parts = tuple[Part, ...]


class EpisodeSampler(DistributedSampler[int]):
    """Samples the frames of some episodes, without the last ones of each.

    Args:
        starts: `(episodes,)` index of each episode's first frame.
        stops: `(episodes,)` index after its last one.
        episodes: The episodes to use; None for all.
        drop_n_last_frames: Number of frames at the end of each episode that do not start a sample; `(episodes,)` if it
            differs between episodes.
        shuffle: Use a different random order in each epoch; otherwise the order of the dataset.
        seed: Seed of the random orders.
        batch_size: Samples per batch and rank.
        rank: Number of this rank, from 0.
        world_size: Number of ranks.

    Raises:
        ValueError: no frame is left.
    """

    def __init__(
        self,
        starts: np.ndarray,
        stops: np.ndarray,
        *,
        episodes: Sequence[int] | None = None,
        drop_n_last_frames: int | np.ndarray = 0,
        shuffle: bool = True,
        seed: int = 0,
        batch_size: int = 1,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        dropped = np.broadcast_to(drop_n_last_frames, starts.shape)
        chosen = np.arange(len(starts)) if episodes is None else np.unique(np.asarray(episodes, dtype=np.int64))
        lengths = stops[chosen] - starts[chosen]
        # First row of each episode among those of the chosen episodes.
        rows = np.cumsum(lengths) - lengths
        kept = lengths - dropped[chosen]
        if (kept <= 0).any():
            logger.warning(
                "%d of %d episodes have no more than %d frames, so nothing is left of them: %s",
                (kept <= 0).sum(),
                len(chosen),
                dropped.max(),
                ", ".join(map(str, chosen[kept <= 0][:10].tolist())),
            )
        used = kept > 0
        if not used.any():
            raise ValueError(f"no episode is longer than drop_n_last_frames = {dropped.max()}")
        self._rows = rows[used]
        self._ends = np.cumsum(kept[used])
        self._count = int(self._ends[-1])
        self.shuffle, self.seed, self.batch_size = shuffle, seed, batch_size
        self.rank, self.num_replicas = rank, world_size
        self.epoch = 0
        self._parts: Parts = ()

    def __len__(self) -> int:
        """Samples of this rank in a complete epoch, also during a resumed one."""
        if self.num_replicas == 1:
            return self._count
        return self._batches(self._count) * self.batch_size

    def __iter__(self) -> Iterator[int]:
        # Not a generator: like LeRobot's, the epoch advances with each iterator, not with its first sample.
        epoch, parts = self.epoch, self._parts
        self.epoch, self._parts = epoch + 1, ()
        return self._epoch(epoch, parts)

    def set_epoch(self, epoch: int) -> None:
        """No-op: each iterator is the next epoch.

        Lightning sets an epoch before each, and counts one that `max_steps` cut short as complete; a run resumed there
        would continue with the rest of the wrong epoch.
        """

    def begin(self, epoch: int, parts: Parts = ()) -> None:
        """Set the epoch, or the rest of one, for the next iterator.

        Args:
            epoch: Its number, from 0.
            parts: The shares of it that earlier parts of the run used.
        """
        self.epoch, self._parts = epoch, parts

    def batches_left(self, epoch: int, parts: Parts) -> int:
        """Batches of each rank in the rest of an epoch; arguments as for `begin`."""
        return self._batches(self._count_left(epoch, parts))

    def _batches(self, samples: int) -> int:
        """Batches per rank if `samples` are divided among all ranks."""
        return -(-samples // (self.batch_size * self.num_replicas))

    def _count_left(self, epoch: int, parts: Parts) -> int:
        return self._count - self._used(parts)

    def _used(self, parts: Parts) -> int:
        return min(self._count, sum(part.samples for part in parts))

    def order(self, epoch: int) -> np.ndarray:
        """`(samples,)` all ranks' samples of an epoch, as positions among the usable frames."""
        if not self.shuffle:
            return np.arange(self._count)
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1, dtype=np.uint64)[0])
        return torch.randperm(self._count, generator=torch.Generator().manual_seed(seed)).numpy()

    def _epoch(self, epoch: int, parts: Parts) -> Iterator[int]:
        whole = self.order(epoch)
        order = whole[self._used(parts) :]
        if self.num_replicas > 1:
            round_size = self.batch_size * self.num_replicas
            filled = np.concatenate([order, np.resize(whole[:round_size], -len(order) % round_size)])
            order = filled.reshape(-1, self.num_replicas, self.batch_size)[:, self.rank].reshape(-1)
        # In pieces: a list of all rows of a large dataset takes gigabytes.
        for start in range(0, len(order), 8192):
            yield from self._rows_at(order[start : start + 8192]).tolist()

    def _rows_at(self, places: np.ndarray) -> np.ndarray:
        episode = np.searchsorted(self._ends, places, side="right")
        before = np.where(episode > 0, self._ends[episode - 1], 0)
        return self._rows[episode] + (places - before)
