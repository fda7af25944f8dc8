"""A dataset that gathers the samples of LeRobotDataset as whole batches.

A sample is a row of the tables, a window of rows for each feature that has deltas, with `<feature>_is_pad` where the
window leaves the episode, a window of frames for each camera, and the task as text. `WindowDataset.__getitems__`
makes the batch that torch's default collate would make of LeRobotDataset's samples: same keys, same order, same
shapes, types and values. Two differences are intended: images from parquet files are uint8, like those from videos (the
training step divides by 255, which gives LeRobot's values), and the batch needs no collating (`no_collate`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch.utils.data import Dataset

from getiaction.data.decode import UndecodableError
from getiaction.data.layout import Layout

if TYPE_CHECKING:
    from getiaction.lerobot.datasets import LeRobotDatasetMetadata

Batch = dict[str, Any]


class FrameSource(Protocol):
    """A source of decoded frames of a dataset's cameras."""

    def gather(self, camera: str, frames: np.ndarray, episodes: np.ndarray, anchors: np.ndarray) -> torch.Tensor:
        """Return frames of one camera.

        Args:
            camera: The feature.
            frames: `(samples, window)` frame indices of the dataset.
            episodes: `(samples,)` the episode of each sample.
            anchors: `(samples,)` each sample's own frame.

        Returns:
            `(samples * window, channels, height, width)`, uint8 for colours; depth maps as they are stored.
        """

    def release(self, anchors: np.ndarray) -> None:
        """Free the frames of these samples: all of them have been gathered."""


def no_collate(batch: Batch) -> Batch:
    """The `collate_fn` for a dataset that returns whole batches."""
    return batch


