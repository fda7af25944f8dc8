"""Puts the completion script of a shell where that shell looks for it, for the LeRobot that is installed now."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from getiaction.files import write_atomically
from getiaction_cli.completion import index, scripts
from getiaction_cli.completion.cli_words import read_commands
from getiaction_cli.errors import UsageError


def shell_in_use() -> str:
    """The name of the shell that this process was started from.

    Raises:
        UsageError: it is unknown.
    """
    import shellingham

    try:
        return str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        name = Path(os.environ.get("SHELL", "")).name
        if name:
            return name
        raise UsageError("the shell in use is unknown", "name it: --shell bash, zsh or fish") from None


def script(app: typer.Typer, shell: str) -> str:
    """The completion script for one shell.

    Raises:
        UsageError: a shell that there is no completion for.
    """
    if shell not in scripts.SHELLS:
        raise UsageError(f"no completion for the shell {shell!r}", f"one of: {', '.join(scripts.SHELLS)}")
    from getiaction_cli.checking.runner import load_rules

    own, commands = read_commands(app)
    codes = [(code, rule.page.split("\n")[0]) for code, rule in load_rules().items()]
    return scripts.write(shell, own, commands, codes)


def install(app: typer.Typer, shell: str) -> str:
    """Write the script to its place and return the message for the user.

    bash and fish load it from there by themselves (bash through the bash-completion package, else through a line in
    ``~/.bashrc``); zsh needs its folder in ``fpath``, so a line is added to ``~/.zshrc`` when it is not there yet.
    """
    text = script(app, shell)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    if shell == "fish":
        place = config / "fish/completions/getiaction.fish"
    elif shell == "bash":
        place = data / "bash-completion/completions/getiaction"
    else:
        place = data / "zsh/site-functions/_getiaction"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, text)
    index.load()  # so that the first TAB is as quick as the next

    told = [f"wrote {place}"]
    if shell == "bash":
        told += _add_line(Path.home() / ".bashrc", f'source "{place}"')
    if shell == "zsh":
        home = Path(os.environ.get("ZDOTDIR") or Path.home())
        told += _add_line(home / ".zshrc", f'fpath=("{place.parent}" $fpath); autoload -Uz compinit && compinit')
    told.append(f"open a new {shell}, then type: getiaction <TAB>")
    return "\n".join(told)


def _add_line(file: Path, line: str) -> list[str]:
    """Append one line to a start-up file unless it is there."""
    text = file.read_text(errors="replace") if file.is_file() else ""
    if line in text.splitlines():
        return []
    with file.open("a") as handle:
        handle.write(("\n" if text and not text.endswith("\n") else "") + f"# getiaction completion\n{line}\n")
    return [f"added a line to {file}"]
