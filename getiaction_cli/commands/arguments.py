"""Arguments, options and output that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from getiaction.files import write_atomically
from getiaction_cli.errors import CheckNotRun, UsageError

if TYPE_CHECKING:
    from getiaction_cli.errors import CliError
    from getiaction_cli.policies import PolicyClass


class Format(StrEnum):
    """The format of the output."""

    TEXT = "text"
    JSON = "json"


def say(error: CliError) -> None:
    """Print an error and its hint to stderr; control characters, for example in file names, are replaced."""
    from getiaction_cli.rendering.text import Paint, wants_color

    paint = Paint(wants_color(sys.stderr))
    # A message is one line, or a line and a list below it; a hint may have several lines.
    entries = [_fit(entry, "    ", lead=len("error: ")) for entry in error.message.split("\n  - ")]
    typer.echo(paint("error", "error:") + " " + "\n  - ".join(entries), err=True, color=True)
    if error.hint:
        lines = [_fit(line, "  ", lead=len("hint: ")) for line in error.hint.split("\n")]
        typer.echo(paint("bold", "hint:") + " " + "\n".join(lines), err=True, color=True)


def quiet() -> bool:
    """True with ``--quiet``: only results and errors are printed."""
    return bool(os.environ.get("GETIACTION_QUIET"))


def note(text: str, indent: str = "  ") -> None:
    """Print a note to stderr unless ``--quiet`` is set; on a terminal, further lines are indented."""
    if not quiet():
        typer.echo(_fit(text, indent, lead=0), err=True)


def _fit(text: str, indent: str, lead: int) -> str:
    """Wrap text after ``lead`` columns if stderr is a terminal; otherwise return one line."""
    from getiaction_cli.rendering.text import clean, columns, wrap

    return wrap("-" * lead + text, columns(), indent)[lead:] if sys.stderr.isatty() else clean(text)


def policy_named(name: str) -> PolicyClass:
    """Return the policy with this name or class ("ACT", "getiaction.policies.lerobot.ACT").

    Raises:
        UsageError: there is none; the hint has the most similar name.
    """
    from difflib import get_close_matches

    from getiaction_cli import policies

    known = policies.names()
    found = name if name in known else policies.by_class_name(name.rpartition(".")[2])
    if found is None:
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`getiaction list-policies` shows them all"
        raise UsageError(f"no policy is called {name!r}", hint)
    return policies.load(found)


def rule_codes(given: Iterable[str]) -> tuple[str, ...]:
    """Return the codes ("GA301") and families ("GA3") of an option that may be repeated or separated by commas.

    Raises:
        UsageError: no rule's code starts with one of them.
    """
    from getiaction_cli.checking.runner import load_rules

    codes = tuple(code.strip().upper() for word in given for code in word.split(",") if code.strip())
    for code in codes:
        if not any(known.startswith(code) for known in load_rules()):
            raise UsageError(f"no rule is called {code}", "`getiaction explain` lists them")
    return codes


def create(file: Path, text: str, *, force: bool = False) -> None:
    """Write a new file atomically, and create its parent folders.

    Args:
        file: a path that does not exist, or an empty file.
        text: its content.
        force: replace an existing file.

    Raises:
        CheckNotRun: it can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text, create=not force)
    except OSError as error:
        raise CheckNotRun(f"{file} can't be written: {error.strerror or error}") from None
