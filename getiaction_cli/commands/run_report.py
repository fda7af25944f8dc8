"""Writes report.html of a run folder from the files in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from getiaction import trust
from getiaction.files import write_atomically
from getiaction.spec.run_folder import EVALUATION, REPORT
from getiaction_cli.commands.arguments import note

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation
    from getiaction_cli.diagnostics import Report
    from getiaction_cli.runs import Run

_MAX_RECIPE = 1 << 20


def write(folder: Path, run: Run | None = None) -> None:
    """Write the page, of the run as it was already read; an existing one is replaced.

    Raises:
        OSError: the folder is not writable.
    """
    from getiaction_cli import runs
    from getiaction_cli.rendering import run_html

    try:
        recipe = trust.read_bytes(folder / "recipe.yaml", _MAX_RECIPE).decode("utf-8", errors="replace")
    except OSError:
        recipe = ""
    drawn = run_html.render(run or runs.read(folder), runs.rollouts(folder), runs.evaluation(folder), recipe)
    write_atomically(folder / REPORT, drawn)


def draw(folder: Path, run: Run | None = None) -> None:
    """Write the page and report where it is; a folder that is not writable is left alone."""
    try:
        write(folder, run)
    except OSError as error:
        typer.echo(f"{folder / REPORT} could not be written: {error.strerror}", err=True)
    else:
        note(f"wrote {folder / REPORT}")


def keep_evaluation(folder: Path, measured: Evaluation, report: Report) -> None:
    """Keep an evaluation on the run's own dataset in the run folder, and draw the page again."""
    from getiaction_cli import runs
    from getiaction_cli.rendering import evaluation_json

    try:
        run = runs.read(folder)
        write_atomically(folder / EVALUATION, evaluation_json.dump(measured, report, run.steps))
    except OSError as error:
        typer.echo(f"{folder / EVALUATION} could not be written: {error.strerror}", err=True)
        return
    draw(folder, run)
