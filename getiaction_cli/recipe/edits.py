"""From a `Change` in the recipe's words to edits of its text that keep comments and layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Change, Edit

if TYPE_CHECKING:
    from getiaction_cli.recipe.recipe import Recipe


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made. They must not overlap; of two that do, the first is made."""
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            continue
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def edits_for(recipe: Recipe, change: Change) -> tuple[Edit, ...]:
    """The edits that make a change; empty when any part of it can't be made in this text."""
    return ()
