"""The file layout of a LeRobot dataset: the file of each episode and camera, and the second at which it starts there.

It is read from LeRobot's metadata alone, so that sizes are known before a frame is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from getiaction.spec.dataset_layout import DATA_PATH

if TYPE_CHECKING:
    from getiaction.lerobot.datasets import LeRobotDatasetMetadata


@dataclass(frozen=True)
class Camera:
    """An image feature.

    Attributes:
        key: The feature.
        kind: `video` for frames of an mp4, `image` for images in the parquet files.
        depth: Whether frames are depth maps with one channel.
        height: Height in pixels, as declared in info.json.
        width: Width in pixels, likewise.
        channels: Number of channels, likewise.
    """

    key: str
    kind: Literal["video", "image"]
    depth: bool
    height: int
    width: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one decoded frame: a byte per colour, two per distance."""
        return self.height * self.width * self.channels * (2 if self.depth else 1)


@dataclass(frozen=True)
class Layout:
    """The files of a dataset, by episode.

    Attributes:
        repo_id: Its name.
        root: Its folder.
        fps: Frames per second.
        starts: `(episodes,)` index of each episode's first frame.
        stops: `(episodes,)` index after its last one.
        data_files: For each episode its parquet file, relative to `root`.
        cameras: The image features, in the order of info.json.
        video_files: For each camera of kind video, the file of each episode, relative to `root`.
        video_starts: For each of them, `(episodes,)` the second at which the episode begins in that file.
    """

    repo_id: str
    root: Path
    fps: int
    starts: np.ndarray
    stops: np.ndarray
    data_files: tuple[str, ...]
    cameras: tuple[Camera, ...]
    video_files: dict[str, tuple[str, ...]]
    video_starts: dict[str, np.ndarray]

    def chosen(self, episodes: Sequence[int] | None) -> np.ndarray:
        """Sorted unique indices of these episodes; of all for None. Like LeRobot, ignores indices out of range."""
        if episodes is None:
            return np.arange(len(self.starts))
        index = np.unique(np.asarray(episodes, dtype=np.int64))
        return index[(index >= 0) & (index < len(self.starts))]

    def frames(self, episodes: np.ndarray) -> int:
        """Number of frames of these episodes."""
        return int((self.stops[episodes] - self.starts[episodes]).sum())

    def source(self, camera: Camera, episode: int) -> str:
        """The file with a camera's frames of an episode, relative to `root`."""
        files = self.video_files[camera.key] if camera.kind == "video" else self.data_files
        return files[episode]


def layout_of(meta: LeRobotDatasetMetadata) -> Layout:
    """Read the layout from LeRobot's metadata of a dataset."""
    table = meta.episodes.data

    def column(name: str) -> np.ndarray:
        return table.column(name).to_numpy()

    def files(template: str, prefix: str, **names: str) -> tuple[str, ...]:
        places = zip(column(f"{prefix}/chunk_index"), column(f"{prefix}/file_index"), strict=True)
        return tuple(template.format(chunk_index=int(chunk), file_index=int(file), **names) for chunk, file in places)

    return Layout(
        repo_id=meta.repo_id,
        root=Path(meta.root),
        fps=meta.fps,
        starts=column("dataset_from_index").astype(np.int64),
        stops=column("dataset_to_index").astype(np.int64),
        data_files=files(_data_path(meta), "data"),
        cameras=tuple(
            Camera(key, kind, key in meta.depth_keys, *_size(meta.features[key]))
            for key in meta.camera_keys
            for kind in (meta.features[key]["dtype"],)
        ),
        video_files={key: files(meta.video_path, f"videos/{key}", video_key=key) for key in meta.video_keys},
        video_starts={key: column(f"videos/{key}/from_timestamp").astype(np.float64) for key in meta.video_keys},
    )


def missing_files(layout: Layout, episodes: Sequence[int] | None) -> list[str]:
    """The files of these episodes (None: of all) that are not on this disk, relative to the dataset's folder."""
    chosen = layout.chosen(episodes).tolist()
    files = {layout.data_files[episode] for episode in chosen}
    files |= {names[episode] for names in layout.video_files.values() for episode in chosen}
    return sorted(name for name in files if not (layout.root / name).exists())


def _data_path(meta: LeRobotDatasetMetadata) -> str:
    """The path template of the data files; LeRobot lists the folder instead, and ignores a wrong template."""
    first = {name: int(meta.episodes.data.column(f"data/{name}")[0].as_py()) for name in ("chunk_index", "file_index")}
    for template in (meta.data_path, DATA_PATH):
        with suppress(KeyError, IndexError, ValueError, AttributeError):
            if (Path(meta.root) / template.format(**first)).is_file():
                return template
    return meta.data_path


def _size(feature: dict) -> tuple[int, int, int]:
    """Height, width and channels, by the names of the dimensions; without names in this order."""
    shape, names = tuple(feature["shape"]), list(feature.get("names") or ())
    if len(shape) != 3:
        return (1, 1, int(np.prod(shape)))
    if names and str(names[0]).startswith("channel"):
        return shape[1], shape[2], shape[0]
    return shape[0], shape[1], shape[2]
