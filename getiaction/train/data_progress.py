"""What a user sees while a new dataset is downloaded and its frames are decoded: how much, how large, how long."""

from __future__ import annotations

import time

from getiaction.data.download_progress import DownloadProgress
from getiaction.data.frame_store import StoreProgress
from getiaction.spec.frame_loading import gigabytes
from getiaction.train.screen import Screen

SECONDS_BETWEEN_LINES = 30


class DataProgress:
    """Tells the screen how far it is.

    Args:
        screen: where to say so.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._said: float | None = None

    def __call__(self, state: StoreProgress | DownloadProgress) -> None:
        """Called a few times a second; a screen on which nothing moves gets a line now and then."""
        now = time.monotonic()
        if self.screen.live or self._said is None or now - self._said > SECONDS_BETWEEN_LINES:
            self._said = now
            self.screen.doing(arriving(state) if isinstance(state, DownloadProgress) else describe(state))


def arriving(download: DownloadProgress) -> str:
    """One line without an end: "downloading lerobot/pusht: 12.4 MB of 3 files so far, 8 s"."""
    files = "1 file" if download.files == 1 else f"{download.files:,} files"
    return f"downloading {download.repo_id} ({files}): {gigabytes(download.bytes)} so far, {download.seconds:.0f} s"


def describe(building: StoreProgress) -> str:
    """One line without an end: "decoding 25,650 frames once (709.2 MB): 42 %, 12 s left"."""
    if building.waiting:
        return "another process is decoding this dataset, waiting for it"
    text = f"decoding {building.of:,} frames once ({gigabytes(building.bytes)})"
    if not building.frames:
        return text
    left = building.seconds_left
    until = "" if left is None else f", {left:.0f} s left" if left < 120 else f", {left / 60:.0f} min left"
    return f"{text}: {100 * building.frames // building.of} %{until}"
