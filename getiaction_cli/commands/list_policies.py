"""`getiaction list-policies`: the policies, the parameters of each, and which of them can train on a dataset."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from getiaction_cli.commands.arguments import Format, note, policy_named
from getiaction_cli.errors import CheckNotRun, UsageError

if TYPE_CHECKING:
    from getiaction_cli.policies import PolicyClass


def list_policies(
    name: Annotated[
        str | None, typer.Argument(metavar="[POLICY]", help="One policy, with all its parameters.", show_default=False)
    ] = None,
    grep: Annotated[
        str, typer.Option("--grep", metavar="WORD", help="Only parameters matching WORD.", show_default=False)
    ] = "",
    dataset: Annotated[
        str | None,
        typer.Option("--for", metavar="DATASET", help="Show which can train on this dataset (an id or a folder)."),
    ] = None,
    installed: Annotated[bool, typer.Option("--installed", help="Only those whose packages are installed.")] = False,
    trainable: Annotated[bool, typer.Option("--trainable", help="Only those that learn from demonstrations.")] = False,
    output: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
) -> None:
    """List the policies, what they read, need and download.

    With a name: its parameters with type, default and LeRobot's own words on them, its timing, and a recipe.
    """
    from getiaction_cli import policies
    from getiaction_cli.installed import install_command

    if not policies.names():
        raise CheckNotRun("LeRobot is not installed here", install_command(f"lerobot=={policies.TESTED}"))
    if grep and name is None:
        raise UsageError("--grep searches the parameters of one policy", "getiaction list-policies act --grep chunk")
    if name is not None and dataset is not None:
        raise UsageError(
            "a policy and --for don't go together",
            f"getiaction init {shlex.quote(dataset)} --policy {shlex.quote(name)}",
        )
    chosen = [policy_named(name)] if name is not None else [policies.load(known) for known in policies.names()]
    chosen = [
        policy
        for policy in chosen
        if (policy.trainable or not trainable) and (policy.installed or not installed)
    ]  # fmt: skip
    if dataset is not None:
        _for(dataset, chosen, output)
        return
    from getiaction_cli.rendering import policies as rendering
    from getiaction_cli.rendering.text import columns, wants_color

    if output is Format.JSON:
        typer.echo(rendering.to_json(chosen, _lerobot(), _cached(chosen), grep=grep), nl=False)
    elif name is not None and chosen:
        shown = rendering.render_one(chosen[0], grep=grep, columns=columns(), color=wants_color())
        typer.echo(shown, nl=False)
    else:
        shown = rendering.render_all(chosen, _cached(chosen), columns=columns(), color=wants_color())
        typer.echo(shown, nl=False)
        if chosen:
            note("")
            note(f"`getiaction list-policies {chosen[0].name}` shows its parameters, timing and a recipe.")
    if unreadable := next((each.unreadable for each in chosen if each.unreadable and not each.entry.plugin), ""):
        raise policies.unreadable(unreadable)


def _for(name: str, chosen: list[PolicyClass], output: Format) -> None:
    from getiaction_cli import datasets, policies
    from getiaction_cli.checking import drafting
    from getiaction_cli.checking.recipe_context import SharedInputs
    from getiaction_cli.rendering import policies as rendering
    from getiaction_cli.rendering.text import columns, wants_color

    found = datasets.read(datasets.locate(name, folders=True))
    shared = SharedInputs()
    shared.add(found)
    wanted = {policy.name for policy in chosen if policy.trainable}
    drafts = [draft for draft in drafting.drafts(found, shared) if draft.policy.name in wanted]
    rows: dict[str, dict[str, Any]] = {
        draft.policy.name: {
            "trainable": draft.trainable,
            "changes": [
                {"code": change.code, "change": change.fix.title if change.fix else "", "reason": change.message}
                for change in draft.changes
            ],
            "reasons": [
                {"code": reason.code, "reason": reason.message, "help": reason.help} for reason in draft.reasons
            ],
            "unreadable": draft.unreadable,
            "machine": [{"code": lack.code, "reason": lack.message, "help": lack.help} for lack in draft.machine],
        }
        for draft in drafts
    }
    ordered = [draft.policy for draft in drafts]
    if output is Format.JSON:
        typer.echo(rendering.to_json(ordered, _lerobot(), _cached(ordered), by_policy=rows), nl=False)
    else:
        shown = rendering.render_for(found.repo_id, ordered, rows, columns=columns(), color=wants_color())
        typer.echo(shown, nl=False)
        dataset = shlex.quote(found.place.argument)
        note("")
        if first := next((draft.policy.name for draft in drafts if draft.trainable), ""):
            note(f"`getiaction init {dataset} --policy {first}` writes a recipe for it.")
        else:
            note(f"`getiaction inspect-dataset {dataset}` shows what is wrong with the dataset.")
    if unreadable := next((draft.unreadable for draft in drafts if draft.unreadable), ""):
        raise policies.unreadable(unreadable)


def _cached(policies: Sequence[PolicyClass]) -> dict[str, bool | None]:
    from getiaction_cli.analysis import weights
    from getiaction_cli.machine import probe

    machine = probe()
    return {policy.name: weights.are_cached(policy, machine) for policy in policies}


def _lerobot() -> str:
    from importlib.metadata import version

    return version("lerobot")
