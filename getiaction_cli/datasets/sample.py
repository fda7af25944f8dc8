"""A few episodes and pictures of a dataset, to look at: read from the tables and decoded from the videos."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from getiaction_cli.datasets.stats import LEVELS, QUANTILES
from getiaction_cli.errors import CheckNotRun
from getiaction_cli.units import plural

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.progress import OnProgress

EPISODES = 3
PICTURES = 4  # per camera, each of another episode
_MEASURED = 100  # pictures that a camera's statistics are of
_MEASURED_PIXELS = 160
_WIDEST = 480  # pixels; more would only make the page heavy
_MOST_POINTS = 500
_CLIP_RATE = 10  # frames per second; a clip shows the course of an episode, not each of its frames
_CLIP_FRAMES = 900  # of all clips together
_CLIP_BYTES = 8_000_000  # likewise
_CLIP_WIDEST = 240  # pixels
_FAR = 8  # frames; to skip more, seeking may be faster than decoding


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
class Clip:
    """Frames of one camera in one episode: JPEG files, and the second of the episode that each shows."""

    key: str
    episode: int
    seconds: tuple[float, ...]
    jpegs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Sampled data, and a sentence for each part that could not be read."""

    trajectories: tuple[Trajectory, ...] = ()
    clips: tuple[Clip, ...] = ()
    pictures: tuple[Picture, ...] = ()
    problems: tuple[str, ...] = ()


def take(dataset: Dataset, watch: OnProgress | None = None, episodes: Sequence[int] = ()) -> Sample:
    """Read some episodes, and a frame of each camera from the middle of some others.

    Nothing is downloaded and nothing raises: a file that can't be read is reported in ``problems``.

    Args:
        dataset: the dataset.
        watch: called with the progress.
        episodes: indices of the episodes to read; by default the first, the middle and the last one.
    """
    rows = [row for row, index in enumerate(dataset.episodes.index) if int(index) in episodes]
    rows = rows or _spread(len(dataset.episodes), EPISODES)
    trajectories, clips, pictures, problems = [], [], [], []
    for row in rows:
        try:
            trajectories.append(_trajectory(dataset, row))
        except Exception as error:  # damaged files fail in every way there is, and the page shows the rest
            problems.append(f"episode {int(dataset.episodes.index[row])} could not be read: {_line(error)}")
    cameras = [key for key in dataset.camera_keys if key not in dataset.depth_keys]
    stills = [(key, row, False) for key in cameras for row in _spread(len(dataset.episodes), PICTURES)]
    films = [(key, row, True) for key in cameras for row in rows]
    unseen = set()
    for done, (key, row, film) in enumerate(jobs := stills + films, 1):
        try:
            if film:
                clip, reason = _clip(dataset, key, row, len(films))
                clips.append(clip)
                if reason and (key, row) not in unseen:
                    problems.append(f"{key}, episode {clip.episode}: the video is incomplete: {reason}")
            else:
                pictures.append(_picture(dataset, key, row))
        except Exception as error:
            if (key, row) not in unseen:
                what = "video" if film else "picture"
                problems.append(f"{key}, episode {int(dataset.episodes.index[row])}: no {what}: {_line(error)}")
            unseen.add((key, row))
        if watch is not None:
            watch("decoding pictures", done, len(jobs), "parts")
    return Sample(tuple(trajectories), tuple(clips), tuple(pictures), tuple(problems))


