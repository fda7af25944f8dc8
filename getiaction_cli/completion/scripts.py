"""Write the completion script of each shell from the commands and options.

All scripts work in the same way: they find the command on the line, then offer its options, the values of the option
before the cursor, or files; for candidates that depend on a recipe they run ``getiaction-complete``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from getiaction_cli.completion.cli_words import Command, Option

SHELLS = ("bash", "zsh", "fish")

Words = list[tuple[str, str]]


def write(shell: str, own: Command, commands: list[Command], codes: Words) -> str:
    """Write the script of a shell.

    Args:
        shell: one of `SHELLS`.
        own: the application's own options.
        commands: its commands.
        codes: the codes of the rules, with their help.
    """
    template = (Path(__file__).parent / f"template.{shell}").read_text()
    quote = _fish_quoted if shell == "fish" else _quoted
    tables = {
        "@COMMANDS@": _words(quote, [(command.name, command.help) for command in commands]),
        "@OPTIONS@": _case(
            shell,
            ((command.name, _words(quote, _option_words(command.options))) for command in [own, *commands]),
        ),
        "@TAKES@": _case(
            shell,
            (
                (
                    f"{command.name} {name}",
                    quote(option.takes if option.takes != "words" else "=" + " ".join(option.choices)),
                )
                for command in [own, *commands]
                for option in command.options
                if option.takes
                for name in option.names
            ),
        ),
        "@ARGUMENTS@": _case(shell, ((command.name, quote(command.takes)) for command in commands if command.takes)),
        "@OVERRIDES@": " ".join(command.name for command in commands if command.overrides),
        "@CODES@": _words(quote, codes),
    }
    for mark, text in tables.items():
        template = template.replace(mark, text)
    return template


def _option_words(options: Iterable[Option]) -> Words:
    return [(name, option.help) for option in options for name in option.names]


def _words(quote: object, words: Words) -> str:
    """A quoted text with one word per line, followed by a tab and its help."""
    assert callable(quote)
    return str(quote("\n".join(f"{word}\t{help}" for word, help in words)))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _case(shell: str, branches: Iterable[tuple[str, str]]) -> str:
    """The branches of a case (bash, zsh) or switch (fish) that print a text for each name."""
    if shell == "fish":
        return "\n".join(
            f"        case {_fish_quoted(name)}\n            printf '%s\\n' {text}" for name, text in branches
        )
    return "\n".join(f"        {_quoted(name)}) printf '%s\\n' {text} ;;" for name, text in branches)
