"""Entry point: registers the commands, and converts errors to one line, a hint and an exit code."""

from __future__ import annotations

import contextlib
import difflib
import gc
import io
import os
import signal
import sys
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from getiaction_cli.commands import (
    describe_machine,
    evaluate,
    explain,
    fetch,
    frame_stores,
    init,
    inspect_dataset,
    list_policies,
    merge_adapter,
    migrate,
    push,
    recipes,
    runs,
    schema,
    train,
    validate_config,
)
from getiaction_cli.commands.arguments import say
from getiaction_cli.commands.override_words import CommandWithOverrides
from getiaction_cli.control import CleanStream
from getiaction_cli.errors import EXIT_CHECK_NOT_RUN, EXIT_FOUND, EXIT_USAGE, CheckNotRun, CliError, UsageError
from getiaction_cli.rendering.text import SEQUENCES


class Shell(StrEnum):
    """The shells with completion."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


app = typer.Typer(
    name="getiaction",
    help="Train robot policies by imitation from one YAML recipe, and catch mistakes before they cost GPU time.",
    epilog="Start here: getiaction train quickstart",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,  # ours knows recipes, policies and override keys, and starts no Typer
    rich_markup_mode=None,  # rich help costs 0.4 s more than plain help
    pretty_exceptions_enable=False,
    # "color": whether to paint is decided by `rendering.text.wants_color`; typer would strip colours from every pipe.
    context_settings={"help_option_names": ["-h", "--help"], "color": True},
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
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and library logs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only results and errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show versions and exit.")
    ] = False,
    install_completion: Annotated[
        bool, typer.Option("--install-completion", help="Install completion for your shell and exit.")
    ] = False,
    show_completion: Annotated[
        bool, typer.Option("--show-completion", help="Print the completion script for your shell and exit.")
    ] = False,
    shell: Annotated[Shell | None, typer.Option("--shell", help="Shell to use (default: current).")] = None,
) -> None:
    # Commands, their helpers and the processes that training starts read these options in the same way.
    if debug:
        os.environ["GETIACTION_DEBUG"] = "1"
    if quiet:
        os.environ["GETIACTION_QUIET"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    if install_completion or show_completion:
        from getiaction_cli.completion.install import install, script, shell_in_use

        typer.echo((install if install_completion else script)(app, shell or shell_in_use()), nl=install_completion)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        raise UsageError("no command was named", "`getiaction --help` lists them")


app.command("train", cls=CommandWithOverrides)(train.train)
app.command("fit", short_help="Train (LightningCLI-compatible syntax).", cls=CommandWithOverrides)(train.fit)
app.command("recipes", short_help="List or print the recipes that ship with getiaction.")(recipes.recipes)
app.command("init")(init.init)
app.command("migrate", short_help="Convert a configuration of lerobot-train or LightningCLI.")(migrate.migrate)
app.command("validate-config", short_help="Check recipes and report every problem.", cls=CommandWithOverrides)(
    validate_config.validate_config
)
app.command("inspect-dataset", short_help="Show what is in a dataset and what is broken.")(
    inspect_dataset.inspect_dataset
)
app.command("evaluate", short_help="Measure what a trained policy has learned.", cls=evaluate.EvaluateCommand)(
    evaluate.evaluate
)
app.command("fetch", short_help="Download what recipes need, to train without a network.", cls=CommandWithOverrides)(
    fetch.fetch
)
for name in ("validate", "test", "predict"):
    app.command(name, short_help="Measure a trained policy (LightningCLI-compatible).", cls=evaluate.EvaluateCommand)(
        evaluate.evaluate_as_lightning
    )
app.command("runs", short_help="List runs, or show what differs between them.")(runs.runs)
app.command("push", short_help="Upload a trained policy to the Hugging Face Hub.")(push.push)
app.command("merge-adapter", short_help="Merge LoRA adapters into the policy's weights.")(merge_adapter.merge_adapter)
app.command("list-policies")(list_policies.list_policies)
app.command("frame-stores")(frame_stores.frame_stores)
app.command("schema", short_help="Print a JSON Schema of recipes for editors.")(schema.schema)
app.command("describe-machine", short_help="Describe this machine, to check recipes for it elsewhere.")(
    describe_machine.describe_machine
)
app.command("explain", short_help="Explain what a rule finds and how to fix it.")(explain.explain)


def _everywhere(words: list[str]) -> list[str]:
    """Accept ``--quiet`` and ``--debug`` before and after the command."""
    end = words.index("--") if "--" in words else len(words)
    moved = [word for word in words[:end] if word in ("--quiet", "-q", "--debug")]
    return moved + [word for word in words[:end] if word not in moved] + words[end:]


def main() -> None:
    """Run the command line and exit with the documented code."""
    # Start-up creates many objects and no garbage: collection would cost 5 %. Training enables it again.
    gc.set_threshold(50_000)
    if "SLURM_JOB_ID" not in os.environ or not {"train", "fit"} & set(sys.argv[1:]):
        _run()
        return
    from getiaction.spec import slurm

    slurm.install_handlers()
    try:
        _run()
    except SystemExit as ended:
        if ended.code in (EXIT_FOUND, EXIT_USAGE, EXIT_CHECK_NOT_RUN):
            slurm.end_step()
        raise


def _run() -> None:
    _open_streams()
    try:
        command = typer.main.get_command(app)
        # Not `app(…)`, which exits with code 1 on errors; here, 1 means that a check found errors.
        with command.make_context("getiaction", _everywhere(sys.argv[1:])) as context:
            command.invoke(context)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(128 + signal.SIGINT)
    except CliError as error:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        _stop(error)
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`): flushing buffered output must not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        wrong_words = _usage_error(error)
        if wrong_words is not None:
            _stop(wrong_words)
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        _stop(_unexpected_error(error))


def _open_streams() -> None:
    """Make all text writable: replace control characters, and escape characters that the encoding lacks.

    Output to a closed stream is discarded.
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, stream)
        if name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # also an escape in JSON
        if name != "stdin":
            setattr(sys, name, CleanStream(stream, SEQUENCES))


