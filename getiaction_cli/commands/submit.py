"""`getiaction train RECIPE --slurm`: write a batch script into a run folder and submit it to SLURM.

The script resumes the run of its folder, so it can be submitted again after a failure. SLURM decides where it runs;
what the recipe asks of a machine is checked there, when training starts.
"""

from __future__ import annotations

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

from getiaction.spec import launch
from getiaction_cli.errors import RunFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from getiaction_cli.recipe import Recipe

_ARRAY = re.compile(r"(?P<name>[\w.-]+)=(?P<values>.+)")
_RANGE = re.compile(r"(\d+)-(\d+)")
MOST_TASKS = 1000
SAVING_S = 120  # the job is asked to save, by SIGUSR1, so long before its time limit
# sbatch's short options that take a value, from sbatch(1); those that are read here, by their long names.
_SHORT_WITH_VALUE = "AabDcCdeFGiJLmMnNopqStwxB"
_LONG = {
    "a": "array",
    "c": "cpus-per-task",
    "G": "gpus",
    "J": "job-name",
    "n": "ntasks",
    "N": "nodes",
    "o": "output",
    "t": "time",
}

# The number of GPUs in the value of an option: `4`, `a100:4`, `gpu:a100:4,tmp:9`.
_GPUS = {
    "gpus": re.compile(r"^(?:[^:,]+:)?(\d+)$"),
    "gpus-per-node": re.compile(r"^(?:[^:,]+:)?(\d+)$"),
    "gres": re.compile(r"(?:^|,)gpu:(?:[^:,]+:)?(\d+)"),
}


@dataclass(frozen=True)
class Option:
    """One option of sbatch.

    Args:
        name: its long name, or the letter of an option that has no meaning here.
        value: its value; empty for a flag.
        words: as the user wrote it.
    """

    name: str
    value: str
    words: tuple[str, ...]


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


def folder_of(override: tuple[str, str], tasks: Sequence[Task]) -> str:
    """The folder of the next task of an array, named after its override; none of the tasks before has it."""
    name = re.sub(r"[^\w.+=-]+", "-", "=".join(override))[:100]
    taken = {task.folder for task in tasks}
    return name if name not in taken else f"{name}.{len(tasks)}"


def options(text: str) -> list[Option]:
    """Read the options of sbatch behind --slurm.

    Raises:
        UsageError: they are not options.
    """
    example = 'for example: --slurm "--partition=gpu --time=8:00:00"'
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"--slurm {text}: a quotation mark is not closed", example) from None
    if not text.isprintable():
        raise UsageError("--slurm: the options of sbatch must be on one line", example)
    found = []
    while words:
        word = words.pop(0)
        if not word.lstrip("-") or not word.startswith("-"):
            raise UsageError(f"--slurm: `{word}` is not an option of sbatch", example)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            separate = not equals and bool(words) and not words[0].startswith("-")
        else:
            name, value = _LONG.get(word[1], word[1]), word[2:]
            separate = word[1] in _SHORT_WITH_VALUE and not value and bool(words)
        if separate:
            value = words.pop(0)
        found.append(Option(name, value, (word, value) if separate else (word,)))
    return found


