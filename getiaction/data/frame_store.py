"""The frame store: every frame is decoded once, in order, and only copied afterwards.

Decoding a frame in the middle of a video takes hundreds of times longer than copying it, and training needs each frame
many times. So the first use of a dataset decodes its cameras into arrays in the cache folder, and every later use maps
them. The unit is the *reel*: the frames of one camera from one file of the dataset, in the order of the dataset, as
`(frames, channels, height, width)`.

The name of a reel is a hash of everything that determines its content: the file with its size and modification time,
its episodes and the seconds at which they start, the tables with the timestamps, the decoder with its version. A
changed dataset therefore needs other reels, and the old ones of the same file are removed; a reel never changes while
it is in use. One process builds, holding the lock of the dataset's folder; the others wait and map the same pages.

Measured on two cores: libdav1d with one thread per block of a file and one block per core is as fast as its own threads
on long files and faster on small images; one `pwrite` per frame needs no additional memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from filelock import FileLock, Timeout

from getiaction.data.array_file import CHECKED_BYTES, ArrayFile, ArrayWriter, DamagedError, open_array, remove_array
from getiaction.data.decode import Decoded, UndecodableError, decode_pictures, decode_video, decoder_name
from getiaction.data.layout import Camera, Layout
from getiaction.spec.frame_loading import cores

# Bytes of the store that this process may have mapped before it unmaps them.
MAPPED_BYTES = 128 * 2**20
MAX_BLOCK_FRAMES = 1024


@dataclass(frozen=True)
class StoreProgress:
    """Progress of building a store.

    Attributes:
        frames: Frames decoded so far.
        of: Number of frames to decode.
        bytes: Size of the reels being built.
        seconds_left: Estimate from the speed so far; None at the start.
        waiting: Whether another process builds the store and this one waits.
    """

    frames: int
    of: int
    bytes: int
    seconds_left: float | None
    waiting: bool = False


Progress = Callable[[StoreProgress], None]


@dataclass(frozen=True)
class Reel:
    """One file's frames of one camera, built or not.

    Attributes:
        camera: The camera.
        source: The file, relative to the dataset's folder.
        episodes: Indices of its episodes, ascending.
        frames: Number of their frames.
        folder: Folder of the array.
        name: Name of the array.
        facts: What the name is a hash of; stored in the manifest.
    """

    camera: Camera
    source: str
    episodes: np.ndarray
    frames: int
    folder: Path
    name: str
    facts: dict[str, Any] = field(repr=False)

    @property
    def built(self) -> bool:
        """Whether the array exists; it is only checked when it is opened."""
        return (self.folder / f"{self.name}.json").exists()

    @property
    def bytes(self) -> int:
        """Its size, if info.json declares the right image size."""
        return self.frames * self.camera.frame_bytes


def store_folder(layout: Layout, frames_root: Path) -> Path:
    """The folder of a dataset's reels, named after its id and the folder of this copy of the dataset."""
    place = hashlib.sha256(str(layout.root.resolve()).encode()).hexdigest()[:8]
    return frames_root / f"{_slug(layout.repo_id)}-{place}"


def reels_of(layout: Layout, camera: Camera, episodes: np.ndarray, folder: Path, backend: str) -> list[Reel]:
    """The reels with a camera's frames of some episodes; a reel of the whole file is used if it exists already.

    Raises:
        UndecodableError: the video backend is unknown.
        OSError: a file of the dataset is missing.
    """
    decoder = decoder_name(backend, camera.depth) if camera.kind == "video" else "pillow"
    wanted: dict[str, list[int]] = {}
    for episode in episodes.tolist():
        wanted.setdefault(layout.source(camera, episode), []).append(episode)
    all_of: dict[str, list[int]] = {source: [] for source in wanted}
    for episode in range(len(layout.starts)):
        source = layout.source(camera, episode)
        if source in all_of:
            all_of[source].append(episode)
    reels = []
    for source, some in wanted.items():
        reel = _reel(layout, camera, source, some, folder, decoder)
        if len(some) < len(all_of[source]):
            with contextlib.suppress(FileNotFoundError):  # the tables of the other episodes may not be downloaded
                whole = _reel(layout, camera, source, all_of[source], folder, decoder)
                reel = whole if whole.built else reel
        reels.append(reel)
    return reels


