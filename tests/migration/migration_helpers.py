"""What the tests of migrations share."""

from __future__ import annotations

import json
from typing import Any

from getiaction_cli.analysis.ledger import leaves
from getiaction_cli.analysis.migration import Kind, Migration, Outcome, Source, migrate
from getiaction_cli.recipe import read
from getiaction_cli.rendering.migration import recipe_text


def migrated(source: str | dict[str, Any]) -> Migration:
    """The migration of a configuration, given as text or as values. What must hold for every migration is checked."""
    text = source if isinstance(source, str) else json.dumps(source)
    recipe = read("source.yaml", text=text)
    migration = migrate(recipe)
    assert migration is not None
    check_complete(recipe.plain(), migration)
    return migration


def check_complete(source: dict[str, Any], migration: Migration) -> None:
    """Every key of the source has one outcome, what was carried over is in the recipe, and its text reads the same."""
    keys = [outcome.key for outcome in migration.outcomes if outcome.kind is not Kind.ADDED]
    assert len(keys) == len(set(keys))
    if migration.source is Source.LIGHTNING and isinstance(source.get("fit"), dict):
        source = {**{key: value for key, value in source.items() if key != "fit"}, **source["fit"]}
    for leaf in leaves(source):
        prefixes = [".".join(leaf[:end]) for end in range(1, len(leaf) + 1)]
        assert any(prefix in keys for prefix in prefixes), f"{prefixes[-1]} vanished"
    written = read("recipe.yaml", text=recipe_text(migration, "source.yaml", ["getiaction train recipe.yaml"]))
    assert written.findings == ()
    assert written.plain() == migration.recipe
    for outcome in migration.outcomes:
        if outcome.kind in (Kind.CARRIED, Kind.ADDED):
            assert outcome.to and written.has(outcome.to), f"{outcome.key}: no {outcome.to} in the recipe"
        else:
            assert outcome.why, f"{outcome.key} has no reason"


def outcomes(migration: Migration) -> dict[str, Outcome]:
    """The outcomes by key of the source."""
    return {outcome.key: outcome for outcome in migration.outcomes if outcome.kind is not Kind.ADDED}
