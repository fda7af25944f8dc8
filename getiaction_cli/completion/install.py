"""Write the completion script for the installed LeRobot to the place where the shell loads it."""

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
        UsageError: it can't be detected.
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
        UsageError: there is no completion for this shell.
    """
    if shell not in scripts.SHELLS:
        raise UsageError(f"no completion for the shell {shell!r}", f"one of: {', '.join(scripts.SHELLS)}")
    from getiaction_cli.checking.runner import load_rules

    own, commands = read_commands(app)
    codes = [(code, rule.page.split("\n")[0]) for code, rule in load_rules().items()]
    return scripts.write(shell, own, commands, codes)


def install(app: typer.Typer, shell: str) -> str:
    """Write the script to its place and return the message for the user.

    fish loads it from there, and so does bash with the bash-completion package; otherwise a line in ``~/.bashrc`` does.
    zsh needs its folder in ``fpath``, which a line in ``~/.zshrc`` sets. These lines are added if they are missing.
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
    index.load()  # so that the first completion is as fast as the next ones

    messages = [f"wrote {place}"]
    if shell == "bash":
        messages += _add_line(Path.home() / ".bashrc", f'source "{place}"')
    if shell == "zsh":
        home = Path(os.environ.get("ZDOTDIR") or Path.home())
        messages += _add_line(home / ".zshrc", f'fpath=("{place.parent}" $fpath); autoload -Uz compinit && compinit')
    messages.append(f"open a new {shell}, then type: getiaction <TAB>")
    return "\n".join(messages)


def _add_line(file: Path, line: str) -> list[str]:
    """Append a line to a start-up file unless it exists there."""
    text = file.read_text(errors="replace") if file.is_file() else ""
    if line in text.splitlines():
        return []
    with file.open("a") as handle:
        handle.write(("\n" if text and not text.endswith("\n") else "") + f"# getiaction completion\n{line}\n")
    return [f"added a line to {file}"]
