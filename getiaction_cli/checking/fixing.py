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
_MAX_ROUNDS = 20
# Characters of recipe text that are checked again; a page of YAML is about 2,000. Beyond it, the next --fix continues.
_MAX_CHECKED = 100_000

Texts = dict[str, str]  # by file


@dataclass(frozen=True, slots=True)
class Fixed:
    """A recipe after its fixes.

    Args:
        recipe: as it reads now.
        report: what is left to report.
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
    size = sum(len(text) for text in seen[0].values())
    for _ in range(max(1, min(_MAX_ROUNDS, _MAX_CHECKED // max(size, 1)))):
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
    possible: dict[str, list[Diagnostic]] = {file: [] for file in texts}
    for diagnostic in report.diagnostics:
        fix = diagnostic.fix
        if fix is None or not fix.edits or not (fix.safe or unsafe):
            continue
        file = fix.file or recipe.file
        if not _overlaps(fix, _edits(possible[file])):
            possible[file].append(diagnostic)
    made: set[Diagnostic] = set()
    for file, some in possible.items():
        if some:
            before = len(read_one(file, text=texts[file]).findings)
            together = _compatible(file, texts[file], before, [], some)
            texts[file] = apply_edits(texts[file], _edits(together))
            made.update(together)
    return texts, [diagnostic for diagnostic in report.diagnostics if diagnostic in made]


def _compatible(file: str, text: str, before: int, made: list[Diagnostic], more: list[Diagnostic]) -> list[Diagnostic]:
    """``made``, and those of ``more`` whose fixes can be made beside them, found by halving: most often all can.

    Args:
        file: the file that they are about.
        text: what is in it.
        before: how many findings reading it gives.
        made: fixes that can be made together.
        more: fixes to make beside them.
    """
    if not more:
        return made
    # Two fixes that each open the same section would put it there twice: the second waits a round.
    after = read_one(file, text=apply_edits(text, _edits([*made, *more])))
    if not after.broken and len(after.findings) <= before:
        return [*made, *more]
    if len(more) == 1:
        return made
    half = len(more) // 2
    return _compatible(file, text, before, _compatible(file, text, before, made, more[:half]), more[half:])


def _edits(made: list[Diagnostic]) -> list[Edit]:
    return [edit for diagnostic in made if diagnostic.fix for edit in diagnostic.fix.edits]


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
