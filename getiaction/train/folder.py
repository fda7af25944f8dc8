"""The run folder ``outputs/<recipe name>/<time or job>/``: claimed once, never overwritten, and found again to resume.

    recipe.yaml         what was trained, in one file: overrides applied, the seed in it
    resolved.yaml       the same with all defaults written out and where each value comes from
    run.json            versions, dataset and its fingerprint
    metrics.csv         what was measured, one row per logged step
    report.html         the run on one page: curves, rollouts, findings; written at each validation and at the end
    evaluation.json     what `getiaction evaluate` measured on the run's own dataset
    rollouts/           one folder for each time the policy acted in simulation: rollouts.json and videos
    log.txt             what the libraries said meanwhile; log.rank1.txt for the second process, and so on
    .run.lock           held by the process that trains here; .run.holder.json says which one
    .run.job.json       the SLURM job or torchrun whose next start resumes here (`getiaction.train.job`)
    checkpoints/        last.ckpt and best.ckpt, to resume from
    pretrained_model/   the policy in LeRobot's own format
    pretrained_model_raw/   its weights of the last step, where those are averaged ones and `ema.keep_raw` is set

Neither torch nor Lightning: it is also asked where a run can be resumed before torch is imported.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import platform
import re
import shlex
import shutil
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from getiaction import trust
from getiaction.errors import TrainingError
from getiaction.files import sweep, sync, sync_folder, write_atomically
from getiaction.spec.run_folder import CHECKPOINTS, LIST_RUNS, LOCK, PRETRAINED_MODEL, REPORT, is_startable

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from getiaction.train.job import Job

OUTPUTS = Path("outputs")
HOLDER = ".run.holder.json"
WORKERS_END_S = 20.0  # torch's workers look for their parent every 5 s
WRITTEN = ".written"  # ends the name of a checkpoint that has not taken its place yet
_ELSEWHERE = "choose another place with --output-dir"
PACKAGES = ("getiaction", "torch", "torchvision", "lightning", "lerobot", "numpy")


@dataclass
class RunFolder:
    """Where one run keeps its things.

    Args:
        path: the folder.
        fresh: this run made it, so it may take it away again if nothing was trained.
        resumed: an earlier part of the run trained here.
        announced: `path` is known; False on a later rank until the first one has sent it.
    """

    path: Path
    fresh: bool = True
    resumed: bool = False
    announced: bool = True
    _lock: BaseFileLock | None = field(default=None, repr=False, compare=False)

    def hold(self, *, wait: bool = False) -> None:
        """Keep other processes from training in this folder, until `release` or the end of this process.

        Args:
            wait: the process that held it is known to end, so give it time to.

        Raises:
            TrainingError: another process trains here.
        """
        from filelock import FileLock, Timeout

        if self._lock is not None:
            return
        lock = FileLock(self.path / LOCK)
        try:
            # The workers of a process that was killed keep its lock until they notice.
            lock.acquire(timeout=0 if not wait and Holder.read(self.path).may_be_alive() else WORKERS_END_S)
        except Timeout:
            raise Holder.read(self.path).refusal(self.path) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EIO):  # a file system without locks
                raise
            return
        self._lock = lock
        write_atomically(self.path / HOLDER, json.dumps(asdict(Holder.this())) + "\n")

    def release(self) -> None:
        """Let other processes train in this folder."""
        if self._lock is not None:
            (self.path / HOLDER).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.yaml"

    @property
    def checkpoints(self) -> Path:
        """Where last.ckpt and best.ckpt are."""
        return self.path / CHECKPOINTS

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
        return self.path / PRETRAINED_MODEL

    @property
    def pretrained_model_raw(self) -> Path:
        """Likewise, with the weights of the last step where the other folder has averaged ones."""
        return self.path / f"{PRETRAINED_MODEL}_raw"

    @property
    def metrics(self) -> Path:
        """The measured values."""
        return self.path / "metrics.csv"

    @property
    def report(self) -> Path:
        """The run on one page."""
        return self.path / REPORT

    @property
    def log(self) -> Path:
        """What the libraries said."""
        return self.path / "log.txt"

    @property
    def seed(self) -> int | None:
        """The seed in the resolved recipe, or in run.json; None if neither can be read."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found = re.search(r"^seed: *(\d+)\b", self.recipe.read_text(encoding="utf-8"), re.MULTILINE)
            if found:
                return int(found[1])
        seed = self.read_facts().get("seed")
        return seed if isinstance(seed, int) and not isinstance(seed, bool) else None

    def write_recipe(self, text: str, resolved: str = "") -> None:
        """Keep the recipe, and its text with all defaults where there is one."""
        write_atomically(self.recipe, text)
        if resolved:
            write_atomically(self.path / "resolved.yaml", resolved)

    @property
    def facts(self) -> Path:
        """Versions, dataset and seed."""
        return self.path / "run.json"

    def read_facts(self) -> dict[str, Any]:
        """Read run.json; a damaged one is empty."""
        with contextlib.suppress(OSError, ValueError):
            facts = trust.read_json(self.facts)
            if isinstance(facts, dict):
                return facts
        return {}

    @property
    def ignored(self) -> tuple[str, ...]:
        """The codes of findings that the last part of the run was trained despite."""
        facts = self.read_facts()
        resumed = facts.get("resumed")
        last = resumed[-1] if isinstance(resumed, list) and resumed else facts
        codes = last.get("ignored") if isinstance(last, dict) else None
        codes = codes if isinstance(codes, list) else []
        return tuple(code for code in codes if isinstance(code, str) and re.fullmatch(r"GA\d{1,3}", code))

    def write_facts(self, step: int, facts: dict[str, Any]) -> dict[str, Any]:
        """Keep what tells two runs apart: versions, seed, dataset and how its frames were loaded.

        The facts of the first part of a run stay; each resumed part adds its own to the list `resumed`.

        Args:
            step: the optimizer steps done before this part.
            facts: what this part knows beside versions and time.

        Returns:
            The facts of the part before this one; empty for the first part, or where run.json was damaged.
        """
        now = {
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "versions": {package: version(package) for package in PACKAGES},
            **facts,
        }
        before = self.read_facts() if step else {}
        resumed = before.get("resumed")
        parts = [part for part in resumed if isinstance(part, dict)] if isinstance(resumed, list) else []
        kept = {**before, "resumed": [*parts, {"from_step": step, **now}]} if before else now
        write_atomically(self.facts, json.dumps(kept, indent=2) + "\n")
        return parts[-1] if parts else before

    def write_pretrained_model(self, save: Callable[[Path], None], *, raw: bool = False) -> None:
        """Write the policy's folder beside the old one, then move its files into place, each of them whole.

        Args:
            save: writes the policy in LeRobot's format into the folder that it is given.
            raw: write `pretrained_model_raw/` instead, which has the weights that are not averaged.
        """
        folder = self.pretrained_model_raw if raw else self.pretrained_model
        written = self.path / f".{folder.name}{WRITTEN}"
        shutil.rmtree(written, ignore_errors=True)
        try:
            save(written)
            files = [path for path in sorted(written.rglob("*")) if path.is_file()]
            for path in files:
                sync(path)
            if not folder.exists():
                written.rename(folder)
            else:
                for path in files:
                    target = folder / path.relative_to(written)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(target)
            sync_folder(folder)
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

    def log_of(self, rank: int) -> Path:
        """The library output of one process: log.txt for the first one, log.rank1.txt for the next."""
        return self.log if rank == 0 else self.path / f"log.rank{rank}.txt"

    def write_fault(self, fault: Exception, rank: int = 0) -> Path:
        """Append the traceback of an unexpected error to the log of this process, and return the log's path."""
        log = self.log_of(rank)
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exception(fault, file=file)
        return log

    def abandon(self) -> None:
        """Take the folder away again: nothing was trained, so there is nothing in it to keep."""
        if self.fresh:
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class Holder:
    """The process that trains in a folder.

    Args:
        pid: its number; 0 if unknown.
        host: the machine it runs on.
        since: when it started to train there, in ISO 8601.
    """

    pid: int = 0
    host: str = ""
    since: str = ""

    @classmethod
    def this(cls) -> Holder:
        """This process."""
        return cls(os.getpid(), platform.node(), datetime.now().astimezone().isoformat(timespec="seconds"))

    @classmethod
    def read(cls, folder: Path) -> Holder:
        """Read who holds a folder's lock, if it is held."""
        try:
            values = trust.read_json(folder / HOLDER)
            return cls(int(values["pid"]), str(values["host"]), str(values["since"]))
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def may_be_alive(self) -> bool:
        """False only for a process of this machine that has ended."""
        if self.pid <= 0 or self.host != platform.node():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass
        return True

    def refusal(self, folder: Path) -> TrainingError:
        """The error for a second process."""
        if not self.pid:
            return TrainingError(f"another process trains in {folder}", "wait until it ends, or stop it")
        here = self.host == platform.node()
        stop = f"kill {self.pid}" if here else f"ssh {shlex.quote(self.host)} kill {self.pid}"
        return TrainingError(
            f"{folder} is in use: process {self.pid} on {self.host} has trained in it since {self.since}",
            f"wait until it ends, or stop it (it saves first): {stop}",
        )