def _stop(error: CliError) -> NoReturn:
    if {"SLURM_JOB_ID", "TORCHELASTIC_RUN_ID", "LOCAL_RANK"} & set(os.environ):
        from getiaction.spec import launch

        error.message = launch.read().naming_itself(error.message)
    # If stderr can't be written, only the exit code reports the error.
    with contextlib.suppress(OSError):
        say(error)
    sys.exit(error.exit_code)


def _usage_error(error: Exception) -> UsageError | None:
    """Convert a usage error of typer; None for any other error.

    The exception classes of typer are private, so that this reads their message and context.
    """
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return None
    message: str = format_message().strip()
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is not None and message == context.get_help():  # no arguments: show the help
        typer.echo(message, err=True)
        sys.exit(EXIT_USAGE)
    # messages of typer for commands and for options
    message, _, hint = message.replace(" (Possible options: ", " Did you mean ").partition(" Did you mean ")
    commands = {command.name for command in app.registered_commands}
    named = next(
        (word for word in sys.argv[1:] if word in commands), ""
    )  # an error about a missing value has no context
    unknown: str = getattr(error, "option_name", None) or ""
    if unknown.strip("-") in CommandWithOverrides.takes_overrides:
        return UsageError(message[:1].lower() + message[1:].removesuffix("."), f"set its keys: {unknown}.KEY VALUE")
    if unknown:  # typer counts the dashes as alike
        close = difflib.get_close_matches(
            unknown.strip("-"), [word.strip("-, )?") for word in hint.split()], cutoff=0.6
        )
        hint = ", ".join(f"--{word}" for word in close)
    command = context.command_path if context is not None else f"getiaction {named}".rstrip()
    hint = (
        f"did you mean {hint.rstrip(')?').replace(', ', ' or ')}?"
        if hint
        else f"`{command} --help` shows what it takes"
    )
    return UsageError(message[:1].lower() + message[1:].removesuffix("."), hint)


def _unexpected_error(error: Exception) -> CliError:
    """Convert errors of the operating system and unexpected errors."""
    if type(error).__name__ == "Unjudgeable" or getattr(error, "lerobot", False):
        from getiaction_cli import policies

        return policies.unreadable(str(error))
    if isinstance(error, OSError) and error.strerror:
        # Without a file name it is stdout or stderr, such as redirected output on a full disk.
        return CheckNotRun(f"{error.filename or 'the output could not be written'}: {error.strerror}")
    if part := _why_not_this_lerobot(error):
        from getiaction_cli import policies

        return policies.unreadable(part)
    return CliError(
        f"getiaction itself failed: {type(error).__name__}: {error}",
        "the same command with `getiaction --debug …` shows where; please report it",
    )


def _why_not_this_lerobot(error: Exception) -> str:
    """What the installed LeRobot lacks, or the error itself with a LeRobot that is not tested; empty for neither."""
    with contextlib.suppress(Exception):
        from getiaction_cli import policies

        if part := policies.missing_part():
            return f"it has no {part}"
        if not policies.is_tested():
            return f"{type(error).__name__}: {error} (`getiaction --debug …` shows where)"
    return ""


if __name__ == "__main__":
    main()
