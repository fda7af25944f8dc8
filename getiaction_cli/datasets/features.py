"""The features of a dataset, and what LeRobot makes of each: the role it plays for a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction_cli.diagnostics import shorten

Role = Literal["image", "depth", "state", "environment", "action", "language", "reward", "ignored"]


# lerobot/datasets/language.py, LANGUAGE_COLUMNS
LANGUAGE_KEYS = ("language_persistent", "language_events")

NUMERIC_DTYPES = frozenset(
    {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
    | {"float16", "float32", "float64", "bool", "double", "float"}
)
# What LeRobot gives a column of its own kind and length in the tables.
TABLE_DTYPES = NUMERIC_DTYPES | {"string", "large_string", "binary"}
MOST_AXES = 64  # of an array of numpy
ENTRY = ("dtype", "shape", "names", "info", "video_info", "fps")  # what is read of an entry
KNOWN_DTYPES = TABLE_DTYPES | {"image", "video", "language"}


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as ``info.json`` declares it.

    Args:
        key: "observation.state".
        dtype: "float32", "video", "image", "string", …; empty when unreadable.
        shape: as written there (images: usually height, width, channels).
        names: one name per dimension, flattened from any form in the file; None when there are none.
        info: what is known of a video ("video.fps", "video.codec", …), under whichever key it is.
        role: what a policy gets from it.
        why: why it is ignored, or what is unusual; empty otherwise.
        raw: the entry itself, what is in ENTRY of it.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...] | None
    info: dict[str, Any]
    role: Role
    why: str = ""
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_camera(self) -> bool:
        """Stored as images or video."""
        return self.dtype in ("image", "video")

    @property
    def is_vector(self) -> bool:
        """A numeric feature of one dimension that LeRobot's recorder did not add by itself."""
        return self.dtype in NUMERIC_DTYPES and len(self.shape) == 1 and self.key not in INDEX_KEYS

    @property
    def is_unread(self) -> bool:
        """A vector that LeRobot hands to the policy and no network of LeRobot reads: `observation.velocity`."""
        return (self.role == "state" and self.key != "observation.state") or (
            self.role == "action" and self.key != "action"
        )

    @property
    def is_continuous(self) -> bool:
        """Floats, as joints and forces are recorded; flags and codes jump and rest as they please."""
        return self.dtype.startswith(("float", "double"))

    @property
    def size(self) -> int:
        """How many numbers one frame of it has (one per channel for cameras)."""
        if self.is_camera:
            return self.channels or 0
        return math.prod(self.shape)

    @property
    def channels_first(self) -> bool:
        """True when the shape reads (channels, height, width), as LeRobot decides it: by the third name."""
        raw = self.raw.get("names")
        third = raw[2] if isinstance(raw, list) and len(raw) == 3 else None
        return third not in ("channel", "channels")

    @property
    def channels(self) -> int | None:
        """Channels of a camera, as LeRobot takes them."""
        if not self.is_camera or len(self.shape) != 3:
            return None
        return self.shape[0] if self.channels_first else self.shape[2]

    @property
    def resolution(self) -> tuple[int, int] | None:
        """(width, height) of a camera, whichever way round the shape is written."""
        if not self.is_camera or len(self.shape) != 3:
            return None
        if self.shape[0] in (1, 3) and self.shape[2] not in (1, 3):
            return self.shape[2], self.shape[1]
        return (
            (self.shape[1], self.shape[0])
            if self.shape[2] in (1, 3) or not self.channels_first
            else (self.shape[2], self.shape[1])
        )

    def video(self, name: str) -> Any:
        """What is noted about the video: ``video("fps")`` finds "video.fps" or "fps"."""
        return self.info.get(f"video.{name}", self.info.get(name))

    def dimension(self, index: int) -> str:
        """What to call one dimension: its name, else "[3]"."""
        if self.names and index < len(self.names):
            return self.names[index]
        return f"[{index}]"


def make_feature(key: str, raw: dict[str, Any]) -> Feature:
    """Read one well-formed entry of ``features``; anything of a wrong type becomes empty."""
    dtype = raw.get("dtype")
    dtype = shorten(dtype) if isinstance(dtype, str) else ""
    raw = {name: raw[name] for name in ENTRY if name in raw}
    if isinstance(raw.get("shape"), list) and len(raw["shape"]) > MOST_AXES:
        raw["shape"] = []
    shape = raw.get("shape")
    if isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape):
        dims = tuple(shape)
    else:
        dims = ()
    info = raw.get("info") if isinstance(raw.get("info"), dict) else raw.get("video_info")
    info = info if isinstance(info, dict) else {}
    role, why = _role(key, dtype, info)
    return Feature(key, dtype, dims, flatten_names(raw.get("names")), info, role, why, raw)


def flatten_names(names: object) -> tuple[str, ...] | None:
    """Dimension names out of every form seen: a list, nested lists, {"motors": […]}, {"x": 0, "y": 1}, null."""
    if isinstance(names, str):
        return (names,)
    if isinstance(names, list | tuple):
        flat: list[str] = []
        for name in names:
            inner = flatten_names(name) if isinstance(name, list | tuple | dict) else (str(name),)
            flat += inner or ()
        return tuple(flat) or None
    if isinstance(names, dict):
        if names and all(isinstance(value, int) for value in names.values()):
            return tuple(str(key) for key in names)
        return flatten_names(list(names.values()))
    return None


def _role(key: str, dtype: str, info: dict[str, Any]) -> tuple[Role, str]:
    """As lerobot/utils/feature_utils.py, dataset_to_policy_features, with a reason for what it leaves out."""
    if dtype in ("image", "video"):
        depth = bool(info.get("is_depth_map") or info.get("video.is_depth_map"))
        return ("depth", "depth map") if depth else ("image", "")
    if key in INDEX_KEYS:
        return "ignored", "index column, written by LeRobot"
    if key in LANGUAGE_KEYS or dtype == "language" or key in ("task", "subtask"):
        return "language", ""
    if key == "observation.environment_state":
        return "environment", ""
    if dtype == "string":
        return "ignored", "text, no policy reads it"
    if key.startswith("observation"):
        return "state", "" if key == "observation.state" else "most policies read only observation.state"
    if key == "action":
        return "action", ""
    if key.startswith("action"):
        return "action", "policies read only the key action"
    if key == "next.reward":
        return "reward", ""
    if key.startswith("next."):
        return "ignored", "end-of-episode signal, for reinforcement learning"
    return "ignored", "its key begins neither with observation nor with action"
