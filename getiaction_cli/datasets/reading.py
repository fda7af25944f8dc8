"""Reads the files under ``meta/``: v3.0, and v2.0 and v2.1 as far as they go. Nothing is raised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from getiaction.spec.dataset_layout import INDEX_KEYS
from getiaction.spec.dataset_location import INFO, Location
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.datasets.features import TABLE_DTYPES, make_feature
from getiaction_cli.datasets.jsonfile import read_json, stumble
from getiaction_cli.datasets.old_format import read_old
from getiaction_cli.datasets.stats import read_stats
from getiaction_cli.datasets.v3 import read_episodes, read_tasks
from getiaction_cli.diagnostics import Finding, Severity, shorten
from getiaction_cli.diagnostics.source import Source

MISSING = "GA401"
UNREADABLE = "GA402"
WRONG_VALUE = "GA403"

# Robots have tens; every rule looks at each of them, for each policy that is tried on a dataset.
_MOST_FEATURES = 500
_MOST_CHARACTERS = 4_000  # of a path or a name

_COUNTS = ("total_episodes", "total_frames", "total_tasks")
_POSITIVE = ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb")


def read(place: Location) -> Dataset:
    """Read what a dataset says about itself; everything wrong becomes one of its ``findings``."""
    dataset = Dataset(place)
    findings: list[tuple[str, Finding]] = []
    _read_info(dataset, findings)
    if _is_laid_out_as_old(dataset, findings):
        read_old(dataset, findings)
    else:
        read_tasks(dataset, findings)
        read_episodes(dataset, findings)
        read_stats(dataset, findings)
    dataset.findings = tuple(findings)
    return dataset


def _is_laid_out_as_old(dataset: Dataset, findings: list[tuple[str, Finding]]) -> bool:
    """Whether the files are those of v2: what lies there decides, where it is clear, and not what info.json says."""
    meta = dataset.root / "meta"
    old, new = (meta / "episodes.jsonl").is_file(), (meta / "episodes").is_dir()
    if old == new:
        return dataset.is_old
    if (dataset.is_v3 and old) or (dataset.is_old and new):
        said = dataset.version
        is_20 = (meta / "stats.json").is_file() and not (meta / "episodes_stats.jsonl").is_file()
        dataset.version = "v3.0" if new else "v2.0" if is_20 else "v2.1"
        message = f"codebase_version says {said}, the files are those of {dataset.version}"
        help = f'write "{dataset.version}"' + ("" if new else ", then convert it as this command says")
        findings.append((WRONG_VALUE, Finding(message, file=INFO, key="codebase_version", help=help)))
    return old


def _read_info(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    path = dataset.root / INFO
    if not path.is_file():
        findings.append((MISSING, _missing_info(path)))
        return
    file = read_json(path)
    dataset.sources[INFO] = Source(INFO, file.text)
    if not file.readable:
        if (at := stumble(file)) is not None:
            dataset.stumbles[INFO] = at
        findings.append((UNREADABLE, Finding(f"{INFO} {file.problem}", file=INFO)))
        return
    if not isinstance(file.value, dict):
        findings.append((UNREADABLE, Finding(f"{INFO} holds {_kind(file.value)}, not a mapping", file=INFO)))
        return
    dataset.info = file.value
    _take_values(dataset, findings)
    _take_features(dataset, findings)


def _missing_info(path: Path) -> Finding:
    broken = path.is_symlink()
    message = f"{INFO} is a link that leads nowhere" if broken else f"{INFO} is missing"
    return Finding(message, file=INFO, help="every other file depends on it: fetch or copy it again")


def _take_values(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    info = dataset.info

    def wrong(key: str, why: str, help: str = "") -> None:
        findings.append((WRONG_VALUE, Finding(why, file=INFO, key=key, help=help)))

    version = info.get("codebase_version")
    if isinstance(version, str):
        dataset.version = shorten(version)
    elif version is None:
        wrong("", "codebase_version is missing", 'LeRobot reads the format from it; this version writes "v3.0"')
    elif _is_number(version) and 2 <= version < 4:
        dataset.version = f"v{float(version):.1f}"
        wrong("codebase_version", "codebase_version is a number, not a text", f'write "{dataset.version}"')
    else:
        wrong("codebase_version", f"codebase_version is {_kind(version)}, not a text", 'this version writes "v3.0"')

    fps = info.get("fps")
    if fps is not None and _is_number(fps):
        if fps > 0:
            dataset.fps = float(fps)
        else:
            wrong("fps", f"fps is {fps}: it must be more than 0")
    elif isinstance(fps, float):
        wrong("fps", f"fps is {fps}: it must be a finite number")
    else:
        wrong("fps", "fps is missing" if "fps" not in info else f"fps is {_kind(fps)}, not a number")

    for key in _COUNTS:
        value = info.get(key, 0)
        if key not in info and key != "total_tasks":
            wrong("", f"{key} is missing: LeRobot reads it as 0, an empty dataset")
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            setattr(dataset, key, value)
        elif isinstance(value, float) and value.is_integer() and value >= 0:
            setattr(dataset, key, int(value))
        else:
            wrong(key, f"{key} is {_shown(value)}: it must be a count")
    for key in _POSITIVE:
        value = info.get(key, 1)
        if not _is_number(value) or value <= 0:
            wrong(key, f"{key} is {_shown(value)}: it must be more than 0")
    for key in ("data_path", "video_path"):
        value = info.get(key, "")
        if not isinstance(value, str) and not (key == "video_path" and value is None):
            wrong(key, f"{key} is {_kind(value)}, not a path template")
        elif value and len(value) > _MOST_CHARACTERS:
            wrong(key, f"{key} has {len(value):,} characters; a path has {_MOST_CHARACTERS:,} at most")
            info[key] = None  # the files that it names can't be known
    robot = info.get("robot_type")
    if isinstance(robot, str):
        dataset.robot_type = shorten(robot)
    elif isinstance(robot, dict | list) and robot:
        dataset.robot_type = str(robot)[:60]
    splits = info.get("splits", {})
    if splits is not None and not isinstance(splits, dict):
        message = f"splits is {_kind(splits)}, not a mapping of names to ranges"
        findings.append((WRONG_VALUE, Finding(message, file=INFO, key="splits", severity=Severity.WARNING)))


def _take_features(dataset: Dataset, findings: list[tuple[str, Finding]]) -> None:
    features = dataset.info.get("features")
    if not isinstance(features, dict) or not features:
        kind = "empty" if features == {} else f"{_kind(features)}, not a mapping"
        what = "features is missing" if "features" not in dataset.info else f"features is {kind}"
        findings.append((WRONG_VALUE, Finding(what, file=INFO, key="features")))
        return
    if len(features) > _MOST_FEATURES:
        what = f"features has {len(features):,} entries; only {_MOST_FEATURES} of them were checked"
        findings.append((WRONG_VALUE, Finding(what, file=INFO, key="features", severity=Severity.WARNING)))
        kept = set(sorted(features, key=_importance)[:_MOST_FEATURES])
        features = dataset.info["features"] = {key: raw for key, raw in features.items() if key in kept}
    for key, raw in features.items():
        if len(key) > _MOST_CHARACTERS:
            message = f"the feature {_shown(key)} has a name of {len(key):,} characters and is not read"
            findings.append((WRONG_VALUE, Finding(message, file=INFO, key="features")))
            continue
        at = f"features.{key}"
        if not isinstance(raw, dict):
            message = f"the feature {key} is {_kind(raw)}, not a mapping with dtype, shape and names"
            findings.append((WRONG_VALUE, Finding(message, file=INFO, key=at)))
            continue
        feature = make_feature(key, raw)
        dataset.features[key] = feature
        if not feature.dtype:
            why = "has no dtype" if "dtype" not in raw else f"has the dtype {_shown(raw['dtype'])}, not a text"
            findings.append((WRONG_VALUE, Finding(f"the feature {key} {why}", file=INFO, key=f"{at}.dtype")))
        if feature.is_camera and raw.get("info") and not isinstance(raw["info"], dict):
            why = f"the info of {key} is {_kind(raw['info'])}, not a mapping as video.fps: 10"
            findings.append((WRONG_VALUE, Finding(why, file=INFO, key=f"{at}.info")))
        if feature.dtype in TABLE_DTYPES and raw.get("shape") == []:
            why = f"the feature {key} has the shape [], a single number has [1]"
            findings.append((WRONG_VALUE, Finding(why, file=INFO, key=f"{at}.shape")))
        if not feature.shape and raw.get("shape") != []:
            why = (
                "has no shape" if "shape" not in raw else f"has the shape {_shown(raw['shape'])}, not a list of counts"
            )
            findings.append((WRONG_VALUE, Finding(f"the feature {key} {why}", file=INFO, key=f"{at}.shape")))


def _importance(key: str) -> int:
    """What every policy needs first, then what a policy may read."""
    if key in ("action", "observation.state", "observation.environment_state", *INDEX_KEYS):
        return 0
    return 1 if key.startswith(("observation", "action")) else 2


def _is_number(value: object) -> bool:
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
