"""Download torchvision's pretrained weights into torch's cache, where torchvision finds them.

`GETIACTION_TORCH_MIRROR` is the address of a mirror to use instead of https://download.pytorch.org/models.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVER = "https://download.pytorch.org/models/"
MIRROR = "GETIACTION_TORCH_MIRROR"
_TIMEOUT_S = 10
_CHUNK = 1 << 20


def address(url: str) -> str:
    """The address to download torchvision's `url` from: the url itself, or the same file on the mirror."""
    mirror = os.environ.get(MIRROR, "")
    return f"{mirror.rstrip('/')}/{url.removeprefix(SERVER)}" if mirror and url.startswith(SERVER) else url


def size(url: str) -> int | None:
    """Size of the file in bytes; None if the server does not report it.

    Raises:
        OSError: the server can't be reached, or does not have the file.
    """
    request = urllib.request.Request(address(url), method="HEAD")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        return _length(answer)


def fetch(url: str, folder: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Download the file and check it against the hash in its name; an existing file is kept.

    Args:
        url: torchvision's address, such as …/resnet18-f37072fd.pth.
        folder: `checkpoints` in torch hub's folder.
        progress: called with the bytes so far and the bytes of the file.

    Raises:
        OSError: the server can't be reached, or the file has a wrong size or hash.
    """
    file = folder / url.rsplit("/", 1)[1]
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    named = re.search(r"-([0-9a-f]{8,})\.", file.name)
    digest, done = hashlib.sha256(), 0
    handle, part = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".part", dir=folder)
    try:
        with (
            os.fdopen(handle, "wb") as stream,
            urllib.request.urlopen(address(url), timeout=_TIMEOUT_S) as answer,
        ):
            total = _length(answer) or 0
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if progress is not None and done < total:
                    progress(done, total)
        if done < total or (named and not digest.hexdigest().startswith(named[1])):
            raise OSError(f"{address(url)} is not the file that torchvision names: wrong length or hash")
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    if progress is not None:
        progress(done, done)
    return file


def _length(answer: Any) -> int | None:
    """The Content-Length of a response."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
