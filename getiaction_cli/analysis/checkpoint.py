"""Read the pretrained policy that a recipe starts from, if it is on this disk: JSON files and header of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.spec.hub_cache import newest_snapshot, snapshot, storage
from getiaction_cli.machine import safetensors_shapes

ROUTE = "model.init_args.pretrained_path"
REVISION = "model.init_args.pretrained_revision"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
MISSING = "the file is missing"


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint that ``pretrained_path`` names.

    Args:
        path: the path or Hub id in the recipe.
        folder: its folder on this disk; None for a Hub id that is not downloaded.
        config: its config.json; empty if it can't be read.
        problem: why it can't be used, as text; empty if it can, or if it is not downloaded.
        processors: the readable ones of policy_preprocessor.json and policy_postprocessor.json, by name.
        unreadable: name of an unreadable one → reason, as text.
    """

    path: str
    folder: Path | None
    config: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    processors: dict[str, Any] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def policy(self) -> str | None:
        """LeRobot's name of the policy in it."""
        return self.config.get("type")

    def features(self, kind: str) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Key → (type, shape) of its "input_features" or "output_features"."""
        table = self.config.get(kind)
        return {
            key: (str(entry.get("type")), tuple(entry.get("shape") or ()))
            for key, entry in (table.items() if isinstance(table, dict) else ())
            if isinstance(entry, dict)
        }

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of its tensors; empty if the weights are not on this disk or can't be read."""
        try:
            return safetensors_shapes(self.folder / WEIGHTS) if self.folder else {}
        except (OSError, ValueError):
            return {}


def is_hub_id(path: str) -> bool:
    """Whether a text is a Hub id, "org/name", and not a path."""
    return path.count("/") == 1 and not path.startswith((".", "~", "/")) and not Path(path).is_dir()


def find(source: str, hub_cache: Path, revision: str | None = None) -> Checkpoint:
    """Find and read a checkpoint where training would find it.

    Args:
        source: a folder or a Hub id.
        hub_cache: the cache of huggingface_hub.
        revision: branch, tag or commit of a Hub id.
    """
    folder: Path | None = Path(source).expanduser()
    if is_hub_id(source):
        files = storage(hub_cache, "models", source)
        folder = snapshot(files, [revision or "main"], CONFIG)
        if folder is None and revision is None:
            folder = newest_snapshot(files, CONFIG)
        if folder is None:
            return Checkpoint(source, None)
    assert folder is not None
    if not folder.is_dir():
        return Checkpoint(source, None, problem=f"there is no folder {source}")
    try:
        config = trust.read_json(folder / "config.json")
    except FileNotFoundError:
        return Checkpoint(source, folder, problem=_nearby(folder) or f"{source} has no config.json")
    except (OSError, ValueError) as error:
        return Checkpoint(source, folder, problem=f"{source}/config.json can't be read: {_why(error)}")
    if not isinstance(config, dict):
        return Checkpoint(source, folder, problem=f"{source}/config.json is not a mapping")
    processors, unreadable = _processors(folder)
    if is_hub_id(source):
        return Checkpoint(source, folder, config, "", processors, unreadable)
    if not (folder / WEIGHTS).is_file():
        return Checkpoint(source, folder, config, f"{source} has no {WEIGHTS}", processors, unreadable)
    try:
        safetensors_shapes(folder / WEIGHTS)
    except (OSError, ValueError):
        problem = f"{source}/{WEIGHTS} is truncated or not a safetensors file"
        return Checkpoint(source, folder, config, problem, processors, unreadable)
    return Checkpoint(source, folder, config, "", processors, unreadable)


def _processors(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    read: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for name in trust.PROCESSORS:
        try:
            read[name] = trust.read_json(folder / name)
        except (OSError, ValueError) as error:
            unreadable[name] = MISSING if isinstance(error, FileNotFoundError) else _why(error)
    return read, unreadable


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).splitlines()[0]


def _nearby(folder: Path) -> str:
    """A message that names a checkpoint inside the folder; empty if there is none."""
    for inner in ("pretrained_model", "checkpoints/last/pretrained_model"):
        if (folder / inner / "config.json").is_file():
            return f"{folder} has no config.json; {folder / inner} has one"
    return ""
