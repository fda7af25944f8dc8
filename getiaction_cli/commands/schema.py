"""`getiaction schema`: a JSON Schema of recipes, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from getiaction_cli.errors import UsageError


def schema(
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", metavar="POLICY", help="Only recipes for this policy.")
    ] = None,
) -> None:
    """Print a JSON Schema of recipes, made from the installed LeRobot and Lightning.

    Write it to a file, and name that file in the first line of a recipe: # yaml-language-server: $schema=FILE
    """
    import json
    from difflib import get_close_matches

    from getiaction_cli import policies
    from getiaction_cli.rendering.schema import recipe_schema

    names = policies.names()
    if policy is not None and policy not in names:
        near = get_close_matches(policy.lower(), names, n=1)
        hint = f"did you mean {near[0]}?" if near else "`getiaction list-policies` shows them all"
        raise UsageError(f"no policy is called {policy!r}", hint)
    chosen = [policies.load(name) for name in ([policy] if policy else names)]
    typer.echo(json.dumps(recipe_schema([known for known in chosen if known.trainable]), indent=2, ensure_ascii=False))
