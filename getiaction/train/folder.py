"""The run folder ``outputs/<recipe name>/<time>/``: claimed once, never overwritten, and found again to resume.

    recipe.yaml         what was trained, complete: overrides applied, the seed in it
    run.json            versions, dataset and its fingerprint
    metrics.csv         what was measured, one row per logged step
    log.txt             what the libraries said meanwhile
    checkpoints/        last.ckpt and best.ckpt, to resume from
    pretrained_model/   the policy in LeRobot's own format

Standard library only: it is also asked where a run can be resumed before torch is imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getiaction.errors import TrainingError
from getiaction.files import sweep, sync, sync_folder, write_atomically

OUTPUTS = Path("outputs")
WRITTEN = ".written"  # ends the name of a checkpoint that has not taken its place yet
_ELSEWHERE = "choose another place with --output-dir"
PACKAGES = ("getiaction", "torch", "torchvision", "lightning", "lerobot", "numpy")


@dataclass
class RunFolder:
    """Where one run keeps its things.

    Args:
        path: the folder.
        fresh: this run made it, so it may take it away again if nothing was trained.
    """

    path: Path
    fresh: bool = True

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.yaml"

    @property
    def checkpoints(self) -> Path:
        """Where last.ckpt and best.ckpt are."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """The checkpoint that `--resume` continues from."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest loss so far."""
        return self.checkpoints / "best.ckpt"

    @property
    def pretrained_model(self) -> Path:
        """The policy in LeRobot's format, for LeRobot's own tools."""
        return self.path / "pretrained_model"

    @property
    def metrics(self) -> Path:
        """The measured values."""
        return self.path / "metrics.csv"

    @property
    def log(self) -> Path:
        """What the libraries said."""
        return self.path / "log.txt"

    @property
    def seed(self) -> int | None:
        """The seed in the resolved recipe; None when there is none to be read."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = re.search(r"^seed: *(\d+)\b", self.recipe.read_text(encoding="utf-8"), re.MULTILINE)
            return int(found[1]) if found else None
        return None

    def write_recipe(self, text: str) -> None:
        """Keep the resolved recipe."""
        write_atomically(self.recipe, text)

    def write_facts(self, dataset: dict[str, Any]) -> None:
        """Keep what would be needed to tell two runs apart: versions and dataset."""
        facts = {
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": {package: version(package) for package in PACKAGES},
            "dataset": dataset,
        }
        write_atomically(self.path / "run.json", json.dumps(facts, indent=2) + "\n")

    def write_pretrained_model(self, save: Callable[[Path], None]) -> None:
        """Write the policy's folder beside the old one, then move its files into place, each of them whole.

        Args:
            save: writes the policy in LeRobot's format into the folder that it is given.
        """
        written = self.path / f".{self.pretrained_model.name}{WRITTEN}"
        shutil.rmtree(written, ignore_errors=True)
        try:
            save(written)
            files = [path for path in sorted(written.rglob("*")) if path.is_file()]
            for path in files:
                sync(path)
            if not self.pretrained_model.exists():
                written.rename(self.pretrained_model)
            else:
                for path in files:
                    target = self.pretrained_model / path.relative_to(written)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(target)
            sync_folder(self.pretrained_model)
            sync_folder(self.path)
        finally:
            shutil.rmtree(written, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a killed part of the run left half written."""
        for folder in (self.path, self.checkpoints):
            sweep(folder)
            for left in (*folder.glob(f".*{WRITTEN}"), *folder.glob("*.ckpt.part")):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)

    def write_fault(self, fault: Exception) -> None:
        """Keep the traceback of what nobody foresaw, after what the libraries said."""
        with self.log.open("a", encoding="utf-8") as file:
            traceback.print_exception(fault, file=file)

    def abandon(self) -> None:
        """Take the folder away again: nothing was trained, so there is nothing in it to keep."""
        if self.fresh:
            shutil.rmtree(self.path, ignore_errors=True)


def claim(recipe_name: str, output_dir: Path | None = None, *, now: datetime | None = None) -> RunFolder:
    """Make the folder of a new run.

    Args:
        recipe_name: names the folder inside ``outputs/``; characters that don't belong in a path become "-".
        output_dir: the folder the user asked for instead.
        now: the time that names the folder.

    Raises:
        TrainingError: ``output_dir`` exists and has something in it, or no folder can be made there.
    """
    try:
        if output_dir is not None:
            return _claim_exactly(output_dir)
        parent = _runs_of(recipe_name)
        parent.mkdir(parents=True, exist_ok=True)
        stamp = (now or datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
        number = 1
        while True:  # mkdir decides between runs that start in the same second
            path = parent / (stamp if number == 1 else f"{stamp}_{number}")
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            return RunFolder(path)
    except OSError as error:
        raise TrainingError(
            f"the run folder can't be made: {error.strerror}: {error.filename}",
            _ELSEWHERE,
        ) from error


def _runs_of(recipe_name: str) -> Path:
    return OUTPUTS / (re.sub(r"[^\w.+-]+", "-", recipe_name).strip("-.") or "run")


def check(recipe_name: str, output_dir: Path | None = None) -> None:
    """Say at once what `claim` would say, without making anything: torch takes seconds to import.

    Raises:
        TrainingError: as `claim` does.
    """
    path = output_dir or _runs_of(recipe_name)
    if output_dir is not None:
        _refuse_taken(path)
    there = next(parent for parent in (path, *path.absolute().parents) if os.path.lexists(parent))
    if not there.is_dir():
        raise TrainingError(f"the run folder can't be made: {there} is not a folder", _ELSEWHERE)
    if not os.access(there, os.W_OK | os.X_OK):
        raise TrainingError(f"the run folder can't be made: {there.absolute()} is not writable", _ELSEWHERE)


def _claim_exactly(path: Path) -> RunFolder:
    _refuse_taken(path)
    path.mkdir(parents=True, exist_ok=True)
    return RunFolder(path)


def _refuse_taken(path: Path) -> None:
    if path.is_dir() and any(path.iterdir()):
        again = f", or go on with that run: getiaction train --resume {shlex.quote(str(path))}"
        raise TrainingError(
            f"the output folder {path} exists and is not empty",
            f"choose another with --output-dir{again if RunFolder(path).last.is_file() else ''}",
        )


def resumable(target: str | Path) -> tuple[RunFolder | None, Path]:
    """What `--resume TARGET` means.

    Args:
        target: a run folder, or a checkpoint file.

    Returns:
        The run folder that goes on (None for a checkpoint that stands alone), and the checkpoint.

    Raises:
        TrainingError: there is no checkpoint there.
    """
    path = Path(target)
    if path.is_dir():
        run = RunFolder(path, fresh=False)
        if not run.last.is_file():
            raise TrainingError(
                f"{path} has no checkpoints/last.ckpt to resume from",
                "name a run folder (outputs/<recipe>/<time>) or a .ckpt file",
            )
        return run, run.last
    if not path.is_file():
        raise TrainingError(f"nothing to resume from at {path}", "name a run folder or a .ckpt file")
    run = RunFolder(path.parent.parent, fresh=False)
    return (run if run.recipe.is_file() else None), path


def latest(recipe_name: str) -> Path | None:
    """The newest run of that recipe that can be resumed."""
    found = sorted(_runs_of(recipe_name).glob("*/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime)
    return found[-1].parent.parent if found else None


def fingerprint(root: Path) -> str:
    """The sha256 over every file of a dataset's ``meta/``, by name and content."""
    digest = hashlib.sha256()
    for path in sorted((root / "meta").rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()
