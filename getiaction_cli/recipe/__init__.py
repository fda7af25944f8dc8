"""A YAML file as located values: every key and value knows its line and column.

Start at `read`, which gives a `Recipe`; `apply_edits` makes a fix in its text. Nothing is ever imported, constructed or
expanded without bounds: a recipe is a document that strangers mail to each other.
"""

from getiaction_cli.recipe.edits import apply_edits
from getiaction_cli.recipe.reader import read
from getiaction_cli.recipe.recipe import ABSENT, Place, Recipe

__all__ = ["ABSENT", "Place", "Recipe", "apply_edits", "read"]
