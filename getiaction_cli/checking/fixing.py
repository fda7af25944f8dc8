"""Apply fixes to the text of a recipe until nothing changes, and write the file atomically."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from getiaction.files import write_atomically
from getiaction_cli.diagnostics import Diagnostic, Edit, Fix, Report
from getiaction_cli.errors import CheckNotRun
from getiaction_cli.recipe import Recipe, apply_edits
from getiaction_cli.recipe.reader import read_one

# A fix may reveal another finding (a key is moved, then its value is wrong). After this many rounds, it is a loop.
_MAX_ROUNDS = 20
# Characters of recipe text to check again; a page of YAML has about 2,000. Running --fix again continues.
_MAX_CHECKED = 100_000

Texts = dict[str, str]  # by file


@dataclass(frozen=True, slots=True)
class Fixed:
    """A recipe after its fixes.

    Args:
        recipe: the fixed recipe.
        report: the remaining findings.
        made: the findings whose fixes were applied, in this order.
    """

    recipe: Recipe
    report: Report
    made: tuple[Diagnostic, ...]


def fix(recipe: Recipe, judge: Callable[[Recipe], Report], reread: Callable[[Texts], Recipe], *, unsafe: bool) -> Fixed:
    """Apply the fixes of a recipe's findings to its text, check it again, and repeat until nothing changes.

    Args:
        recipe: the recipe.
        judge: checks a recipe.
        reread: reads this recipe from texts by file, with the same overrides.
        unsafe: also apply fixes that may change what the author intended.
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
    """Apply all fixes that neither overlap others nor break a file; fixes of errors come first."""
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
    """``made`` and those of ``more`` whose fixes can be applied together, found by bisection: usually all can.

    Args:
        file: the file that they edit.
        text: its content.
        before: number of findings of reading it.
        made: fixes that can be applied together.
        more: further fixes.
    """
    if not more:
        return made
    # Two fixes that add the same section would add it twice: the second one is applied in the next round.
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
    """Write a file atomically; an existing file keeps its mode, its byte order mark and the links to it.

    Raises:
        CheckNotRun: it can't be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = b"\xef\xbb\xbf" if path.exists() and path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        write_atomically(path, mark + text.encode("utf-8"))
    except OSError as error:
        raise CheckNotRun(f"{path} can't be written: {error.strerror or error}") from None
