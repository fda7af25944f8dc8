"""Convert another trainer's configuration to a recipe, with an outcome for every key of the source.

`migrate` is shared by `getiaction migrate` and the fix of a lerobot-train configuration. Equivalents of single keys are
data (`renamed_keys.COUNTERPARTS`); decisions that depend on several keys are in `from_lerobot` and `from_lightning`.
"""

from __future__ import annotations

from getiaction_cli.analysis import from_lerobot, from_lightning
from getiaction_cli.analysis.ledger import Kind, Ledger, Migration, Outcome, Source
from getiaction_cli.analysis.recipe_schema import TOP
from getiaction_cli.analysis.unknown_keys import foreign_sections
from getiaction_cli.recipe import Recipe

__all__ = ["Kind", "Migration", "Outcome", "Source", "migrate", "source_of"]


def source_of(recipe: Recipe) -> Source | None:
    """The trainer that a configuration is for; None if it is not a training configuration."""
    if foreign_sections(recipe):
        return Source.LEROBOT
    keys = recipe.keys("")
    if not {"model", "data", "fit"} & set(keys):
        return None
    return Source.LIGHTNING if is_of_lightning(recipe) else Source.OWN


# Top-level keys of LightningCLI's files that recipes do not have.
_OF_LIGHTNING = ("seed_everything", "ckpt_path", "optimizer", "lr_scheduler", "fit", "subcommand")


def is_of_lightning(recipe: Recipe) -> bool:
    """Whether this is a configuration for LightningCLI, of physicalai or of the original project."""
    paths = (str(recipe.get(f"{name}.class_path")) for name in ("model", "data"))
    return any(key in recipe.keys("") for key in _OF_LIGHTNING) or any(path.startswith("physicalai.") for path in paths)


def migrate(recipe: Recipe) -> Migration | None:
    """Convert a configuration of another trainer to a recipe; None if it is not a training configuration."""
    source = source_of(recipe)
    if source is None:
        return None
    ledger: Ledger = from_lerobot.convert(recipe) if source is Source.LEROBOT else from_lightning.convert(recipe)
    values = {key: ledger.recipe[key] for key in (*TOP, *ledger.recipe) if key in ledger.recipe}
    return Migration(source, values, ledger.outcomes())
