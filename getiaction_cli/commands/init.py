"""`getiaction init DATASET --policy act`: a recipe for this dataset and this policy that validates clean and trains."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from getiaction.files import is_empty
from getiaction_cli.commands.arguments import create, note, policy_named, say
from getiaction_cli.control import clean
from getiaction_cli.errors import EXIT_FOUND, CheckNotRun, CliError, UsageError

if TYPE_CHECKING:
    from getiaction_cli.checking.drafting import Draft
    from getiaction_cli.checking.recipe_context import SharedInputs
    from getiaction_cli.datasets.dataset import Dataset

_STDOUT = Path("-")


def init(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset on the Hub, or its folder.")],
    policy: Annotated[
        str | None,
        typer.Option("--policy", "-p", metavar="POLICY", help="Policy (prompts if omitted)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The recipe to write; must not exist; - for stdout."),
    ] = None,
) -> None:
    """Write a recipe that trains a policy on a dataset.

    Settings that the dataset requires (a crop for small images, a horizon for short episodes) are written, each with
    its reason.
    """
    output = output.expanduser() if output is not None else None  # shells don't expand the ~ of --output=~/recipe.yaml
    if output is not None and output.exists() and not is_empty(output):
        raise UsageError(f"{output} already exists; not overwritten", "name another file with -o")
    chosen, found = drafted(dataset, policy)
    _write(chosen, found, output)


def drafted(dataset: str, policy: str | None) -> tuple[Draft, Dataset]:
    """Draft the recipe of a policy for a dataset.

    Args:
        dataset: an id or a folder.
        policy: the policy's name; None to ask on the terminal.

    Raises:
        CliError: the dataset or the policy is not there, or the installed LeRobot cannot be read.
        typer.Exit: the policy can't train on the dataset; the reasons are shown.
    """
    from getiaction_cli import datasets, policies
    from getiaction_cli.checking.recipe_context import SharedInputs

    found = datasets.read(datasets.locate(dataset, folders=True))
    shared = SharedInputs()
    shared.add(found)
    chosen = _named(policy, found, shared) if policy else _asked(found, shared)
    if chosen.unreadable:
        raise policies.unreadable(chosen.unreadable)
    if not chosen.trainable:
        _refuse(chosen, found)
    return chosen, found


def _named(name: str, dataset: Dataset, shared: SharedInputs) -> Draft:
    from getiaction_cli.checking import drafting

    policy = policy_named(name)
    if not policy.trainable:
        raise UsageError(
            f"{policy.name} can't be trained from demonstrations: {policy.why_not}", "choose another policy"
        )
    return drafting.draft(dataset, policy, shared)


def _asked(dataset: Dataset, shared: SharedInputs) -> Draft:
    """The policy that the user picks among those that fit; without a terminal, a UsageError names them."""
    from getiaction_cli.checking import drafting

    judged = drafting.drafts(dataset, shared)
    fitting = [draft for draft in judged if draft.trainable]
    if not fitting and (unreadable := next((draft for draft in judged if draft.unreadable), None)):
        return unreadable
    if not fitting:
        raise CheckNotRun(
            f"no policy can train on {dataset.repo_id} as it is",
            f"`getiaction list-policies --for {shlex.quote(dataset.place.argument)}` says why",
        )
    names = [draft.policy.name for draft in fitting]
    if not sys.stdin.isatty():
        raise UsageError(
            "missing option '--policy': the input is not a terminal, so that the policy can't be asked for",
            f"for example: getiaction init {shlex.quote(dataset.place.argument)} --policy {names[0]}\n"
            f"policies that can train on it: {', '.join(names)}",
        )
    typer.echo(clean(f"Policies that can train on {dataset.repo_id}:"), err=True)
    for number, draft in enumerate(fitting, 1):
        typer.echo(_choice(number, draft), err=True)
    if not all(_ready(draft) for draft in fitting):
        shown = f"`getiaction list-policies --for {shlex.quote(dataset.place.argument)}` shows it"
        note(f"* needs something that is not on this machine; {shown}", "  ")
    return fitting[_answer(names)]


def _choice(number: int, draft: Draft) -> str:
    """Format a policy on one line, so that the list and the question fit on a screen of 24 lines."""
    from getiaction_cli.rendering.text import columns, cut

    mark = " " if _ready(draft) else "*"
    return cut(f"  {number:>2} {mark}{draft.policy.name:<15} {draft.policy.summary}", columns() - 1)


def _ready(draft: Draft) -> bool:
    """True if this machine has everything that the policy needs."""
    return draft.policy.installed and not draft.machine


def _answer(names: list[str]) -> int:
    """Ask until the answer is in the list; its place in it.

    Raises:
        typer.Abort: the input ended, or Ctrl-C.
    """
    while True:
        typer.echo(f"Which one (number or name) [{names[0]}]: ", nl=False, err=True)
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        if not line:  # Ctrl-C or Ctrl-D
            typer.echo("\ncancelled; nothing was written", err=True)
            raise typer.Abort
        answer = line.strip().lower() or names[0]
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return int(answer) - 1
        if answer in names:
            return names.index(answer)
        typer.echo(clean(f"{line.strip()!r} is not in the list; enter 1 to {len(names)} or a name"), err=True)


def _refuse(draft: Draft, dataset: Dataset) -> NoReturn:
    """Report why a policy can't train on a dataset, and exit."""
    reasons = "".join(
        f"\n  - {reason.code}: {reason.message}" + (f"; {reason.help}" if reason.help else "")
        for reason in draft.reasons
    )
    say(
        CliError(
            f"{draft.policy.name} can't train on {dataset.repo_id}:{reasons}",
            f"`getiaction list-policies --for {shlex.quote(dataset.place.argument)}` shows which policies can",
        )
    )
    raise typer.Exit(EXIT_FOUND)


def _write(draft: Draft, dataset: Dataset, output: Path | None) -> None:
    from getiaction_cli.checking import drafting

    file = output or drafting.free_name(draft.policy.name, dataset.repo_id)
    if file == _STDOUT:
        typer.echo(draft.text, nl=False)
    else:
        create(file, drafting.with_name(draft.text, file))
        typer.echo(f"wrote {clean(str(file))}")
    for change in draft.changes:
        title = change.fix.title if change.fix else change.message
        note(f"  set for this dataset: {title} ({change.code})", "    ")
    for lacking in draft.machine:
        note(f"  on this machine: {lacking.message}" + (f"; {lacking.help}" if lacking.help else ""), "    ")
    if file != _STDOUT:
        note(f"next: getiaction validate-config {shlex.quote(str(file))}")
