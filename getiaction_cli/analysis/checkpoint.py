"""The pretrained policy that a recipe starts from, as far as it is here: config.json and the weights' header."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from getiaction_cli.machine import safetensors_shapes

ROUTE = "model.init_args.pretrained_path"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """What ``pretrained_path`` leads to.

    Args:
        said: as the recipe writes it.
        folder: where it is on this disk; None for a Hub id that was never downloaded.
        config: its config.json; empty when there is none to be read.
        problem: why it can't be used, in words; empty when it can, or when it is yet to be downloaded.
    """

    said: str
    folder: Path | None
    config: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

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
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def is_hub_id(said: str) -> bool:
    """True for "org/name", as opposed to a path."""
    return said.count("/") == 1 and not said.startswith((".", "~", "/")) and not Path(said).is_dir()


def find(said: str, hub_cache: Path) -> Checkpoint:
    """Look where training would look."""
    folder: Path | None = Path(said).expanduser()
    if is_hub_id(said):
        snapshots = sorted((hub_cache / f"models--{said.replace('/', '--')}" / "snapshots").glob("*/config.json"))
        folder = snapshots[-1].parent if snapshots else None
        if folder is None:
            return Checkpoint(said, None)
    assert folder is not None
    if not folder.is_dir():
        return Checkpoint(said, None, problem=f"there is no folder {said}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Checkpoint(said, folder, problem=_nearby(folder) or f"{said} has no config.json")
    except (OSError, ValueError) as error:
        return Checkpoint(said, folder, problem=f"{said}/config.json can't be read: {str(error).splitlines()[0]}")
    if not isinstance(config, dict):
        return Checkpoint(said, folder, problem=f"{said}/config.json holds no mapping")
    if is_hub_id(said):
        return Checkpoint(said, folder, config)
    if not (folder / WEIGHTS).is_file():
        return Checkpoint(said, folder, config, f"{said} has no {WEIGHTS}")
    try:
        safetensors_shapes(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError):
        return Checkpoint(said, folder, config, f"{said}/{WEIGHTS} is cut off or no safetensors file")
    return Checkpoint(said, folder, config)


def _nearby(folder: Path) -> str:
    """A better folder inside the one named, in words."""
    for inner in ("pretrained_model", "checkpoints/last/pretrained_model"):
        if (folder / inner / "config.json").is_file():
            return f"{folder} has no config.json; {folder / inner} has one"
    return ""
