"""Runs, read from their folders without torch: recipe, versions, dataset, metrics and state."""

from __future__ import annotations

import csv
import io
import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.spec.run_folder import CHECKPOINTS, EVALUATION, PRETRAINED_MODEL, ROLLOUTS, ROLLOUTS_FILE

MAX_METRICS = 256 << 20
# The progress bar and the summary show the smoothed training loss, too.
SMOOTH_LOSS, LOSS, VAL_LOSS, SUCCESS = "train/loss_smooth", "train/loss", "val/loss", "eval/success_rate"
MAX_ROLLOUTS = 50
_DEEP = 3  # outputs/RECIPE/TIME is three levels below the working directory


@dataclass(frozen=True)
class Run:
    """A training run.

    Attributes:
        path: Its folder.
        recipe: Name of the recipe, which is that of the parent folder.
        started: Start time in ISO 8601; empty if unknown.
        steps: Number of optimizer steps in metrics.csv.
        planned: Number of steps in the recipe; None if it sets none.
        metrics: Name of a metric → its (step, value) points in order.
        facts: Content of run.json.
        settings: Path ("model.init_args.chunk_size") → value of the recipe.
        ended: `finished`, `running`, `stopped` or `nothing saved`.
    """

    path: Path
    recipe: str
    started: str
    steps: int
    planned: int | None
    metrics: dict[str, list[tuple[int, float]]] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    ended: str

    @property
    def courses(self) -> dict[str, list[tuple[int, float]]]:
        """Return the (step, value) points of training loss, validation loss and success rate."""
        loss = self.metrics.get(SMOOTH_LOSS) or self.metrics.get(LOSS, [])
        return {"loss": loss, "validation": self.metrics.get(VAL_LOSS, []), "success": self.metrics.get(SUCCESS, [])}

    @property
    def best_loss(self) -> float | None:
        """Return the lowest training loss."""
        return min((value for _, value in self.courses["loss"]), default=None)

    @property
    def best_validation(self) -> float | None:
        """Return the lowest validation loss."""
        return min((value for _, value in self.courses["validation"]), default=None)

    @property
    def success(self) -> float | None:
        """Return the success rate of the last rollouts."""
        values = self.courses["success"]
        return values[-1][1] if values else None

    def part(self, name: str) -> dict[str, Any]:
        """Return a section of run.json; empty if there is none."""
        part = self.facts.get(name)
        return part if isinstance(part, dict) else {}

    @property
    def resumable(self) -> bool:
        """True if there is a checkpoint to resume from."""
        return (self.path / CHECKPOINTS / "last.ckpt").is_file()


@dataclass(frozen=True)
class Rollouts:
    """Rollouts of the policy in simulation at one time.

    Attributes:
        path: Its folder.
        values: Content of rollouts.json.
        videos: File names of the videos in the folder.
    """

    path: Path
    values: dict[str, Any]
    videos: tuple[str, ...]


def rollouts(folder: Path) -> list[Rollouts]:
    """Return the rollouts in a run folder, newest first."""
    found = []
    for file in (folder / ROLLOUTS).glob(f"*/{ROLLOUTS_FILE}"):
        try:
            found.append((file.stat().st_mtime, trust.read_json(file), file.parent))
        except (OSError, ValueError):
            continue
    found.sort(key=lambda entry: (entry[0], entry[2]), reverse=True)
    return [
        Rollouts(path, values, tuple(sorted(v.name for v in path.glob("*.mp4") if v.is_file() and not v.is_symlink())))
        for _, values, path in found[:MAX_ROLLOUTS]
        if isinstance(values, dict)
    ]


def evaluation(folder: Path) -> Any:
    """Return the parsed evaluation.json of a run folder; None if it is missing or damaged."""
    return _json(folder / EVALUATION)


def is_run(folder: Path) -> bool:
    """True if a folder is that of a run: it has a recipe, and training has started."""
    return (folder / "recipe.yaml").is_file() and ((folder / "run.json").exists() or (folder / "metrics.csv").exists())


def find(folder: Path) -> list[Run]:
    """Return the runs in a folder and up to three levels below it, newest first."""
    runs = [read(path) for path in _folders(folder, _DEEP)]
    return sorted(runs, key=lambda run: (run.started, str(run.path)), reverse=True)


