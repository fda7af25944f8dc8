"""Estimate memory, time and disk space of a recipe's training, from a cached measurement or by arithmetic."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from getiaction.spec import memory
from getiaction.spec.batches import Batches
from getiaction.spec.memory import Need, Setting
from getiaction_cli.analysis.model_size import parameters
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.gpus import Card, find
from getiaction_cli.machine import Machine
from getiaction_cli.policies import Unjudgeable, size
from getiaction_cli.recipe import Recipe
from getiaction_cli.units import duration
from getiaction_cli.units import size as in_bytes

# Seconds to launch one operation (best and worst case), from three policies' steps on an H100 (docs/memory.md), and the
# share of the datasheet's throughput that a step reaches.
LAUNCH = (5e-6, 15e-6)
REACHED = (1.0, 0.25)


@dataclass(frozen=True)
class TrainingNeed:
    """The needs of a recipe on a device.

    Attributes:
        fit: The recipe on its dataset.
        card: The GPU; None for the CPU.
        memory: Bytes of the device's memory; None when unknown.
    """

    fit: Fit
    card: Card | None
    memory: int | None

    @cached_property
    def need(self) -> Need | None:
        """The cached measurement for this policy configuration; None without one."""
        fit = self.fit
        features = {key: feature.raw for key, feature in fit.dataset.features.items()}
        return memory.load(memory.cache_key(fit.recipe.plain(), features, fit.dataset.fps or 0))

    @cached_property
    def setting(self) -> Setting:
        """The settings that memory depends on."""
        step = self.fit.step
        return Setting(gpu=self.card is not None, accumulated=step.accumulated > 1, processes=step.processes)

    @cached_property
    def least(self) -> int | None:
        """Bytes without activations, by arithmetic; None if the number of parameters is unknown."""
        count = self.parameters
        return memory_of(self.fit.recipe, count, gpu=self.card is not None) if count else None

    @cached_property
    def parameters(self) -> int | None:
        """Number of parameters of the policy; None if unknown."""
        try:
            return parameters(self.fit.policy)
        except Unjudgeable:
            return None

    @cached_property
    def room(self) -> int | None:
        """Bytes that tensors may take."""
        return None if self.memory is None else memory.usable_bytes(self.memory, gpu=self.card is not None)

    @property
    def largest(self) -> int | None:
        """The largest batch size that fits; None without a measurement."""
        if self.need is None or self.room is None:
            return None
        return self.need.largest(self.room, self.setting)

    def lines(self, name: str) -> Iterator[tuple[str, str]]:
        """The lines of the preview, as (label, text)."""
        on = self.card.name if self.card else "this machine"
        held = f"; {on} has {in_bytes(self.memory)}" if self.memory else ""
        kind = "GPU memory" if self.card else "memory"
        if self.need is None:
            if self.least:
                yield (
                    kind,
                    (
                        f"at least {in_bytes(self.least)} for weights, gradients and optimizer{held}; "
                        f"with activations: getiaction validate-config {shlex.quote(name)} --measure"
                    ),
                )
        else:
            need, batch = self.need, self.fit.batch_size
            parts = [("weights", need.weights), ("gradients", need.gradients), ("optimizer", need.optimizer)]
            parts += [("averaged weights", need.average)] if need.average else []
            parts += [("activations and gradients", need.activations(batch))]
            breakdown = ", ".join(f"{part} {in_bytes(count)}" for part, count in parts)
            yield (
                kind,
                f"about {in_bytes(need.peak(batch, self.setting))} at batch {batch} ({breakdown}; measured){held}",
            )
            if self.largest is not None:
                samples = int(self.fit.samples.sum())
                fits = f"{self.largest:,} fits {on}" if self.largest else f"not even one sample fits {on}"
                fits = f"all {samples:,} samples of an epoch fit {on}" if self.largest >= samples > 0 else fits
                fits += f"; train_batch_size {batch:,} does not" if self.largest < batch else ""
                yield "largest batch", fits
        if hours := self.hours():
            yield "time", hours
        yield from self._disk()

    def seconds(self, steps: int) -> tuple[float, float] | None:
        """The shortest and the longest time of a number of steps, by arithmetic; None if unknown."""
        need = self.need
        if need is None or self.card is None or self.card.flops is None or not steps:
            return None
        work = need.flops * self.fit.batch_size * self.fit.step.accumulated / self.card.flops
        launched = need.operations * self.fit.step.accumulated
        least, most = (
            steps * (work / reached + launched * launch) for reached, launch in zip(REACHED, LAUNCH, strict=True)
        )
        return least, most

    def hours(self) -> str:
        """The time of all steps, as a range; empty if unknown."""
        seconds = self.seconds(steps_of(self.fit, self.fit.step))
        if seconds is None or self.card is None:
            return ""
        return f"{duration(seconds[0])} to {duration(seconds[1])} {by_arithmetic(self.card)}"

    def _disk(self) -> Iterator[tuple[str, str]]:
        parts = []
        count, recipe = self.parameters, self.fit.recipe
        if checkpoints := checkpoints_of(recipe, count):
            parts.append(f"up to {in_bytes(checkpoints[1])} for checkpoints")
        plan = self.fit.frames_plan
        if plan is not None and plan.method == "store":
            parts.append(f"{in_bytes(plan.bytes)} for decoded frames")
        if parts:
            yield "disk", " and ".join(parts)


def training_need(fit: Fit, machine: Machine, accelerator: str, card: Card | None = None) -> TrainingNeed:
    """The needs of a recipe on a named GPU, or on the device that it trains on here.

    Args:
        fit: the recipe on its dataset.
        machine: this machine.
        accelerator: the accelerator that the recipe uses here.
        card: a GPU, not necessarily of this machine.
    """
    if card is None and accelerator == "cuda" and machine.gpus:
        smallest = min(machine.gpus, key=lambda gpu: gpu.memory or 0)
        known = find(smallest.name) or Card(smallest.name, 0)
        card = Card(smallest.name, smallest.memory or known.memory, known.flops, known.bandwidth)
    return TrainingNeed(fit, card, (card.memory or None) if card else machine.memory)


def by_arithmetic(card: Card) -> str:
    """A text that explains the origin of an estimated time."""
    return f"on {card.name}, by arithmetic and its datasheet, not measured"


def steps_of(fit: Fit, step: Batches) -> int:
    """Number of optimizer steps of a recipe, each of size `step`; 0 if the recipe does not limit them."""
    steps, epochs = fit.recipe.trainer("max_steps", -1), fit.recipe.trainer("max_epochs")
    if isinstance(steps, int) and steps > 0:
        return steps
    return epochs * step.steps(int(fit.samples.sum())) if isinstance(epochs, int) else 0


def memory_of(recipe: Recipe, count: int, *, gpu: bool) -> int:
    """The minimum bytes to train a policy with `count` parameters with the recipe's settings."""
    adapters, averaged = (bool(recipe.get(f"model.init_args.{name}")) for name in ("peft", "ema"))
    return size.training_bytes(count, adapters=adapters, averaged=averaged, gpu=gpu)


def checkpoints_of(recipe: Recipe, count: int | None) -> tuple[int, int] | None:
    """The minimum and maximum bytes of the checkpoints of a run.

    Args:
        recipe: the recipe.
        count: number of parameters of its policy; None if unknown.

    Returns:
        None if the number is unknown, or the run saves no checkpoint of the whole policy: adapters are small.
    """
    if not count or recipe.trainer("fast_dev_run") or recipe.trainer("enable_checkpointing") is False:
        return None
    if recipe.get("model.init_args.peft"):
        return None
    return size.checkpoint_bytes(count, averaged=bool(recipe.get("model.init_args.ema")))