def _reel(layout: Layout, camera: Camera, source: str, episodes: Sequence[int], folder: Path, decoder: str) -> Reel:
    index = np.array(sorted(episodes), dtype=np.int64)
    tables = sorted({layout.data_files[episode] for episode in index.tolist()})
    spans = [layout.starts[index].tolist(), layout.stops[index].tolist()]
    if camera.kind == "video":
        spans.append(layout.video_starts[camera.key][index].tolist())
    facts = {
        "camera": camera.key,
        "depth": camera.depth,
        "source": [source, *_state(layout.root / source)],
        "tables": [[name, *_state(layout.root / name)] for name in tables],
        "decoder": decoder,
        "episodes": hashlib.sha256(json.dumps([index.tolist(), spans]).encode()).hexdigest(),
    }
    mark = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    name = f"{_slug(camera.key)}.{_slug(Path(source).parent.name)}.{_slug(Path(source).stem)}.{mark}"
    return Reel(camera, source, index, layout.frames(index), folder, name, facts)


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "--", text)


class FrameStore:
    """The frames of some cameras, memory-mapped.

    Args:
        layout: Files of the dataset.
        reels: For each camera its reels, with the open arrays.

    Raises:
        UndecodableError: a camera's files have images of different sizes.
    """

    def __init__(self, layout: Layout, reels: dict[str, list[tuple[Reel, ArrayFile]]]) -> None:
        self._cameras = {key: _CameraFrames(layout, opened) for key, opened in reels.items()}

    def gather(self, camera: str, frames: np.ndarray, episodes: np.ndarray, anchors: np.ndarray) -> torch.Tensor:
        """Copy frames out of the store; see `windows.FrameSource`."""
        return self._cameras[camera].gather(frames.reshape(-1), np.repeat(episodes, frames.shape[1]))

    def release(self, anchors: np.ndarray) -> None:
        """Nothing to do: the store keeps everything."""

    def gaps(self, camera: str, episode: int) -> np.ndarray:
        """`(frames,)` seconds between each frame's timestamp and the time of its video frame."""
        return self._cameras[camera].gaps(episode)


class _CameraFrames:
    def __init__(self, layout: Layout, reels: Sequence[tuple[Reel, ArrayFile]]) -> None:
        kinds = {(array.rows.shape[1:], array.rows.dtype) for _, array in reels}
        if len(kinds) > 1:
            raise UndecodableError(f"{reels[0][0].camera.key} changes its picture size")
        (self._shape, dtype) = kinds.pop()
        self._starts, self._stops = layout.starts, layout.stops
        self._files = [array for _, array in reels]
        self._reel_of = np.full(len(layout.starts), -1, dtype=np.int64)
        self._first = np.zeros(len(layout.starts), dtype=np.int64)
        for i, (reel, _) in enumerate(reels):
            lengths = layout.stops[reel.episodes] - layout.starts[reel.episodes]
            self._reel_of[reel.episodes] = i
            self._first[reel.episodes] = np.cumsum(lengths) - lengths
        self._frame_bytes = int(np.prod(self._shape)) * dtype.itemsize
        self._touched = 0

    def gather(self, frames: np.ndarray, episodes: np.ndarray) -> torch.Tensor:
        rows = self._first[episodes] + (frames - self._starts[episodes])
        reels = self._reel_of[episodes]
        used = np.unique(reels).tolist()
        if self._frame_bytes >= 2**17:
            for reel, row in zip(reels.tolist(), rows.tolist(), strict=True):
                self._files[reel].prefetch_rows(row, 1)
        if len(used) == 1:
            # numpy copies as fast as torch with all its threads, does not compete with the model for cores, and
            # releases the GIL.
            out = np.take(self._files[used[0]].rows, rows, axis=0)
        else:
            out = np.empty((len(rows), *self._shape), dtype=self._files[0].rows.dtype)
            for i in used:
                here = np.flatnonzero(reels == i)
                file = self._files[i].rows
                for place, row in zip(here.tolist(), rows[here].tolist(), strict=True):
                    out[place] = file[row]
        self._touched += out.nbytes
        if self._touched > MAPPED_BYTES:
            self._touched = 0
            for file in self._files:
                file.release_pages()
        return torch.from_numpy(out)

    def gaps(self, episode: int) -> np.ndarray:
        first = self._first[episode]
        kept = self._files[self._reel_of[episode]].per_row["gap"]
        return kept[first : first + self._stops[episode] - self._starts[episode]]


