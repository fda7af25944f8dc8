"""`getiaction fetch RECIPE…`: download what training needs, so that it starts on a machine without a network."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction_cli.commands.arguments import note, quiet
from getiaction_cli.errors import EXIT_FOUND, RunFailed, UsageError

if TYPE_CHECKING:
    from getiaction_cli.checking.recipe_context import RecipeContext

MACHINE = "GA5"  # the family of rules about the machine: training may take place on another one
NOT_CACHED = ("GA142", "GA507", "GA540")  # no dataset, no weights or no data in the caches
LIMIT_S = 3600  # to build the policy, including downloads by libraries


def fetch(
    ctx: typer.Context,
    recipes: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE...", help="Recipes, or names of shipped ones.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is missing and its size; fetch nothing.")
    ] = False,
) -> None:
    """Download what recipes need: dataset, pretrained weights, tokenizers, processors and backbones.

    Everything goes into the caches that training reads. Afterwards the dataset's files are looked up and the policy is
    built without the network. A download that broke off continues where it stopped. --dry-run reads the dataset's
    metadata only.

    Exit codes: 0 fetched, 1 a recipe has errors, 2 usage error, 3 could not fetch.
    """
    from getiaction.spec.dataset_location import tilde
    from getiaction.spec.hub_cache import is_offline
    from getiaction_cli.analysis.downloads import downloads
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.commands.core import prepare_libraries
    from getiaction_cli.recipe import read
    from getiaction_cli.rendering.downloads import overview
    from getiaction_cli.rendering.progress import Progress
    from getiaction_cli.units import size

    if not recipes:
        raise UsageError("no recipe was named", "for example: getiaction fetch recipe.yaml")
    words = shlex.join(recipes)
    prepare_libraries()
    shared = SharedInputs()
    contexts = [RecipeContext(read(path, overrides=ctx.obj or ()), shared) for path in recipes]
    if is_offline():
        _require_right(contexts, but=NOT_CACHED)
        _require_cached(contexts, f"HF_HUB_OFFLINE=0 getiaction fetch {words}")
        typer.echo(overview([], {}))
        return
    _require_right(contexts)
    # Two recipes that need the same files fetch them once.
    found = [download for context in contexts for download in downloads(context.recipe, context.fit)]
    wanted = list({(download.what, download.files): download for download in found}.values())
    free = {download.folder: shared.machine.free_space(download.folder) for download in wanted}
    typer.echo(overview(wanted, free))
    for folder, room in free.items():
        needed = sum(download.bytes or 0 for download in wanted if download.folder == folder)
        if room is not None and needed > room:
            raise RunFailed(
                f"{tilde(folder)} has no room for {size(needed)}: {size(room)} are free",
                "free space, or choose another disk with HF_HOME, HF_LEROBOT_HOME and TORCH_HOME",
            )
    if dry_run:
        typer.echo("nothing was fetched: this was a dry run", err=True)
        return
    progress = Progress(quiet=quiet())
    began = time.monotonic()
    try:
        for download in wanted:
            download.fetch(progress)
    finally:
        progress.clear()
    for context in contexts:
        _check(context)
    if wanted:
        typer.echo(f"fetched in {time.monotonic() - began:.0f} s")
    typer.echo(f"\nnext\n  # train without the network\n  HF_HUB_OFFLINE=1 getiaction train {shlex.quote(recipes[0])}")


def _require_cached(contexts: Sequence[RecipeContext], command: str) -> None:
    """Check the caches where HF_HUB_OFFLINE forbids downloads.

    Raises:
        RunFailed: something is missing; the hint has the command that fetches it.
    """
    from getiaction_cli.checking.runner import check

    lacking: list[str] = []
    for context in contexts:
        found = [finding.message for finding in check(context).diagnostics if finding.code in NOT_CACHED]
        if not found:
            note(f"checking that {context.recipe.file} loads without the network…")
            found = [missing] if (missing := _missing(context, offline=True)) else []
        lacking += [f"{context.recipe.file}: {message}" for message in found]
    if lacking:
        raise RunFailed("\n       ".join(lacking), f"on a machine with a network, such as the login node: {command}")


def _require_right(contexts: Sequence[RecipeContext], but: tuple[str, ...] = ()) -> None:
    """Show what is wrong with the recipes, `but` for these codes; with an error, nothing is fetched."""
    from getiaction_cli.checking.runner import check
    from getiaction_cli.rendering import terminal, text

    wrong = [report for report in (check(context, ignore=(MACHINE, *but)) for context in contexts) if not report.ok]
    if wrong:
        typer.echo(terminal.render(wrong, color=text.wants_color(sys.stderr), columns=text.columns()), err=True)
        typer.echo("nothing was fetched", err=True)
        raise typer.Exit(EXIT_FOUND)


def _check(context: RecipeContext) -> None:
    """Load what training loads in a process that may not ask the Hub.

    What that process misses is loaded once with the network, so that the libraries fetch it themselves.
    """
    from getiaction_cli.analysis.model_size import parameters
    from getiaction_cli.diagnostics import Unavailable
    from getiaction_cli.policies import Unjudgeable
    from getiaction_cli.units import size

    name = context.recipe.file
    try:
        needed = 4 * (parameters(context.fit.policy) or 0)
    except (Unavailable, Unjudgeable):
        needed = 0
    memory = context.machine.memory
    if memory is not None and needed > memory:
        typer.echo(
            f"{name}: not checked: building the policy takes {size(needed)} of memory, this machine has {size(memory)}",
            err=True,
        )
        return
    note(f"checking that {name} loads without the network…")
    missing = _missing(context, offline=True)
    if missing and not _missing(context, offline=False):
        missing = _missing(context, offline=True)
    if missing:
        raise RunFailed(f"{name} does not load without the network: {missing}", "is that file on the Hub?")
    typer.echo(f"{name}: loads without the network")


def _missing(context: RecipeContext, *, offline: bool) -> str:
    """Return why the recipe's dataset and policy can't be loaded; empty if they can."""
    done = subprocess.run(
        [sys.executable, "-m", "getiaction.train.preload"],
        input=json.dumps(context.recipe.plain(), default=str),
        env={**os.environ, "HF_HUB_OFFLINE": str(int(offline))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""
