"""Open a dataset with the fastest loading method that the dataset and this machine allow.

    store       every frame decoded once and mapped (`frame_store`)
    blocks      blocks of episodes decoded during training (`blocks`), if the store does not fit on the disk
    lerobot     LeRobotDataset, for datasets that neither of the others can read

Each time a store is opened, a few of its frames are compared with LeRobot's decoding. If they differ, LeRobotDataset
reads the dataset.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
import torch

from getiaction.data.array_file import remove_array
from getiaction.data.blocks import BlockFrames, BlockSampler, Buffer, divide
from getiaction.data.columns import read_columns
from getiaction.data.decode import NO_PICTURE, UndecodableError
from getiaction.data.download_progress import DownloadProgress, hub_folder, report_download
from getiaction.data.frame_store import FrameStore, Reel, StoreProgress, open_store, reels_of, store_folder
from getiaction.data.layout import Layout, layout_of, missing_files
from getiaction.data.sampler import EpisodeSampler
from getiaction.data.windows import WindowDataset
from getiaction.errors import DataError
from getiaction.lerobot import datasets
from getiaction.lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from getiaction.spec.frame_loading import (
    LoadingMethod,
    Plan,
    StoreOption,
    choose,
    frames_root,
    free_bytes,
    gigabytes,
    read_option,
)

log = logging.getLogger(__name__)

COMPARED_FRAMES = 2


class Order(TypedDict):
    """The kind of order in which an epoch uses the frames; seed, dataset and episodes determine the rest.

    `shuffled` is LeRobot's own order, which the frame store and LeRobotDataset follow. `blocks` is a random order in
    which neighbouring frames are close together, for decoding during training, with `length` samples per block and
    `opened` blocks at a time.
    """

    kind: Literal["shuffled", "blocks"]
    length: NotRequired[int]
    opened: NotRequired[int]


class Pipeline:
    """One dataset on disk; call `open` once for each split of its episodes.

    Args:
        meta: LeRobot's metadata.
        place: Its folder; None lets LeRobot download it from the Hub.
        episodes: The episodes of all splits; None for all of the dataset.
        revision: Revision on the Hub.
        tolerance_s: Largest difference in seconds between a frame's time and the requested time.
        video_backend: `pyav` or `torchcodec`.
        frame_store: As in the recipe.
        progress: Called with the progress of the download and of building the store.
        build: False only uses an existing store; it neither builds one nor downloads files for it.

    Attributes:
        plan: The loading method, and why.

    Raises:
        DataError: `frame_store` is invalid, or a video lacks frames that the tables name.
    """

    def __init__(
        self,
        meta: LeRobotDatasetMetadata,
        place: Path | None,
        *,
        episodes: Sequence[int] | None = None,
        revision: str | None = None,
        tolerance_s: float = 1e-4,
        video_backend: str = "pyav",
        frame_store: str | Mapping[str, Any] | bool | None = "auto",
        progress: Callable[[StoreProgress | DownloadProgress], None] | None = None,
        build: bool = True,
    ) -> None:
        self._build = build
        self.meta, self.place, self.revision = meta, place, revision
        self.tolerance_s, self.video_backend = tolerance_s, video_backend
        self._progress = progress
        try:
            option = read_option(frame_store)
        except ValueError as error:
            raise DataError(str(error), "write `frame_store: {max_gb: 50}`, for example") from None
        self.layout: Layout | None = None
        self._store: FrameStore | None = None
        self._distances = datasets.distances(meta)
        try:
            self.plan = self._prepare(option, episodes)
        except UndecodableError as error:
            self.plan = _lerobot(option, str(error))

    def _prepare(self, option: StoreOption, episodes: Sequence[int] | None) -> Plan:
        meta = self.meta
        if meta.has_language_columns:
            raise UndecodableError("the dataset has language columns")
        if self._build:
            self._fetch(episodes)
        layout = layout_of(meta)
        chosen = layout.chosen(episodes)
        if not self._build and missing_files(layout, episodes):
            return _lerobot(option, "the dataset is not whole on this disk")
        self.layout = layout
        self._folder = store_folder(layout, frames_root(option))
        if not layout.cameras:
            self._store = FrameStore(layout, {})
            return Plan("store", "the dataset has no pictures", 0, 0, self._folder, free_bytes(self._folder))
        reels = [
            reel
            for camera in layout.cameras
            for reel in reels_of(layout, camera, chosen, self._folder, self.video_backend)
        ]
        size = sum(reel.bytes for reel in reels)
        to_build = sum(reel.bytes for reel in reels if not reel.built)
        if to_build and not self._build:
            return _lerobot(option, "its frames are in no store")
        plan = choose(option, size=size, missing=to_build, folder=self._folder)
        if plan.method != "store":
            return self._without_store(layout, plan)
        try:
            self._store = open_store(layout, reels, self._timestamps, progress=self._progress)
        except OSError as error:
            return self._without_store(
                layout, replace(plan, method="blocks", reason=f"the store can't be built: {error.strerror or error}")
            )
        self._compare_with_lerobot(layout, reels)
        self._check_gaps(layout, chosen)
        return replace(plan, missing=0, reason=f"{gigabytes(size)}, built just now") if to_build else plan

    def _without_store(self, layout: Layout, plan: Plan) -> Plan:
        if any(camera.kind == "image" for camera in layout.cameras):
            # For images, LeRobotDataset is efficient: it decodes only those of the sample, and maps the columns.
            return replace(plan, method="lerobot", reason=f"{plan.reason}; single pictures need no decoding in order")
        return plan

    def _fetch(self, episodes: Sequence[int] | None) -> None:
        """Let LeRobot download the missing files of these episodes."""
        layout = layout_of(self.meta)
        lacking = missing_files(layout, episodes)
        if lacking:
            folder = self.place or hub_folder(self.meta.repo_id)
            with report_download(folder, self.meta.repo_id, len(lacking), self._progress):
                found = self._open_with_lerobot(episodes, None, None)
            self.meta.root = found.root

    def _timestamps(self, episodes: np.ndarray) -> np.ndarray:
        assert self.layout is not None
        wanted = {"timestamp": self.meta.features["timestamp"]}
        return read_columns(self.layout, wanted, episodes)["timestamp"]

    def _compare_with_lerobot(self, layout: Layout, reels: Sequence[Reel]) -> None:
        """Compare a few frames of each video camera; a store that differs is removed."""
        assert self._store is not None
        chance = random.Random()  # a generator of its own, so that the user's seed is not advanced
        for camera in layout.cameras:
            for _ in range(COMPARED_FRAMES if camera.kind == "video" else 0):
                reel = chance.choice([reel for reel in reels if reel.camera == camera])
                episode = chance.choice(reel.episodes.tolist())
                found = np.flatnonzero(self._store.gaps(camera.key, episode) < self.tolerance_s)
                if not len(found):
                    continue
                offset = chance.choice(found.tolist())
                second = float(layout.video_starts[camera.key][episode])
                second += float(self._timestamps(np.array([episode]))[offset])
                path = layout.root / reel.source
                theirs = datasets.decoded_frame(path, second, self.tolerance_s, self.video_backend, camera.depth)
                frame, whose = np.array([layout.starts[episode] + offset]), np.array([episode])
                ours = self._store.gather(camera.key, frame[:, None], whose, frame)[0]
                if not np.array_equal(ours.numpy(), theirs.numpy()):
                    remove_array(reel.folder, reel.name)
                    raise UndecodableError(f"{reel.source} gives other frames when decoded in order than LeRobot reads")

    def _check_gaps(self, layout: Layout, episodes: np.ndarray) -> None:
        """Raise now for samples at which LeRobot would raise in the middle of training."""
        assert self._store is not None
        for camera in layout.cameras:
            if camera.kind != "video":
                continue
            for episode in episodes.tolist():
                gaps = self._store.gaps(camera.key, episode)
                wrong = np.flatnonzero(gaps >= self.tolerance_s)
                if len(wrong):
                    raise DataError(
                        f"{camera.key} has no picture for {len(wrong)} of {len(gaps)} frames of episode {episode}: "
                        f"at frame {wrong[0]} the nearest one is {gaps[wrong[0]]:.4f} s away "
                        f"(tolerance_s is {self.tolerance_s:g})",
                        NO_PICTURE,
                    )

    def open(
        self,
        episodes: Sequence[int] | None,
        delta_timestamps: Mapping[str, Sequence[float]] | None,
        image_transforms: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> WindowDataset | LeRobotDataset:
        """Open the samples of some episodes (None: all of the dataset).

        Args:
            episodes: A subset of the episodes given to the constructor.
            delta_timestamps: Seconds around each frame, by feature.
            image_transforms: Applied to colour images.

        Raises:
            ValueError: a time that is not a multiple of a frame.
        """
        deltas = datasets.delta_indices(delta_timestamps, self.meta.fps, self.tolerance_s)
        if self.plan.method != "lerobot" and self.layout is not None:
            try:
                columns = self._columns(self.layout, episodes)
                return WindowDataset(
                    self.meta,
                    self.layout,
                    columns,
                    self._store or self._blocks(self.layout, columns["timestamp"], episodes, deltas),
                    episodes=episodes,
                    delta_timestamps=delta_timestamps,
                    delta_indices=deltas,
                    image_transforms=image_transforms,
                    depth=self._distances,
                )
            except UndecodableError as error:
                self.plan = replace(self.plan, method="lerobot", reason=str(error))
        return self._open_with_lerobot(episodes, delta_timestamps, image_transforms)

    def fall_back(self, method: LoadingMethod, reason: str) -> None:
        """Switch to a slower loading method, because another process of the training needs it."""
        self.plan, self._store = replace(self.plan, method=method, reason=reason), None

    def open_anywhere(self, episodes: Sequence[int] | None) -> WindowDataset | LeRobotDataset:
        """Open single frames of some episodes for reading in any order, without a sampler."""
        if self.plan.method == "blocks":
            return self._open_with_lerobot(episodes, None, None)
        return self.open(episodes, None)

    def _columns(self, layout: Layout, episodes: Sequence[int] | None) -> dict[str, np.ndarray]:
        pictures = ("video", "image")
        features = {key: feature for key, feature in self.meta.features.items() if feature["dtype"] not in pictures}
        return read_columns(layout, features, layout.chosen(episodes), self._folder)

    def _blocks(
        self, layout: Layout, seconds: np.ndarray, episodes: Sequence[int] | None, deltas: Mapping[str, Sequence[int]]
    ) -> BlockFrames:
        reached = [0, *(delta for camera in layout.cameras for delta in deltas.get(camera.key, ()))]
        reach = min(reached), max(reached)
        chosen = layout.chosen(episodes)
        lengths = layout.stops[chosen] - layout.starts[chosen]
        first_rows = np.zeros(len(layout.starts), dtype=np.int64)
        first_rows[chosen] = np.cumsum(lengths) - lengths
        return BlockFrames(
            layout,
            seconds,
            first_rows,
            backend=self.video_backend,
            tolerance_s=self.tolerance_s,
            buffer=divide(sum(camera.frame_bytes for camera in layout.cameras), reach[1] - reach[0]),
            reach=reach,
        )

    def _open_with_lerobot(
        self,
        episodes: Sequence[int] | None,
        delta_timestamps: Mapping[str, Sequence[float]] | None,
        image_transforms: Callable[[torch.Tensor], torch.Tensor] | None,
    ) -> LeRobotDataset:
        return LeRobotDataset(
            self.meta.repo_id,
            root=self.place,
            episodes=None if episodes is None else list(episodes),
            delta_timestamps=delta_timestamps,
            image_transforms=image_transforms,
            revision=self.revision,
            video_backend=self.video_backend,
            return_uint8=True,
            tolerance_s=self.tolerance_s,
        )


def order_of(dataset: WindowDataset | LeRobotDataset) -> Order:
    """The order that fits a dataset's loading method."""
    frames = dataset.frames if isinstance(dataset, WindowDataset) else None
    if isinstance(frames, BlockFrames):
        return {"kind": "blocks", "length": frames.buffer.length, "opened": frames.buffer.opened}
    return {"kind": "shuffled"}


