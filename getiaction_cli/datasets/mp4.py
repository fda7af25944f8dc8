"""The header of an mp4 file: duration, frames, size and codec, from its boxes alone (some kB read, nothing decoded).

An mp4 file is a sequence of boxes: 4 bytes length, 4 bytes name, content. ``moov`` holds everything wanted here; a file
that was not closed properly has none. Written after ISO/IEC 14496-12.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from getiaction import trust

_CONTAINERS = {b"trak", b"mdia", b"minf", b"stbl"}
_MAX_MOOV = 512 << 20
_CODECS = {
    "av01": "av1",
    "avc1": "h264",
    "avc3": "h264",
    "hev1": "hevc",
    "hvc1": "hevc",
    "vp09": "vp9",
    "mp4v": "mpeg4",
}


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a video file says about itself. ``problem`` is empty when it could be read.

    Args:
        seconds: duration of the video track.
        frames: frames in it.
        last: when the last of them begins, in seconds.
        width: pixels.
        height: pixels.
        codec: "av1", "h264", …, or the four letters in the file.
        even: all frames last equally long, up to one tick of the file's clock.
        problem: the end of a sentence that begins with the file's name.
    """

    seconds: float = 0.0
    frames: int = 0
    last: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    even: bool = True
    problem: str = ""

    @property
    def fps(self) -> float | None:
        """Frames per second on average."""
        return self.frames / self.seconds if self.seconds > 0 and self.frames > 1 else None


def read_header(path: Path) -> VideoHeader:
    """Read one video's header; a broken file becomes its ``problem``. Other kinds of video have no values."""
    try:
        with trust.open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size == 0:
                return VideoHeader(problem="is empty (0 bytes)")
            return _read(stream, size)
    except OSError as error:
        return VideoHeader(problem=f"can't be opened: {error.strerror or error}")
    except (struct.error, ValueError, IndexError, KeyError):
        return VideoHeader(problem="has a damaged header")


def read_headers(root: Path, names: list[str]) -> dict[str, VideoHeader]:
    """Read many headers."""
    if len(names) < 8:
        return {name: read_header(root / name) for name in names}
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: read_header(root / name), names), strict=True))


def _read(stream, size: int) -> VideoHeader:  # type: ignore[no-untyped-def]  # a binary stream
    first = stream.read(12)
    stream.seek(0)
    if first[4:8] not in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        if first.startswith(b"version http"):
            return VideoHeader(problem="is a Git LFS pointer, not the video itself: `git lfs pull` fetches it")
        if first[:4] == b"\x1aE\xdf\xa3" or first[:4] == b"RIFF":
            return VideoHeader()  # Matroska or AVI: a video, but not one whose header is read here
        return VideoHeader(problem="is not a video file")
    at = 0
    header: VideoHeader | None = None
    while at + 8 <= size:
        stream.seek(at)
        head = stream.read(16)
        length, name = struct.unpack(">I4s", head[:8])
        start = at + 8
        if length == 1:
            length, start = struct.unpack(">Q", head[8:16])[0], at + 16
        elif length == 0:
            length = size - at
        if length < 8:
            raise ValueError("box too small")
        if at + length > size:
            return VideoHeader(problem="is truncated: it ends in the middle")
        if name == b"moov":
            if length > _MAX_MOOV:
                raise ValueError("moov too large")
            stream.seek(start)
            header = _video_track(stream.read(at + length - start))
        at += length  # to the end: a file with its index first may still be cut off
    no_index = "is truncated: it has no index (the recording was not finished, or the copy broke off)"
    return header or VideoHeader(problem=no_index)


def _video_track(moov: bytes) -> VideoHeader:
    for name, trak in _boxes(moov):
        if name != b"trak":
            continue
        boxes = dict(_walk(trak))
        if boxes.get(b"hdlr", b"")[8:12] != b"vide":
            continue
        mdhd = boxes[b"mdhd"]
        timescale, duration = (
            struct.unpack_from(">IQ", mdhd, 20) if mdhd[0] == 1 else struct.unpack_from(">II", mdhd, 12)
        )
        entries = struct.unpack_from(">I", boxes[b"stts"], 4)[0]
        runs = [struct.unpack_from(">II", boxes[b"stts"], 8 + 8 * i) for i in range(entries)]
        frames = sum(count for count, _ in runs)
        ticks = sum(count * delta for count, delta in runs) or duration
        entry = boxes[b"stsd"][8:]
        codec = entry[4:8].decode("ascii", "replace")
        width, height = struct.unpack_from(">HH", entry, 32)
        if not timescale:
            return VideoHeader(0.0, frames, 0.0, width, height, _CODECS.get(codec, codec))
        last = (ticks - runs[-1][1] if runs else 0) / timescale
        steps = [delta for _, delta in (runs[:-1] if len(runs) > 1 and runs[-1][0] == 1 else runs)]
        even = not steps or max(steps) - min(steps) <= 1
        return VideoHeader(ticks / timescale, frames, last, width, height, _CODECS.get(codec, codec), even)
    return VideoHeader(problem="has no video track")


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, content in _boxes(data):
        if name in _CONTAINERS:
            yield from _walk(content)
        else:
            yield name, content


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            length, start = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        elif length == 0:
            length = len(data) - at
        if length < 8 or at + length > len(data):
            raise ValueError("box out of bounds")
        yield name, data[start : at + length]
        at += length