class WindowDataset(Dataset[Batch]):
    """A LeRobot dataset whose samples are gathered in batches.

    Args:
        meta: LeRobot's metadata.
        layout: Files of the frames.
        columns: `(frames, ...)` of the chosen episodes, from `read_columns`.
        frames: Source of the cameras' frames; public for the sampler that announces samples to it.
        episodes: The chosen episodes; None for all, as in LeRobotDataset.
        delta_timestamps: Seconds, by feature; None for none.
        delta_indices: `delta_timestamps` in frames.
        image_transforms: Applied to each sample's colour pictures, as LeRobotDataset does.
        depth: For each depth camera, the conversion of stored frames to LeRobot's distances.

    Raises:
        UndecodableError: the tables are not in the order of the episodes.
    """

    def __init__(
        self,
        meta: LeRobotDatasetMetadata,
        layout: Layout,
        columns: Mapping[str, np.ndarray],
        frames: FrameSource,
        *,
        episodes: Sequence[int] | None = None,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None,
        delta_indices: Mapping[str, Sequence[int]] | None = None,
        image_transforms: Callable[[torch.Tensor], torch.Tensor] | None = None,
        depth: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] | None = None,
    ) -> None:
        self.meta = meta
        self.layout = layout
        self.episodes = None if episodes is None else list(episodes)
        self.delta_timestamps = delta_timestamps
        self.delta_indices = {key: np.asarray(delta, dtype=np.int64) for key, delta in (delta_indices or {}).items()}
        self.image_transforms = image_transforms
        self.frames = frames
        self._depth = dict(depth or {})
        self._cameras = {camera.key: camera for camera in layout.cameras}
        chosen = layout.chosen(episodes)
        lengths = layout.stops[chosen] - layout.starts[chosen]
        self._chosen = chosen
        # First row of each chosen episode in the columns.
        self._firsts = np.cumsum(lengths) - lengths
        self._columns = dict(columns)
        self._length = int(lengths.sum())
        self._tasks = [str(task) for task in meta.tasks.index]
        self._check_order(lengths)
        for key in self.delta_indices:
            if key not in self._cameras and key not in columns:
                raise KeyError(key)

    def _check_order(self, lengths: np.ndarray) -> None:
        index, episode = (self._columns[key] for key in ("index", "episode_index"))
        for i, number in enumerate(self._chosen.tolist()):
            rows = slice(self._firsts[i], self._firsts[i] + lengths[i])
            right = np.arange(self.layout.starts[number], self.layout.stops[number])
            if not (np.array_equal(index[rows], right) and (episode[rows] == number).all()):
                raise UndecodableError(f"the rows of episode {number} are not where the metadata says")

    @property
    def repo_id(self) -> str:
        """Name of the dataset."""
        return self.layout.repo_id

    @property
    def fps(self) -> int:
        """Frames per second."""
        return self.layout.fps

    @property
    def features(self) -> dict[str, dict]:
        """The features, as info.json declares them."""
        return self.meta.features

    @property
    def num_frames(self) -> int:
        """Frames of the chosen episodes."""
        return self._length

    @property
    def num_episodes(self) -> int:
        """Number of chosen episodes."""
        return len(self._chosen)

    @property
    def absolute_to_relative_idx(self) -> dict[int, int] | None:
        """Row of each frame index, if only some episodes are chosen (for LeRobot's sampler)."""
        if self.episodes is None:
            return None
        return {int(frame): row for row, frame in enumerate(self._columns["index"].tolist())}

    def column(self, key: str) -> np.ndarray:
        """The values of a numeric feature for all rows, `(rows, …)`.

        Raises:
            KeyError: the dataset has no such feature.
        """
        return self._columns[key]

    def frames_of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The dataset's frame index and the episode of each row."""
        within = np.searchsorted(self._firsts, rows, side="right") - 1
        episodes = self._chosen[within]
        return self.layout.starts[episodes] + (rows - self._firsts[within]), episodes

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> Batch:
        """One sample, without the batch dimension."""
        if not -self._length <= row < self._length:
            raise IndexError(row)
        batch = self.__getitems__([row % self._length])
        return {key: values[0] for key, values in batch.items()}

    def __getitems__(self, rows: Sequence[int] | np.ndarray) -> Batch:
        """The samples of these rows as one batch, `(len(rows), ...)` each."""
        wanted = np.asarray(rows, dtype=np.int64)
        frames, episodes = self.frames_of(wanted)
        starts, stops = self.layout.starts[episodes], self.layout.stops[episodes]
        # Features with the same deltas share their windows.
        windows: dict[bytes, tuple[np.ndarray, torch.Tensor]] = {}

        def window(key: str) -> tuple[np.ndarray, torch.Tensor]:
            deltas = self.delta_indices[key]
            if (same := deltas.tobytes()) not in windows:
                asked = frames[:, None] + deltas
                inside = np.clip(asked, starts[:, None], stops[:, None] - 1)
                windows[same] = inside, torch.from_numpy(inside != asked)
            return windows[same]

        def pictures(key: str) -> torch.Tensor:
            if key not in self.delta_indices:
                return self._finish(key, self.frames.gather(key, frames[:, None], episodes, frames))
            inside, _ = window(key)
            length = inside.shape[1]
            found = self._finish(key, self.frames.gather(key, inside, episodes, frames))
            # LeRobot drops the window dimension of one-frame windows of videos, and of videos only.
            if length == 1 and self._cameras[key].kind == "video":
                return found
            return found.reshape(len(wanted), length, *found.shape[1:])

        batch: Batch = {key: pictures(key) for key, camera in self._cameras.items() if camera.kind == "video"}
        offsets = wanted - frames
        for key, feature in self.meta.features.items():
            if feature["dtype"] == "video":
                continue
            if feature["dtype"] == "image":
                batch[key] = pictures(key)
            elif self._columns[key].dtype == object:
                batch[key] = self._columns[key][wanted].tolist()
            elif key in self.delta_indices:
                inside, _ = window(key)
                batch[key] = torch.from_numpy(np.take(self._columns[key], inside + offsets[:, None], axis=0))
            else:
                batch[key] = torch.from_numpy(np.take(self._columns[key], wanted, axis=0))
        for key in self.delta_indices:
            batch[f"{key}_is_pad"] = window(key)[1].clone()
        self.frames.release(frames)
        if self.image_transforms is not None:
            self._transform(batch)
        batch["task"] = [self._tasks[i] for i in batch["task_index"].tolist()]
        return batch

    def _finish(self, key: str, found: torch.Tensor) -> torch.Tensor:
        return self._depth[key](found) if key in self._depth else found

    def _transform(self, batch: Batch) -> None:
        """Transform sample by sample, then camera by camera, so that random draws are in LeRobot's order."""
        assert self.image_transforms is not None
        colours = [camera for camera in self._cameras.values() if not camera.depth]
        done: dict[str, list[torch.Tensor]] = {camera.key: [] for camera in colours}
        for i in range(len(batch["index"])):
            for camera in colours:
                picture = batch[camera.key][i]
                # LeRobot passes images of parquet files as floats.
                picture = picture.to(torch.float32).div(255) if camera.kind == "image" else picture
                done[camera.key].append(self.image_transforms(picture))
        batch |= {key: torch.stack(pictures) for key, pictures in done.items()}