def sampler_of(
    dataset: WindowDataset,
    *,
    shuffle: bool,
    seed: int = 0,
    drop_n_last_frames: int = 0,
    batch_size: int,
    rank: int = 0,
    world_size: int = 1,
    order: Order | None = None,
) -> EpisodeSampler:
    """Make the sampler that fits a dataset's loading method; other arguments as for `EpisodeSampler`.

    Args:
        order: the order of the earlier part of a run; a frame store can follow any order, blocks only their own kind.
    """
    facts: dict[str, Any] = {
        "episodes": dataset.episodes,
        "drop_n_last_frames": drop_n_last_frames,
        "shuffle": shuffle,
        "seed": seed,
        "batch_size": batch_size,
        "rank": rank,
        "world_size": world_size,
    }
    layout, frames = dataset.layout, dataset.frames
    own = order_of(dataset)
    order = order if order and order["kind"] == "blocks" else own
    if order["kind"] == "shuffled":
        return EpisodeSampler(layout.starts, layout.stops, **facts)

    def announce(rows: np.ndarray, owners: np.ndarray) -> None:
        if isinstance(frames, BlockFrames):
            frames.announce(*dataset.frames_of(rows), owners)

    buffer = Buffer(order["length"], order["opened"], 0)
    return BlockSampler(layout.starts, layout.stops, buffer=buffer, announce=announce, **facts)


def _lerobot(option: StoreOption, reason: str) -> Plan:
    folder = frames_root(option)
    return Plan("lerobot", reason, 0, 0, folder, free_bytes(folder))