def picture_statistics(dataset: Dataset, key: str) -> dict[str, Any]:
    """Statistics of a camera's pixels over a sample of its frames, in LeRobot's form: from 0 to 1, one per channel.

    Raises:
        CheckNotRun: a picture can't be read.
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
                raise CheckNotRun(
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
        raise ValueError("meta/episodes names no table for it")
    if name not in dataset.listing.sizes:
        raise ValueError(f"{name} is missing")
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


def _clip(dataset: Dataset, key: str, row: int, clips: int) -> tuple[Clip, str]:
    """Frames of an episode at equal distances, and why it has no more; ``clips`` of them share the page's limits."""
    length, fps = max(0, int(dataset.episodes.length[row])), dataset.fps or 1
    step = max(1, round(fps / _CLIP_RATE), -(-length * clips // _CLIP_FRAMES))
    seconds, jpegs, reason = [], [], ""
    try:
        for frame, image in _images(dataset, key, row, range(0, length, step)):
            jpegs.append(_jpeg(image, _CLIP_WIDEST, 60))
            seconds.append(round(frame / fps, 3))
    except Exception as error:
        if not jpegs:
            raise
        reason = _line(error)
    if not jpegs:
        raise ValueError("the episode has no frame")
    while len(jpegs) > 1 and sum(map(len, jpegs)) > _CLIP_BYTES / clips:
        seconds, jpegs = seconds[::2], jpegs[::2]
    return Clip(key, int(dataset.episodes.index[row]), tuple(seconds), tuple(jpegs)), reason


def _picture(dataset: Dataset, key: str, row: int) -> Picture:
    frame = max(0, int(dataset.episodes.length[row]) // 2)
    jpeg = _jpeg(_image(dataset, key, row, frame), _WIDEST, 80)
    return Picture(key, int(dataset.episodes.index[row]), frame / (dataset.fps or 1), jpeg)


def _jpeg(image: Any, widest: int, quality: int) -> bytes:
    image.thumbnail((widest, widest))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _image(dataset: Dataset, key: str, row: int, frame: int) -> Any:
    return next(image for _, image in _images(dataset, key, row, [frame]))


def _images(dataset: Dataset, key: str, row: int, frames: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Yield (frame, picture) of each of these frames of an episode, which ascend."""
    read = _video_frames if dataset.features[key].dtype == "video" else _stored_images
    return read(dataset, key, row, frames)


def _video_frames(dataset: Dataset, key: str, row: int, frames: Sequence[int]) -> Iterator[tuple[int, Any]]:
    import av

    name = next((name for name, rows in dataset.video_files[key].items() if row in rows), None)
    if name is None:
        raise ValueError("meta/episodes names no video for it")
    if name not in dataset.listing.sizes:
        raise ValueError(f"{name} is missing")
    videos, fps = dataset.episodes.videos.get(key), dataset.fps or 1
    start = float(videos.from_timestamp[row]) if videos is not None else 0.0
    half = 0.5 / (dataset.fps or 10)
    with av.open(str(dataset.root / name)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        decoded: Iterator[Any] = iter(())
        reached, seeking = -1.0, True
        for frame in frames:
            second = start + frame / fps
            if seeking and (reached < 0 or second - reached > _FAR / fps):
                container.seek(int(second / float(stream.time_base or 1)), stream=stream, backward=True)
                decoded, before = container.decode(stream), reached
                picture = next(decoded, None)
                # A seek that leads back, to a key frame far before, is slower than decoding on.
                seeking = picture is None or picture.time is None or picture.time > before
            else:
                picture = next(decoded, None)
            while picture is not None and picture.time is not None and picture.time < second - half:
                picture = next(decoded, None)
            if picture is None:
                raise ValueError(f"{name} has no frame at {second:.2f} s")
            reached = second if picture.time is None else picture.time
            yield frame, picture.to_image()


def _stored_images(dataset: Dataset, key: str, row: int, frames: Sequence[int]) -> Iterator[tuple[int, Any]]:
    from PIL import Image

    column = _table(dataset, row, [key])[key]
    for frame in frames:
        if frame >= len(column):
            raise ValueError(f"its table has {plural(len(column), 'row')} for the episode")
        stored = column[frame].as_py()
        if stored.get("bytes"):
            yield frame, Image.open(io.BytesIO(stored["bytes"]))
            continue
        file = (dataset.root / stored["path"]).resolve()
        if not (file.is_relative_to(dataset.root.resolve()) and file.is_file()):  # the path is a stranger's
            raise ValueError("its picture is not in the dataset's folder")
        yield frame, Image.open(file)
