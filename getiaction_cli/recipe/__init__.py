"""Read a YAML file as located values: every key and value has its line and column.

`read` returns a `Recipe`; `edits_for` converts a change to edits of its text, `apply_edits` applies them. A recipe is
untrusted input: nothing in it is imported or constructed, and depth, size and aliases are limited.
"""

from getiaction_cli.recipe.edits import apply_edits, edits_for, file_of, may_edit
from getiaction_cli.recipe.overrides import flags_for
from getiaction_cli.recipe.reader import read
from getiaction_cli.recipe.recipe import ABSENT, Place, Recipe

__all__ = ["ABSENT", "Place", "Recipe", "apply_edits", "edits_for", "file_of", "flags_for", "may_edit", "read"]
