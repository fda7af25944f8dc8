"""The recipes that ship with getiaction: `getiaction recipes` lists them, and all commands accept their names."""

from __future__ import annotations

import os
import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SCHEMA_LINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def folder() -> Path:
    """Return the folder of the shipped recipes: in the installed package, or `recipes/` of a checkout."""
    installed = _PACKAGE / "shipped_recipes"
    return installed if installed.is_dir() else _PACKAGE.parent / "recipes"


def names() -> list[str]:
    """Return the sorted names of the shipped recipes."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def path_of(name: str) -> Path | None:
    """Return the file of a shipped recipe; None for other names, and if the working directory has such a file."""
    if os.path.lexists(name) or Path(name).name != name:
        return None
    file = folder() / f"{name.removesuffix('.yaml')}.yaml"
    return file if file.is_file() else None


def text_of(name: str) -> str:
    """Return a shipped recipe for the user's own file: its first line refers editors to the installed schema."""
    return with_schema_found((folder() / f"{name}.yaml").read_text("utf-8"), folder())


def schema_line() -> str:
    """Return the comment with which yaml-language-server finds the installed schema."""
    return f"# yaml-language-server: $schema={_as_word(folder() / 'recipe.schema.json')}"


def with_schema_found(text: str, home: Path) -> str:
    """Return a recipe of the folder ``home`` for any folder: the schema that its comment names has an absolute path."""

    def absolute(line: re.Match[str]) -> str:
        file = home.absolute() / line[1]
        return line[0].replace(line[1], _as_word(file)) if "://" not in line[1] and file.is_file() else line[0]

    return _SCHEMA_LINE.sub(absolute, text, count=1)


def _as_word(file: Path) -> str:
    """Return the path; a file URL if it has a space, at which the comment would end."""
    return file.as_uri() if any(char.isspace() for char in str(file)) else str(file)


def summary(name: str) -> str:
    """Return the first sentence of a shipped recipe's leading comment."""
    comment: list[str] = []
    for line in (folder() / f"{name}.yaml").read_text("utf-8").splitlines():
        if not line.startswith("#") or line == "#":
            break
        if not line.startswith("# yaml-language-server"):
            comment.append(line.removeprefix("#").strip())
    return " ".join(comment).split(". ")[0].removesuffix(".")
