"""The pretrained policy that a recipe starts from, as far as it is here: its JSON files and the weights' header."""

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
    """What ``pretrained_path`` leads to.

    Args:
        said: as the recipe writes it.
        folder: where it is on this disk; None for a Hub id that was never downloaded.
        config: its config.json; empty when there is none to be read.
        problem: why it can't be used, in words; empty when it can, or when it is yet to be downloaded.
        processors: policy_preprocessor.json and policy_postprocessor.json by name, those that could be read.
        unreadable: the name of the other → why, in words.
    """

    said: str
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
        """Name → shape of its tensors; empty when the weights are not here or can't be read."""
        try:
            return safetensors_shapes(self.folder / WEIGHTS) if self.folder else {}
        except (OSError, ValueError):
            return {}


def is_hub_id(said: str) -> bool:
    """True for "org/name", as opposed to a path."""
    return said.count("/") == 1 and not said.startswith((".", "~", "/")) and not Path(said).is_dir()


def find(said: str, hub_cache: Path, revision: str | None = None) -> Checkpoint:
    """Look where training would look.

    Args:
        said: a folder or a Hub id.
        hub_cache: where huggingface_hub keeps what was downloaded.
        revision: branch, tag or commit of a Hub id.
    """
    folder: Path | None = Path(said).expanduser()
    if is_hub_id(said):
        files = storage(hub_cache, "models", said)
        folder = snapshot(files, [revision or "main"], CONFIG)
        if folder is None and revision is None:
            folder = newest_snapshot(files, CONFIG)
        if folder is None:
            return Checkpoint(said, None)
    assert folder is not None
    if not folder.is_dir():
        return Checkpoint(said, None, problem=f"there is no folder {said}")
    try:
        config = trust.read_json(folder / "config.json")
    except FileNotFoundError:
        return Checkpoint(said, folder, problem=_nearby(folder) or f"{said} has no config.json")
    except (OSError, ValueError) as error:
        return Checkpoint(said, folder, problem=f"{said}/config.json can't be read: {_why(error)}")
    if not isinstance(config, dict):
        return Checkpoint(said, folder, problem=f"{said}/config.json is not a mapping")
    processors, unreadable = _processors(folder)
    if is_hub_id(said):
        return Checkpoint(said, folder, config, "", processors, unreadable)
    if not (folder / WEIGHTS).is_file():
        return Checkpoint(said, folder, config, f"{said} has no {WEIGHTS}", processors, unreadable)
    try:
        safetensors_shapes(folder / WEIGHTS)
    except (OSError, ValueError):
        problem = f"{said}/{WEIGHTS} is truncated or not a safetensors file"
        return Checkpoint(said, folder, config, problem, processors, unreadable)
    return Checkpoint(said, folder, config, "", processors, unreadable)


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
    """A better folder inside the one named, in words."""
    for inner in ("pretrained_model", "checkpoints/last/pretrained_model"):
        if (folder / inner / "config.json").is_file():
            return f"{folder} has no config.json; {folder / inner} has one"
    return ""
