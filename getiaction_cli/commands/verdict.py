"""Checks before training: prints findings, and exits on errors."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import typer

from getiaction_cli.commands.arguments import quiet
from getiaction_cli.commands.request import TrainRequest
from getiaction_cli.errors import EXIT_FOUND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from getiaction.spec.launch import Launch
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.diagnostics import Diagnostic, Report
    from getiaction_cli.recipe import Recipe

TAKEN = "GA509"  # the rule about an output folder with something in it
MACHINE = "GA5"  # the family of rules about the machine
WORLD = "GA502"  # the rule about the number of processes
SECONDS_FOR_THE_FIRST = 10


def judged(request: TrainRequest, here: Launch, shared: SharedInputs) -> Recipe:
    """The recipe, found clean; otherwise its diagnostics are shown and the run ends here.

    A folder that is given beside the recipe is judged with it, for what its disk can hold, and does not get into it.
    """
    import json

    from getiaction_cli import policies
    from getiaction_cli.checking.recipe_context import RecipeContext
    from getiaction_cli.checking.runner import check
    from getiaction_cli.diagnostics import Severity
    from getiaction_cli.rendering import terminal, text

    recipe = request.read()
    with_folder = recipe
    if request.output_dir and not request.resume:
        folder = ("output_dir", json.dumps(str(request.output_dir)))
        with_folder = replace(request, overrides=(*request.overrides, folder)).read()
    # A later rank may find the folder that the first one has just made, a requeued job its own.
    exists = request.resume or here.rank or here.restarted
    ignore = (*request.ignore, TAKEN) if exists else request.ignore
    context = RecipeContext(with_folder, shared)
    report = check(context, ignore=ignore)
    if request.print_config or request.slurm is not None:  # it may be trained on another machine
        report = _without_machine(report)
    refused = report.overruled + tuple(d for d in report.diagnostics if d.severity is Severity.ERROR)
    report = replace(report, diagnostics=report.overruled + report.diagnostics)
    wrong = replace(report, diagnostics=tuple(d for d in report.diagnostics if d.severity is not Severity.INFO))
    if here.rank > 0 and not report.ok:
        _refuse_later(here, refused)
    silent = here.rank > 0 or (report.ok and quiet())
    if (wrong.diagnostics or not report.complete) and not silent:
        shown = terminal.render([wrong], color=text.wants_color(sys.stderr), columns=text.columns())
        typer.echo(shown, err=True)
    if not report.ok:
        if not silent:
            verb = "printed" if request.print_config else "trained"
            typer.echo(f"nothing was {verb}{_way_on(refused)}", err=True)
        raise typer.Exit(EXIT_FOUND)
    if not report.complete and not request.unchecked:
        error = policies.unreadable()
        error.hint += "\n--unchecked trains without these checks"
        raise error
    if not (silent or request.print_config or request.slurm is not None):
        _say_what_it_needs(context)
    return recipe


def _say_what_it_needs(context: RecipeContext) -> None:
    """Show memory, time and disk, as `validate-config` does."""
    from getiaction_cli.checking.preview import needs
    from getiaction_cli.rendering import terminal, text

    lines = needs(context)
    if lines:
        title = f"{context.recipe.file} needs"
        typer.echo(terminal.rows(title, lines, color=text.wants_color(sys.stderr), columns=text.columns()), err=True)


def _without_machine(report: Report) -> Report:
    """Remove the findings about this machine, because the recipe is trained on another one."""

    def kept(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
        return tuple(d for d in diagnostics if not d.code.startswith(MACHINE))

    return replace(report, diagnostics=kept(report.diagnostics), overruled=kept(report.overruled))


def _way_on(refused: tuple[Diagnostic, ...]) -> str:
    """How to train despite these errors; why that can't be where training stops on one of them."""
    codes = dict.fromkeys(error.code for error in refused)
    stopping = dict.fromkeys(error.code for error in refused if error.stops)
    if not stopping:
        return f"; --ignore {','.join(codes)} trains anyway"
    return f"; {', '.join(stopping)} can't be ignored: training stops on {'it' if len(stopping) == 1 else 'them'}"


def _refuse_later(here: Launch, errors: Sequence[Diagnostic]) -> NoReturn:
    """Exit a later rank whose verdict has errors; one line names them, because the first rank may have found none."""
    if any(error.code != WORLD for error in errors):  # the first rank finds a contradiction to the launcher too
        found = "; ".join(f"{error.code} {error.message}" for error in errors[:1])
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        typer.echo(f"error: {here.naming_itself('does not start')}: {found}{more}", err=True)
    else:
        time.sleep(SECONDS_FOR_THE_FIRST)  # a launcher that sees this rank end first would end the first one unheard
    raise typer.Exit(EXIT_FOUND)
