"""Decode frames of a file in order, with the same result as when LeRobot decodes each of them separately.

LeRobot opens the file and seeks for each sample, then takes the frame whose time is nearest to the requested time.
Here the file is read once, and the same rule selects the same frames: times are compared as float32, of two equally
near frames the earlier one is taken, and colours are converted by the same call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

NO_PICTURE = (
    "set data.init_args.tolerance_s above that, but below half a frame, where the table's timestamps are only uneven; "
    "else write frame_index / fps into them, or leave the episode out with data.init_args.exclude_episodes"
)


class UndecodableError(Exception):
    """This decoder can't read these frames; LeRobotDataset may be able to."""


class Decoded(NamedTuple):
    """A requested frame.

    Attributes:
        place: Index of the requested time.
        frame: `(channels, height, width)`.
        gap: Seconds between the requested time and the frame's time.
    """

    place: int
    frame: np.ndarray
    gap: float


def decoder_name(backend: str, depth: bool) -> str:
    """The decoder that LeRobot uses for a backend, with the version that determines its output.

    Args:
        backend: `pyav`, `torchcodec`, or the removed `video_reader`, which LeRobot replaces by `pyav`.
        depth: Whether the frames are depth maps, which are always decoded by pyav.

    Raises:
        UndecodableError: an unknown backend.
    """
    if backend in ("pyav", "video_reader") or depth:
        import av

        return f"pyav {av.__version__}"
    if backend == "torchcodec":
        from importlib.metadata import version

        return f"torchcodec {version('torchcodec')}"
    raise UndecodableError(f"video backend {backend!r}")


def decode_video(path: Path, seconds: np.ndarray, *, decoder: str, depth: bool) -> Iterator[Decoded]:
    """Decode the frames nearest to the given times.

    Args:
        path: An mp4.
        seconds: `(n,)` float64 in ascending order.
        decoder: From `decoder_name`.
        depth: Yield 12-bit distances, `(1, height, width)` uint16, instead of colours, `(3, height, width)` uint8.

    Yields:
        One frame for each requested time, in order.

    Raises:
        UndecodableError: the file has no frame there, or its frames are not in the order of their times.
        OSError: the file can't be read (PyAV's errors are among these).
    """
    if decoder.startswith("torchcodec"):
        return _decode_with_torchcodec(path, seconds)
    return _decode_with_pyav(path, seconds, depth=depth)


def _decode_with_pyav(path: Path, seconds: np.ndarray, *, depth: bool) -> Iterator[Decoded]:
    import av

    wanted = seconds.astype(np.float32)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        # The caller decodes several blocks in parallel, which is faster than threads inside the decoder.
        stream.codec_context.thread_count = 1
        tick = stream.time_base or Fraction(1, 1)
        container.seek(round(float(seconds[0]) / tick) - 1, backward=True, any_frame=False, stream=stream)
        place = 0
        before: _PyavFrame | None = None
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            now = _PyavFrame(frame, np.float32(float(frame.pts * tick)), depth)
            if before is not None and now.time <= before.time:
                raise UndecodableError(f"{path.name}: frames out of order at {float(now.time):.3f} s")
            while place < len(wanted) and wanted[place] <= now.time:
                nearer = now if before is None or now.gap(wanted[place]) < before.gap(wanted[place]) else before
                yield Decoded(place, nearer.picture(), nearer.gap(wanted[place]))
                place += 1
            before = now
            if place == len(wanted):
                return
        if before is None:
            raise UndecodableError(f"{path.name}: no frame at {float(seconds[0]):.3f} s")
        for rest in range(place, len(wanted)):
            yield Decoded(rest, before.picture(), before.gap(wanted[rest]))


class _PyavFrame:
    """A frame that is converted at most once, even if several requested times select it."""

    def __init__(self, frame: Any, time: np.float32, depth: bool) -> None:
        self._frame, self.time, self._depth = frame, time, depth
        self._picture: np.ndarray | None = None

    def gap(self, wanted: np.float32) -> float:
        return float(abs(wanted - self.time))

    def picture(self) -> np.ndarray:
        if self._picture is None:
            if self._depth:
                self._picture = self._frame.to_ndarray(format="gray12le")[None]
            else:
                colours = self._frame.to_ndarray(format="rgb24")
                height, width, _ = colours.shape
                # Half the time of `ascontiguousarray(colours.transpose(2, 0, 1))`.
                self._picture = colours.reshape(-1, 3).T.copy().reshape(3, height, width)
        return self._picture


def _decode_with_torchcodec(path: Path, seconds: np.ndarray) -> Iterator[Decoded]:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), seek_mode="approximate")
    fps = decoder.metadata.average_fps
    wanted = seconds.astype(np.float32)
    for start in range(0, len(seconds), 32):
        indices = [round(second * fps) for second in seconds[start : start + 32].tolist()]
        batch = decoder.get_frames_at(indices=indices)
        times = batch.pts_seconds.numpy().astype(np.float32)
        for i, frame in enumerate(batch.data.numpy()):
            yield Decoded(start + i, frame, float(abs(wanted[start + i] - times[i])))


def decode_pictures(cells: Iterable[dict[str, Any] | None]) -> Iterator[np.ndarray]:
    """Decode images that are stored in a parquet file.

    Args:
        cells: `{"bytes", "path"}` of each picture.

    Yields:
        `(channels, height, width)`: uint8 for colour and greyscale images, uint16 or float32 for distances.

    Raises:
        UndecodableError: an image without bytes, or with a mode that only LeRobot's conversion supports.
    """
    from io import BytesIO

    from PIL import ExifTags, Image, ImageOps

    for cell in cells:
        if cell is None or cell["bytes"] is None:
            raise UndecodableError("a picture lies outside the parquet file")
        picture: Image.Image = Image.open(BytesIO(cell["bytes"]))
        picture.load()
        # The same conversion as in the `datasets` library.
        if picture.getexif().get(ExifTags.Base.Orientation) is not None:
            picture = ImageOps.exif_transpose(picture)
        if picture.mode in ("RGB", "RGBA"):
            yield np.asarray(picture).transpose(2, 0, 1)
        elif picture.mode == "L":
            yield np.asarray(picture)[None]
        elif picture.mode in ("I;16", "I;16B", "I;16L"):
            yield np.asarray(picture).astype(np.uint16)[None]
        elif picture.mode == "F":
            yield np.asarray(picture)[None]
        else:
            raise UndecodableError(f"a picture of mode {picture.mode}")