def open_store(
    layout: Layout,
    reels: Sequence[Reel],
    timestamps: Callable[[np.ndarray], np.ndarray],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> FrameStore:
    """Open the store after building the reels that are missing, outdated or damaged.

    Args:
        layout: Files of the dataset.
        reels: Reels of all cameras, from `reels_of`.
        timestamps: Returns the seconds within the episode of all frames of the given episodes; called only to build.
        progress: Called with the progress a few times a second.
        workers: Blocks to decode in parallel; default: the number of cores.

    Raises:
        UndecodableError: the store can't read this dataset; LeRobot may be able to.
        OSError: a file can't be read, or the disk is full. Unfinished reels are removed.
    """
    budget = CHECKED_BYTES // max(1, len(reels))
    opened = {reel.name: _open(reel, budget) for reel in reels}
    if any(array is None for array in opened.values()):
        folder = reels[0].folder
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder, progress):
            for reel in reels:
                opened[reel.name] = opened[reel.name] or _open(reel, budget, remove=True)
            missing = [reel for reel in reels if opened[reel.name] is None]
            if missing:
                for leftover in folder.glob("*.tmp"):
                    leftover.unlink(missing_ok=True)
                _Builder(layout, missing, timestamps, progress).build(workers or cores())
                for reel in missing:
                    opened[reel.name] = _open(reel, 0)
                    _remove_outdated(layout, reel)
    cameras: dict[str, list[tuple[Reel, ArrayFile]]] = {}
    for reel in reels:
        array = opened[reel.name]
        if array is None:
            raise OSError(f"{reel.folder / reel.name} was removed while it was opened")
        cameras.setdefault(reel.camera.key, []).append((reel, array))
    return FrameStore(layout, cameras)


def _open(reel: Reel, checked_bytes: int, *, remove: bool = False) -> ArrayFile | None:
    try:
        array = open_array(reel.folder, reel.name, checked_bytes=checked_bytes)
    except DamagedError:
        if remove:
            remove_array(reel.folder, reel.name)
        return None
    if array is not None and (len(array.rows) != reel.frames or array.manifest.get("facts") != reel.facts):
        if remove:
            remove_array(reel.folder, reel.name)
        return None
    return array


