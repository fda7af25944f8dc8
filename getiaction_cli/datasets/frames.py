"""Decodes a few frames of every video. With PyAV: OpenCV's wheels call LeRobot's AV1 videos unreadable."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.datasets.deep import WORKERS, Scan, VideoScan
from getiaction_cli.datasets.parquet import first_line

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.place import Watch

SAMPLE = 6  # frames per video


def look_at_videos(dataset: Dataset, scan: Scan, seed: int, watch: Watch | None) -> None:
    """Decode ``SAMPLE`` frames of every video file that the episodes name; fills ``scan.videos``."""
    jobs = [
        (key, name)
        for key, files in dataset.video_files.items()
        for name in files
        if dataset.listing.sizes.get(name, 0) > 0
    ]
    if not jobs:
        if dataset.camera_keys and not dataset.video_keys:
            scan.not_checked.append("the pictures: they are stored inside the tables")
        return
    done, lock = 0, Lock()

    def one(job: tuple[str, str]) -> VideoScan:
        nonlocal done
        key, name = job
        found = _look(dataset, key, name, random.Random(f"{seed}/{name}"))
        with lock:
            done += 1
            if watch is not None:
                watch("decoding frames", done, len(jobs), "videos")
        return found

    with ThreadPoolExecutor(WORKERS) as pool:
        scan.videos = list(pool.map(one, jobs))
    scan.not_checked.append(f"all frames of the videos: {SAMPLE} of each were decoded")


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
            stream.codec_context.thread_count = 1  # the files themselves are looked at in parallel
            scan.width, scan.height = stream.codec_context.width, stream.codec_context.height
            scan.pix_fmt = stream.codec_context.pix_fmt or ""
            scan.frames = stream.frames
            apart = 1 / float(stream.average_rate or dataset.fps or 10)
            base = float(stream.time_base or 0)
            seconds = float(stream.duration * base) if stream.duration and base else 0.0
            # One in each sixth of the video, so that beginning and end are always among them.
            times = [(i + rng.random() * 0.9) / SAMPLE * seconds for i in range(SAMPLE)]
            for t in times:
                container.seek(int(t / base) if base else 0, stream=stream, backward=True)
                frame = next((f for f in container.decode(stream) if f.time is None or f.time >= t - 0.6 * apart), None)
                # A damaged stretch is passed over by the decoder: what comes then is a later frame.
                if frame is None or (frame.time is not None and frame.time > t + 1.6 * apart):
                    scan.problem = f"has no frame at {t:.2f} s that can be decoded"
                    break
                scan.decoded += 1
                frames.append(_small(frame))
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        scan.problem = f"can't be decoded: {first_line(error)}"
    if frames and key not in dataset.depth_keys:
        stack = np.stack(frames).astype(np.float32)
        scan.brightness = float(stack.mean())
        scan.contrast = float(stack.std(axis=(1, 2, 3)).max())
        scan.change = float(np.abs(stack - stack[0]).max())
    return scan


def _small(frame) -> np.ndarray:  # type: ignore[no-untyped-def]  # av.VideoFrame
    """A frame as RGB of at most 160 pixels: enough to see whether it is black or moves."""
    scale = max(1, max(frame.width, frame.height) // 160)
    array: np.ndarray = frame.to_ndarray(format="rgb24")
    return array[::scale, ::scale]
