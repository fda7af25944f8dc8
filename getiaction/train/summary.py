"""The result of a run, as values and as the text a user reads."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import torch

from getiaction.spec.batches import Batches
from getiaction.spec.next_commands import after_training, longer
from getiaction.train.checkpoints import VAL_LOSS, Best, Checkpoints
from getiaction.train.folder import RunFolder
from getiaction.train.metrics import MetricsFile
from getiaction.train.progress import Watch, number, rate, sparkline
from getiaction.train.screen import wrapped


@dataclass(frozen=True)
class Summary:
    """What was trained, how it went and where it is.

    Args:
        policy: the policy's class name.
        parameters: how many numbers are learned.
        dataset: its id.
        episodes: how many were trained on.
        frames: how many were trained on.
        steps: optimizer steps done so far, over all parts of the run.
        part_steps: how many of them this part of a resumed run did.
        planned: optimizer steps that the recipe asks for (inf when it names no end).
        first_loss: training loss at the first step, smoothed as everywhere (`progress.Watch`).
        final_loss: training loss at the end, smoothed.
        best: what best.ckpt is.
        resumable: whether the run has checkpoints.
        losses: the course of the training loss.
        samples_per_second: over all ranks, validation left out.
        seconds: training time, over all parts of the run.
        part_seconds: training time of this part.
        waited: seconds of this part in which training waited for data.
        peak_memory: most bytes that tensors took on the GPU; None on a CPU.
        step: what an optimizer step trained on.
        device: as "cpu" or "2 x cuda".
        folder: the run folder; None when nothing was kept (`fast_dev_run`).
        stopped_by: the signal that ended it early, after everything was saved.
        averaged: validation, rollouts and pretrained_model/ use averaged weights (`ema`).
        longer: the override that makes the run twice as long.
        rollouts: the last ones, in words; empty where the recipe asks for none.
        environment: the type that they ran in; empty where the recipe asks for none.
        uploaded: the address of the policy on the Hub; empty where it was not uploaded.
        logged: the pages or commands that show what the recipe's loggers have.
    """

    policy: str
    parameters: int
    dataset: str
    episodes: int
    frames: int
    steps: int
    part_steps: int
    planned: float
    first_loss: float
    final_loss: float
    best: Best | None
    resumable: bool
    losses: tuple[float, ...]
    samples_per_second: float
    seconds: float
    waited: float
    peak_memory: int | None
    part_seconds: float
    step: Batches
    device: str
    folder: RunFolder | None
    stopped_by: int | None
    averaged: bool
    longer: str
    rollouts: str = ""
    environment: str = ""
    uploaded: str = ""
    logged: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        trainer: L.Trainer,
        policy: Any,
        data: Any,
        watch: Watch,
        folder: RunFolder | None,
        stopped_by: int | None,
    ) -> Summary:
        """Gather what the run left behind in its objects."""
        if folder is not None and not watch.started:
            watch.total = trainer.global_step  # a finished run, resumed: nothing was left to do
        saved = next((c for c in trainer.callbacks if isinstance(c, Checkpoints)), None)
        episodes, frames = _trained_on(data)
        return cls(
            policy=policy_name(policy),
            parameters=trained_parameters(policy),
            dataset=data.train_dataset.meta.repo_id,
            episodes=episodes,
            frames=frames,
            steps=trainer.global_step,
            part_steps=trainer.global_step - watch.begun_at if watch.started else 0,
            planned=watch.total,
            first_loss=watch.first_loss,
            final_loss=watch.final_loss(trainer),
            best=(saved.best or Best.read(saved.folder)) if saved and saved.saves else None,
            resumable=saved is not None and saved.saves,
            losses=tuple(watch.losses.values) if watch.started else (),
            samples_per_second=watch.samples_per_second,
            seconds=watch.seconds,
            waited=getattr(trainer.train_dataloader, "waited", 0.0),
            peak_memory=_peak_memory(trainer),
            part_seconds=watch.part_seconds,
            step=Batches(data.train_batch_size, trainer.accumulate_grad_batches, trainer.world_size),
            device=watch.device,
            folder=folder,
            stopped_by=stopped_by,
            averaged=policy.averaging is not None,
            longer=longer(trainer.max_steps, trainer.max_epochs),
            rollouts=_rollouts(trainer),
            environment=_environment(trainer),
            logged=tuple(filter(None, map(page, trainer.loggers))) if trainer.is_global_zero else (),
        )

    def text(self, columns: int | None = None) -> str:
        """The closing report: what, how well, where, and what to do next.

        Args:
            columns: the width of the terminal; None where there is none, and nothing is broken into lines.
        """
        rows = [
            ("trained" if self.stopped_by is None else "stopped", self._steps()),
            ("policy", f"{self.policy}, {count(self.parameters)} parameters"),
            ("dataset", f"{self.dataset}: {many(self.episodes, 'episode')}, {many(self.frames, 'frame')}"),
        ]
        if self.losses:
            rows += [("speed", self._speed()), ("loss", self._loss())]
        if self.rollouts:
            rows.append(("rollouts", self.rollouts))
        if self.folder is None:
            rows.append(("kept", "nothing: fast_dev_run keeps no files"))
            return table(rows, columns)
        if self.resumable:
            rows.append(("checkpoint", str(self.folder.last)))
            rows.append(("best", f"{self.folder.best} (step {self.best.step})" if self.best else "none yet"))
        else:
            rows.append(("checkpoint", "none: enable_checkpointing is false"))
        rows += [
            ("export", f"{self.folder.pretrained_model}/ (LeRobot's format{', averaged weights' * self.averaged})"),
        ]
        if self.folder.report.is_file():
            rows.append(("report", f"{self.folder.report} (open it in a browser)"))
        if self.uploaded:
            rows.append(("uploaded", self.uploaded))
        rows += [("logged", logged) for logged in self.logged]
        following = "".join(f"\n  # {reason}\n  {command}" for reason, command in self.next_commands())
        return f"{table(rows, columns)}\n\nnext{following}"

    def next_commands(self) -> list[tuple[str, str]]:
        """What may be done now, and the command for it; empty after `fast_dev_run`."""
        if self.folder is None:
            return []
        return after_training(
            str(self.folder.path),
            dataset=self.dataset,
            environment=self.environment,
            rolled_out=bool(self.rollouts),
            stopped=self.stopped_by is not None,
            resumable=self.resumable,
            longer=self.longer,
        )

    def _steps(self) -> str:
        if not self.losses and self.stopped_by is None:
            return f"already finished: {many(self.steps, 'step')} were done before, and the recipe sets no more"
        early = self.steps < self.planned and math.isfinite(self.planned)
        done = f"{self.steps:,} of {many(round(self.planned), 'step')}" if early else many(self.steps, "step")
        whole = f"{done} in {timedelta(seconds=round(self.seconds))}"
        if self.part_steps == self.steps:
            return whole
        return f"{whole} ({self.part_steps:,} of them after resuming, in {timedelta(seconds=round(self.part_seconds))})"

    def _speed(self) -> str:
        parts = [f"{rate(self.samples_per_second)} on {self.device}", f"steps of {self.step}"]
        if self.part_seconds:
            parts.append(f"{min(self.waited / self.part_seconds, 1):.0%} of the time waiting for data")
        if self.peak_memory is not None:
            parts.append(f"{self.peak_memory / 2**30:.1f} GiB of GPU memory at most")
        return ", ".join(parts)

    def _loss(self) -> str:
        if len(self.losses) < 2:
            return number(self.first_loss)
        course = f"{number(self.first_loss)} → {number(self.final_loss)}  {sparkline(list(self.losses), 24)}"
        if self.best is None:
            return course
        averaged = " of the averaged weights" if self.averaged else ""
        kind = f"validation{averaged}" if self.best.of == VAL_LOSS else "training"
        return f"{course}  best {number(self.best.loss)} ({kind}, step {self.best.step})"


def page(logger: L.pytorch.loggers.Logger) -> str:
    """Where what a logger has can be seen: an address, a command or a folder; empty for metrics.csv."""
    if isinstance(logger, MetricsFile):
        return ""
    kind = type(logger).__name__
    if kind == "MLFlowLogger":
        uri, run = str(getattr(logger, "_tracking_uri", "")), f"experiments/{logger.experiment_id}/runs/{logger.run_id}"
        return (
            f"{uri.rstrip('/')}/#/{run}"
            if uri.startswith("http")
            else f"mlflow ui --backend-store-uri {shlex.quote(uri)}"
        )
    experiment = getattr(logger, "experiment", None)
    url = getattr(experiment, "url", None)
    if isinstance(url, str) and url:
        return url
    folder = str(getattr(logger, "log_dir", None) or logger.save_dir or "")
    if kind == "WandbLogger" and experiment is not None:
        return f"wandb sync {shlex.quote(str(Path(experiment.dir).parent))}"
    return f"tensorboard --logdir {shlex.quote(folder)}" if kind == "TensorBoardLogger" else folder


def describe_policy(policy: Any) -> str:
    """As "ACT (1.3 M parameters)", or "SmolVLA (2.1 M of 450 M parameters, weights averaged)"."""
    trained, every = trained_parameters(policy), sum(parameter.numel() for parameter in policy.parameters())
    of_all = "" if trained == every else f" of {count(every)}"
    averaged = ", weights averaged" if policy.averaging else ""
    return f"{policy_name(policy)} ({count(trained)}{of_all} parameters{averaged})"


def describe_data(data: Any) -> str:
    """As "lerobot/pusht (206 episodes, 25,650 frames)"."""
    episodes, frames = _trained_on(data)
    apart = data.frames_apart
    slower = apart > 1 or any(entry.frames_apart > 1 for entry in data.entries)
    acts = f", to act at {data.meta.fps / apart:g} Hz" if slower else ""
    return f"{data.train_dataset.meta.repo_id} ({many(episodes, 'episode')}, {many(frames, 'frame')}{acts})"


def count(number: int) -> str:
    """Format a large number: 1.3 M, 450 M, 3.1 B."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            value = number / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return str(number)