def _folders(folder: Path, deep: int) -> Iterator[Path]:
    if is_run(folder):
        yield folder
    elif deep and folder.is_dir():
        try:
            below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        except OSError:
            return
        for path in below:
            yield from _folders(path, deep - 1)


def read(folder: Path) -> Run:
    """Read a run; files that can't be read are ignored."""
    facts, metrics, settings = _facts(folder), _metrics(folder / "metrics.csv"), settings_of(folder / "recipe.yaml")
    steps = max((step for values in metrics.values() for step, _ in values[-1:]), default=-1) + 1
    planned = settings.get("trainer.max_steps")
    planned = planned if isinstance(planned, int) and planned > 0 else None
    return Run(
        path=folder,
        recipe=folder.resolve().parent.name,
        started=str(facts.get("started") or ""),
        steps=steps,
        planned=planned,
        metrics=metrics,
        facts=facts,
        settings=settings,
        ended=_ended(folder, steps, planned),
    )


def _facts(folder: Path) -> dict[str, Any]:
    facts = _json(folder / "run.json")
    return facts if isinstance(facts, dict) else {}


def _json(file: Path) -> Any:
    """Return a parsed file; None if it is missing or damaged."""
    try:
        return trust.read_json(file)
    except (OSError, ValueError):
        return None


def _metrics(file: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the columns of metrics.csv except the step, without values that are empty, invalid or not finite."""
    try:
        text = trust.read_bytes(file, MAX_METRICS).decode("utf-8", errors="replace")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, csv.Error):
        return {}
    if not rows or "step" not in rows[0]:
        return {}
    place = rows[0].index("step")
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows[1:]:
        if len(row) != len(rows[0]) or not row[place].isdecimal():
            continue
        for name, value in zip(rows[0], row, strict=True):
            number = _number(value) if name not in ("step", "epoch") else None
            if number is not None:
                found.setdefault(name, []).append((int(row[place]), number))
    return found


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def settings_of(file: Path) -> dict[str, Any]:
    """Return path → value of a recipe; empty if it can't be read."""
    from getiaction_cli.errors import CliError
    from getiaction_cli.recipe import read

    try:
        return by_route(read(str(file)).plain())
    except (CliError, OSError, ValueError):
        return {}


def by_route(values: dict[str, Any]) -> dict[str, Any]:
    """Return path ("model.init_args.chunk_size") → value of a recipe."""
    return dict(_flat(values))


def _flat(value: Any, route: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _flat(part, f"{route}.{key}" if route else str(key))
    else:
        yield route, value


def _ended(folder: Path, steps: int, planned: int | None) -> str:
    if _is_held(folder):
        return "running"
    if planned is not None and steps < planned:
        return (
            "stopped"
            if (folder / CHECKPOINTS).is_dir() and any((folder / CHECKPOINTS).glob("*.ckpt"))
            else "nothing saved"
        )
    return "finished" if (folder / PRETRAINED_MODEL / "config.json").is_file() else "stopped"


def _is_held(folder: Path) -> bool:
    """True if a process is training there, according to the lock's holder file and the processes of this machine."""
    try:
        note = trust.read_json(folder / ".run.holder.json")
        pid, host = int(note["pid"]), str(note["host"])
    except (OSError, ValueError, TypeError, KeyError):
        return False
    if host != platform.node() or pid <= 0:
        return pid > 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def differences(runs: list[Run]) -> list[tuple[str, list[Any]]]:
    """Return the differences between runs in recipe, dataset and versions, as (name, value of each run or None)."""
    found: list[tuple[str, list[Any]]] = []
    for route in dict.fromkeys(route for run in runs for route in run.settings):
        found.append((route, [run.settings.get(route) for run in runs]))
    for name in ("repo_id", "fingerprint", "episodes", "frames"):
        found.append((f"dataset {name}", [run.part("dataset").get(name) for run in runs]))
    for package in dict.fromkeys(package for run in runs for package in run.part("versions")):
        found.append((f"{package} version", [run.part("versions").get(package) for run in runs]))
    for name in ("device", "gpu", "processor"):
        found.append((name, [run.part("hardware").get(name) for run in runs]))
    for name in ("python", "platform"):
        found.append((name, [run.facts.get(name) for run in runs]))
    return [(name, values) for name, values in found if any(value != values[0] for value in values[1:])]
