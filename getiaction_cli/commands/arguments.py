"""What several commands read from their words in the same way."""

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
    """How the answer is written."""

    TEXT = "text"
    JSON = "json"


def say(error: CliError) -> None:
    """An error and its hint on stderr. A file's name may hold what a terminal would obey: it is shown instead."""
    from getiaction_cli.rendering.text import Paint, wants_color

    paint = Paint(wants_color(sys.stderr))
    # A message is one line, and the entries of a list below it; a hint may have several.
    entries = [_fit(entry, "    ", lead=len("error: ")) for entry in error.message.split("\n  - ")]
    typer.echo(paint("error", "error:") + " " + "\n  - ".join(entries), err=True, color=True)
    if error.hint:
        lines = [_fit(line, "  ", lead=len("hint: ")) for line in error.hint.split("\n")]
        typer.echo(paint("bold", "hint:") + " " + "\n".join(lines), err=True, color=True)


def quiet() -> bool:
    """True with ``--quiet``: results and errors are printed, and nothing else."""
    return bool(os.environ.get("GETIACTION_QUIET"))


def note(text: str, indent: str = "  ") -> None:
    """A remark on stderr, left out with ``--quiet``; on a terminal, lines after the first have the indent."""
    if not quiet():
        typer.echo(_fit(text, indent, lead=0), err=True)


def _fit(text: str, indent: str, lead: int) -> str:
    """A text wrapped to the terminal that stderr is, after ``lead`` columns; one line where stderr is none."""
    from getiaction_cli.rendering.text import clean, columns, wrap

    return wrap("-" * lead + text, columns(), indent)[lead:] if sys.stderr.isatty() else clean(text)


def policy_named(name: str) -> PolicyClass:
    """The policy of that name, or of that class ("ACT", "getiaction.policies.lerobot.ACT").

    Raises:
        UsageError: there is none; the hint has the nearest name.
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
    """The codes ("GA301") and families ("GA3") of an option that may be repeated or hold commas.

    Raises:
        UsageError: no rule's code begins so.
    """
    from getiaction_cli.checking.runner import load_rules

    codes = tuple(code.strip().upper() for word in given for code in word.split(",") if code.strip())
    for code in codes:
        if not any(known.startswith(code) for known in load_rules()):
            raise UsageError(f"no rule is called {code}", "`getiaction explain` lists them")
    return codes


def create(file: Path, text: str, *, force: bool = False) -> None:
    """Write a new file in one step, and the folders it is in.

    Args:
        file: must not exist, or be empty.
        text: what it holds.
        force: replace one that exists.

    Raises:
        CheckNotRun: it can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text, create=not force)
    except OSError as error:
        raise CheckNotRun(f"{file} can't be written: {error.strerror or error}") from None