def check_free(path: Path) -> None:
    """Refuse a run folder in which another process trains, without waiting and without changing anything.

    Raises:
        TrainingError: another process trains there.
    """
    from filelock import FileLock, Timeout

    if not (path / LOCK).is_file() or not Holder.read(path).may_be_alive():
        return
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
        lock.release()
    except Timeout:
        raise Holder.read(path).refusal(path) from None
    except OSError:
        return


def claim(
    recipe_name: str, output_dir: Path | None = None, *, job: Job | None = None, now: datetime | None = None
) -> RunFolder:
    """Make the folder of a new run, or take the one in which an earlier start of the same job trained.

    Args:
        recipe_name: names the folder inside ``outputs/``; characters that don't belong in a path become "-".
        output_dir: the folder the user asked for instead.
        job: the job that this process belongs to; a SLURM job names the folder.
        now: the time that names the folder.

    Raises:
        TrainingError: ``output_dir`` exists and has something in it, or no folder can be made there.
    """
    try:
        run = _claim(recipe_name, output_dir, job, now or datetime.now())
        if job:
            job.write(run.path)
        return run
    except OSError as error:
        raise TrainingError(
            f"the run folder can't be made: {error.strerror}: {error.filename}",
            _ELSEWHERE,
        ) from error


def _claim(recipe_name: str, output_dir: Path | None, job: Job | None, now: datetime) -> RunFolder:
    if earlier := _earlier(recipe_name, output_dir, job):
        trust.check_run_folder(earlier)
        run = RunFolder(earlier, fresh=False, resumed=True)
        run.hold(wait=True)
        return run
    if output_dir is not None:
        return _claim_exactly(output_dir)
    parent = runs_of(recipe_name)
    parent.mkdir(parents=True, exist_ok=True)
    name, divider = now.strftime("%Y-%m-%d_%H-%M-%S"), "_"
    if job and job.names_folder:
        name, divider = job.name, "."
    for number in itertools.count(1):  # mkdir decides between runs that start in the same second
        path = parent / (name if number == 1 else f"{name}{divider}{number}")
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            break
    run = RunFolder(path)
    run.hold()
    return run


