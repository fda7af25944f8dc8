"""`getiaction train RECIPE [overrides]` and `getiaction fit --config RECIPE [overrides]`.

The recipe is checked first, in half a second. Only then torch, lightning and lerobot are imported, inside `_train`.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from getiaction_cli.commands.arguments import note, quiet, rule_codes
from getiaction_cli.commands.core import one_error, own_screen, prepare_libraries
from getiaction_cli.commands.override_words import LATEST, RECIPE_SUFFIXES
from getiaction_cli.commands.request import TrainRequest, own_text
from getiaction_cli.commands.resuming import check_folder, recipe_of, still_ignoring
from getiaction_cli.commands.verdict import judged
from getiaction_cli.errors import CliError, RunFailed, UsageError
from getiaction_cli.short_forms import route_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from getiaction.spec.launch import Launch
    from getiaction.train.screen import Screen
    from getiaction_cli.recipe import Recipe

_ID = re.compile(r"[\w.-]+/[\w.-]+")


_CONFIG = typer.Option("--config", "-c", metavar="RECIPE", help="A recipe laid over the earlier ones; repeatable.")
_OUTPUT_DIR = typer.Option("--output-dir", help="The run folder; new or empty.", show_default="outputs/RECIPE/TIME")
_RESUME = typer.Option(
    "--resume",
    "--ckpt_path",
    metavar="[RUN]",
    help="Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe.",
    show_default=False,
)
_UNCHECKED = typer.Option("--unchecked", help="Train even if LeRobot could not be read and checks did not run.")
_POLICY = typer.Option(
    "--policy", "-p", metavar="POLICY", help="With a dataset for RECIPE: draft a recipe for this policy and train it."
)
_PRINT_CONFIG = typer.Option(
    "--print-config",
    "--print_config",
    help="Print the recipe with all defaults and where each value comes from, and exit.",
)
_IGNORE = typer.Option("--ignore", metavar="CODES", help="Train despite these findings or families (GA301,GA5).")


_SLURM = typer.Option(
    "--slurm",
    metavar="[OPTIONS]",
    help='Submit the training to SLURM; with options of sbatch, as --slurm "--partition=gpu --gpus-per-node=4".',
    show_default=False,
)
_ARRAY = typer.Option(
    "--array",
    metavar="KEY=VALUES",
    help="With --slurm: one run for each value of an override, as seed=1-5 or steps=1000,2000.",
)
_DRY_RUN = typer.Option("--dry-run", help="With --slurm: print the batch script and submit nothing.")


def train(
    ctx: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A YAML recipe, - for standard input, or a dataset with --policy.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[str | None, _POLICY] = None,
    config: Annotated[list[str] | None, _CONFIG] = None,
    output_dir: Annotated[Path | None, _OUTPUT_DIR] = None,
    resume: Annotated[str | None, _RESUME] = None,
    ignore: Annotated[list[str] | None, _IGNORE] = None,
    unchecked: Annotated[bool, _UNCHECKED] = False,
    print_config: Annotated[bool, _PRINT_CONFIG] = False,
    slurm: Annotated[str | None, _SLURM] = None,
    array: Annotated[str | None, _ARRAY] = None,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Train the policy that a recipe describes.

    Any value of the recipe can be given on the command line: --trainer.max_steps 2000, --model.chunk_size 20,
    --data.repo_id lerobot/pusht. Without a recipe, --model and --dataset are enough; `getiaction train lerobot/pusht
    --policy act` drafts a recipe as `init` does, shows it and trains it.
    """
    request = TrainRequest(
        None, (), None, ctx.obj, output_dir, _resumed(resume), rule_codes(ignore or ()), unchecked, print_config
    )
    files = [*([recipe] if recipe else []), *(config or [])]
    if policy is not None:
        request = _drafted(request, files, policy)
    else:
        _check_is_recipe(files)
        request = _with_files(request, files)
    if slurm is not None:
        _submit(replace(request, slurm=slurm, array=array, dry_run=dry_run))
    elif array is not None or dry_run:
        raise UsageError(f"{'--array' if array else '--dry-run'} needs --slurm", "add --slurm to the command")
    else:
        _run(request)


def fit(
    ctx: typer.Context,
    config: Annotated[list[str] | None, _CONFIG] = None,
    output_dir: Annotated[Path | None, _OUTPUT_DIR] = None,
    resume: Annotated[str | None, _RESUME] = None,
    ignore: Annotated[list[str] | None, _IGNORE] = None,
    unchecked: Annotated[bool, _UNCHECKED] = False,
    print_config: Annotated[bool, _PRINT_CONFIG] = False,
) -> None:
    """Train, with LightningCLI-compatible syntax: `getiaction fit --config RECIPE` is `getiaction train RECIPE`."""
    request = TrainRequest(
        None, (), None, ctx.obj, output_dir, _resumed(resume), rule_codes(ignore or ()), unchecked, print_config
    )
    _run(_with_files(request, config or []))


