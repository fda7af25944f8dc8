"""A few episodes and pictures of a dataset, to look at: read from the tables and decoded from the videos."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from getiaction_cli.datasets.stats import LEVELS, QUANTILES
from getiaction_cli.errors import CouldNotLook

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.progress import OnProgress

EPISODES = 3
PICTURES = 4  # per camera, each of another episode
_MEASURED = 100  # pictures that a camera's statistics are of
_MEASURED_PIXELS = 160
_WIDEST = 480  # pixels; more would only make the page heavy
_MOST_POINTS = 500


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The vectors of one episode: ``seconds`` is (points,), each of ``values`` is (points, dimensions)."""

    episode: int
    seconds: npt.NDArray[np.float64]
    values: dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame of one camera as a JPEG file."""

    key: str
    episode: int
    second: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read, and in words what could not be."""

    trajectories: tuple[Trajectory, ...] = ()
    pictures: tuple[Picture, ...] = ()
    problems: tuple[str, ...] = ()


def take(dataset: Dataset, watch: OnProgress | None = None) -> Sample:
    """Read the first, the middle and the last episode, and a frame of each camera from the middle of some episodes.

    Nothing is downloaded and nothing raises: a file that can't be read is reported in ``problems``.
    """
    rows = _spread(len(dataset.episodes), EPISODES)
    trajectories, pictures, problems = [], [], []
    for row in rows:
        try:
            trajectories.append(_trajectory(dataset, row))
        except Exception as error:  # damaged files fail in every way there is, and the page shows the rest
            problems.append(f"episode {int(dataset.episodes.index[row])} could not be read: {_line(error)}")
    cameras = [key for key in dataset.camera_keys if key not in dataset.depth_keys]
    jobs = [(key, row) for key in cameras for row in _spread(len(dataset.episodes), PICTURES)]
    for done, (key, row) in enumerate(jobs, 1):
        try:
            pictures.append(_picture(dataset, key, row))
        except Exception as error:
            problems.append(f"{key}, episode {int(dataset.episodes.index[row])}: no picture: {_line(error)}")
        if watch is not None:
            watch("decoding pictures", done, len(jobs), "frames")
    return Sample(tuple(trajectories), tuple(pictures), tuple(problems))


def picture_statistics(dataset: Dataset, key: str) -> dict[str, Any]:
    """Statistics of a camera's pixels over a sample of its frames, in LeRobot's form: from 0 to 1, one per channel.

    Raises:
        CouldNotLook: a picture can't be read.
    """
    channels = dataset.features[key].size
    mode = "L" if channels == 1 else "RGB"
    rows = _spread(len(dataset.episodes), _MEASURED)
    each = max(1, _MEASURED // max(1, len(rows)))
    pixels = []
    for row in rows:
        length = int(dataset.episodes.length[row])
        for frame in _spread(length, each):
            try:
                image = _image(dataset, key, row, frame)
            except Exception as error:
                raise CouldNotLook(
                    f"the statistics of {key} can't be computed, a picture of it is lost: {_line(error)}",
                    "fix or delete that file with its episodes first",
                ) from error
            image.thumbnail((_MEASURED_PIXELS, _MEASURED_PIXELS))
            pixels.append(np.asarray(image.convert(mode), np.float64).reshape(-1, channels) / 255)
    values = np.concatenate(pixels)
    found = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    found |= dict(zip(QUANTILES, np.quantile(values, LEVELS, axis=0), strict=True))
    return {name: value.reshape(channels, 1, 1).tolist() for name, value in found.items()} | {"count": [len(pixels)]}


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` rows of ``count``, the first and the last among them."""
    return sorted({int(row) for row in np.linspace(0, count - 1, min(count, wanted))}) if count else []


def _line(error: Exception) -> str:
    # Without the number that the system gives the error, and without the path, which is named already.
    reason = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return str(reason).splitlines()[0][:200]


def _table(dataset: Dataset, row: int, columns: list[str]) -> Any:
    """The rows of an episode in the table that holds it."""
    import pyarrow.parquet as pq

    name = next((name for name, rows in dataset.data_files.items() if row in rows), None)
    if name is None:
        raise ValueError("no table is named for it")
    episode = int(dataset.episodes.index[row])
    return pq.read_table(dataset.root / name, columns=columns, filters=[("episode_index", "=", episode)])


def _trajectory(dataset: Dataset, row: int) -> Trajectory:
    wanted = [feature for feature in dataset.by_role("state", "action", "environment") if feature.is_vector]
    table = _table(dataset, row, [feature.key for feature in wanted])
    step = max(1, -(-table.num_rows // _MOST_POINTS))
    values = {
        feature.key: np.asarray(table[feature.key].to_pylist(), np.float64).reshape(table.num_rows, -1)[::step]
        for feature in wanted
    }
    seconds = np.arange(0, table.num_rows, step) / (dataset.fps or 1)
    return Trajectory(int(dataset.episodes.index[row]), seconds, values)


def _picture(dataset: Dataset, key: str, row: int) -> Picture:
    frame = max(0, int(dataset.episodes.length[row]) // 2)
    image = _image(dataset, key, row, frame)
    image.thumbnail((_WIDEST, _WIDEST))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=80)
    return Picture(key, int(dataset.episodes.index[row]), frame / (dataset.fps or 1), buffer.getvalue())


def _image(dataset: Dataset, key: str, row: int, frame: int) -> Any:
    if dataset.features[key].dtype == "video":
        return _video_frame(dataset, key, row, frame / (dataset.fps or 1))
    return _stored_image(dataset, key, row, frame)


def _video_frame(dataset: Dataset, key: str, row: int, second: float) -> Any:
    import av

    name = next(name for name, rows in dataset.video_files[key].items() if row in rows)
    videos = dataset.episodes.videos.get(key)
    wanted = second + (float(videos.from_timestamp[row]) if videos is not None else 0.0)
    with av.open(str(dataset.root / name)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        container.seek(int(wanted / float(stream.time_base or 1)), stream=stream, backward=True)
        half = 0.5 / (dataset.fps or 10)
        for frame in container.decode(stream):
            if frame.time is None or frame.time >= wanted - half:
                return frame.to_image()
    raise ValueError(f"{name} has no frame at {wanted:.2f} s")


def _stored_image(dataset: Dataset, key: str, row: int, frame: int) -> Any:
    from PIL import Image

    stored = _table(dataset, row, [key])[key][frame].as_py()
    return Image.open(io.BytesIO(stored["bytes"]) if stored.get("bytes") else dataset.root / stored["path"])
