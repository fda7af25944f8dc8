"""`getiaction recipes`: the recipes that ship with getiaction."""

from __future__ import annotations

from typing import Annotated

import typer

from getiaction_cli.commands.arguments import note
from getiaction_cli.errors import UsageError


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Recipe to print (default: list all).")] = None,
) -> None:
    """List the recipes that ship with getiaction, or print one.

    Start your own from one: getiaction recipes quickstart > my.yaml

    Train one as it is: getiaction train quickstart
    """
    from difflib import get_close_matches

    from getiaction_cli import shipped
    from getiaction_cli.rendering.text import Paint, columns, wants_color, wrap

    known = shipped.names()
    if name is None:
        column = max(map(len, known)) + 2
        paint = Paint(wants_color())
        for each in known:
            name = paint("bold", each) + " " * (column - len(each))
            typer.echo(name + wrap(shipped.summary(each), columns(), " " * column))
        note("")
        note("print one: getiaction recipes NAME > my.yaml")
        note("train one: getiaction train NAME")
        return
    stem = name.removesuffix(".yaml")
    if stem not in known:
        near = get_close_matches(stem, known, n=1, cutoff=0.4)
        raise UsageError(
            f"no shipped recipe is named {name!r}",
            f"did you mean {near[0]}?" if near else "`getiaction recipes` lists them",
        )
    typer.echo(shipped.text_of(stem), nl=False)
