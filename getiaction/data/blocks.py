"""Where the store does not fit: blocks of episodes, decoded in order during training.

An epoch is cut into blocks of a few dozen consecutive frames. As many blocks as fit into a bounded buffer are
open at a time; round after round each open block gives one of its samples, in random order, and a block that has
given all of them makes room for the next. So a frame is decoded once per epoch and not once per use, the next
blocks are decoded by all cores while the current ones are used, and the samples of a batch come from as many places
of the dataset as there are open blocks.

The order differs from LeRobot's: every frame still comes once per epoch, but a frame and its neighbours come within
the same few rounds. It is a pure function of seed, epoch and dataset, and resumes at the exact sample, too.
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
# With so many blocks open, batches are mixed well enough, and longer blocks are worth more than more of them.
MIXED = 64

Announce = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Buffer:
    """How the buffer is divided.

    Attributes:
        length: Samples of a block.
        opened: Blocks that give samples at a time.
        ahead: Blocks that are decoded ahead.
    """

    length: int
    opened: int
    ahead: int


def divide(frame_bytes: int, halo: int, *, buffer_bytes: int = BUFFER_BYTES, cores: int | None = None) -> Buffer:
    """Divide the buffer into blocks.

    Args:
        frame_bytes: Bytes of one frame of all cameras together.
        halo: Frames that windows reach beyond the block.
        buffer_bytes: Size of the buffer.
        cores: Threads that decode.
    """
    fitting = buffer_bytes // max(1, frame_bytes)
    length = int(np.clip(fitting // MIXED - halo, SHORTEST, LONGEST))
    blocks = fitting // (length + halo)
    # Length and number of open blocks decide about the order, so they must not depend on the machine.
    return Buffer(length, max(1, blocks - blocks // 4), 2 * (cores or cores_here()))


class BlockSampler(EpisodeSampler):
    """Frames of some episodes, block by block; each rank has blocks of its own, and every frame is in one of them.

    Args:
        *args: As for `EpisodeSampler`.
        buffer: From `divide`.
        announce: Told at the beginning of an epoch which rows will come, and to which block each belongs.
        **kwargs: As for `EpisodeSampler`.
    """

    def __init__(self, *args: Any, buffer: Buffer, announce: Announce, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._buffer, self._announce = buffer, announce

    def schedule(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """This rank's samples of an epoch in order, as places among the usable frames, and the block of each."""
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
            # The first blocks have all lengths from short to long, so that they do not all end at the same time.
            head = np.minimum(lengths[:slots], 1 + np.arange(slots) * self._buffer.length // slots)
            rest = lengths[:slots] > head
            starts = np.concatenate([starts, (starts[:slots] + head)[rest]])
            lengths = np.concatenate([head, lengths[slots:], (lengths[:slots] - head)[rest]])
        # Block i is the (i // slots)-th in slot i % slots, and begins when those before it there are used up.
        table = np.zeros((-(-len(starts) // slots), slots), dtype=np.int64)
        table.reshape(-1)[: len(lengths)] = lengths
        begun = (np.cumsum(table, axis=0) - table).reshape(-1)[: len(lengths)]
        owners = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = starts[owners] + within
        if not self.shuffle:
            return places, owners
        # Which sample a block gives in which round is random, and so is the order within a round.
        mixed = np.lexsort((chance.random(len(owners)), owners))
        order = np.lexsort((chance.random(len(owners)), begun[owners] + within))
        return places[mixed][order], owners[order]

    def _share(
        self, starts: np.ndarray, lengths: np.ndarray, rank: int, world_size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """A rank's blocks: equally many samples for each rank, so a block that two ranks share is divided."""
        stops = np.cumsum(lengths)
        first, stop = _bounds(self._count, rank, world_size)
        if first == stop:  # fewer samples than ranks
            return starts, lengths
        begun = np.clip(first - (stops - lengths), 0, lengths)
        ended = np.clip(stop - (stops - lengths), 0, lengths)
        used = ended > begun
        return (starts + begun)[used], (ended - begun)[used]

    def _cut(self, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """First place and length of each block; cut elsewhere in each epoch, so that other neighbours meet."""
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
            elif self.num_replicas > 1:  # fewer samples than ranks: each rank begins with another one
                places, owners = np.roll(places, -self.rank * count), np.roll(owners, -self.rank * count)
        if self.num_replicas > 1:
            # Every rank has full batches, and as many: the last ones repeat the first samples.
            places, owners = np.resize(places, count), np.resize(owners, count)
        rows = self._rows_at(places[begin:])
        self._announce(rows, owners[begin:])
        for start in range(0, len(rows), 8192):
            yield from rows[start : start + 8192].tolist()

    def _divides_alike(self, parts: Parts) -> bool:
        """Whether all parts of a run had as many ranks as this one, and batches of the same size."""
        return all(part[:2] == (self.num_replicas, self.batch_size) for part in parts)

    def _count_left(self, epoch: int, parts: Parts) -> int:
        if self._divides_alike(parts):
            return super()._count_left(epoch, parts)
        return len(self._rest(epoch, parts)[0])

    def _rest(self, epoch: int, parts: Parts) -> tuple[np.ndarray, np.ndarray]:
        """What earlier parts, on other numbers of ranks, left of an epoch: as `schedule`, for all ranks."""
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
    """The share of a rank in a number of samples."""
    return count * rank // world_size, count * (rank + 1) // world_size


@dataclass
class _Block:
    """Consecutive frames of an episode, decoded or about to be.

    Attributes:
        episode: Which episode.
        first: Its first frame, reach of the windows included.
        stop: The frame after its last one, likewise.
        left: Samples that will still ask for it.
        decoded: The frames of each camera.
    """

    episode: int
    first: int
    stop: int
    left: int
    decoded: Future[dict[str, np.ndarray]] | None = None


class BlockFrames:
    """Frames that are decoded shortly before they are used.

    Args:
        layout: Where the frames lie.
        seconds: `(frames,)` timestamp of each row of the chosen episodes.
        first_rows: `(episodes,)` row of each episode's first frame.
        backend: As LeRobot names it.
        tolerance_s: How far a frame may lie from the moment asked for.
        buffer: From `divide`.
        reach: Frames before and after its own that a sample asks for.

    Raises:
        UndecodableError: pictures that lie in parquet files, or an unknown backend.
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
        """Say which samples will be asked for, in order: frame, episode and block of each."""
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
            self._ask()

    def gather(self, camera: str, frames: np.ndarray, episodes: np.ndarray, anchors: np.ndarray) -> torch.Tensor:
        """Frames of one camera; see `windows.Frames`."""
        found: list[np.ndarray] = []
        for wanted, episode, owner in zip(frames, episodes.tolist(), self._owner[anchors].tolist(), strict=True):
            if owner < 0 or not self._blocks[owner].left:  # it was not announced
                inside, back = np.unique(wanted, return_inverse=True)
                found.append(self._decode(self._cameras[camera], episode, inside)[back])
                continue
            block = self._blocks[owner]
            found.append(self._wait(block)[camera][wanted - block.first])
        return torch.from_numpy(np.concatenate(found))

    def used(self, anchors: np.ndarray) -> None:
        """These samples have all their frames; free those that have no samples left."""
        with self._turn:
            for owner in self._owner[anchors].tolist():
                if owner < 0 or not self._blocks[owner].left:
                    continue
                block = self._blocks[owner]
                block.left -= 1
                if not block.left and block.decoded is not None:
                    block.decoded = None
                    self._held -= 1
            self._ask()

    def _wait(self, block: _Block) -> dict[str, np.ndarray]:
        with self._turn:
            while block.decoded is None:  # a batch larger than the buffer: go beyond it rather than wait for ever
                self._submit()
            decoded = block.decoded
        return decoded.result()

    def _ask(self) -> None:
        """Have blocks decoded while there is room."""
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
        """Without what belongs to this process."""
        return {**self.__dict__, "_pool": None, "_turn": None, "_blocks": [], "_following": 0, "_held": 0}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._turn = threading.Lock()
        self._owner[:] = -1
