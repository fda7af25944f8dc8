"""Read a `Recipe` from a path, a pipe or a text. Invalid content is a finding, never an exception."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from getiaction import trust
from getiaction_cli import shipped
from getiaction_cli.diagnostics import Finding
from getiaction_cli.diagnostics.source import COMMAND_LINE, Source
from getiaction_cli.errors import RecipeNotFound
from getiaction_cli.recipe.bases import SUFFIXES, merged, with_bases
from getiaction_cli.recipe.layout import DATAMODULE
from getiaction_cli.recipe.nodes import Found, Kind, LimitExceeded, Node, build
from getiaction_cli.recipe.overrides import apply
from getiaction_cli.recipe.recipe import Recipe

# Recipes have a few kilobytes. A file of megabytes is another kind of file (a dataset, a checkpoint), named by mistake.
MAX_BYTES = 1_000_000
_MAX_SYNTAX_ERRORS = 10

_TOP_KEY = re.compile(r"""^(?:"([^"\n]+)"|'([^'\n]+)'|([^\s#\-"'\[{][^:#\n]*?))\s*:(?=\s|$)""", re.MULTILINE)
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


def read(
    path: str | Path | None = "-",
    *,
    text: str | None = None,
    name: str | None = None,
    overrides: Iterable[tuple[str, str]] = (),
    under: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
) -> Recipe:
    """Read a recipe as located values, merged with its bases.

    Args:
        path: a file, or "-" for standard input; None for a recipe that consists of overrides.
        text: the content, instead of reading the file.
        name: the name to show; by default the path.
        overrides: dotted keys and YAML texts from the command line; later ones override earlier ones.
        under: files that this one overrides, in order of increasing priority.
        texts: content of files by name, instead of reading them.

    Returns:
        The recipe, with errors in its content as ``findings``.

    Raises:
        RecipeNotFound: the file does not exist or can't be read.
    """
    texts = texts or {}

    def one(file: str) -> Recipe:
        return read_one(file, text=texts.get(file))

    if path is None:
        overrides = tuple(overrides)
        whole = _of_overrides(overrides)
    else:
        name = name or ("<stdin>" if str(path) == "-" and text is None else str(path))
        own = read_one(str(path), text=texts.get(name) if text is None else text, name=name)
        parts = [part for recipe in [*map(one, under), own] for part in with_bases(recipe, one)]
        whole = own if parts == [own] else merged(parts)
    findings = [*whole.findings, *apply(whole.tree, overrides)]
    return Recipe(whole.source, whole.tree, tuple(findings), whole.broken, whole.sources, under)


def _of_overrides(overrides: Iterable[tuple[str, str]]) -> Recipe:
    """An empty recipe whose text is the command line, with getiaction's data module."""
    source = Source(COMMAND_LINE, " ".join(f"--{word} {text}" for word, text in overrides))
    root = Node(Kind.MAP, source, 0, len(source.text))
    apply(root, [("data.class_path", DATAMODULE)])
    return Recipe(source, root, (), frozenset())


def read_one(path: str, *, text: str | None = None, name: str | None = None) -> Recipe:
    """Read one file without its bases.

    Args:
        path: as for `read`.
        text: as for `read`.
        name: as for `read`.

    Raises:
        RecipeNotFound: as for `read`.
    """
    name = name or path
    findings: list[Found] = []
    if text is None:
        data = _bytes(str(path))
        text, problem = _decode(data)
        if problem:
            findings.append(("GA103", problem))
    elif len(text) > MAX_BYTES:
        text, problem = "", _too_large(len(text))
        findings.append(("GA103", problem))
    source = Source(name, text)
    root, broken = None, frozenset[str]()
    if findings:
        broken = frozenset({"*"})
    else:
        root, broken = _parse(source, findings)
    if root is not None and root.kind is not Kind.MAP:
        if not broken and not (root.kind is Kind.SCALAR and root.value is None):
            shape = "a list" if root.kind is Kind.LIST else "one word"
            message = f"this is {shape}, not a recipe with `model:` and `data:` sections"
            findings.append(("GA103", Finding(message, span=source.span(root.start, root.end))))
            broken = frozenset({"*"})
        root = None
    if root is None and not findings:
        findings.append(("GA103", Finding("the recipe is empty", span=source.span(0, 0))))
        broken = frozenset({"*"})
    root = root or Node(Kind.MAP, source, 0, len(text))
    return Recipe(source, root, tuple(findings), broken)