def _submit(request: TrainRequest) -> None:
    """Check the recipe of each task, except for the machine, which is the compute node, and submit them to SLURM."""
    from getiaction.spec.launch import Launch
    from getiaction.spec.seed import draw, with_seed
    from getiaction.train.folder import runs_of
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.commands import submit, time_limit

    if request.resume is not None:
        raise UsageError(
            "--slurm can't be used with --resume", "submit the script in the run folder: sbatch …/job.sbatch"
        )
    if request.path == "-" and request.array:
        raise UsageError("--array needs a recipe in a file", "save the recipe first")
    if request.path is None and not request.is_described:
        raise UsageError("no recipe was named", "for example: getiaction train quickstart --slurm")
    given = submit.options(request.slurm or "")
    if request.array is None and any(option.name == "array" for option in given):
        raise UsageError(
            "--slurm: every task of sbatch's --array would train the same run",
            "name what differs between the tasks: --array seed=1-5",
        )
    tasks: list[submit.Task] = []
    shared = SharedInputs()
    for override in submit.array(request.array) if request.array else [None]:
        one = replace(request, overrides=(*request.overrides, override) if override else request.overrides)
        recipe = judged(one, Launch(), shared)
        text = own_text(recipe)
        if recipe.get("seed") is None:
            text = with_seed(text, draw())  # all starts of a job train the same
        tasks.append(submit.Task(submit.folder_of(override, tasks) if override else "", recipe, text))
    if said := time_limit.remark(
        RecipeContext(tasks[0].recipe, shared), runs_of(request.name), given, submit.processes(tasks[0].recipe, given)
    ):
        note(said)
    chosen = request.output_dir or tasks[0].recipe.get("output_dir")
    home = Path(str(chosen)).expanduser() if chosen else None
    submit.submit(tasks, request.name, home, given, dry_run=request.dry_run)


def _check_is_recipe(files: list[str]) -> None:
    """Refuse a dataset in place of a recipe, and name the command that trains on it."""
    for word in files:
        if word.endswith(RECIPE_SUFFIXES):
            continue
        is_id = _ID.fullmatch(word) and not os.path.lexists(Path(word).parent)
        if is_id or os.path.isfile(Path(word) / "meta" / "info.json"):  # noqa: PTH113 - False where we may not look
            command = f"getiaction train {shlex.quote(word)} --policy act"
            raise UsageError(f"{word} is not a recipe", f"to train on a dataset, name a policy: {command}")


def _drafted(request: TrainRequest, words: list[str], policy: str) -> TrainRequest:
    """Draft a recipe for a dataset, show it, and return the request with it."""
    from getiaction.spec import launch
    from getiaction.train.screen import follows
    from getiaction_cli import shipped
    from getiaction_cli.checking import drafting
    from getiaction_cli.commands.init import drafted

    given = [text for word, text in request.overrides if (route_of(word) or word) == "data.repo_id"]
    word = next(iter([*words, *reversed(given)]), None)
    if word is None:
        raise UsageError("--policy needs a dataset", "for example: getiaction train getiaction/pusht-demo --policy act")
    if len(words) > 1 or word == "-" or word.endswith(RECIPE_SUFFIXES) or shipped.path_of(word):
        raise UsageError(f"--policy is for a dataset, and {word} is a recipe", "--model changes the policy of a recipe")
    draft, dataset = drafted(word, policy)
    # The commands at its head are for a file.
    lines = [line for line in draft.text.splitlines() if line != "#" and not line.startswith("#     getiaction ")]
    text = "\n".join(lines) + "\n"
    if not (follows() or launch.read().rank or quiet() or request.print_config):
        edit = f"getiaction init {shlex.quote(word)} --policy {draft.policy.name}"
        typer.echo(f"{text}\n# The run folder keeps this recipe. To edit it before training: {edit}\n", err=True)
    return replace(request, path=f"{drafting.name_of(draft.policy.name, dataset.repo_id)}.yaml", text=text)


def _with_files(request: TrainRequest, files: list[str]) -> TrainRequest:
    if "-" in files[:-1]:
        raise UsageError("standard input can only be the last recipe", "name the recipe for - behind the others")
    return replace(request, path=files[-1] if files else None, under=tuple(files[:-1]))


def _resumed(word: str | None) -> str | None:
    """What --resume or LightningCLI's --ckpt_path names; `last` is the latest run's last checkpoint."""
    if word in ("null", "None", ""):
        return None
    if word == "best":
        raise UsageError("training is resumed from the last checkpoint", "--resume without a value, or with its file")
    return LATEST if word == "last" else word


