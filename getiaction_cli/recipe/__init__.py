"""A YAML file as located values: every key and value knows its line and column.

Start at `read`, which gives a `Recipe`; `edits_for` turns a change into edits of its text, `apply_edits` makes them.
Nothing is ever imported, constructed or expanded without bounds: a recipe is a document that strangers mail to each
other.
"""

from getiaction_cli.recipe.edits import apply_edits, edits_for, file_of, may_edit
from getiaction_cli.recipe.reader import read
from getiaction_cli.recipe.recipe import ABSENT, Place, Recipe

__all__ = ["ABSENT", "Place", "Recipe", "apply_edits", "edits_for", "file_of", "may_edit", "read"]
