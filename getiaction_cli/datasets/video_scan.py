"""Decodes a few pictures of every video, and of every table that holds pictures.

With PyAV: OpenCV's wheels call LeRobot's AV1 videos unreadable.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction_cli.datasets.parquet import Broken, first_line, open_parquet
from getiaction_cli.datasets.scan import WORKERS, Scan, VideoScan

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.progress import OnProgress

SAMPLE = 6  # pictures per file and camera
_TOLERANCE = 1e-4  # seconds; LeRobot's own
_BLANK = 2.0  # standard deviation of the pixels of a picture that shows nothing


def look_at_pictures(dataset: Dataset, scan: Scan, seed: int, watch: OnProgress | None) -> None:
    """Decode ``SAMPLE`` pictures of every camera in every file that holds some; fills ``scan.videos``."""
    jobs = [
        (key, name)
        for key, files in dataset.video_files.items()
        for name in files
        if dataset.listing.sizes.get(name, 0) > 0
    ]
    jobs += [
        (key, name)
        for key in dataset.camera_keys
        for name, header in dataset.tables.items()
        if dataset.features[key].dtype == "image" and key in header.columns and header.rows
    ]
    if not jobs:
        return
    done, lock = 0, Lock()

    def one(job: tuple[str, str]) -> VideoScan:
        nonlocal done
        key, name = job
        rng = random.Random(f"{seed}/{name}")
        found = _look(dataset, key, name, rng) if key in dataset.video_keys else _look_inside(dataset, key, name, rng)
        with lock:
            done += 1
            if watch is not None:
                watch("decoding pictures", done, len(jobs), "files")
        return found

    with ThreadPoolExecutor(WORKERS) as pool:
        scan.videos = list(pool.map(one, jobs))
    scan.not_checked.append(f"all pictures of the cameras: {SAMPLE} of each file were decoded")


def _look(dataset: Dataset, key: str, name: str, rng: random.Random) -> VideoScan:
    import av

    scan = VideoScan(name, key, asked=SAMPLE)
    frames: list[np.ndarray] = []
    try:
        with av.open(str(dataset.root / name)) as container:
            if not container.streams.video:
                scan.problem = "has no video track"
                return scan
            stream = container.streams.video[0]
            if stream.codec_context is None:
                scan.problem = "has a damaged header: its codec is unknown"
                return scan
            stream.codec_context.thread_count = 1  # the files themselves are looked at in parallel
            scan.width, scan.height = stream.codec_context.width, stream.codec_context.height
            scan.pix_fmt = stream.codec_context.pix_fmt or ""
            scan.frames = stream.frames
            apart = 1 / float(stream.average_rate or dataset.fps or 10)
            base = float(stream.time_base or 0)
            seconds = float(stream.duration * base) if stream.duration and base else 0.0
            begin = float(stream.start_time * base) if stream.start_time and base else 0.0
            if begin > _first_wanted(dataset, key, name) + 0.51 * apart:
                scan.problem = f"begins at {begin:.4g} s, its first episode before that"
            # One in each sixth of the video, so that beginning and end are always among them.
            times = [(i + rng.random() * 0.9) / SAMPLE * seconds for i in range(SAMPLE)]
            for t in times:
                container.seek(int(t / base) if base else 0, stream=stream, backward=True)
                frame = None
                for candidate in container.decode(stream):
                    scan.problem = scan.problem or _ill_timed(candidate.time, dataset.fps)
                    if candidate.time is None or candidate.time >= t - 0.6 * apart:
                        frame = candidate
                        break
                # A damaged stretch is passed over by the decoder: what comes then is a later frame.
                if frame is None or (frame.time is not None and frame.time > t + 1.6 * apart):
                    scan.problem = f"has no frame at {t:.2f} s that can be decoded"
                    break
                scan.decoded += 1
                frames.append(_few_pixels(frame.to_ndarray(format="rgb24")))
    except Exception as error:  # damaged files fail in every way there is
        scan.problem = f"can't be decoded: {first_line(error)}"
    if key not in dataset.depth_keys:
        _compare(scan, frames)
    return scan


def _look_inside(dataset: Dataset, key: str, name: str, rng: random.Random) -> VideoScan:
    """Pictures that are stored inside a table, as PNG or JPEG."""
    from PIL import Image, UnidentifiedImageError

    rows = dataset.tables[name].rows
    scan = VideoScan(name, key, asked=min(SAMPLE, rows), frames=rows)
    pictures: list[np.ndarray] = []
    wanted = sorted(rng.sample(range(rows), scan.asked))
    row = wanted[0]
    try:
        for row, stored in _stored(dataset.root / name, key, wanted):
            if not isinstance(stored, dict) or not (stored.get("bytes") or stored.get("path")):
                scan.problem = f"holds no picture of {key} in row {row}"
                break
            with Image.open(io.BytesIO(stored["bytes"]) if stored.get("bytes") else stored["path"]) as image:
                scan.width, scan.height = image.size
                if image.size != dataset.features[key].resolution:
                    scan.problem = f"holds a picture of {key} of {image.width}x{image.height} in row {row}"
                    break
                pictures.append(_few_pixels(np.asarray(image.convert("RGB"))))
            scan.decoded += 1
    except Broken as why:
        scan.problem = str(why)
    except UnidentifiedImageError:
        scan.problem = f"does not hold a picture of {key} in row {row}"
    except Exception as error:  # so do damaged pictures
        scan.problem = f"holds a picture of {key} that can't be decoded in row {row}: {first_line(error)}"
    if key not in dataset.depth_keys:
        _compare(scan, pictures)
    return scan


def _stored(path: Path, key: str, wanted: list[int]) -> Iterator[tuple[int, Any]]:
    """The entries of a column in the wanted rows, reading only the groups of rows that hold them."""
    file = open_parquet(path)
    at = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        inside = [row for row in wanted if at <= row < at + count]
        try:
            column = file.read_row_group(group, columns=[key]).column(key) if inside else None
        except (OSError, ValueError, MemoryError) as error:
            raise Broken(f"has damaged data: {first_line(error)}") from error
        for row in inside:
            yield row, column[row - at].as_py()  # type: ignore[index]
        at += count


def _compare(scan: VideoScan, pictures: list[np.ndarray]) -> None:
    if not pictures:
        return
    stack = np.stack(pictures).astype(np.float32)
    contrast = stack.std(axis=(1, 2)).max(axis=-1)  # a picture all blue has none
    scan.brightness = float(stack.mean())
    scan.blank = int(np.count_nonzero(contrast < _BLANK))
    scan.change = float(np.abs(stack - stack[0]).max())


def _first_wanted(dataset: Dataset, key: str, name: str) -> float:
    """When the first episode in a video begins."""
    videos = dataset.episodes.videos.get(key)
    return float(videos.from_timestamp[dataset.video_files[key][name]].min()) if videos is not None else 0.0


def _ill_timed(time: float | None, fps: float | None) -> str:
    """What is wrong with a frame that is not at a whole number of frames: LeRobot looks for it there and stops."""
    if time is None or not fps:
        return ""
    wanted = round(time * fps) / fps
    off = abs(time - wanted)
    return f"has a frame at {time:.6g} s that belongs at {wanted:.6g} s" if off > _TOLERANCE * (1 + time) else ""


def _few_pixels(picture: np.ndarray) -> np.ndarray:
    """At most 320 of them each way: enough to see whether it is black or moves."""
    scale = max(1, max(picture.shape[:2]) // 160)
    return picture[::scale, ::scale]
