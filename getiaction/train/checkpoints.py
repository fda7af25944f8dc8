"""last.ckpt, to go on from, and best.ckpt, the lowest loss so far (of validation when there is some, else of training).

Both are saved where an optimizer step has just ended, never inside one, so that a resumed run does exactly the steps
that an uninterrupted one would have done.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import struct
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from getiaction.errors import TrainingError
from getiaction.train.folder import RunFolder
from getiaction.train.interrupt import Interrupt, Interrupted

SAVES_PER_RUN = 10
STEPS_BETWEEN_SAVES = 100, 5000  # least and most
TRAIN_LOSS = "train/loss"
VAL_LOSS = "val/loss"


class SafeCheckpointIO(TorchCheckpointIO):
    """Writes beside the old file and then takes its place; reads without executing pickled code.

    Lightning's own writes to the system's temporary folder first, which may be another disk and too small.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Save; a failure leaves the earlier file as it was."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            torch.save(checkpoint, part)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

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
        return checkpoint

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

    Attributes:
        best: what best.ckpt is; None while there is none.
    """

    def __init__(self, folder: RunFolder, interrupt: Interrupt) -> None:
        self.folder = folder
        self.interrupt = interrupt
        self.best: Best | None = None
        self._every = 1
        self._saved_at = -1
        self._stop_for: int | None = None
        self._sum: torch.Tensor | float = 0.0
        self._count = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Space the saves over the run, and let signals wait for the end of a step."""
        self.interrupt.training_begins()
        self.best = Best.read(self.folder)
        least, most = STEPS_BETWEEN_SAVES
        self._every = math.ceil(min(max(trainer.estimated_stepping_batches / SAVES_PER_RUN, least), most))
        self._saved_at = trainer.global_step

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop here when asked to: the last step is saved by now, logged, and validated where that was due."""
        if self._stop_for is not None:
            raise Interrupted(self._stop_for, saved=True)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when it is time."""
        self._sum = self._sum + outputs["loss"].detach() * trainer.accumulate_grad_batches  # Lightning has divided it
        self._count += 1
        step = trainer.global_step
        if step == self._saved_at or trainer.fit_loop._should_accumulate():
            return
        self._stop_for = self.interrupt.signal(trainer)
        if self._stop_for or step % self._every == 0 or step >= trainer.estimated_stepping_batches:
            self._save(trainer, self._better_in_training(trainer))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the best by validation loss."""
        if trainer.sanity_checking or VAL_LOSS not in trainer.callback_metrics:
            return
        if self._is_best(trainer, VAL_LOSS, trainer.callback_metrics[VAL_LOSS]):
            trainer.save_checkpoint(self.folder.best)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """A run that something else ended early (early stopping, max_time) is saved here."""
        if trainer.global_step > self._saved_at:
            self._save(trainer, self._better_in_training(trainer))
        if self.best is None and trainer.global_step:  # it ended before the first validation
            self._is_best(trainer, TRAIN_LOSS, self._mean_loss())
            self._keep_as_best(trainer)

    def _better_in_training(self, trainer: L.Trainer) -> bool:
        """Whether the mean training loss since the last save is the lowest; nobody asks once there is validation."""
        if _validates(trainer):
            return False
        return self._is_best(trainer, TRAIN_LOSS, self._mean_loss())

    def _mean_loss(self) -> torch.Tensor:
        """Over the batches since it was last asked."""
        mean = torch.as_tensor(self._sum / max(self._count, 1))
        self._sum, self._count = 0.0, 0
        return mean

    def _is_best(self, trainer: L.Trainer, of: str, loss: torch.Tensor) -> bool:
        mean = float(trainer.strategy.reduce(loss.to(trainer.strategy.root_device), reduce_op="mean"))
        if self.best is not None and self.best.of == of and mean >= self.best.loss:
            return False
        self.best = Best(mean, of, trainer.global_step)
        if trainer.is_global_zero:
            self.best.write(self.folder)
        return True

    def _save(self, trainer: L.Trainer, best: bool) -> None:
        self._saved_at = trainer.global_step
        trainer.save_checkpoint(self.folder.last)
        if best:
            self._keep_as_best(trainer)

    def _keep_as_best(self, trainer: L.Trainer) -> None:
        if trainer.is_global_zero:
            _same_file(self.folder.last, self.folder.best)


@dataclass(frozen=True)
class Best:
    """What best.ckpt is. Kept beside it and not inside, so that a resumed run knows the best of all that went before.

    Args:
        loss: the lowest so far.
        of: "val/loss", or "train/loss" for the mean over the steps between two saves.
        step: the optimizer steps done by then.
    """

    loss: float
    of: str
    step: int

    @classmethod
    def read(cls, folder: RunFolder) -> Best | None:
        """The best of earlier parts of the run."""
        if not (folder.best.exists() and _beside(folder.best).is_file()):
            return None
        return cls(**json.loads(_beside(folder.best).read_text(encoding="utf-8")))

    def write(self, folder: RunFolder) -> None:
        """Keep it."""
        folder.checkpoints.mkdir(parents=True, exist_ok=True)
        _beside(folder.best).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def _is_whole(path: Path) -> bool:
    """Whether every part of the file is as it was written; torch itself would go on with spoilt numbers."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except zipfile.BadZipFile:
        return False


def _not_a_checkpoint(path: Path) -> TrainingError:
    others = [other for other in (path.with_name("last.ckpt"), path.with_name("best.ckpt")) if other.is_file()]
    other = next((other for other in others if other != path and zipfile.is_zipfile(other)), None)
    hint = f"getiaction train --resume {shlex.quote(str(other))}" if other else "name a .ckpt file that a run wrote"
    return TrainingError(f"{path} is damaged, or not a checkpoint of a run", hint)


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")


def _validates(trainer: L.Trainer) -> bool:
    return bool(trainer.enable_validation and trainer.datamodule.val_dataset is not None)


def _same_file(source: Path, target: Path) -> None:
    """Make `target` what `source` is now: a second name where the disk allows it (saving replaces, never rewrites)."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    if source.is_dir():  # a sharded checkpoint
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        return
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)
