"""Whether the time limit of a SLURM job is enough for the training that it runs."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from getiaction.spec import slurm
from getiaction_cli.commands.submit import SAVING_S
from getiaction_cli.diagnostics import Unavailable
from getiaction_cli.gpus import find
from getiaction_cli.units import duration, plural

if TYPE_CHECKING:
    from getiaction_cli.checking.recipe_context import RecipeContext
    from getiaction_cli.commands.submit import Option
    from getiaction_cli.recipe import Recipe
    from getiaction_cli.runs import Run

_DAYS = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?")
_RATE = "train/samples_per_second"
_GPU_OPTIONS = ("gres", "gpus", "gpus-per-node", "gpus-per-task")
# What decides how long a step takes, and what of it does not.
_SPEED = ("model.", "data.", "trainer.precision")
_OTHER = (
    "data.init_args.root",
    "data.init_args.episodes",
    "data.init_args.val_split",
    "model.init_args.learning_rate",
)
_NEWEST_RUNS = 10


def remark(context: RecipeContext, runs: Path, given: Sequence[Option], processes: int) -> str:
    """What to say about a time limit; empty where it is enough, or where none is given.

    Args:
        context: the recipe.
        runs: the folder with earlier runs of the recipe.
        given: the user's options of sbatch.
        processes: how many processes the job starts.
    """
    limit = seconds_of(given)
    if limit is None:
        return ""
    saving = 0 if any(option.name == "signal" for option in given) else SAVING_S
    if limit <= saving:
        return f"a time limit of {duration(limit)} leaves no time to train: SIGUSR1 comes {duration(saving)} before it"
    estimate = _estimate(context, runs, given, processes)
    if estimate is None:
        return (
            f"the time limit of {duration(limit)} is not compared with the time of training, which is known after "
            f"a first run, or after `getiaction validate-config {shlex.quote(context.name)} --measure` for a GPU "
            "whose type is named, as in --gres=gpu:a100:1"
        )
    least, most, source = estimate
    if most <= limit:
        return ""
    long = duration(least) if least == most else f"{duration(least)} to {duration(most)}"
    verb = "is" if least > limit else "may be"
    said = f"the time limit of {duration(limit)} {verb} shorter than the training: {long} {source}"
    if any(option.name == "no-requeue" for option in given):
        return f"{said}; the job ends at the limit, and its script resumes the run when it is submitted again"
    times, cap = math.ceil(most / (limit - saving)) - 1, slurm.max_requeues(os.environ)
    if times > cap:
        return f"{said}; that takes {times:,} requeues, of {cap} at most: set {slurm.MAX_REQUEUES_VARIABLE}={times}"
    return f"{said}; the job is requeued and resumes, up to {plural(times, 'time')}"


def seconds_of(given: Sequence[Option]) -> int | None:
    """The value of `--time` in the forms of sbatch(1); None for no limit, or for a value that sbatch refuses."""
    text = next((option.value for option in reversed(given) if option.name == "time"), "")
    if match := _DAYS.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        hours += 24 * days
    else:
        parts = text.split(":")
        if len(parts) > 3 or not all(part.isdecimal() for part in parts):
            return None
        numbers = [int(part) for part in parts]
        hours, minutes, seconds = numbers if len(numbers) == 3 else (0, *numbers, 0)[:3]
    return hours * 3600 + minutes * 60 + seconds or None


def type_of(given: Sequence[Option]) -> str:
    """The type of GPU that the options name, as "a100" in `--gres=gpu:a100:4`; empty where they name none."""
    for option in given:
        if option.name in _GPU_OPTIONS:
            kinds = re.findall(r"(?:^|[,:])([A-Za-z][\w.-]*)(?=:\d)", option.value)
            if option.name == "gres":
                kinds = re.findall(r"(?:^|,)gpu:([A-Za-z][\w.-]*)", option.value)
            if kinds:
                return str(kinds[0])
    return ""


def _estimate(
    context: RecipeContext, runs: Path, given: Sequence[Option], processes: int
) -> tuple[float, float, str] | None:
    """The shortest and the longest time of all steps, and where they come from; None where they are unknown."""
    from getiaction_cli.analysis.training_need import by_arithmetic, steps_of, training_need

    try:
        fit = context.get("fit")
    except Unavailable:
        return None
    kind = type_of(given)
    card = find(re.sub(r"[_.-]", " ", kind)) if kind else None
    steps = steps_of(fit, replace(fit.step, processes=processes))
    if not steps or context.recipe.data("train_batch_size") == "auto":
        return None
    on_gpus = any(option.name in _GPU_OPTIONS for option in given)
    samples = steps * fit.batch_size * fit.step.accumulated
    if measured := _measured(context.recipe, runs, samples, kind, on_gpus=on_gpus):
        return measured
    computed = training_need(fit, context.machine, "", card).seconds(steps) if card else None
    return (*computed, by_arithmetic(card)) if card and computed else None


def _measured(recipe: Recipe, runs: Path, samples: int, kind: str, *, on_gpus: bool) -> tuple[float, float, str] | None:
    """The time at the speed of the newest run that trained the same on such a device; None without one.

    Args:
        recipe: the recipe.
        runs: the folder with its earlier runs.
        samples: how many each process trains on.
        kind: the type of GPU that is asked for; empty where it is unknown.
        on_gpus: GPUs are asked for.
    """
    from getiaction_cli.runs import by_route

    wanted = _speed(by_route(recipe.plain()))
    for run in _newest(runs):
        rates = [value for _, value in run.metrics.get(_RATE, []) if value > 0]
        hardware, processes = run.part("hardware"), run.part("batch").get("processes")
        if not rates or type(processes) is not int or processes < 1 or _speed(run.settings) != wanted:
            continue
        gpu = hardware.get("gpu")
        if (on_gpus and not gpu) or not _words(kind) <= _words(str(gpu)):
            continue
        rate = median(rates) / processes
        seconds = samples / rate
        return seconds, seconds, f"at {rate:,.3g} samples/s a process, as in {run.path} on {gpu or 'the CPU'}"
    return None


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))


def _newest(runs: Path) -> Iterator[Run]:
    from getiaction_cli.runs import is_run, read

    folders = [path for path in runs.iterdir() if is_run(path)] if runs.is_dir() else []
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[:_NEWEST_RUNS]:
        yield read(folder)


def _speed(values: dict[str, Any]) -> dict[str, Any]:
    """What of a recipe decides how long a step takes."""
    return {route: value for route, value in values.items() if route.startswith(_SPEED) and route not in _OTHER}
