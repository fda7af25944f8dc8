"""`getiaction train RECIPE --slurm`: write a batch script into a run folder and submit it to SLURM.

The script resumes the run of its folder, so it can be submitted again after a failure. SLURM decides where it runs;
what the recipe asks of a machine is checked there, when training starts.
"""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from getiaction_cli.errors import RunFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from getiaction_cli.recipe import Recipe

_ARRAY = re.compile(r"(?P<name>[\w.-]+)=(?P<values>.+)")
_RANGE = re.compile(r"(\d+)-(\d+)")
MOST_TASKS = 1000
# sbatch's short options, by their long names: a default is left out where the user gives the option in either form.
_LONG = {"J": "job-name", "o": "output", "N": "nodes", "a": "array"}


@dataclass(frozen=True)
class Task:
    """One training of a submission.

    Args:
        folder: its folder inside that of the submission; empty where there is only one.
        recipe: its recipe.
        text: the same as text, overrides written in.
    """

    folder: str
    recipe: Recipe
    text: str


def array(words: str) -> list[tuple[str, str]]:
    """Read `seed=1-5` or `model.learning_rate=1e-4,1e-3` as overrides, one for each task of an array.

    Raises:
        UsageError: it is neither.
    """
    match = _ARRAY.fullmatch(words)
    if match is None:
        raise UsageError(
            f"--array {words} is not an override", "for example: --array seed=1-5, --array steps=1000,2000"
        )
    values = [value.strip() for value in match["values"].split(",")]
    if counted := _RANGE.fullmatch(match["values"]):
        first, last = map(int, counted.groups())
        values = [str(value) for value in range(first, min(last, first + MOST_TASKS) + 1)]
    if not all(values) or not 0 < len(values) <= MOST_TASKS or len(set(values)) < len(values):
        raise UsageError(f"--array {words}: needs 1 to {MOST_TASKS} different values", "for example: --array seed=1-5")
    return [(match["name"], value) for value in values]


