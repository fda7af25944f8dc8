"""Fixes made in a recipe's text until nothing more changes, and the file written in one stroke."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from getiaction.files import write_atomically
from getiaction_cli.diagnostics import Diagnostic, Edit, Fix, Report
from getiaction_cli.errors import CouldNotLook
from getiaction_cli.recipe import Recipe, apply_edits
from getiaction_cli.recipe.reader import read_one

# A fix may bring another to light (a key moved, then its value). More rounds than this is a circle.
_MOST_ROUNDS = 20

Texts = dict[str, str]  # by file


@dataclass(frozen=True, slots=True)
class Fixed:
    """A recipe after its fixes.

    Args:
        recipe: as it reads now.
        report: what is still to be said about it.
        made: the findings whose fixes were made, in that order.
    """

    recipe: Recipe
    report: Report
    made: tuple[Diagnostic, ...]


def fix(recipe: Recipe, judge: Callable[[Recipe], Report], reread: Callable[[Texts], Recipe], *, unsafe: bool) -> Fixed:
    """Make the fixes of a recipe's findings in its files, and of what is found then, until nothing more changes.

    Args:
        recipe: the recipe.
        judge: gives the findings of a recipe.
        reread: reads texts, by file, as this recipe, with the same overrides.
        unsafe: also make the fixes that may change what the author meant.
    """
    report, seen = judge(recipe), [_texts(recipe)]
    made: list[Diagnostic] = []
    for _ in range(_MOST_ROUNDS):
        texts, fixed = _one_round(recipe, report, unsafe)
        if not fixed or texts in seen:
            break
        seen.append(texts)
        recipe = reread(texts)
        made += fixed
        report = judge(recipe)
    return Fixed(recipe, report, tuple(made))


def _texts(recipe: Recipe) -> Texts:
    return {file: source.text for file, source in recipe.sources.items()}


def _one_round(recipe: Recipe, report: Report, unsafe: bool) -> tuple[Texts, list[Diagnostic]]:
    """The texts with every fix made that neither overlaps another nor breaks its file; errors' fixes come first."""
    texts = _texts(recipe)
    before = {file: len(read_one(file, text=text).findings) for file, text in texts.items()}
    taken: dict[str, list[Edit]] = {file: [] for file in texts}
    made: list[Diagnostic] = []
    for diagnostic in report.diagnostics:
        fix = diagnostic.fix
        if fix is None or not fix.edits or not (fix.safe or unsafe):
            continue
        file = fix.file or recipe.file
        if _overlaps(fix, taken[file]):
            continue
        candidate = apply_edits(recipe.sources[file].text, [*taken[file], *fix.edits])
        # Two fixes that each open the same section would make it stand there twice: the second waits a round.
        after = read_one(file, text=candidate)
        if after.broken or len(after.findings) > before[file]:
            continue
        taken[file] += fix.edits
        texts[file] = candidate
        made.append(diagnostic)
    return texts, made


def _overlaps(fix: Fix, taken: list[Edit]) -> bool:
    return any(
        (edit.start < other.end and other.start < edit.end) or edit.start == other.start
        for edit in fix.edits
        for other in taken
    )


def difference(file: str, before: str, after: str) -> str:
    """A unified diff of a recipe's text."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), file, file)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def write(path: Path, text: str) -> None:
    """Write a file all at once; an existing file keeps its mode, its byte order mark and the links to it.

    Raises:
        CouldNotLook: it can't be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = b"\xef\xbb\xbf" if path.exists() and path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        write_atomically(path, mark + text.encode("utf-8"))
    except OSError as error:
        raise CouldNotLook(f"{path} can't be written: {error.strerror or error}") from None
