"""The options of `validate-config` that use the training core: `--measure` and `--smoke`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from getiaction_cli.commands.core import own_screen, prepare_libraries
from getiaction_cli.errors import RunFailed

if TYPE_CHECKING:
    from getiaction_cli.recipe import Recipe


def measure(recipe: Recipe) -> None:
    """Measure what a step of a recipe's training needs, and keep it.

    Raises:
        RunFailed: it can't be measured.
    """
    from getiaction.errors import TrainingError

    prepare_libraries()
    screen = own_screen()
    try:
        with screen.taken():
            screen.doing("measuring the memory of a step")
            from getiaction.train import memory

            memory.need_of(recipe.plain())
            screen.still()
    except TrainingError as error:
        raise RunFailed(f"{recipe.file} can't be measured: {error.message}", error.hint) from error


def smoke(recipe: Recipe) -> str:
    """Train two small batches of a recipe with the real policy on the CPU, and print the result on one line.

    Raises:
        RunFailed: it does not train.
    """
    from getiaction.errors import TrainingError

    prepare_libraries()
    screen = own_screen()
    try:
        with screen.taken():
            screen.doing("starting")
            from getiaction.train import run
            from getiaction.train.smoke import shrunk

            name = Path(recipe.file).stem
            summary = run.train(shrunk(recipe.plain()), recipe_name=name, recipe_text="", screen=screen)
    except TrainingError as error:
        raise RunFailed(f"{recipe.file} does not train: {error.message}", error.hint) from error
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError) as error:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        said = (str(error).strip() or "no reason given").splitlines()[0]
        hint = "no rule finds this yet: please report the recipe; --debug shows where it failed"
        raise RunFailed(f"{recipe.file} does not train: {type(error).__name__}: {said}", hint) from error
    losses = ", ".join(f"{loss:.4g}" for loss in summary.losses)
    return f"trains: {summary.policy} on {summary.dataset}, {summary.steps} steps on the CPU, loss {losses}"