def submit(tasks: Sequence[Task], name: str, output_dir: Path | None, words: str, *, dry_run: bool) -> None:
    """Write the run folder with its batch script and submit it; a dry run prints the script and writes nothing.

    Args:
        tasks: what to train; several become an array.
        name: names the runs and the job.
        output_dir: the folder; by default as for a training on this machine.
        words: the user's sbatch options.
        dry_run: only print the script.
    """
    from getiaction.errors import TrainingError
    from getiaction.train import folder

    if dry_run:
        home = output_dir or folder.OUTPUTS / name / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
        typer.echo(script(tasks, name, home.absolute(), words), nl=False)
        return
    if shutil.which("sbatch") is None:
        raise RunFailed(
            "sbatch is not found on this machine", "run it on a login node of the cluster, or add --dry-run"
        )
    try:
        claimed = folder.claim(name, output_dir)
        claimed.release()
        home = claimed.path
        if len(tasks) > 1:
            (home / folder.LOCK).unlink()  # the runs are inside
        for task in tasks:
            (home / task.folder).mkdir(exist_ok=True)
            run = folder.RunFolder(home / task.folder)
            run.hold()
            run.release()
            run.write_recipe(task.text)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    batch = home / "job.sbatch"
    batch.write_text(script(tasks, name, home.absolute(), words), encoding="utf-8")
    done = subprocess.run(["sbatch", "--parsable", str(batch)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(
            f"sbatch refused the job: {done.stderr.strip() or done.stdout.strip()}",
            f"correct {shlex.quote(str(batch))}, then: sbatch {shlex.quote(str(batch))}",
        )
    job = done.stdout.strip().partition(";")[0]
    typer.echo(_next(job, batch, home, len(tasks)))


def script(tasks: Sequence[Task], name: str, home: Path, words: str) -> str:
    """The batch script; arguments as for `submit`, `home` is the absolute path of the folder."""
    given = shlex.split(words)
    defaults = {
        "job-name": name,
        "output": str(home / ("slurm-%A_%a.txt" if len(tasks) > 1 else "slurm-%j.txt")),
        "open-mode": "append",
        "requeue": "",
        "signal": "USR1@120",
        **_processes(tasks[0].recipe, given),
    }
    if len(tasks) > 1:
        defaults["array"] = f"0-{len(tasks) - 1}"
    taken = {_LONG.get(word.lstrip("-")[:1], "") if word[:2] != "--" else word[2:].split("=")[0] for word in given}
    options = [f"--{key}={value}" if value else f"--{key}" for key, value in defaults.items() if key not in taken]
    run = shlex.quote(str(home))
    lines = [
        "#!/bin/bash",
        "# Written by `getiaction train --slurm`. Submitting it again resumes the run.",
        *(f"#SBATCH {_quoted(option)}" for option in options),
        *(f"#SBATCH {shlex.join(option)}" for option in _pairs(given)),
        "",
    ]
    if len(tasks) > 1:
        folders = " ".join(shlex.quote(task.folder) for task in tasks)
        lines += [f"folders=({folders})", f"run={run}/${{folders[$SLURM_ARRAY_TASK_ID]}}"]
    else:
        lines += [f"run={run}"]
    lines += [
        f"cd {shlex.quote(str(Path.cwd()))} || exit",
        "# After SIGUSR1, two minutes before the time limit, training saves and requeues the job, this often at most:",
        "export GETIACTION_MAX_REQUEUES=${GETIACTION_MAX_REQUEUES:-20}",
        'if [ -e "$run/checkpoints/last.ckpt" ]; then',
        '  what=(--resume "$run")',
        "else",
        '  what=("$run/recipe.yaml" --output-dir "$run")',
        "fi",
        f'srun --kill-on-bad-exit=1 {shlex.quote(sys.executable)} -m getiaction_cli train "${{what[@]}}"',
        "",
    ]
    return "\n".join(lines)


def with_seed(recipe: Recipe, text: str) -> str:
    """The text of a recipe with a seed, so that all starts of a job train the same."""
    if recipe.get("seed") is not None:
        return text
    return f"seed: {random.SystemRandom().randrange(2**31)}  # drawn for this run\n{text}"


def _processes(recipe: Recipe, given: Sequence[str]) -> dict[str, str]:
    """One task for each device: as the recipe asks for, else as many as the GPUs that the user's options ask for."""
    asked: dict[str, str] = {}
    nodes, devices = recipe.trainer("num_nodes"), recipe.trainer("devices")
    if isinstance(nodes, int):
        asked["nodes"] = str(nodes)
    gpus = re.search(r"--(?:gpus-per-node|gres)[= ](?:gpu:)?(?:\w+:)?(\d+)\b", " ".join(given))
    if isinstance(devices, int) and devices > 0:
        asked["ntasks-per-node"] = str(devices)
    elif gpus and not any(word.startswith(("--ntasks", "-n")) for word in given):
        asked["ntasks-per-node"] = gpus[1]
    return asked


def _quoted(option: str) -> str:
    key, equals, value = option.partition("=")
    return f"{key}={shlex.quote(value)}" if equals else option


def _pairs(words: Sequence[str]) -> list[list[str]]:
    """Options with their values, each on a line of its own."""
    pairs: list[list[str]] = []
    for word in words:
        if word.startswith("-") or not pairs:
            pairs.append([word])
        else:
            pairs[-1].append(word)
    return pairs


def _next(job: str, batch: Path, home: Path, tasks: int) -> str:
    """What was submitted, and the commands that follow it."""
    log = shlex.quote(str(home / (f"slurm-{job}_0.txt" if tasks > 1 else f"slurm-{job}.txt")))
    what = f"job {job}" + (f", an array of {tasks} runs" if tasks > 1 else "")
    return "\n".join(
        [
            f"submitted   {what}",
            f"script      {batch}",
            f"log         {log}" + (f" to {home}/slurm-{job}_{tasks - 1}.txt" if tasks > 1 else ""),
            "",
            "next",
            "  # follow",
            f"  tail -F {log}",
            "  # see its state",
            f"  squeue --job {job}",
            "  # cancel (a checkpoint is saved)",
            f"  scancel {job}",
            "  # resume after that, or after a failure",
            f"  sbatch {shlex.quote(str(batch))}",
        ]
    )
