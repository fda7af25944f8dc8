"""What ``meta/info.json`` declares: every other file of a dataset is read with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction.spec.dataset_location import INFO
from getiaction_cli.datasets.features import TABLE_DTYPES, Feature, make_feature
from getiaction_cli.datasets.jsonfile import read_json
from getiaction_cli.diagnostics import Finding, Severity, shorten

Findings = tuple[tuple[str, Finding], ...]
"""What was wrong while reading: the code of the rule that reports it, and the finding."""

# Robots have tens; every rule looks at each of them, for each policy that is tried on a dataset.
_MOST_FEATURES = 500
_MOST_CHARACTERS = 4_000  # of a path or a name

_COUNTS = ("total_episodes", "total_frames", "total_tasks")
_POSITIVE = ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb")
_TEMPLATES = ("data_path", "video_path")


@dataclass(frozen=True, kw_only=True)
class Header:
    """A value that is missing or of a wrong type is None; a collection is empty.

    Args:
        version: ``codebase_version`` as written ("v3.0"), or what the files are where it contradicts them.
        fps: frames per second.
        total_episodes, total_frames, total_tasks: as declared; what the tables hold may differ.
        robot_type: free text.
        info: the whole of ``info.json``.
        features: by key, in the file's order; entries that are not a mapping are left out.
    """

    version: str | None = None
    fps: float | None = None
    total_episodes: int | None = None
    total_frames: int | None = None
    total_tasks: int | None = None
    robot_type: str | None = None
    info: dict[str, Any] = field(default_factory=dict)
    features: dict[str, Feature] = field(default_factory=dict)

    @property
    def format(self) -> tuple[int, int] | None:
        """The version as numbers: "v3.0" and "3.0.1" are (3, 0)."""
        match = re.match(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:$|[.\w+-])", self.version or "")
        return (int(match[1]), int(match[2] or 0)) if match else None

    @property
    def is_v3(self) -> bool:
        """True for the format that LeRobot 0.6 reads."""
        return self.format is not None and self.format[0] == 3

    @property
    def is_old(self) -> bool:
        """True for v2.0 and v2.1, which must be converted before LeRobot 0.6 reads them."""
        return self.format is not None and self.format[0] == 2

    @cached_property
    def declared(self) -> list[str]:
        """The keys under ``features`` in ``info.json``, also of those that say nothing usable."""
        features = self.info.get("features")
        return list(features) if isinstance(features, dict) else []

    @cached_property
    def camera_keys(self) -> list[str]:
        """Features stored as images or video, depth maps included (as LeRobot's ``camera_keys``)."""
        return [key for key, feature in self.features.items() if feature.is_camera]

    @cached_property
    def video_keys(self) -> list[str]:
        """Features stored as video."""
        return [key for key, feature in self.features.items() if feature.dtype == "video"]

    @cached_property
    def depth_keys(self) -> list[str]:
        """Cameras that hold depth."""
        return [key for key, feature in self.features.items() if feature.role == "depth"]

    @cached_property
    def frame_bytes(self) -> int:
        """Bytes of one decoded frame of all cameras: one per pixel and colour, two per pixel of a depth map."""
        size = 0
        for key in self.camera_keys:
            width, height = self.features[key].resolution or (0, 0)
            size += width * height * (2 if key in self.depth_keys else 3)
        return size

    def by_role(self, *roles: str) -> list[Feature]:
        """The features that play one of these roles."""
        return [feature for feature in self.features.values() if feature.role in roles]


def read_header(root: Path) -> tuple[Header, Findings]:
    """Read ``meta/info.json``."""
    path = root / INFO
    if not path.is_file():
        message = f"{INFO} is a link that leads nowhere" if path.is_symlink() else f"{INFO} is missing"
        help = "every other file depends on it: fetch or copy it again"
        return Header(), (("GA401", Finding(message, file=INFO, help=help)),)
    file = read_json(path)
    if file.problem or not isinstance(file.value, dict):
        problem = file.problem or f"holds {_kind(file.value)}, not a mapping"
        return Header(), (("GA402", Finding(f"{INFO} {problem}", file=INFO)),)
    info = file.value
    wrong = [*_wrong_values(info), *_wrong_features(info)]
    # The files that such a template names can't be known.
    info = {key: None if key in _TEMPLATES and _is_too_long(value) else value for key, value in info.items()}
    if declared := _declared(info):
        info["features"] = declared
    header = Header(
        version=_version(info.get("codebase_version")),
        fps=_fps(info.get("fps")),
        total_episodes=_count(info.get("total_episodes")),
        total_frames=_count(info.get("total_frames")),
        total_tasks=_count(info.get("total_tasks", 0)),
        robot_type=_robot_type(info.get("robot_type")),
        info=info,
        features={
            key: make_feature(key, raw)
            for key, raw in declared.items()
            if isinstance(raw, dict) and len(key) <= _MOST_CHARACTERS
        },
    )
    return header, tuple(("GA403", finding) for finding in wrong)


def _version(said: object) -> str | None:
    if isinstance(said, str):
        return shorten(said)
    return f"v{float(said):.1f}" if _is_number(said) and 2 <= said < 4 else None


def _fps(said: object) -> float | None:
    return float(said) if _is_number(said) and said > 0 else None


def _robot_type(said: object) -> str | None:
    if isinstance(said, str):
        return shorten(said)
    return str(said)[:60] if said and isinstance(said, dict | list) else None


def _count(said: object) -> int | None:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return int(said) if said >= 0 and said.is_integer() else None


def _wrong_values(info: dict[str, Any]) -> Iterator[Finding]:
    def wrong(key: str, why: str, help: str = "") -> Finding:
        return Finding(why, file=INFO, key=key, help=help)

    version = info.get("codebase_version")
    if version is None:
        yield wrong("", "codebase_version is missing", 'LeRobot reads the format from it; this version writes "v3.0"')
    elif not isinstance(version, str):
        what, write = (
            ("a number", f'write "{_version(version)}"')
            if _version(version)
            else (_kind(version), 'this version writes "v3.0"')
        )
        yield wrong("codebase_version", f"codebase_version is {what}, not a text", write)
    fps = info.get("fps")
    if _is_number(fps) and fps <= 0:
        yield wrong("fps", f"fps is {fps}: it must be more than 0")
    elif isinstance(fps, float) and not _is_number(fps):
        yield wrong("fps", f"fps is {fps}: it must be a finite number")
    elif not _is_number(fps):
        yield wrong("fps", "fps is missing" if "fps" not in info else f"fps is {_kind(fps)}, not a number")
    for key in _COUNTS:
        if key not in info and key != "total_tasks":
            yield wrong("", f"{key} is missing: LeRobot reads it as 0, an empty dataset")
        elif _count(info.get(key, 0)) is None:
            yield wrong(key, f"{key} is {_shown(info[key])}: it must be a count")
    for key in _POSITIVE:
        value = info.get(key, 1)
        if not _is_number(value) or value <= 0:
            yield wrong(key, f"{key} is {_shown(value)}: it must be more than 0")
    for key in _TEMPLATES:
        value = info.get(key, "")
        if not isinstance(value, str) and not (key == "video_path" and value is None):
            yield wrong(key, f"{key} is {_kind(value)}, not a path template")
        elif _is_too_long(value):
            yield wrong(key, f"{key} has {len(value):,} characters; a path has {_MOST_CHARACTERS:,} at most")
    splits = info.get("splits")
    if splits is not None and not isinstance(splits, dict):
        message = f"splits is {_kind(splits)}, not a mapping of names to ranges"
        yield Finding(message, file=INFO, key="splits", severity=Severity.WARNING)


def _declared(info: dict[str, Any]) -> dict[str, Any]:
    """The entries of ``features`` that are looked at."""
    features = info.get("features")
    if not isinstance(features, dict) or len(features) <= _MOST_FEATURES:
        return features if isinstance(features, dict) else {}
    kept = set(sorted(features, key=_importance)[:_MOST_FEATURES])
    return {key: raw for key, raw in features.items() if key in kept}


def _wrong_features(info: dict[str, Any]) -> Iterator[Finding]:
    features = info.get("features")
    if not isinstance(features, dict) or not features:
        kind = "empty" if features == {} else f"{_kind(features)}, not a mapping"
        what = "features is missing" if "features" not in info else f"features is {kind}"
        yield Finding(what, file=INFO, key="features")
        return
    if len(features) > _MOST_FEATURES:
        what = f"features has {len(features):,} entries; only {_MOST_FEATURES} of them were checked"
        yield Finding(what, file=INFO, key="features", severity=Severity.WARNING)
    for key, raw in _declared(info).items():
        if len(key) > _MOST_CHARACTERS:
            what = f"the feature {_shown(key)} has a name of {len(key):,} characters and is not read"
            yield Finding(what, file=INFO, key="features")
        elif not isinstance(raw, dict):
            what = f"the feature {key} is {_kind(raw)}, not a mapping with dtype, shape and names"
            yield Finding(what, file=INFO, key=f"features.{key}")
        else:
            for part, what in _wrong_parts(make_feature(key, raw), raw):
                yield Finding(what, file=INFO, key=f"features.{key}.{part}")


def _wrong_parts(feature: Feature, raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Which parts of a feature's entry are wrong, and why."""
    name, shape = f"the feature {feature.key}", raw.get("shape")
    if not feature.dtype:
        why = "has no dtype" if "dtype" not in raw else f"has the dtype {_shown(raw['dtype'])}, not a text"
        yield "dtype", f"{name} {why}"
    if feature.is_camera and raw.get("info") and not isinstance(raw["info"], dict):
        yield "info", f"the info of {feature.key} is {_kind(raw['info'])}, not a mapping as video.fps: 10"
    if feature.dtype in TABLE_DTYPES and shape == []:
        yield "shape", f"{name} has the shape [], a single number has [1]"
    if not feature.shape and shape != []:
        why = "has no shape" if "shape" not in raw else f"has the shape {_shown(shape)}, not a list of counts"
        yield "shape", f"{name} {why}"


def _importance(key: str) -> int:
    """What every policy needs first, then what a policy may read."""
    if key in ("action", "observation.state", "observation.environment_state", *INDEX_KEYS):
        return 0
    return 1 if key.startswith(("observation", "action")) else 2


def _is_too_long(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) > _MOST_CHARACTERS


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e18


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _kind(value: Any) -> str:
    kinds = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "null" if value is None else kinds.get(type(value), "something else")
