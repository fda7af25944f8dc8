"""Fetch a file of torchvision's pretrained weights into torch's cache, where torchvision looks for it.

`GETIACTION_TORCH_MIRROR` replaces the server, https://download.pytorch.org/models, by another one with the same files.
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
    """Where to fetch torchvision's `url`: there, or at the mirror."""
    mirror = os.environ.get(MIRROR, "")
    return f"{mirror.rstrip('/')}/{url.removeprefix(SERVER)}" if mirror and url.startswith(SERVER) else url


def size(url: str) -> int | None:
    """Bytes of the file; None where the server does not say.

    Raises:
        OSError: the server can't be reached, or does not have the file.
    """
    request = urllib.request.Request(address(url), method="HEAD")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        return _length(answer)


def fetch(url: str, folder: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch the file and compare it with the hash in its name; a file that is there already is kept.

    Args:
        url: torchvision's address, such as …/resnet18-f37072fd.pth.
        folder: `checkpoints` in torch hub's folder.
        progress: told the bytes so far and the bytes of the file.

    Raises:
        OSError: the server can't be reached, or sent another file.
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
    """Bytes that a server has announced."""
    said = answer.headers.get("Content-Length", "")
    return int(said) if said.isdecimal() else None
