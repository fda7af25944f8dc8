"""Frames decoded in blocks during training, for datasets whose frame store does not fit on the disk.

An epoch is cut into blocks of a few dozen consecutive frames. As many blocks as fit into a bounded buffer are
open at a time. In each round every open block yields one of its samples, in random order; a block without samples is
closed and the next one is opened. So a frame is decoded once per epoch and not once per use, the next blocks are
decoded on all cores while the current ones are used, and the samples of a batch come from as many places of the dataset
as there are open blocks.

The order differs from LeRobot's: every frame is still used once per epoch, but a frame and its neighbours are used
within a few rounds. The order is a pure function of seed, epoch and dataset, so that a run resumes at the exact sample.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from getiaction.data.decode import NO_PICTURE, decode_video, decoder_name
from getiaction.data.layout import Camera, Layout
from getiaction.data.sampler import EpisodeSampler, Parts
from getiaction.errors import DataError
from getiaction.spec.frame_loading import cores as cores_here

BUFFER_BYTES = 192 * 2**20
SHORTEST, LONGEST = 8, 32
# Enough open blocks to mix batches well; a larger buffer is used for longer blocks instead of more blocks.
MIXED = 64

Announce = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Buffer:
    """The division of the buffer into blocks.

    Attributes:
        length: Samples of a block.
        opened: Number of blocks that yield samples at a time.
        ahead: Number of blocks that are decoded ahead.
    """

    length: int
    opened: int
    ahead: int


def divide(frame_bytes: int, halo: int, *, buffer_bytes: int = BUFFER_BYTES, cores: int | None = None) -> Buffer:
    """Divide the buffer into blocks.

    Args:
        frame_bytes: Bytes of one frame of all cameras together.
        halo: Frames outside of the block that the windows of its samples include.
        buffer_bytes: Size of the buffer.
        cores: Threads that decode.
    """
    fitting = buffer_bytes // max(1, frame_bytes)
    length = int(np.clip(fitting // MIXED - halo, SHORTEST, LONGEST))
    blocks = fitting // (length + halo)
    # Length and number of open blocks determine the order, so they must not depend on the machine.
    return Buffer(length, max(1, blocks - blocks // 4), 2 * (cores or cores_here()))


class BlockSampler(EpisodeSampler):
    """Samples the frames of some episodes block by block; each rank has its own blocks, and each frame is in one block.

    Args:
        *args: As for `EpisodeSampler`.
        buffer: From `divide`.
        announce: Called at the start of an epoch with the rows to come, in order, and the block of each.
        **kwargs: As for `EpisodeSampler`.
    """

    def __init__(self, *args: Any, buffer: Buffer, announce: Announce, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._buffer, self._announce = buffer, announce

    def schedule(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """This rank's samples of an epoch in order, as positions among the usable frames, and the block of each."""
        return self._schedule(epoch, self.rank, self.num_replicas)

    def _schedule(self, epoch: int, rank: int, world_size: int) -> tuple[np.ndarray, np.ndarray]:
        chance = np.random.default_rng([self.seed, epoch])
        starts, lengths = self._cut(chance)
        if self.shuffle:
            turn = chance.permutation(len(starts))
            starts, lengths = starts[turn], lengths[turn]
        if world_size > 1:
            starts, lengths = self._share(starts, lengths, rank, world_size)
        slots = min(self._buffer.opened, len(starts)) if self.shuffle else 1
        if self.shuffle:
            # The first blocks have increasing lengths, so that they do not all end at the same time.
            head = np.minimum(lengths[:slots], 1 + np.arange(slots) * self._buffer.length // slots)
            rest = lengths[:slots] > head
            starts = np.concatenate([starts, (starts[:slots] + head)[rest]])
            lengths = np.concatenate([head, lengths[slots:], (lengths[:slots] - head)[rest]])
        # Block i is the (i // slots)-th of slot i % slots, and starts when the earlier blocks of that slot are used.
        table = np.zeros((-(-len(starts) // slots), slots), dtype=np.int64)
        table.reshape(-1)[: len(lengths)] = lengths
        begun = (np.cumsum(table, axis=0) - table).reshape(-1)[: len(lengths)]
        owners = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = starts[owners] + within
        if not self.shuffle:
            return places, owners
        # Both the order of a block's samples and the order within a round are random.
        mixed = np.lexsort((chance.random(len(owners)), owners))
        order = np.lexsort((chance.random(len(owners)), begun[owners] + within))
        return places[mixed][order], owners[order]

    def _share(
        self, starts: np.ndarray, lengths: np.ndarray, rank: int, world_size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The blocks of a rank; a block may be split, so that all ranks have the same number of samples."""
        stops = np.cumsum(lengths)
        first, stop = _bounds(self._count, rank, world_size)
        if first == stop:  # fewer samples than ranks
            return starts, lengths
        begun = np.clip(first - (stops - lengths), 0, lengths)
        ended = np.clip(stop - (stops - lengths), 0, lengths)
        used = ended > begun
        return (starts + begun)[used], (ended - begun)[used]

    def _cut(self, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """First position and length of each block; the cuts differ between epochs."""
        starts, lengths = [], []
        length = self._buffer.length
        for stop, kept in zip(self._ends.tolist(), np.diff(self._ends, prepend=0).tolist(), strict=True):
            phase = int(chance.integers(1, length + 1)) if self.shuffle else length
            cuts = np.unique(np.concatenate([[0], np.arange(phase, kept, length), [kept]]))
            starts.append(stop - kept + cuts[:-1])
            lengths.append(np.diff(cuts))
        return np.concatenate(starts), np.concatenate(lengths)

    def _epoch(self, epoch: int, parts: Parts) -> Iterator[int]:
        if self._divides_alike(parts):
            places, owners = self.schedule(epoch)
            count, begin = len(self), sum(part.batches for part in parts) * self.batch_size
        else:
            places, owners = self._rest(epoch, parts)
            count, begin = self._batches(len(places)) * self.batch_size, 0
            if self.num_replicas > 1 and len(places) >= self.num_replicas:
                first, stop = _bounds(len(places), self.rank, self.num_replicas)
                places, owners = places[first:stop], owners[first:stop]
            elif self.num_replicas > 1:  # fewer samples than ranks: each rank starts with a different one
                places, owners = np.roll(places, -self.rank * count), np.roll(owners, -self.rank * count)
        if self.num_replicas > 1:
            # All ranks have the same number of full batches: the last ones repeat the first samples.
            places, owners = np.resize(places, count), np.resize(owners, count)
        rows = self._rows_at(places[begin:])
        self._announce(rows, owners[begin:])
        for start in range(0, len(rows), 8192):
            yield from rows[start : start + 8192].tolist()

    def _divides_alike(self, parts: Parts) -> bool:
        """Whether all parts of a run had the same number of ranks and batch size as this one."""
        return all(part[:2] == (self.num_replicas, self.batch_size) for part in parts)

    def _count_left(self, epoch: int, parts: Parts) -> int:
        if self._divides_alike(parts):
            return super()._count_left(epoch, parts)
        return len(self._rest(epoch, parts)[0])

    def _rest(self, epoch: int, parts: Parts) -> tuple[np.ndarray, np.ndarray]:
        """The samples of an epoch that earlier parts, on other numbers of ranks, left; as `schedule`, for all ranks."""
        first, *others = parts
        ranks = [self._schedule(epoch, rank, first.world_size) for rank in range(first.world_size)]
        if self._count < first.world_size:
            ranks = ranks[:1]  # each rank had all samples
        used = first.batches * first.batch_size
        places = np.concatenate([places[used:] for places, _ in ranks])
        blocks = np.cumsum([0, *(int(owners.max()) + 1 for _, owners in ranks)])
        owners = np.concatenate([owners[used:] + blocks[rank] for rank, (_, owners) in enumerate(ranks)])
        for part in others:
            used = part.batches * part.batch_size
            shares = [_bounds(len(places), rank, part.world_size) for rank in range(part.world_size)]
            kept = np.concatenate([np.arange(min(first + used, stop), stop) for first, stop in shares])
            places, owners = places[kept], owners[kept]
        return places, owners


def _bounds(count: int, rank: int, world_size: int) -> tuple[int, int]:
    """The range of samples of a rank."""
    return count * rank // world_size, count * (rank + 1) // world_size


@dataclass
class _Block:
    """Consecutive frames of an episode, decoded or to be decoded.

    Attributes:
        episode: Index of the episode.
        first: First frame, including the windows of its samples.
        stop: The frame after the last one, likewise.
        left: Number of samples that still need it.
        decoded: The frames of each camera.
    """

    episode: int
    first: int
    stop: int
    left: int
    decoded: Future[dict[str, np.ndarray]] | None = None


class BlockFrames:
    """A frame source that decodes blocks of frames shortly before they are used.

    Args:
        layout: Files of the frames.
        seconds: `(frames,)` timestamp of each row of the chosen episodes.
        first_rows: `(episodes,)` row of each episode's first frame.
        backend: LeRobot's name of the video decoder.
        tolerance_s: Largest difference in seconds between a frame's time and the requested time.
        buffer: From `divide`.
        reach: First and last frame of a sample's window, relative to its own frame.

    Raises:
        UndecodableError: the images are in parquet files, or the backend is unknown.
    """

    def __init__(
        self,
        layout: Layout,
        seconds: np.ndarray,
        first_rows: np.ndarray,
        *,
        backend: str,
        tolerance_s: float,
        buffer: Buffer,
        reach: tuple[int, int],
    ) -> None:
        self.buffer = buffer
        self._layout, self._seconds, self._first_rows = layout, seconds, first_rows
        self._decoders = {camera.key: decoder_name(backend, camera.depth) for camera in layout.cameras}
        self._cameras = {camera.key: camera for camera in layout.cameras}
        self._tolerance_s, self._reach = tolerance_s, reach
        self._owner = np.full(int(layout.stops.max()), -1, dtype=np.int32)
        self._blocks: list[_Block] = []
        self._following = 0
        self._held = 0
        self._pool: ThreadPoolExecutor | None = None
        self._turn = threading.Lock()

    def announce(self, frames: np.ndarray, episodes: np.ndarray, owners: np.ndarray) -> None:
        """Set the samples that will be requested, in order: frame, episode and block of each."""
        with self._turn:
            self._drop()
            if not len(frames):
                return
            _, first_use, inverse, counts = np.unique(
                owners, return_index=True, return_inverse=True, return_counts=True
            )
            turn = np.argsort(first_use)
            place = np.empty_like(turn)
            place[turn] = np.arange(len(turn))
            number = place[inverse]
            lows = np.full(len(turn), np.iinfo(np.int64).max)
            np.minimum.at(lows, number, frames)
            highs = np.full(len(turn), -1)
            np.maximum.at(highs, number, frames)
            whose = episodes[first_use[turn]]
            lows = np.maximum(lows + self._reach[0], self._layout.starts[whose])
            highs = np.minimum(highs + self._reach[1], self._layout.stops[whose] - 1)
            self._owner[frames] = number
            rest = zip(whose.tolist(), lows.tolist(), (highs + 1).tolist(), counts[turn].tolist(), strict=True)
            self._blocks = [_Block(*facts) for facts in rest]
            self._submit_while_room()

    def gather(self, camera: str, frames: np.ndarray, episodes: np.ndarray, anchors: np.ndarray) -> torch.Tensor:
        """Return frames of one camera; see `windows.FrameSource`."""
        found: list[np.ndarray] = []
        for wanted, episode, owner in zip(frames, episodes.tolist(), self._owner[anchors].tolist(), strict=True):
            if owner < 0 or not self._blocks[owner].left:  # it was not announced
                inside, back = np.unique(wanted, return_inverse=True)
                found.append(self._decode(self._cameras[camera], episode, inside)[back])
                continue
            block = self._blocks[owner]
            found.append(self._wait(block)[camera][wanted - block.first])
        return torch.from_numpy(np.concatenate(found))

    def release(self, anchors: np.ndarray) -> None:
        """Free the blocks that no sample needs any more, after all frames of these samples were gathered."""
        with self._turn:
            for owner in self._owner[anchors].tolist():
                if owner < 0 or not self._blocks[owner].left:
                    continue
                block = self._blocks[owner]
                block.left -= 1
                if not block.left and block.decoded is not None:
                    block.decoded = None
                    self._held -= 1
            self._submit_while_room()

    def _wait(self, block: _Block) -> dict[str, np.ndarray]:
        with self._turn:
            while block.decoded is None:  # a batch larger than the buffer: exceed it instead of waiting forever
                self._submit()
            decoded = block.decoded
        return decoded.result()

    def _submit_while_room(self) -> None:
        """Submit blocks for decoding while the buffer has room."""
        while self._following < len(self._blocks) and self._held < self.buffer.opened + self.buffer.ahead:
            self._submit()

    def _submit(self) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(cores_here(), thread_name_prefix="blocks")
        block = self._blocks[self._following]
        self._following += 1
        self._held += 1
        block.decoded = self._pool.submit(self._decode_all, block.episode, block.first, block.stop)

    def _drop(self) -> None:
        for block in self._blocks:
            if block.decoded is not None:
                block.decoded.cancel()
        self._blocks, self._following, self._held = [], 0, 0
        self._owner[:] = -1

    def _decode_all(self, episode: int, first: int, stop: int) -> dict[str, np.ndarray]:
        frames = np.arange(first, stop)
        return {key: self._decode(camera, episode, frames) for key, camera in self._cameras.items()}

    def _decode(self, camera: Camera, episode: int, frames: np.ndarray) -> np.ndarray:
        """`(n, channels, height, width)` for frames of an episode in ascending order."""
        layout = self._layout
        rows = self._first_rows[episode] + frames - layout.starts[episode]
        times = layout.video_starts[camera.key][episode] + self._seconds[rows].astype(np.float64)
        order = np.argsort(times, kind="stable")
        path = layout.root / layout.source(camera, episode)
        out: np.ndarray | None = None
        for found in decode_video(path, times[order], decoder=self._decoders[camera.key], depth=camera.depth):
            place = int(order[found.place])
            if found.gap >= self._tolerance_s:
                raise DataError(
                    f"{camera.key} has no picture for frame {frames[place] - layout.starts[episode]} of episode "
                    f"{episode}: the nearest one is {found.gap:.4f} s away (tolerance_s is {self._tolerance_s:g})",
                    NO_PICTURE,
                )
            if out is None:
                out = np.empty((len(frames), *found.frame.shape), dtype=found.frame.dtype)
            out[place] = found.frame
        assert out is not None
        return out

    def __getstate__(self) -> dict[str, Any]:
        """Without threads, locks and decoded blocks, which belong to this process."""
        return {**self.__dict__, "_pool": None, "_turn": None, "_blocks": [], "_following": 0, "_held": 0}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._turn = threading.Lock()
        self._owner[:] = -1
