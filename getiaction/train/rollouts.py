"""Callback: rollouts in simulation while training, and metrics that `ModelCheckpoint` can monitor."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from getiaction.errors import RolloutError, TrainingError
from getiaction.evaluation import rollouts
from getiaction.lerobot.environments import Actor, StoppedEarly
from getiaction.spec.evaluation import Evaluation
from getiaction.spec.run_folder import ROLLOUTS
from getiaction.train.checkpoints import Checkpoints
from getiaction.train.folder import RunFolder
from getiaction.train.interrupt import Interrupt
from getiaction.train.metrics import has_row
from getiaction.train.progress import Watch
from getiaction.train.run_page import RunPage
from getiaction.train.screen import Screen

METRICS = "eval/"
_SHARDED = ("FSDP", "DeepSpeed", "ModelParallel")


class Rollouts(Checkpoint):
    """Runs the rollouts of a recipe's `evaluation:` section every so many steps and after the last one.

    It derives from Lightning's `Checkpoint` so that it is called after the step is saved, and lets last.ckpt take its
    place first: a simulator that takes the whole process down loses no training, and a resumed run does the rollouts
    again. An exception in a rollout is shown and logged; training continues.

    A `ModelCheckpoint` whose `monitor` begins with `eval/` saves right after the rollouts that measured its metric,
    and at no other time, so that the weights it keeps are those that were evaluated.

    Args:
        options: the `evaluation:` section.
        run: the run's folder; None when nothing is kept.
        interrupt: asked during rollouts whether to stop.
        watch: its clock pauses during rollouts.
        page: drawn again after rollouts.
        screen: where results are shown.
    """

    def __init__(
        self,
        options: Evaluation,
        run: RunFolder,
        interrupt: Interrupt,
        watch: Watch,
        page: RunPage,
        screen: Screen,
    ) -> None:
        self.options = options
        self.run = run
        self.interrupt = interrupt
        self.watch = watch
        self.page = page
        self.screen = screen
        self.last: rollouts.Report | None = None
        self.folder: Path | None = None
        self.failed = ""
        self._measured_at = -1
        self._savers: list[ModelCheckpoint] = []

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Create the environment once, so that a missing package or a wrong picture is found before the first step.

        Raises:
            MachineError, RolloutError: the environment cannot be created, or does not fit the policy.
        """
        for callback in trainer.callbacks:
            if isinstance(callback, ModelCheckpoint) and str(callback.monitor).startswith(METRICS):
                callback._every_n_train_steps = callback._every_n_epochs = 0
                callback._train_time_interval = None
                self._savers.append(callback)
        if type(trainer.strategy).__name__.startswith(_SHARDED):
            raise RolloutError(
                f"rollouts need the whole policy in one process, and {type(trainer.strategy).__name__} divides it",
                "leave the section `evaluation` out and evaluate the run afterwards: getiaction evaluate RUN --env …",
            )
        notes: list[str] = []
        failure: Exception | None = None
        if trainer.is_global_zero:
            self.screen.doing(f"creating the environment {self.options.env['type']}")
            try:
                notes = rollouts.check(self.options, self._actor(pl_module))
            except TrainingError as error:
                failure = error
        failure = trainer.strategy.broadcast(failure)
        if failure is not None:
            raise failure
        for note in notes:
            self.screen.say(f"note: {note}")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Run the rollouts in which an earlier part of the run was killed."""
        step, every = trainer.global_step, self.options.every_n_steps
        if not step or not every or step % every:
            return
        measured = trainer.is_global_zero and has_row(self.run.metrics, step - 1, METRICS)
        if not trainer.strategy.broadcast(measured):
            self._measure(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Run the rollouts where they are due."""
        step = trainer.global_step
        if step == self._measured_at or trainer.fit_loop._should_accumulate():
            return
        every = self.options.every_n_steps
        if (every and step % every == 0) or step >= trainer.estimated_stepping_batches:
            self._measure(trainer, pl_module)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """A run that ended early (early stopping, max_time) is measured here, unless a signal ended it."""
        if trainer.global_step and trainer.global_step != self._measured_at:
            self._measure(trainer, pl_module)

    def _measure(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        step = self._measured_at = trainer.global_step
        for callback in trainer.callbacks:
            if isinstance(callback, Checkpoints):
                callback.publish_now(trainer)
        metrics: dict[str, float] = {}
        if trainer.is_global_zero:
            metrics = self._attempt(step, pl_module)
        metrics = trainer.strategy.broadcast(metrics)
        if metrics:
            self._log(trainer, step, metrics)
        if trainer.is_global_zero:
            self.page.update()
        self.watch.resume_clock()

    def _log(self, trainer: L.Trainer, step: int, metrics: dict[str, float]) -> None:
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=step - 1)  # as Lightning counts: the first step is 0
            logger.save()
        # Where ModelCheckpoint and EarlyStopping look; `log` would wait for the next logged step.
        trainer.callback_metrics.update({name: torch.tensor(value) for name, value in metrics.items()})
        for saver in self._savers:
            if not saver._should_skip_saving_checkpoint(trainer):
                candidates = saver._monitor_candidates(trainer)
                saver._save_topk_checkpoint(trainer, candidates)
                saver._save_last_checkpoint(trainer, candidates)

    def _attempt(self, step: int, pl_module: Any) -> dict[str, float]:
        """The metrics; empty when the rollouts failed or were given up."""
        options = self.options
        where = str(options.env["type"])
        if not self.screen.live:
            self.screen.say(f"{options.episodes} rollouts in {where}…")
        folder = self.run.path / ROLLOUTS / f"step_{step:06}"
        try:
            with pl_module.averaged():
                report = rollouts.run(
                    options,
                    self._actor(pl_module),
                    folder=folder,
                    step=step,
                    on_step=self._progress(),
                )
        except StoppedEarly:
            self.screen.say("rollouts stopped before the first episodes were done, because the run is stopping")
            return {}
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}".partition("\n")[0]
            traceback.print_exc()  # into log.txt
            self.screen.say(f"rollouts at step {step} failed, training continues: {self.failed} (see {self.run.log})")
            return {}
        self.failed = ""
        if report.planned is not None:  # not logged: a checkpoint must not be best by fewer episodes
            self.screen.say(f"rollouts at step {step} stopped early, because the run is stopping: {report.line()}")
            return {}
        self.last, self.folder = report, folder
        self.screen.say(f"rollouts at step {step}: {report.line()}")
        return report.metrics

    def _progress(self) -> Callable[[int, int], None]:
        total = self.options.episodes

        def on_step(done: int, step: int) -> None:
            if self.interrupt.asked:
                raise StoppedEarly
            self.watch.show(f"rollouts {done} of {total} done, step {step}")

        return on_step

    def _actor(self, pl_module: Any) -> Actor:
        return Actor(pl_module.lerobot_policy, pl_module.preprocessor, pl_module.postprocessor)
