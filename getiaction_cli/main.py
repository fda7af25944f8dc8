"""The front door: registers the commands, and turns an error into one line, a hint and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from getiaction_cli.commands import (
    explain,
    frame_stores,
    init,
    inspect_dataset,
    list_policies,
    schema,
    train,
    validate_config,
)
from getiaction_cli.errors import EXIT_COULD_NOT_LOOK, CliError, UsageError


class Shell(StrEnum):
    """The shells that there is completion for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


app = typer.Typer(
    name="getiaction",
    help="Train robot policies by imitation from one YAML recipe, and know what is wrong with it before the GPU does.",
    epilog="Start here: getiaction train recipes/quickstart.yaml",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,  # ours knows recipes, policies and override keys, and starts no Typer
    rich_markup_mode=None,  # rich help costs 0.4 s more than plain help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(
            f"getiaction {version('getiaction')} (lerobot {version('lerobot')}, lightning {version('lightning')})"
        )
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and what libraries log.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say only what was asked for and what went wrong.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show versions and exit.")
    ] = False,
    install_completion: Annotated[
        bool, typer.Option("--install-completion", help="Install completion for your shell and exit.")
    ] = False,
    show_completion: Annotated[
        bool, typer.Option("--show-completion", help="Print the completion script for your shell and exit.")
    ] = False,
    shell: Annotated[
        Shell | None, typer.Option("--shell", help="Completion for this shell, not for the one in use.")
    ] = None,
) -> None:
    # The commands, their helpers and the processes that training starts all read these two the same way.
    if debug:
        os.environ["GETIACTION_DEBUG"] = "1"
    if quiet:
        os.environ["GETIACTION_QUIET"] = "1"
    if install_completion or show_completion:
        from getiaction_cli.completion.install import install, script, shell_in_use

        typer.echo((install if install_completion else script)(app, shell or shell_in_use()), nl=install_completion)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        raise UsageError("no command was named", "`getiaction --help` lists them")


app.command("train", cls=train.TrainCommand)(train.train)
app.command("fit", short_help="Train, in the words of LightningCLI.", cls=train.TrainCommand)(train.fit)
app.command("init")(init.init)
app.command("validate-config", short_help="Say everything that is wrong with recipes.", cls=train.TrainCommand)(
    validate_config.validate_config
)
app.command("inspect-dataset", short_help="Show what is in a dataset and what is broken.")(
    inspect_dataset.inspect_dataset
)
app.command("list-policies")(list_policies.list_policies)
app.command("frame-stores")(frame_stores.frame_stores)
app.command("schema", short_help="Print a JSON Schema of recipes for editors.")(schema.schema)
app.command("explain", short_help="Explain what a rule finds and how to mend it.")(explain.explain)


def _everywhere(words: list[str]) -> list[str]:
    """``--quiet`` and ``--debug`` mean the same behind a command as before it."""
    end = words.index("--") if "--" in words else len(words)
    moved = [word for word in words[:end] if word in ("--quiet", "-q", "--debug")]
    return moved + [word for word in words[:end] if word not in moved] + words[end:]


def main() -> None:
    """Run the command line and exit with the documented code."""
    # Starting makes many objects and leaves none behind: looking for garbage meanwhile costs 5 %. Training undoes it.
    gc.set_threshold(50_000)
    try:
        app(_everywhere(sys.argv[1:]))
    except CliError as error:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        typer.echo(error.text, err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        typer.echo(f"error: getiaction itself failed: {type(error).__name__}: {error}", err=True)
        typer.echo("hint: the same command with `getiaction --debug …` shows where; please report it", err=True)
        sys.exit(EXIT_COULD_NOT_LOOK)


if __name__ == "__main__":
    main()