def _bytes(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with trust.open_regular(shipped.path_of(path) or path) as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeNotFound(f"there is no recipe at {path}", _nearby(Path(path))) from None
    except IsADirectoryError:
        raise RecipeNotFound(f"{path} is a folder, not a recipe", "name one of the .yaml files in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecipeNotFound(f"{path} can't be read: {reason}") from None


def _nearby(path: Path) -> str:
    """A hint with the file of that name in a folder of recipes, or the closest name in the same folder."""
    import difflib

    homes = [*dict.fromkeys([Path("recipes"), *(parent.parent / "recipes" for parent in path.parents)])]
    if moved := next((home / path.name for home in homes if (home / path.name).is_file()), None):
        return f"did you mean {moved}?"
    if path.suffix in SUFFIXES and path.stem in shipped.names() and not path.parent.is_dir():
        return f"did you mean {path.stem}, which ships with getiaction?"
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix in SUFFIXES and entry.name[0] != "."]
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if not close and (named := difflib.get_close_matches(str(path), shipped.names(), n=1, cutoff=0.6)):
        return f"did you mean {named[0]}, which ships with getiaction?"
    close = close or names[:1]
    return f"did you mean {path.parent / close[0]}?" if close else "`getiaction recipes` lists those that ship"


def _too_large(size: int) -> Finding:
    return Finding(
        f"this is larger than a recipe can be ({MAX_BYTES // 1_000_000} MB)",
        help="a recipe is a page of YAML; check the path",
    )


def _decode(data: bytes) -> tuple[str, Finding | None]:
    """Decode UTF-8; return an empty text and a finding if that fails."""
    if len(data) > MAX_BYTES:
        return "", _too_large(len(data))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", Finding("this file is UTF-16, not UTF-8", help="save it as UTF-8 in your editor")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        return "", Finding(
            f"this file is not UTF-8 text: byte 0x{data[error.start]:02x} on line {line}, column {column}",
            help="save it as UTF-8 in your editor; if it is not a text file, check the path",
        )


def _parse(source: Source, findings: list[Found]) -> tuple[Node | None, frozenset[str]]:
    """Parse; after a syntax error, blank the offending line and continue, so that one typo does not hide others.

    One syntax error is reported per top-level section: further ones are mostly consequences of the first.
    """
    text = source.text
    broken: set[str] = set()
    for match in _NOT_PRINTABLE.finditer(text):
        if not broken:
            span = source.span(match.start(), match.end())
            findings.append(
                ("GA101", Finding(f"the invisible character U+{ord(match[0]):04X} is not allowed here", span=span))
            )
        broken.add(section_at(source, source.line_of(match.start())))
    text = _NOT_PRINTABLE.sub(" ", text)
    for _ in range(_MAX_SYNTAX_ERRORS):
        try:
            root, found = build(source, text)
        except LimitExceeded as limit:
            span = source.span(limit.start, min(limit.start + 1, len(text)))
            findings.append(("GA103", Finding(f"this has {limit}, more than any recipe needs", span=span)))
            return None, frozenset({"*"})
        except yaml.YAMLError as error:
            line = _line_to_blank(error, source)
            section = section_at(source, line)
            if section not in broken:
                findings.append(("GA101", _syntax_finding(error, source, line)))
            broken.add(section)
            start, end = source.start_of(line), source.start_of(line) + len(source.line(line))
            if not text[start:end].strip():  # already blanked: no progress
                return None, frozenset({"*"})
            text = text[:start] + " " * (end - start) + text[end:]
        else:
            findings += found
            broken |= {section_at(source, f.span.line) for code, f in found if code == "GA101" and f.span}
            return root, frozenset(broken)
    return None, frozenset({"*"})


