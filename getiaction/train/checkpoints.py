"""last.ckpt, to resume from, and best.ckpt, the lowest loss so far (of validation if there is any, else of training).

Both are saved where an optimizer step has just ended, never inside one, so that a resumed run does exactly the steps
that an uninterrupted one would have done. last.ckpt takes its place only after the step's row is in metrics.csv, and
after a validation that is due at that step: whenever the process is killed, a resumed run logs each row once.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import shutil
import struct
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from getiaction import trust
from getiaction.errors import TrainingError
from getiaction.files import replacing, sync, sync_folder, write_atomically
from getiaction.train.folder import WRITTEN, RunFolder
from getiaction.train.interrupt import Interrupt, Interrupted
from getiaction.train.progress import SMOOTH_LOSS

SAVES_PER_RUN = 10
STEPS_BETWEEN_SAVES = 100, 5000  # least and most
TRAIN_LOSS = "train/loss"
VAL_LOSS = "val/loss"
STATE = "getiaction/checkpoints"
RECIPE_STATE = "getiaction/recipe"


class SafeCheckpointIO(TorchCheckpointIO):
    """Writes beside the old file and then takes its place; reads without executing pickled code.

    Lightning's own writes to the system's temporary folder first, which may be another disk and too small.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Save; a failure leaves the earlier file as it was."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Load tensors and plain values; anything else in the file is an error.

        Raises:
            TrainingError: the file is cut off, or no checkpoint of a run at all.
        """
        if not _is_whole(Path(path)):
            raise _not_a_checkpoint(Path(path))
        try:
            checkpoint = super().load_checkpoint(path, map_location=map_location, weights_only=True)
        except (EOFError, LookupError, RuntimeError, TypeError, ValueError, struct.error) as error:
            if isinstance(error, RuntimeError) and "PytorchStreamReader" not in str(error):
                raise
            raise _not_a_checkpoint(Path(path)) from error
        if not isinstance(checkpoint, dict) or not {"state_dict", "loops", "optimizer_states"} <= set(checkpoint):
            raise _not_a_checkpoint(Path(path))
        return trust.checkpoint(checkpoint, Path(path).parent)

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint file that a callback no longer wants; a path may come out of a checkpoint."""
        if trust.is_removable(path):
            Path(path).unlink(missing_ok=True)

    @classmethod
    def use(cls, trainer: L.Trainer) -> None:
        """Take the place of Lightning's ordinary way, and of no other (sharding strategies have their own)."""
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = cls()


