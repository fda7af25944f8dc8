"""last.ckpt, to go on from, and best.ckpt, the lowest loss so far (of validation when there is some, else of training).

Both are saved where an optimizer step has just ended, never inside one, so that a resumed run does exactly the steps
that an uninterrupted one would have done.
"""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint

from getiaction.train.folder import RunFolder
from getiaction.train.interrupt import Interrupt, Interrupted

SAVES_PER_RUN = 10
MOST_STEPS_BETWEEN_SAVES = 5000
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
        """Load tensors and plain values; anything else in the file is an error."""
        return super().load_checkpoint(path, map_location=map_location, weights_only=True)

    @classmethod
    def use(cls, trainer: L.Trainer) -> None:
        """Take the place of Lightning's ordinary way, and of no other (sharding strategies have their own)."""
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = cls()


class Checkpoints(Checkpoint):
    """Saves last.ckpt ten times a run, at least every 5000 steps, after the last step and when interrupted.

    Args:
        folder: where they go.
        interrupt: whom to ask, after each optimizer step, whether to stop.
    """

    def __init__(self, folder: RunFolder, interrupt: Interrupt) -> None:
        self.folder = folder
        self.interrupt = interrupt
        self.best_loss = math.inf
        self.best_step = 0
        self.best_of = TRAIN_LOSS
        self._every = 1
        self._saved_at = -1
        self._sum: torch.Tensor | float = 0.0
        self._count = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know to keep the best."""
        return {"best_loss": self.best_loss, "best_step": self.best_step, "best_of": self.best_of}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the best of the earlier part."""
        self.best_loss, self.best_step = state_dict["best_loss"], state_dict["best_step"]
        self.best_of = state_dict["best_of"]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Space the saves over the run, and let signals wait for the end of a step."""
        self.interrupt.training_begins()
        total = trainer.estimated_stepping_batches
        self._every = max(1, math.ceil(min(total / SAVES_PER_RUN, MOST_STEPS_BETWEEN_SAVES)))
        self._saved_at = trainer.global_step

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save when it is time; stop when asked to."""
        self._sum = self._sum + outputs["loss"].detach()
        self._count += 1
        step = trainer.global_step
        if step == self._saved_at or trainer.fit_loop._should_accumulate():
            return
        signum = self.interrupt.stop_now(trainer)
        if signum or step % self._every == 0 or step >= trainer.estimated_stepping_batches:
            self._save(trainer, self._better_in_training(trainer))
        if signum:
            raise Interrupted(signum, saved=True)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the best by validation loss."""
        if trainer.sanity_checking or VAL_LOSS not in trainer.callback_metrics:
            return
        if self.best_of != VAL_LOSS:
            self.best_of, self.best_loss = VAL_LOSS, math.inf
        if self._is_best(trainer, trainer.callback_metrics[VAL_LOSS]):
            trainer.save_checkpoint(self.folder.best)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """A run that something else ended early (early stopping, max_time) is saved here."""
        if trainer.global_step > max(self._saved_at, 0):
            self._save(trainer, self._better_in_training(trainer))

    def _better_in_training(self, trainer: L.Trainer) -> bool:
        """Whether the mean training loss since the last save is the lowest; meaningless once there is validation."""
        if self.best_of == VAL_LOSS or trainer.enable_validation:
            return False
        mean = torch.as_tensor(self._sum / max(self._count, 1))
        self._sum, self._count = 0.0, 0
        return self._is_best(trainer, mean)

    def _is_best(self, trainer: L.Trainer, loss: torch.Tensor) -> bool:
        mean = float(trainer.strategy.reduce(loss.to(trainer.strategy.root_device), reduce_op="mean"))
        if mean >= self.best_loss:
            return False
        self.best_loss, self.best_step = mean, trainer.global_step
        return True

    def _save(self, trainer: L.Trainer, best: bool) -> None:
        self._saved_at = trainer.global_step
        trainer.save_checkpoint(self.folder.last)
        if best and trainer.is_global_zero:
            _same_file(self.folder.last, self.folder.best)


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
