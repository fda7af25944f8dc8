"""`getiaction migrate FILE`: another trainer's configuration as a recipe, and what became of each of its keys."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction.files import is_empty
from getiaction_cli.commands.arguments import Format, create, note, quiet
from getiaction_cli.errors import EXIT_FOUND, CheckNotRun, RecipeNotFound, UsageError

if TYPE_CHECKING:
    from getiaction_cli.analysis.migration import Migration
    from getiaction_cli.recipe import Recipe
    from getiaction_cli.recipe.comments import Comments

_STDOUT = Path("-")
_CONFIG = "train_config.json"
# Locations of lerobot-train's configuration in a run folder.
_INSIDE = ("", "pretrained_model", "checkpoints/last/pretrained_model", "last/pretrained_model")


def migrate(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="A configuration (YAML or JSON), a checkpoint's folder, a script, - for standard input; "
            "or a command line after --.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The recipe to write; must not exist; - for stdout."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")] = False,
    format: Annotated[Format, typer.Option("--format", help="How to write the table of keys.")] = Format.TEXT,
) -> None:
    """Write another trainer's configuration as a recipe that trains the same.

    Reads what lerobot-train and LightningCLI (physicalai, the original project) read and write, and the commands that
    start them: getiaction migrate -- lerobot-train --policy.type=act --dataset.repo_id=lerobot/pusht

    Every key of the source is carried over, means nothing here, or cannot be expressed; the table says which and why.

    Exit codes: 0 nothing is lost and the recipe has no errors, 1 something cannot be expressed or the recipe has
    errors (it is written all the same), 2 usage error, 3 the source could not be read.
    """
    from getiaction_cli import policies
    from getiaction_cli.analysis import migration as migrating

    output = output.expanduser() if output is not None else None
    if output is not None and output != _STDOUT and output.exists() and not force and not is_empty(output):
        raise UsageError(f"{output} already exists; not overwritten", "name another file with -o, or add --force")
    recipe, comments = _read(source)
    try:
        migration = migrating.migrate(recipe)
    except policies.Unjudgeable as reason:
        raise policies.unreadable(str(reason)) from None
    if migration is None:
        raise CheckNotRun(f"{recipe.file} is not a configuration of a training that is known here", _other(recipe))
    _write(migration, recipe.file, comments, output, force, format)


def _write(
    migration: Migration, source: str, comments: Comments, output: Path | None, force: bool, format: Format
) -> None:
    from getiaction_cli.checking.recipe_context import RecipeContext
    from getiaction_cli.checking.runner import check
    from getiaction_cli.recipe import read
    from getiaction_cli.rendering import migration as rendering
    from getiaction_cli.rendering import terminal
    from getiaction_cli.rendering.text import clean, columns, wants_color

    file = output or _free_name(migration)
    named = shlex.quote(str(file)) if file != _STDOUT else "recipe.yaml"
    commands = [f"getiaction validate-config {named}", f"getiaction train {named}"]
    text = rendering.recipe_text(migration, source, commands, comments)
    report = check(RecipeContext(read(str(file) if file != _STDOUT else "recipe.yaml", text=text)))
    if file != _STDOUT:
        create(file, text, force=force)
    if format is Format.JSON:
        typer.echo(rendering.to_json(migration, source, str(file), text, report), nl=False)
    else:
        to_stderr = file == _STDOUT
        color = wants_color(sys.stderr if to_stderr else sys.stdout)
        if to_stderr:
            typer.echo(text, nl=False)
        if not quiet():
            typer.echo(rendering.table(migration, color=color, columns=columns()), err=to_stderr)
        if not to_stderr:
            typer.echo(f"wrote {clean(str(file))}\n")
        typer.echo(terminal.render([report], color=color, columns=columns()), nl=False, err=to_stderr)
        note(f"next: {commands[1] if report.ok else commands[0]}")
    if migration.lost or not report.ok:
        raise typer.Exit(EXIT_FOUND)


def _free_name(migration: Migration) -> Path:
    from getiaction_cli.checking.drafting import free_name

    model, data = migration.recipe.get("model"), migration.recipe.get("data")
    arguments = data.get("init_args") if isinstance(data, dict) else None
    class_path = str(model.get("class_path") if isinstance(model, dict) else "policy").rpartition(".")[2]
    named = (model.get("init_args") or {}).get("policy_name") if isinstance(model, dict) else None
    repo_id = arguments.get("repo_id") if isinstance(arguments, dict) else None
    return free_name(str(named or class_path).lower(), str(repo_id or "recipe"))


# -- what is read ------------------------------------------------------------------------------------------------------


def _read(words: list[str]) -> tuple[Recipe, Comments]:
    """Return the configuration in a file, folder, script or command line, and its comments."""
    from getiaction_cli.analysis import training_command
    from getiaction_cli.diagnostics.source import COMMAND_LINE
    from getiaction_cli.recipe import read
    from getiaction_cli.recipe.comments import comments

    if len(words) > 1:
        return _of_command(words, COMMAND_LINE, Path())
    word = words[0]
    path = Path(word).expanduser()
    if word != "-" and not os.path.lexists(path):
        if " " in word:
            return _of_command(_split(word), COMMAND_LINE, Path())
        raise RecipeNotFound(
            f"no file {word}", "name a train_config.json, a YAML configuration, a script, or a folder of a checkpoint"
        )
    recipe = read(str(_in_folder(path)) if word != "-" else word)
    if recipe.findings or not recipe.keys(""):
        command = _split(recipe.text)
        if training_command.is_command(command):
            return _of_command(command, recipe.file, path.parent)
    _must_be_whole(recipe)
    return recipe, comments(recipe)


def _split(text: str) -> list[str]:
    from getiaction_cli.analysis import training_command

    try:
        return training_command.split(text)
    except ValueError as error:
        raise CheckNotRun(f"the command can't be read: {str(error).lower()}", "close its quotes") from None


def _of_command(words: list[str], name: str, folder: Path) -> tuple[Recipe, Comments]:
    from getiaction_cli.analysis import training_command
    from getiaction_cli.recipe import read
    from getiaction_cli.recipe.comments import comments

    command = training_command.parse(words)
    if command is None:
        raise UsageError(
            "the words are neither a file nor a command that trains",
            "`getiaction migrate FILE`, or `getiaction migrate -- lerobot-train --policy.type=act …`",
        )
    if not command.config:
        recipe = read(name, text="{}") if command.lerobot else read(None, overrides=command.overrides)
    else:
        file = next((at for at in (Path(command.config).expanduser(), folder / command.config) if at.exists()), None)
        if file is None:
            raise RecipeNotFound(
                f"there is no file {command.config}, which the command reads",
                f"download it first if it is on the Hub: `hf download {shlex.quote(command.config)} {_CONFIG}`, "
                "and put the path it prints in its place",
            )
        recipe = read(str(_in_folder(file)), overrides=() if command.lerobot else command.overrides)
    _must_be_whole(recipe)
    found = comments(recipe)
    if command.lerobot:
        recipe = training_command.with_arguments(recipe, command.overrides)
        _must_be_whole(recipe)
    return recipe, found


def _in_folder(path: Path) -> Path:
    """Return lerobot-train's configuration in a run folder."""
    try:
        if not path.is_dir():
            return path
        found = next((path / inner / _CONFIG for inner in _INSIDE if (path / inner / _CONFIG).is_file()), None)
    except OSError:
        return path
    if found is None:
        raise RecipeNotFound(f"{path} is a folder without a {_CONFIG}", "name a file, or a folder of a checkpoint")
    return found


def _must_be_whole(recipe: Recipe) -> None:
    """Reject a file that can't be read completely, because its unread part would be lost."""
    errors = [finding for code, finding in recipe.findings if code in ("GA101", "GA102", "GA103")]
    if not errors:
        return
    first = errors[0]
    place = f"{recipe.file}:{first.span.line}" if first.span else recipe.file
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise CheckNotRun(f"{place}: {first.message}{more}", first.help or "fix this line first")


def _other(recipe: Recipe) -> str:
    """What to name instead."""
    if recipe.has("type") and (recipe.has("n_obs_steps") or recipe.has("input_features")):
        return f"this is the configuration of a policy; the {_CONFIG} beside it has the training"
    return "it has neither `policy:` and `dataset:` (lerobot-train) nor `model:` and `data:` (LightningCLI)"
