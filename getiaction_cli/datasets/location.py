"""Where a dataset was found, and the folders in which datasets are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

FORMAT_TAG = "v3.0"  # the tag that LeRobot asks the Hub for, and under which it caches

Origin = Literal["demo", "folder", "root", "lerobot home", "lerobot cache", "hf cache", "hub"]


class OnProgress(Protocol):
    """Hears how work goes on. The command line draws a bar of it; the room itself prints nothing."""

    def __call__(self, doing: str, done: int, total: int, unit: str) -> None:
        """``done`` of ``total`` (``unit`` "bytes", "frames", …); the last call has ``done == total``."""


@dataclass(frozen=True, slots=True)
class Location:
    """A dataset found.

    Args:
        repo_id: the id as the user gave it (the folder's name when a folder was given).
        root: the folder that holds ``meta/``.
        origin: where it was found. ``hub`` means that only ``meta/`` is here, fetched now.
        revision: the tag, branch or commit that was found; None for plain folders.
        tagged: False when the Hub has no version tag for it, so that LeRobot can't load it by its id alone.
    """

    repo_id: str
    root: Path
    origin: Origin
    revision: str | None = None
    tagged: bool = True

    @property
    def word(self) -> str:
        """What to type to mean this dataset."""
        return str(self.root) if self.origin == "folder" else self.repo_id

    @property
    def is_cached_copy(self) -> bool:
        """True for copies of a Hub repository, where data files may simply not have been fetched yet."""
        return self.origin in ("lerobot cache", "hf cache", "hub")


def lerobot_home() -> Path:
    """``HF_LEROBOT_HOME``, with LeRobot's default."""
    from huggingface_hub import constants

    return Path(os.environ.get("HF_LEROBOT_HOME") or Path(constants.HF_HOME) / "lerobot").expanduser()


def lerobot_hub_cache() -> Path:
    """Where LeRobot keeps what it downloads."""
    return lerobot_home() / "hub"


def hub_cache() -> Path:
    """Where everything else keeps what it downloads from the Hub."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)
