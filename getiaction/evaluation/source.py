"""Find the policy that the argument RUN names, and the recipe of its run. Standard library only.

outputs/RECIPE/TIME        a run folder: its pretrained_model/, or without one its last checkpoint
…/checkpoints/best.ckpt    a checkpoint
…/pretrained_model         a folder that LeRobot or getiaction saved, also inside a run folder
owner/name                 such a folder on the Hub
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from getiaction.errors import PolicyError
from getiaction.spec.run_folder import LIST_RUNS

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# Subfolders in which a policy may be; the second one is lerobot-train's.
_INSIDE = ("pretrained_model", "checkpoints/last/pretrained_model")


@dataclass(frozen=True)
class Source:
    """The place of a policy.

    Attributes:
        place: A folder, a checkpoint file or a Hub id.
        kind: `folder`, `checkpoint` or `hub`.
        recipe: The recipe of its run; None if it is not in a run folder.
    """

    place: str
    kind: str
    recipe: Path | None

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a Lightning checkpoint."""
        return self.kind == "checkpoint"


def find(target: str) -> Source:
    """Find the policy that a command line argument names.

    Raises:
        PolicyError: it is neither a policy nor a run with a policy.
    """
    path = Path(target).expanduser()
    if path.is_file():
        if path.suffix != ".ckpt":
            raise PolicyError(f"{target} is neither a checkpoint (.ckpt) nor a folder", LIST_RUNS)
        return Source(str(path), "checkpoint", _recipe(path.parent.parent))
    if path.is_dir():
        if (path / "config.json").is_file():
            return Source(str(path), "folder", _recipe(path.parent))
        for inside in _INSIDE:
            if (path / inside / "config.json").is_file():
                return Source(str(path / inside), "folder", _recipe(path))
        if (last := path / "checkpoints" / "last.ckpt").is_file():
            return Source(str(last), "checkpoint", _recipe(path))
        raise PolicyError(
            f"no policy in {target}: it has neither pretrained_model/ nor checkpoints/last.ckpt nor a config.json",
            _nearby(path),
        )
    if _HUB_ID.fullmatch(target) and not target.startswith(("outputs/", ".", "~")):
        return Source(target, "hub", None)
    raise PolicyError(f"no run or policy at {target}", f"{LIST_RUNS}; a .ckpt file or a Hub id can be named too")


def _recipe(folder: Path) -> Path | None:
    recipe = folder / "recipe.yaml"
    return recipe if recipe.is_file() else None


def _nearby(path: Path) -> str:
    """A hint that names the newest run below a folder."""
    runs = [*path.glob("*/pretrained_model/config.json"), *path.glob("*/*/pretrained_model/config.json")]
    if not runs:
        return LIST_RUNS
    return f"the newest run below it is {max(runs, key=lambda file: file.stat().st_mtime).parent.parent}"
