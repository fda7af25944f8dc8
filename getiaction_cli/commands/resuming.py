"""The run folder that a training continues or takes: checked before torch is imported."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from getiaction_cli.commands.arguments import quiet
from getiaction_cli.commands.request import TrainRequest
from getiaction_cli.errors import CliError, RunFailed, UsageError

if TYPE_CHECKING:
    from getiaction.spec.launch import Launch
    from getiaction.train.folder import RunFolder
    from getiaction_cli.recipe import Recipe


def still_ignoring(request: TrainRequest) -> TrainRequest:
    """The request, which ignores what the run was started despite, too; one line names what is added."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder
    from getiaction.train.screen import follows

    if request.resume is None:
        return request
    try:
        run, _ = folder.resumable(request.resume)
    except TrainingError:
        return request  # reported when the folder is taken
    added = [code for code in (run.ignored if run else ()) if not code.startswith(request.ignore or ("-",))]
    if added and not (follows() or quiet()):
        typer.echo(f"still ignored, as when the run was started: {', '.join(added)}", err=True)
    return replace(request, ignore=(*request.ignore, *added))


def check_folder(name: str, recipe: Recipe, output_dir: Path | None, resume: str | None, here: Launch) -> None:
    """A folder that can't be used or resumed stops the run before torch is imported."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder
    from getiaction.train.job import Job

    chosen = output_dir or recipe.get("output_dir")
    try:
        if resume is not None:
            run, _ = folder.resumable(resume)
            if run is not None and here.rank == 0:
                folder.check_free(run.path)
        elif here.rank == 0 and not recipe.trainer("fast_dev_run", False):
            job = Job.this(here, recipe.plain())
            folder.check(name, Path(str(chosen)).expanduser() if chosen else None, job)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    except OSError as error:
        raise RunFailed(
            f"{error.filename} can't be used: {error.strerror}", "choose another place with --output-dir"
        ) from None


def recipe_of(resume: str) -> tuple[str, str]:
    """The recipe that a run was started with, and its name."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder

    try:
        run, checkpoint = folder.resumable(resume)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    if run is None:
        raise UsageError(f"{checkpoint} is not in a run folder", f"name its recipe too: train RECIPE --resume {resume}")
    _repair_recipe(run, checkpoint)
    return str(run.recipe), run.path.resolve().parent.name


def _repair_recipe(run: RunFolder, checkpoint: Path | None) -> None:
    """Write recipe.yaml anew from the checkpoint, where it is missing or was cut off; keep the damaged file.

    Raises:
        RunFailed: the recipe can't be read, and there is no checkpoint that holds it.
    """
    from getiaction.files import write_atomically

    if _is_recipe(run.recipe):
        return
    text = None
    if checkpoint is not None:
        typer.echo(f"{run.recipe} is missing or damaged: reading the recipe that {checkpoint.name} holds…", err=True)
        from getiaction.train.checkpoints import recipe_inside

        text = recipe_inside(checkpoint)
    if text is None:
        raise RunFailed(
            f"{run.recipe} is missing or damaged, and no checkpoint holds the recipe",
            f"name the recipe: getiaction train RECIPE --resume {shlex.quote(str(run.path))}",
        )
    if run.recipe.is_file() and run.recipe.stat().st_size:
        damaged = run.recipe.with_name(f"{run.recipe.name}.damaged")
        run.recipe.replace(damaged)
        typer.echo(f"the damaged recipe is kept as {damaged}", err=True)
    write_atomically(run.recipe, text)


def _is_recipe(path: Path) -> bool:
    """Whether the file can be read as a recipe at all, right or wrong."""
    from getiaction_cli.recipe import read

    try:
        recipe = read(str(path))
    except CliError:
        return False
    return not recipe.broken and {"model", "data"} <= set(recipe.plain())