def submit(
    tasks: Sequence[Task], name: str, output_dir: Path | None, given: Sequence[Option], *, dry_run: bool
) -> None:
    """Write the run folder with its batch script and submit it; a dry run prints the script and writes nothing.

    Args:
        tasks: what to train; several become an array.
        name: names the runs and the job.
        output_dir: the folder; by default as for a training on this machine.
        given: the user's options of sbatch.
        dry_run: only print the script.

    Raises:
        UsageError: a name would be more than one line of the script.
        RunFailed: the run folder can't be claimed, or sbatch refuses the job.
    """
    from getiaction.errors import TrainingError
    from getiaction.train import folder

    for text in (name, str((output_dir or Path()).absolute())):
        if not text.isprintable():  # sbatch ends an option at the end of a line, and the shell runs the next one
            raise UsageError(
                f"{text!r} contains a line break or another control character, and would be part of a batch script",
                "rename the recipe or folder, or add --output-dir with another one",
            )
    if dry_run:
        home = output_dir or folder.OUTPUTS / name / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
        typer.echo(script(tasks, name, home.absolute(), given), nl=False)
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
    batch.write_text(script(tasks, name, home.absolute(), given), encoding="utf-8")
    done = subprocess.run(["sbatch", "--parsable", str(batch)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailed(
            f"sbatch refused the job: {done.stderr.strip() or done.stdout.strip()}",
            f"correct {shlex.quote(str(batch))}, then: sbatch {shlex.quote(str(batch))}",
        )
    job = done.stdout.strip().partition(";")[0]
    log = next((option.value for option in given if option.name == "output"), _output(home, len(tasks)))
    typer.echo(_next(job, batch, log, len(tasks)))


def script(tasks: Sequence[Task], name: str, home: Path, given: Sequence[Option]) -> str:
    """The batch script; arguments as for `submit`, `home` is the absolute path of the folder."""
    defaults = {
        "job-name": name,
        "output": _output(home, len(tasks)),
        "open-mode": "append",
        "requeue": "",
        "signal": f"USR1@{SAVING_S}",
        **_processes(tasks[0].recipe, given),
    }
    if len(tasks) > 1:
        defaults["array"] = f"0-{len(tasks) - 1}"
    taken = {option.name for option in given}
    if "no-requeue" in taken:
        taken.add("requeue")
    default_lines = [f"--{key}={value}" if value else f"--{key}" for key, value in defaults.items() if key not in taken]
    run = shlex.quote(str(home))
    lines = [
        "#!/bin/bash",
        "# Written by `getiaction train --slurm`. Submitting it again resumes the run.",
        *(f"#SBATCH {_quoted(option)}" for option in default_lines),
        *(f"#SBATCH {shlex.join(option.words)}" for option in given),
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
        *(
            ["export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK  # srun does not inherit it"]
            if "cpus-per-task" in taken
            else []
        ),
        f'srun --kill-on-bad-exit=1 {shlex.quote(sys.executable)} -m getiaction_cli train "${{what[@]}}"',
        "",
    ]
    return "\n".join(lines)


def _processes(recipe: Recipe, given: Sequence[Option]) -> dict[str, str]:
    """One task for each device: as the recipe asks for, else as many as the GPUs that the user's options ask for."""
    asked: dict[str, str] = {}
    nodes, devices = recipe.trainer("num_nodes"), launch.count_devices(recipe.trainer("devices"))
    if isinstance(nodes, int):
        asked["nodes"] = str(nodes)
    if devices:
        asked["ntasks-per-node"] = str(devices)
    elif not any(option.name.startswith("ntasks") for option in given):
        for option in given:
            if option.name in _GPUS and (gpus := _GPUS[option.name].search(option.value)):
                asked["ntasks" if option.name == "gpus" else "ntasks-per-node"] = gpus[1]
    return asked


def processes(recipe: Recipe, given: Sequence[Option]) -> int:
    """How many processes the job starts."""
    asked = {**_processes(recipe, given), **{option.name: option.value for option in given}}

    def number(name: str) -> int:
        first = re.match(r"[1-9]\d*", asked.get(name, ""))
        return int(first[0]) if first else 1

    return number("ntasks") if "ntasks" in asked else number("nodes") * number("ntasks-per-node")


def _output(home: Path, tasks: int) -> str:
    """sbatch's pattern for the logs of a submission."""
    return str(home).replace("%", "%%") + ("/slurm-%A_%a.txt" if tasks > 1 else "/slurm-%j.txt")


def _quoted(option: str) -> str:
    key, equals, value = option.partition("=")
    return f"{key}={shlex.quote(value)}" if equals else option


def _next(job: str, batch: Path, log: str, tasks: int) -> str:
    """What was submitted, and the commands that follow it; `log` is a pattern of sbatch's."""

    def log_of(task: int) -> str:
        names = {"%%": "%", "%j": job, "%A": job, "%a": str(task)}
        return shlex.quote(re.sub("%[%jAa]", lambda match: names[match[0]], log))

    first, last = log_of(0), log_of(tasks - 1)
    what = f"job {job}" + (f", an array of {tasks} runs" if tasks > 1 else "")
    return "\n".join(
        [
            f"submitted   {what}",
            f"script      {batch}",
            f"log         {first}" + (f" to {last}" if tasks > 1 else ""),
            "",
            "next",
            "  # follow",
            f"  tail -F {first}",
            "  # see its state",
            f"  squeue --job {job}",
            "  # cancel (a checkpoint is saved)",
            f"  scancel {job}",
            "  # resume after that, or after a failure",
            f"  sbatch {shlex.quote(str(batch))}",
        ]
    )
