"""The recipes that ship with getiaction: `getiaction recipes` lists them, and every command takes them by name."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """The folder of the shipped recipes: inside the installed package, or `recipes/` of a checkout."""
    installed = _PACKAGE / "shipped_recipes"
    return installed if installed.is_dir() else _PACKAGE.parent / "recipes"


def names() -> list[str]:
    """The names of the shipped recipes, sorted."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def path_of(name: str) -> Path | None:
    """The file of a shipped recipe; None for other names. A file of that name in the working directory comes first."""
    if os.path.lexists(name) or Path(name).name != name:
        return None
    file = folder() / f"{name.removesuffix('.yaml')}.yaml"
    return file if file.is_file() else None


def text_of(name: str) -> str:
    """A shipped recipe as a file of the user's own: its first line leads an editor to the installed schema."""
    text = (folder() / f"{name}.yaml").read_text("utf-8")
    return text.replace("$schema=recipe.schema.json", f"$schema={folder() / 'recipe.schema.json'}", 1)


def summary(name: str) -> str:
    """The first sentence of a shipped recipe's leading comment."""
    comment: list[str] = []
    for line in (folder() / f"{name}.yaml").read_text("utf-8").splitlines():
        if not line.startswith("#") or line == "#":
            break
        if not line.startswith("# yaml-language-server"):
            comment.append(line.removeprefix("#").strip())
    return " ".join(comment).split(". ")[0].removesuffix(".")