def _run(request: TrainRequest) -> None:
    from getiaction.spec import launch

    here = launch.read()
    screen = own_screen()
    try:
        _run_here(request, here, screen)
    except CliError as error:
        error.message = here.naming_itself(error.message)
        if here.rank > 0:
            screen.alarm(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        raise


def _run_here(request: TrainRequest, here: Launch, screen: Screen) -> None:
    from getiaction.train import folder
    from getiaction.train.screen import follows
    from getiaction_cli import shipped
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.checking.resolved import resolved

    if follows():  # a rank that Ctrl-C ends here would leave the first one waiting
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    if request.path is None and not request.is_described:
        if request.resume == LATEST:
            raise UsageError(
                "--resume without a value needs a recipe", "name the run: getiaction train --resume outputs/…"
            )
        if request.resume is None:
            raise UsageError("no recipe was named", "for example: getiaction train quickstart")
    name = request.name
    if request.resume == LATEST:
        found = folder.latest(name)
        if found is None:
            raise RunFailed(
                f"no run of {name} can be resumed: none in outputs/{name} has checkpoints/last.ckpt",
                "without --resume, the same command starts a new run",
            )
        request = replace(request, resume=str(found))
    if request.path is None and request.resume is not None:
        path, name = recipe_of(request.resume)
        request = replace(request, path=path)
    request = still_ignoring(request)
    # A run that continues has its folder already, also where its recipe names it.
    shared = SharedInputs()
    recipe = request.read() if follows() else judged(request, here, shared)  # the first rank judges for this machine
    complete = resolved(RecipeContext(recipe, shared)) if here.rank == 0 else ""
    if request.print_config:
        typer.echo(complete, nl=False)
        return
    _check_launch(recipe, here)
    check_folder(name, recipe, request.output_dir, request.resume, here)
    home = (shipped.path_of(recipe.file) or Path(recipe.file)).parent
    _train(recipe, name, (shipped.with_schema_found(own_text(recipe), home), complete), request, screen)


def _check_launch(recipe: Recipe, here: Launch) -> None:
    """Stop a SLURM batch script that starts one process where its job has several tasks."""
    if here.launcher == "sbatch" and here.tasks > 1:
        raise RunFailed(
            f"the SLURM job has {here.tasks} tasks, and this is 1 process, which srun did not start",
            "put srun before the command: srun getiaction train …",
        )


def _train(recipe: Recipe, name: str, texts: tuple[str, str], request: TrainRequest, screen: Any) -> None:
    """Train: the first import of torch, lightning and lerobot. `texts` are the recipe and the resolved recipe."""
    import gc

    from getiaction.spec import slurm
    from getiaction.spec.launch import rank
    from getiaction_cli.commands import run_report
    from getiaction_cli.rendering import text as rendered

    gc.set_threshold(700)  # Python's own: in training, garbage may hold memory of the GPU
    prepare_libraries()
    try:
        with one_error("training", "train"), screen.taken():
            screen.doing("starting")
            from getiaction.train import run

            try:
                summary = run.train(
                    recipe.plain(),
                    recipe_name=name,
                    recipe_text=texts[0],
                    resolved_text=texts[1],
                    output_dir=request.output_dir,
                    resume=request.resume,
                    screen=screen,
                    draw=run_report.write,
                    ignored=request.ignore,
                )
            except run.Interrupted as interrupted:
                code = _stopped_at_once(interrupted, screen)
                _requeue(interrupted.signum, screen.say)
                raise typer.Exit(code) from None
    except KeyboardInterrupt:
        typer.echo("stopped before the first step; nothing was kept", err=True)
        raise typer.Exit(128 + signal.SIGINT) from None
    if summary.stopped_by is None:
        slurm.ignore_signals()
    if rank() == 0:
        typer.echo(summary.text(rendered.columns() if sys.stdout.isatty() else None))
        if summary.stopped_by is not None:
            _requeue(summary.stopped_by, lambda line: typer.echo(line, err=True))
            raise typer.Exit(128 + summary.stopped_by)


def _requeue(signum: int, say: Callable[[str], None]) -> None:
    """In a SLURM job: requeue it after a signal of SLURM's, once everything is saved."""
    from getiaction.spec import launch, slurm

    here = launch.read()
    if not here.in_slurm or here.rank > 0 or signum not in slurm.SIGNALS:
        return
    try:
        slurm.requeue(say)
    except slurm.RequeueError as error:
        if str(error):
            say(str(error))


def _stopped_at_once(interrupted: Any, screen: Any) -> int:
    """Print how to resume a run that could not finish its step; return the exit code."""
    from getiaction.spec.launch import rank

    if interrupted.folder:
        resume = f"getiaction train --resume {shlex.quote(str(interrupted.folder))}"
        saved = (interrupted.folder / "checkpoints/last.ckpt").is_file()
        how = f"resume from the last checkpoint: {resume}" if saved else "there was no checkpoint yet to resume from"
        screen.say(f"stopped in the middle of a step; {how}")
    else:
        screen.say("stopped before the first step; nothing was kept")
    # Another rank's failure would make Lightning kill the first, which is still saving.
    return 128 + int(interrupted.signum) if rank() == 0 else 0
