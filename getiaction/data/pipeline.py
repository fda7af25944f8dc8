"""A dataset opened the best way that it and this machine allow, and what to tell the user about it.

    store       every frame decoded once and mapped (`frame_store`)
    blocks      blocks of episodes decoded during training (`blocks`), where the store does not fit
    lerobot     LeRobotDataset, for what neither of the others can read

Each time a store is opened, a few of its frames are compared with what LeRobot decodes, so a decoder that surprises us
costs speed and never correctness.
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
from getiaction.data.download_progress import DownloadProgress, hub_folder, watched
from getiaction.data.frame_store import Building, FrameStore, Reel, open_store, reels_of, store_folder
from getiaction.data.layout import Layout, layout_of, missing_files
from getiaction.data.sampler import EpisodeSampler
from getiaction.data.windows import WindowDataset
from getiaction.errors import DataError
from getiaction.lerobot import datasets
from getiaction.lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from getiaction.spec.frame_loading import (
    Plan,
    StoreOption,
    Way,
    choose,
    frames_root,
    free_bytes,
    gigabytes,
    read_option,
)

log = logging.getLogger(__name__)

COMPARED_FRAMES = 2


class Order(TypedDict):
    """In which order an epoch visits the frames, beside seed, dataset and episodes.

    `shuffled` is LeRobot's own order, which the frame store and LeRobotDataset follow. `blocks` is a random order in
    which neighbouring frames come close together, made for decoding while training; `length` samples of a block and
    `opened` blocks at a time belong to it.
    """

    kind: Literal["shuffled", "blocks"]
    length: NotRequired[int]
    opened: NotRequired[int]


class Pipeline:
    """One dataset, whose episodes are opened as often as there are parts of it.

    Args:
        meta: LeRobot's metadata.
        place: Its folder; None lets LeRobot fetch it from the Hub.
        episodes: All that will be opened, of all parts; None for all of the dataset.
        revision: Revision on the Hub.
        tolerance_s: How far, in seconds, a frame may lie from the moment asked for.
        video_backend: `pyav` or `torchcodec`.
        frame_store: As in the recipe.
        progress: Told how far the building of a store is.
        build: False uses a store that is there, and neither builds one nor downloads what it would be built from.

    Attributes:
        plan: Which way was taken, and why.

    Raises:
        DataError: `frame_store` is not understood, or a video lacks frames that the tables name.
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
        progress: Callable[[Building | DownloadProgress], None] | None = None,
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
        if plan.way != "store":
            return self._without_store(layout, plan)
        try:
            self._store = open_store(layout, reels, self._timestamps, progress=self._progress)
        except OSError as error:
            return self._without_store(layout, replace(plan, way="blocks", reason=f"the store can't be built: {error}"))
        self._compare_with_lerobot(layout, reels)
        self._check_gaps(layout, chosen)
        return replace(plan, missing=0, reason=f"{gigabytes(size)}, built just now") if to_build else plan

    def _without_store(self, layout: Layout, plan: Plan) -> Plan:
        if any(camera.kind == "image" for camera in layout.cameras):
            # LeRobotDataset decodes nothing but the pictures of the sample, and reads its columns mapped.
            return replace(plan, way="lerobot", reason=f"{plan.reason}; single pictures need no decoding in order")
        return plan

    def _fetch(self, episodes: Sequence[int] | None) -> None:
        """Have LeRobot download what is missing of these episodes."""
        layout = layout_of(self.meta)
        lacking = missing_files(layout, episodes)
        if lacking:
            folder = self.place or hub_folder(self.meta.repo_id)
            with watched(folder, self.meta.repo_id, len(lacking), self._progress):
                found = self._open_with_lerobot(episodes, None, None)
            self.meta.root = found.root

    def _timestamps(self, episodes: np.ndarray) -> np.ndarray:
        assert self.layout is not None
        wanted = {"timestamp": self.meta.features["timestamp"]}
        return read_columns(self.layout, wanted, episodes)["timestamp"]

    def _compare_with_lerobot(self, layout: Layout, reels: Sequence[Reel]) -> None:
        """Compare a few frames of each video camera; a store that differs is removed."""
        assert self._store is not None
        chance = random.Random()  # not the one that the user has seeded
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
        """LeRobot would stop at the first of these samples, in the middle of training."""
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
        """The samples of some episodes (None: all of the dataset).

        Args:
            episodes: Among those the pipeline was made for.
            delta_timestamps: Seconds around each frame, by feature.
            image_transforms: For colour pictures.

        Raises:
            ValueError: a moment that is not a multiple of a frame.
        """
        deltas = datasets.delta_indices(delta_timestamps, self.meta.fps, self.tolerance_s)
        if self.plan.way != "lerobot" and self.layout is not None:
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
                self.plan = replace(self.plan, way="lerobot", reason=str(error))
        return self._open_with_lerobot(episodes, delta_timestamps, image_transforms)

    def fall_back(self, way: Way, reason: str) -> None:
        """Load frames in a slower way, because another process of the training has to."""
        self.plan, self._store = replace(self.plan, way=way, reason=reason), None

    def open_anywhere(self, episodes: Sequence[int] | None) -> WindowDataset | LeRobotDataset:
        """Single frames of some episodes, to be read in any order, without a sampler that announces them."""
        if self.plan.way == "blocks":
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
    """The order in which the way a dataset gets its frames visits them: see `Order`."""
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
    """The sampler that suits the way in which the dataset gets its frames; arguments as for `EpisodeSampler`.

    Args:
        order: that of the earlier part of a run; a frame store can follow any order, blocks only their own kind.
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