@contextlib.contextmanager
def _lock(folder: Path, progress: Progress | None) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if progress is not None:
            progress(StoreProgress(0, 0, 0, None, waiting=True))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _remove_outdated(layout: Layout, reel: Reel) -> None:
    """Remove reels of earlier versions of the same file."""
    for manifest in reel.folder.glob(f"{_slug(reel.camera.key)}.*.json"):
        try:
            facts = json.loads(manifest.read_text(encoding="utf-8"))["facts"]
            same = facts["camera"] == reel.facts["camera"] and facts["source"][0] == reel.source
            current = facts["source"] == reel.facts["source"] and all(
                _state(layout.root / name) == (size, changed) for name, size, changed in facts["tables"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if same and not current:
            remove_array(reel.folder, manifest.stem)


class _Builder:
    """Decodes blocks of several reels in parallel, and finishes each reel after its last block."""

    def __init__(
        self,
        layout: Layout,
        reels: Sequence[Reel],
        timestamps: Callable[[np.ndarray], np.ndarray],
        progress: Progress | None,
    ) -> None:
        self._layout, self._reels, self._timestamps, self._progress = layout, reels, timestamps, progress
        self._frames = sum(reel.frames for reel in reels)
        self._bytes = sum(reel.bytes for reel in reels)
        self._done = 0
        self._count = threading.Lock()
        self._stop = threading.Event()
        self._writers: dict[str, ArrayWriter] = {}
        self._seen: dict[str, np.ndarray] = {}

    def build(self, workers: int) -> None:
        self._begun = time.monotonic()
        left: dict[str, int] = {}
        running: dict[Future[None], Reel] = {}
        blocks = self._blocks(workers, left)
        with ThreadPoolExecutor(workers, thread_name_prefix="frames") as pool:
            try:
                ended = False
                while running or not ended:
                    while not ended and len(running) < 2 * workers:
                        following = next(blocks, None)
                        if following is None:
                            ended = True
                        else:
                            reel, job = following
                            running[pool.submit(job)] = reel
                    finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in finished:
                        reel = running.pop(future)
                        future.result()
                        left[reel.name] -= 1
                        if not left[reel.name]:
                            if not self._seen.pop(reel.name).all():
                                raise UndecodableError(f"{reel.source} does not hold all frames of {reel.camera.key}")
                            self._writers.pop(reel.name).commit(self._manifest(reel))
                    self._report_progress()
            except BaseException:
                self._stop.set()
                wait(running)
                for writer in self._writers.values():
                    writer.abandon()
                raise

    def _manifest(self, reel: Reel) -> dict[str, Any]:
        return {
            "what": "frames",
            "repo_id": self._layout.repo_id,
            "root": str(self._layout.root.resolve()),
            "camera": reel.camera.key,
            "facts": reel.facts,
        }

    def _blocks(self, workers: int, left: dict[str, int]) -> Iterator[tuple[Reel, Callable[[], None]]]:
        for reel in self._reels:
            if reel.camera.kind == "video":
                seconds = self._seconds(reel)
                order = np.argsort(seconds, kind="stable")
                path = self._layout.root / reel.source
                first = next(decode_video(path, seconds[order[:1]], **_decoding_options(reel)))
                jobs = self._video_jobs(reel, path, seconds, order, workers)
            else:
                path = self._layout.root / reel.source
                first = Decoded(0, next(decode_pictures(_cells(path, reel.camera.key))), 0.0)
                jobs = self._picture_jobs(reel, path)
            self._writers[reel.name] = ArrayWriter(
                reel.folder,
                reel.name,
                reel.frames,
                first.frame.shape,
                first.frame.dtype,
                per_row={"gap": np.dtype(np.float32)},
            )
            self._seen[reel.name] = np.zeros(reel.frames, dtype=bool)
            left[reel.name] = len(jobs)
            for job in jobs:
                yield reel, job

    def _seconds(self, reel: Reel) -> np.ndarray:
        """The time of each frame in its file, computed as in LeRobot: float64 start plus float32 timestamp."""
        index = reel.episodes
        begins = np.repeat(
            self._layout.video_starts[reel.camera.key][index], self._layout.stops[index] - self._layout.starts[index]
        )
        return begins + self._timestamps(index).astype(np.float64)

    def _video_jobs(
        self, reel: Reel, path: Path, seconds: np.ndarray, order: np.ndarray, workers: int
    ) -> list[Callable[[], None]]:
        # Decoding starts at the keyframe before the block: blocks must not be too short, but keep all cores busy.
        size = int(np.clip(-(-len(order) // workers), 256, MAX_BLOCK_FRAMES))

        def job(places: np.ndarray) -> None:
            for found in decode_video(path, seconds[places], **_decoding_options(reel)):
                self._keep(reel, int(places[found.place]), found.frame, found.gap)

        return [partial(job, order[start : start + size]) for start in range(0, len(order), size)]

    def _picture_jobs(self, reel: Reel, path: Path) -> list[Callable[[], None]]:
        index = reel.episodes
        frames = np.concatenate([np.arange(self._layout.starts[e], self._layout.stops[e]) for e in index.tolist()])
        with pq.ParquetFile(path) as file:
            groups = file.num_row_groups

        def job(group: int) -> None:
            with pq.ParquetFile(path, memory_map=True) as file:
                for batch in file.iter_batches(16, row_groups=[group], columns=["index", reel.camera.key]):
                    wanted = batch.column("index").to_numpy()
                    places = np.minimum(np.searchsorted(frames, wanted), len(frames) - 1)
                    mine = np.flatnonzero(frames[places] == wanted)
                    cells = batch.column(reel.camera.key).take(mine).to_pylist()
                    for place, picture in zip(places[mine].tolist(), decode_pictures(cells), strict=True):
                        self._keep(reel, place, picture, 0.0)

        # LeRobot writes one row group per episode.
        return [partial(job, group) for group in range(groups)]

    def _keep(self, reel: Reel, place: int, frame: np.ndarray, gap: float) -> None:
        if self._stop.is_set():
            raise InterruptedError
        writer = self._writers[reel.name]
        if frame.shape != writer.shape or frame.dtype != writer.dtype:
            raise UndecodableError(f"{reel.camera.key} changes its picture size in {reel.source}")
        writer.write(place, frame[None])
        writer.per_row["gap"][place] = gap
        self._seen[reel.name][place] = True
        with self._count:
            self._done += 1

    def _report_progress(self) -> None:
        if self._progress is None:
            return
        spent = time.monotonic() - self._begun
        pace = self._done / spent if spent > 0.5 else 0
        left = (self._frames - self._done) / pace if pace else None
        self._progress(StoreProgress(self._done, self._frames, self._bytes, left))


def _decoding_options(reel: Reel) -> dict[str, Any]:
    return {"decoder": reel.facts["decoder"], "depth": reel.camera.depth}


def _cells(path: Path, key: str) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path, memory_map=True) as file:
        for batch in file.iter_batches(1, columns=[key]):
            yield from batch.column(key).to_pylist()