def _earlier(recipe_name: str, output_dir: Path | None, job: Job | None) -> Path | None:
    """The folder in which an earlier start of this job trained the same recipe, and in which this one resumes."""
    if job is None or not any(job.restarts):
        return None
    if output_dir is not None:
        return output_dir if job.resumes(output_dir) else None
    there = runs_of(recipe_name).glob(f"{job.name}*" if job.names_folder else "*")
    found = sorted((path for path in there if job.resumes(path)), key=lambda path: (len(path.name), path.name))
    if not found:
        return None
    # The commands of a batch script run in the same order again; a name of a torchrun may have been used before.
    return found[0] if job.names_folder else found[-1]


def runs_of(recipe_name: str) -> Path:
    """Where the runs of a recipe are by default."""
    return OUTPUTS / (re.sub(r"[^\w.+-]+", "-", recipe_name).strip("-.") or "run")


def check(recipe_name: str, output_dir: Path | None = None, job: Job | None = None) -> None:
    """Say at once what `claim` would say, without making anything: torch takes seconds to import.

    Raises:
        TrainingError: as `claim` does.
    """
    path = output_dir or runs_of(recipe_name)
    if output_dir is not None and _earlier(recipe_name, output_dir, job) is None:
        _refuse_taken(path)
    there = next(parent for parent in (path, *path.absolute().parents) if os.path.lexists(parent))
    if not there.is_dir():
        raise TrainingError(f"the run folder can't be made: {there} is not a folder", _ELSEWHERE)
    if not os.access(there, os.W_OK | os.X_OK):
        raise TrainingError(f"the run folder can't be made: {there.absolute()} is not writable", _ELSEWHERE)