def many(number: int, one: str, several: str = "") -> str:
    """As "1 step" and "2,000 steps"; `several` is a plural that does not end in one `s` more."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def table(rows: list[tuple[str, str]], columns: int | None = None) -> str:
    """Names on the left, values on the right, broken between words where the terminal ends."""
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{wrapped(value, columns, width)}" for name, value in rows)


def policy_name(policy: Any) -> str:
    """As "ACT"; a plugin by its policy name."""
    name = type(policy).__name__
    return f"{name} {policy.policy_name}" if name == "LeRobotPolicy" else name


def trained_parameters(policy: L.LightningModule) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in policy.parameters() if parameter.requires_grad)


def _peak_memory(trainer: L.Trainer) -> int | None:
    device = trainer.strategy.root_device
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def _trained_on(data: Any) -> tuple[int, int]:
    dataset = data.train_dataset
    return dataset.num_episodes, dataset.num_frames


def _rollouts(trainer: L.Trainer) -> str:
    """What the policy did in simulation after the last step, where the recipe asked for that."""
    ran = _callback(trainer)
    if ran is None:
        return ""
    if ran.failed:
        return f"failed: {ran.failed}"
    if ran.last is None:
        return ""
    filmed = any(episode.video for episode in ran.last.episodes)
    return f"{ran.last.line()} in {ran.options.env['type']}" + (f"; videos in {ran.folder}/" if filmed else "")


def _environment(trainer: L.Trainer) -> str:
    ran = _callback(trainer)
    return str(ran.options.env["type"]) if ran else ""


def _callback(trainer: L.Trainer) -> Any:
    from getiaction.train.rollouts import Rollouts

    return next((callback for callback in trainer.callbacks if isinstance(callback, Rollouts)), None)
