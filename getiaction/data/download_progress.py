"""How much of a dataset has arrived, while LeRobot downloads it without reporting progress."""

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

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is.

    Attributes:
        repo_id: The dataset.
        files: Files that were lacking at the beginning.
        bytes: What has arrived since then, half files included.
        seconds: Since the beginning.
    """

    repo_id: str
    files: int
    bytes: int
    seconds: float


@contextmanager
def watched(
    folder: Path, repo_id: str, files: int, progress: Callable[[DownloadProgress], None] | None
) -> Iterator[None]:
    """Tell ``progress`` twice a second how much has arrived in ``folder`` while the body runs."""
    if progress is None:
        yield
        return
    over = threading.Event()
    begun, before = time.monotonic(), _size(folder)

    def look() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            progress(DownloadProgress(repo_id, files, max(0, _size(folder) - before), time.monotonic() - begun))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def hub_folder(repo_id: str) -> Path:
    """Where LeRobot lets the Hub's datasets arrive that no folder was given for."""
    return storage(lerobot_hub_cache(), "datasets", repo_id)


def _size(folder: Path) -> int:
    """Bytes of the files themselves: a snapshot's links lead to files of the same cache."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)  # noqa: PTH118 - thousands of files, twice a second
            try:
                total += 0 if os.path.islink(path) else os.stat(path).st_size  # noqa: PTH114, PTH116
            except OSError:
                continue  # moved to its place just now
    return total
