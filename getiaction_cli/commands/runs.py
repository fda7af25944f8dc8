"""`getiaction runs`: the runs of a folder, or what differs between some of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from getiaction_cli.commands.arguments import Format, note
from getiaction_cli.errors import CheckNotRun, UsageError


def runs(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="A folder of runs, or runs to compare.", show_default="outputs"),
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write the comparison as a page with curves.")
    ] = None,
) -> None:
    """List runs: when, how many steps, the best loss, how they ended. With two or more runs: what differs.

    Success is that of the last rollouts. A comparison shows the recipe keys, the data and the versions that differ, and
    the curves on one scale.
    """
    from getiaction_cli import runs as reading
    from getiaction_cli.rendering import runs as rendering
    from getiaction_cli.rendering.text import columns, wants_color

    given, folders = folders, folders or [Path("outputs")]
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        hint = "runs are in outputs/RECIPE/TIME" if given else "`getiaction train quickstart` makes the first run"
        is_file = missing[0].is_file()
        raise CheckNotRun(f"{missing[0]} is a file, not a folder" if is_file else f"no folder {missing[0]}", hint)
    compared = len(folders) > 1
    none = [folder for folder in folders if compared and not reading.is_run(folder)]
    if none:
        raise UsageError(f"{none[0]} is not a run", "name run folders to compare them: outputs/RECIPE/TIME")
    if html is not None and not compared:
        raise UsageError("--html needs two or more runs", "one run has its page already: report.html in the run folder")
    found = [reading.read(folder) for folder in folders] if compared else reading.find(folders[0])
    if not found:
        raise CheckNotRun(f"no runs in {folders[0]}", "`getiaction train quickstart` makes one in outputs/")
    differences = reading.differences(found) if compared else None
    if html is not None and differences is not None:
        from getiaction_cli.checking.fixing import write
        from getiaction_cli.rendering import run_html

        write(html, run_html.compared(found, differences))
        note(f"wrote {html}")
    if format is Format.JSON:
        said = rendering.document(found, differences)
    elif differences is not None:
        said = rendering.comparison(found, differences, color=wants_color(), columns=columns())
    else:
        said = rendering.table(found, color=wants_color(), columns=columns())
    typer.echo(said, nl=False)
