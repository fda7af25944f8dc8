"""Progress of a dataset's download, by polling its folder: LeRobot does not report it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from getiaction.spec.dataset_location import lerobot_hub_cache
from getiaction.spec.hub_cache import storage

SECONDS_BETWEEN_POLLS = 0.5


@dataclass(frozen=True)
class DownloadProgress:
    """Progress of a download.

    Attributes:
        repo_id: The dataset.
        files: Number of files to download.
        bytes: Bytes downloaded so far, including partial files.
        seconds: Seconds since the start.
    """

    repo_id: str
    files: int
    bytes: int
    seconds: float


@contextmanager
def report_download(
    folder: Path, repo_id: str, files: int, progress: Callable[[DownloadProgress], None] | None
) -> Iterator[None]:
    """Call ``progress`` twice a second with the bytes downloaded to ``folder`` while the body runs."""
    if progress is None:
        yield
        return
    over = threading.Event()
    begun, before = time.monotonic(), _size(folder)

    def poll() -> None:
        while not over.wait(SECONDS_BETWEEN_POLLS):
            progress(DownloadProgress(repo_id, files, max(0, _size(folder) - before), time.monotonic() - begun))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def hub_folder(repo_id: str) -> Path:
    """The folder into which LeRobot downloads a dataset of the Hub when no root is given."""
    return storage(lerobot_hub_cache(), "datasets", repo_id)


def _size(folder: Path) -> int:
    """Bytes of the regular files: the links of a snapshot point to files in the same folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)  # noqa: PTH118 - thousands of files, twice a second
            try:
                total += 0 if os.path.islink(path) else os.stat(path).st_size  # noqa: PTH114, PTH116
            except OSError:
                continue  # it has just been renamed
    return total