def _claim_exactly(path: Path) -> RunFolder:
    _refuse_taken(path)
    run = RunFolder(path, fresh=not (path.is_dir() and any(path.iterdir())))
    path.mkdir(parents=True, exist_ok=True)
    run.hold()
    try:
        _refuse_taken(path)  # another process may have trained here and ended meanwhile
    except TrainingError:
        run.release()
        raise
    return run


def _refuse_taken(path: Path) -> None:
    if path.is_dir() and any(path.iterdir()) and not is_startable(path):
        again = f", or resume that run: getiaction train --resume {shlex.quote(str(path))}"
        raise TrainingError(
            f"the output folder {path} exists and is not empty",
            f"choose another with --output-dir{again if RunFolder(path).last.is_file() else ''}",
        )


def resumable(target: str | Path) -> tuple[RunFolder | None, Path | None]:
    """What `--resume TARGET` means.

    Args:
        target: a run folder, or a checkpoint file.

    Returns:
        The run folder to continue in (None for a checkpoint outside a run folder), and the checkpoint (None where the
        run was killed before its first one, and starts again).

    Raises:
        TrainingError: there is nothing to resume from.
    """
    path = Path(target)
    if path.is_dir():
        trust.check_run_folder(path)
        run = RunFolder(path, fresh=False, resumed=True)
        if run.last.exists():
            return run, run.last
        if is_startable(path):
            return run, None
        others = sorted(run.checkpoints.glob("*.ckpt"), key=lambda other: other.stat().st_mtime)
        raise TrainingError(
            f"{path} has no checkpoints/last.ckpt to resume from",
            f"resume from another checkpoint: getiaction train --resume {shlex.quote(str(others[-1]))}"
            if others
            else f"{LIST_RUNS}; a .ckpt file can be named too",
        )
    if not path.is_file():
        raise TrainingError(
            f"nothing to resume from at {path}",
            f"{LIST_RUNS}; a .ckpt file can be named too",
        )
    run = RunFolder(path.parent.parent, fresh=False, resumed=True)
    if run.recipe.is_file() or run.facts.is_file():
        trust.check_run_folder(run.path)
    return (run if run.recipe.is_file() or run.facts.is_file() else None), path


def latest(recipe_name: str) -> Path | None:
    """The newest run of a recipe that has a checkpoint; without any, the newest that was killed before its first."""
    runs = runs_of(recipe_name)
    saved = max(runs.glob("*/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime, default=None)
    if saved is not None:
        return saved.parent.parent
    return max((path.parent for path in runs.glob(f"*/{LOCK}") if is_startable(path.parent)), default=None)