class Checkpoints(Checkpoint):
    """Saves last.ckpt ten times a run (every 100 to 5000 steps), after the last step and when interrupted.

    Args:
        folder: where they go.
        interrupt: whom to ask, after each optimizer step, whether to stop.
        saves: False to write no file (`enable_checkpointing: false`): a signal still ends the run after its step.

    Attributes:
        best: what best.ckpt is; None while there is none.
    """

    def __init__(self, folder: RunFolder, interrupt: Interrupt, *, saves: bool = True) -> None:
        self.folder = folder
        self.saves = saves
        self.interrupt = interrupt
        self.best: Best | None = None
        self._every = self._log_every = 1
        self._saved_at = -1
        self._stop_for: int | None = None
        self._waiting: Waiting | None = None
        self._claimed: Best | None = None

    @property
    def state_key(self) -> str:
        """The name of this callback's state in a checkpoint."""
        return STATE

    def state_dict(self) -> dict[str, Any]:
        """What best.ckpt is, so that a checkpoint states its own rank, independent of the files beside it."""
        return {"best": asdict(self.best) if self.best else None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what the checkpoint states until training starts."""
        self._claimed = Best.from_values(state_dict.get("best"))

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Space the saves over the run, and let signals wait for the end of a step."""
        self.interrupt.training_begins()
        self.best = self._found_best(trainer) if self.saves else None
        least, most = STEPS_BETWEEN_SAVES
        self._every = math.ceil(min(max(trainer.estimated_stepping_batches / SAVES_PER_RUN, least), most))
        self._saved_at = trainer.global_step
        self._log_every = trainer.log_every_n_steps

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Publish what was saved, and stop here when asked to: the last step is logged, and validated if due."""
        self._publish(trainer)
        trainer.log_every_n_steps = self._log_every
        if self._stop_for is not None:
            raise Interrupted(self._stop_for, saved=True)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when it is time."""
        step = trainer.global_step
        if step == self._saved_at or trainer.fit_loop._should_accumulate():
            return
        self._stop_for = self.interrupt.signal(trainer)
        if not self.saves:
            return
        planned = step % self._every == 0 or step >= trainer.estimated_stepping_batches
        if planned:
            trainer.log_every_n_steps = 1  # metrics.csv has a row for each checkpoint; undone at the next batch
        if self._stop_for or planned:
            self._save(trainer, self._better_in_training(trainer))

    def publish_now(self, trainer: L.Trainer) -> None:
        """Log this step's row and let its checkpoint take its place, where one was saved at this step.

        For what follows at the end of the same step and may take the process down with it, as a simulator can.
        """
        if self._waiting is None:
            return
        connector = trainer._logger_connector
        if trainer.global_step % trainer.log_every_n_steps == 0:
            connector.log_metrics(connector.metrics["log"])
            trainer.log_every_n_steps = sys.maxsize  # not again at the end of this step; undone at the next batch
        self._publish(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the best by validation loss."""
        if not self.saves or trainer.sanity_checking or VAL_LOSS not in trainer.callback_metrics:
            return
        if better := self._better(trainer, VAL_LOSS):
            self.best = better
            part = _beside(self.folder.best)
            trainer.save_checkpoint(part)
            if trainer.is_global_zero:
                better.publish(part, self.folder)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """A run that something else ended early (early stopping, max_time) is saved here."""
        if not self.saves:
            return
        if trainer.global_step > self._saved_at:
            better = self._better_in_training(trainer)
            if better is None and self.best is None:  # it ended before the first validation
                better = self._better(trainer, TRAIN_LOSS)
            self._save(trainer, better)
        self._publish(trainer)
        if self.best is None and trainer.global_step:
            self.best = self._better(trainer, TRAIN_LOSS)
            if trainer.is_global_zero and self.best:
                self.best.publish(_another_name(self.folder.last, self.folder.best), self.folder)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        """Publish what was saved if its row is logged: a failed validation must not lose the steps."""
        if trainer.validating or trainer.fit_loop.epoch_loop._batches_that_stepped >= trainer.global_step:
            self._publish(trainer)

    def _found_best(self, trainer: L.Trainer) -> Best | None:
        """What best.ckpt is, from the file beside it or from itself; completes what a kill interrupted."""
        found = Best.read(self.folder) or Best.inside(self.folder.best)
        claimed = self._claimed
        resumed_last = trainer.ckpt_path is not None and Path(trainer.ckpt_path) == self.folder.last
        if resumed_last and claimed and claimed.step == trainer.global_step and claimed.beats(found):
            # Killed after last.ckpt, which is the best one too, and before best.ckpt became another name of it.
            found = claimed
            if trainer.is_global_zero:
                found.publish(_another_name(self.folder.last, self.folder.best), self.folder)
        elif found and trainer.is_global_zero and not _claim_of(self.folder.best).is_file():
            found.write(self.folder)
        return found

    def _better_in_training(self, trainer: L.Trainer) -> Best | None:
        """The training loss if it is the lowest at a save; not used once there is a validation loss."""
        return None if _validates(trainer) else self._better(trainer, TRAIN_LOSS)

    def _better(self, trainer: L.Trainer, of: str) -> Best | None:
        """The loss of this step as the new best; None where an earlier one is as low."""
        metric = trainer.callback_metrics.get(of if of == VAL_LOSS else SMOOTH_LOSS)
        if metric is None:
            return None
        mean = float(trainer.strategy.reduce(metric.to(trainer.strategy.root_device), reduce_op="mean"))
        found = Best(mean, of, trainer.global_step)
        return found if found.beats(self.best) else None

    def _save(self, trainer: L.Trainer, better: Best | None) -> None:
        self._saved_at = trainer.global_step
        self.best = better or self.best
        part = _beside(self.folder.last)
        trainer.save_checkpoint(part)
        self._waiting = Waiting(part, better)

    def _publish(self, trainer: L.Trainer) -> None:
        """Let the checkpoint that was written take its place."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or not trainer.is_global_zero:
            return
        with contextlib.suppress(OSError):
            sync(self.folder.metrics)
        _take_place(waiting.part, self.folder.last)
        if waiting.best:
            waiting.best.publish(_another_name(self.folder.last, self.folder.best), self.folder)


@dataclass(frozen=True)
class Waiting:
    """A checkpoint that is written and has not taken its place yet.

    Args:
        part: its temporary name.
        best: what it is if it is the best one so far.
    """

    part: Path
    best: Best | None


@dataclass(frozen=True)
class Best:
    """What best.ckpt is. The checkpoint states it itself; best.json repeats it for readers without torch.

    best.json is removed before best.ckpt changes and written after it, so that it never states what is not so.

    Args:
        loss: the lowest so far.
        of: "val/loss", or "train/loss" for the smoothed training loss (`progress.SMOOTH_LOSS`).
        step: the optimizer steps done by then.
    """

    loss: float
    of: str
    step: int

    @classmethod
    def from_values(cls, values: Any) -> Best | None:
        """Read plain values; None where they are not what `asdict` gives."""
        try:
            return cls(float(values["loss"]), str(values["of"]), int(values["step"]))
        except (KeyError, TypeError, ValueError):
            return None

    @classmethod
    def read(cls, folder: RunFolder) -> Best | None:
        """Read best.json; None where there is none for best.ckpt, or it is damaged."""
        if not folder.best.exists():
            return None
        try:
            return cls.from_values(trust.read_json(_claim_of(folder.best)))
        except (OSError, ValueError):
            return None

    @classmethod
    def inside(cls, path: Path) -> Best | None:
        """Read what a checkpoint states about itself; None where it is damaged or was not the best."""
        if not path.is_file():
            return None
        try:
            checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            found = cls.from_values(checkpoint["callbacks"][STATE]["best"])
            return found if found and found.step == checkpoint["global_step"] else None
        except Exception:  # a damaged file fails in many ways, and another best checkpoint replaces it
            return None

    def beats(self, other: Best | None) -> bool:
        """Whether this one becomes the best: a lower loss, or the first one of its kind."""
        return other is None or other.of != self.of or self.loss < other.loss

    def publish(self, part: Path, folder: RunFolder) -> None:
        """Make the file `part` best.ckpt, and state what it is."""
        _claim_of(folder.best).unlink(missing_ok=True)
        _take_place(part, folder.best)
        self.write(folder)

    def write(self, folder: RunFolder) -> None:
        """Write best.json."""
        write_atomically(_claim_of(folder.best), json.dumps(asdict(self)) + "\n")


def recipe_inside(path: Path) -> str | None:
    """Read the resolved recipe that a checkpoint holds; None where it holds none, or can't be read.

    Args:
        path: a checkpoint of a run.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        text = checkpoint["callbacks"][RECIPE_STATE]["recipe"]
    except Exception:  # a damaged file fails in many ways; training says more of it
        return None
    return text if isinstance(text, str) else None


def _is_whole(path: Path) -> bool:
    """Whether every part of the file is as it was written; torch itself would continue with spoilt numbers."""
    try:
        with trust.open_regular(path) as opened, zipfile.ZipFile(opened) as file:
            # torch compresses nothing; what is compressed may be a thousand times larger than the file.
            if any(part.compress_type != zipfile.ZIP_STORED for part in file.infolist()):
                return False
            return file.testzip() is None
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):
        return False


def _not_a_checkpoint(path: Path) -> TrainingError:
    others = [other for other in (path.with_name("last.ckpt"), path.with_name("best.ckpt")) if other.is_file()]
    other = next((other for other in others if other != path and zipfile.is_zipfile(other)), None)
    hint = f"getiaction train --resume {shlex.quote(str(other))}" if other else "name a .ckpt file that a run wrote"
    return TrainingError(f"{path} is damaged, or not a checkpoint of a run", hint)


def _claim_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _beside(path: Path) -> Path:
    """The name of a checkpoint that is written and has not taken its place."""
    return path.with_name(f".{path.name}{WRITTEN}")


def _validates(trainer: L.Trainer) -> bool:
    return bool(trainer.enable_validation and trainer.datamodule.val_dataset is not None)


def _take_place(part: Path, target: Path) -> None:
    """Make `part` `target`. A sharded checkpoint is a folder, which can't be replaced in one step."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    part.replace(target)
    sync_folder(target.parent)


def _another_name(source: Path, target: Path) -> Path:
    """A file beside `target` with the content of `source`: a hard link where possible (saving never rewrites)."""
    part = _beside(target)
    _remove(part)
    if source.is_dir():
        shutil.copytree(source, part)
        return part
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
        sync(part)
    return part


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
