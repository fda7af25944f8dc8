"""`getiaction schema`: a JSON Schema of recipes, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from getiaction_cli.commands.arguments import policy_named


def schema(
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", metavar="POLICY", help="Only recipes for this policy.")
    ] = None,
) -> None:
    """Print a JSON Schema of recipes, made from the installed LeRobot and Lightning.

    Write it to a file, and name that file in the first line of a recipe:

    # yaml-language-server: $schema=FILE
    """
    import json

    from getiaction_cli import policies
    from getiaction_cli.rendering.schema import recipe_schema

    chosen = [policy_named(policy)] if policy else [policies.load(name) for name in policies.names()]
    typer.echo(json.dumps(recipe_schema([known for known in chosen if known.trainable]), indent=2, ensure_ascii=False))