def section_at(source: Source, line: int) -> str:
    """The top-level key whose section contains a line; "*" before the first one."""
    starts, names = _sections(source.text)
    return names[bisect_left(starts, source.start_of(line + 1))]


@lru_cache(maxsize=4)  # called for every syntax error of a text
def _sections(text: str) -> tuple[list[int], list[str]]:
    """The offsets of the top-level keys; and "*", followed by the keys."""
    found = list(_TOP_KEY.finditer(text))
    return [match.start() for match in found], ["*", *(match[1] or match[2] or match[3] for match in found)]


def _line_to_blank(error: yaml.YAMLError, source: Source) -> int:
    """The line to blank: that of an unclosed bracket or quote, otherwise the one at which the parser stopped."""
    problem = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    where = getattr(error, "context", None) or ""
    mark = (
        context if context and ("flow" in where or "quoted" in where or "simple key" in where) else problem or context
    )
    line = _written_line(source, mark.index if mark else 0)
    above = _written_line(source, source.start_of(line) - 1) if line > 1 else line
    # The parser accepts `chunk_size:10` as text and only fails at the colon of the next line.
    return above if "mapping values" in str(error) and _NO_COLON.match(source.line(above)) else line


def _written_line(source: Source, offset: int) -> int:
    """The line of an offset, or the last non-blank line above it."""
    line = source.line_of(min(offset, len(source.text)))
    while line > 1 and not source.line(line).strip():
        line -= 1
    return line


_NO_COLON = re.compile(r"\s*(?:- +)?([A-Za-z_][\w-]*)(?::(?=\S)|\s*=\s*)([^\s#:'\"]+)\s*(?:#.*)?$")
_PLAIN_WORDS: Sequence[tuple[str, str, str]] = (
    ("mapping values are not allowed", "a second `:` on a line, or a line indented further than its neighbours",
     "put a value that holds `: ` in quotes, or align the line with the keys around it"),
    ("cannot start any token", "this character can't begin a value", "put the value in quotes"),
    ("did not find expected ',' or ']'", "this `[` is never closed", "close it with `]`, a comma between its values"),
    ("did not find expected ',' or '}'", "this `{` is never closed", "close it with `}`, a comma between its keys"),
    ("unexpected end of stream", "this quote is never closed", "close it with the same quote"),
    ("could not find expected ':'", "this key has no `:`", "write `key: value`"),
    ("did not find expected key", "this line fits no section", "align it with the keys of the section it belongs to"),
    ("did not find expected '-' indicator", "this line is neither a list item nor a key of a section",
     "align it with the section it belongs to, or begin it with `- `"),
    ("block sequence entries are not allowed", "a list item can't begin here", "put each `- ` on a line of its own"),
    ("unknown escape character", "an unknown escape in double quotes", "use single quotes, or `\\\\` for a backslash"),
    ("did not find expected node content", "a value was expected here", "write the value, or remove the sign"),
)  # fmt: skip


def _syntax_finding(error: yaml.YAMLError, source: Source, line: int) -> Finding:
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    start = source.start_of(line)
    written = source.line(line)
    at = start + len(written) - len(written.lstrip())
    end = start + len(written.rstrip())
    for candidate in (mark, context):
        if candidate is not None and start <= candidate.index < end:
            at = candidate.index
            break
    message, help = problem, ""
    for words, plain_words, advice in _PLAIN_WORDS:
        if words in problem:
            message, help = plain_words, advice
            break
    if "mapping values" in problem and (pair := _NO_COLON.match(written)):
        message, help = "this line has no `: `", f"write `{pair[1]}: {pair[2]}`, a colon and then a blank"
    if source.text[at : at + 1] == "\t" or (mark and source.text[mark.index : mark.index + 1] == "\t"):
        message, help = "a tab can't indent a line", "indent with spaces"
        at = mark.index if mark else at
    return Finding(f"not YAML: {message}", span=source.span(at, max(at + 1, min(end, at + 1))), help=help)
