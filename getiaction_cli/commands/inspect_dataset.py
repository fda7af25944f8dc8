"""`getiaction inspect-dataset DATASET`: what is in a dataset, what is broken, and which policies can train on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction_cli.commands.arguments import Format, note, quiet
from getiaction_cli.errors import EXIT_FOUND, CliError

if TYPE_CHECKING:
    from getiaction_cli.datasets import Location
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.inspection import Inspection, PolicyVerdict
    from getiaction_cli.datasets.scan import Scan
    from getiaction_cli.rendering.progress import Progress


def inspect_dataset(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="An id on the Hub or on this disk, or a folder.")],
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REF", help="A tag, branch or commit on the Hub.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the recorded numbers too, and decode some frames of every video.")
    ] = False,
    write_stats: Annotated[
        bool,
        typer.Option("--write-stats", help="With --deep: write true statistics to meta/stats.json, beside a backup."),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a page that plays episodes beside their curves."),
    ] = None,
    episode: Annotated[
        list[int] | None,
        typer.Option("--episode", metavar="N", help="With --html: an episode to play (repeatable; default: three)."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Download what --deep needs without asking.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Chooses the frames that --deep decodes.")] = 0,
) -> None:
    """Show what is in a LeRobot dataset, what is broken, and which policies can train on it.

    Looks at metadata alone, unless --deep is given; from the Hub only meta/ is fetched.

    Exit codes: 0 no errors (warnings allowed), 1 errors found, 2 usage error, 3 check could not run.
    """
    from getiaction_cli import policies
    from getiaction_cli.rendering.progress import Progress

    if write_stats and not deep:
        raise typer.BadParameter("it needs --deep, which reads the numbers", param_hint="--write-stats")
    if episode and html is None:
        raise typer.BadParameter("it needs --html, whose page plays the episodes", param_hint="--episode")
    progress = Progress(quiet=quiet())
    try:
        inspection = _inspect(dataset, revision, progress, deep=deep, yes=yes, seed=seed)
        if write_stats:
            inspection = _write_stats(inspection)
        if html is not None:
            _write_page(inspection, html, episode or [], progress)
    except (CliError, KeyboardInterrupt):
        progress.clear()
        raise
    typer.echo(_shown(inspection, format), nl=False)
    if unreadable := next((verdict.unreadable for verdict in inspection.policies if verdict.unreadable), ""):
        raise policies.unreadable(unreadable)
    if not inspection.report.ok:
        raise typer.Exit(EXIT_FOUND)


def _inspect(name: str, revision: str | None, progress: Progress, *, deep: bool, yes: bool, seed: int) -> Inspection:
    from getiaction_cli import datasets

    place = datasets.locate(name, revision=revision, folders=True, watch=progress)
    why = datasets.ONLY_DEEP
    if deep and place.is_cached_copy:
        place, why = _with_data(place, progress, yes=yes)
    found = _read(place)
    scan = None
    if deep and why == datasets.ONLY_DEEP:
        from getiaction_cli.datasets.deep import look

        scan = look(found, seed=seed, watch=progress)
    return _judged(found, scan, why)


def _read(place: Location) -> Dataset:
    """Read the metadata; meanwhile (reading much of it is pyarrow's work, not Python's) load what judging it takes."""
    from concurrent.futures import ThreadPoolExecutor

    from getiaction_cli import datasets

    with ThreadPoolExecutor(1) as pool:
        pool.submit(_load_what_judges)
        return datasets.read(place)


def _load_what_judges() -> None:
    from getiaction_cli import policies
    from getiaction_cli.checking.runner import load_rules

    load_rules()
    for name in policies.names():
        _ = policies.load(name).fields


def _judged(found: Dataset, scan: Scan | None, why: str) -> Inspection:
    from getiaction_cli.checking.dataset_context import DatasetContext
    from getiaction_cli.checking.runner import check
    from getiaction_cli.datasets.inspection import Inspection

    report = check(DatasetContext(found, scan, why))
    return Inspection(found, report, _verdicts(found), scan)


def _verdicts(found: Dataset) -> tuple[PolicyVerdict, ...]:
    """Which policies can train on it: a recipe is drafted for each and judged as any recipe is."""
    from getiaction_cli.checking import drafting
    from getiaction_cli.checking.recipe_context import SharedInputs
    from getiaction_cli.datasets.inspection import PolicyVerdict

    if not found.features or not len(found.episodes) or not found.fps:
        return ()  # the report says what must be fixed first
    shared = SharedInputs()
    shared.add(found)
    return tuple(
        PolicyVerdict(
            name=draft.policy.name,
            trainable=draft.trainable,
            installed=draft.policy.installed,
            changes=tuple(change.fix.title if change.fix else change.message for change in draft.changes),
            reasons=tuple(reason.message for reason in draft.reasons),
            machine=tuple(lack.message for lack in draft.machine),
            unreadable=draft.unreadable,
        )
        for draft in drafting.drafts(found, shared)
    )


def _with_data(place: Location, progress: Progress, *, yes: bool) -> tuple[Location, str]:
    """Show the download, ask for confirmation, and download; the second value is the reason if it did not."""
    from getiaction.spec.hub_cache import is_offline
    from getiaction_cli.datasets import ONLY_DEEP, hub
    from getiaction_cli.units import plural, size

    if is_offline():
        return place, ONLY_DEEP
    wanted = hub.remote_files(place)
    if not wanted.files:
        return place, ONLY_DEEP
    amount = f"{plural(wanted.files, 'file')}, {size(wanted.bytes)}"
    typer.echo(f"--deep needs the tables and videos of {place.repo_id}: {amount}, from {hub.endpoint()}", err=True)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Download them?", err=True)):
        return place, f"{amount} would have to be downloaded first; --yes downloads them"
    return hub.fetch_data(place, watch=progress), ONLY_DEEP


def _write_stats(inspection: Inspection) -> Inspection:
    """Write the true statistics, and look again at what is left to say."""
    from getiaction_cli import datasets
    from getiaction_cli.datasets.writing import write_stats
    from getiaction_cli.errors import CheckNotRun

    if inspection.scan is None:
        raise CheckNotRun("there is nothing to compute statistics from", "; ".join(inspection.not_checked))
    written = write_stats(inspection.dataset, inspection.scan)
    file = inspection.dataset.root / "meta" / "stats.json"
    if not written.changed:
        note(f"{file} holds the true statistics already")
        return inspection
    kept = f"; the old file is {written.backup}" if written.backup else ""
    note(f"wrote {file}{kept}")
    return _judged(datasets.read(inspection.dataset.place), inspection.scan, datasets.ONLY_DEEP)


def _write_page(inspection: Inspection, file: Path, episodes: list[int], progress: Progress) -> None:
    """Write the page atomically."""
    from getiaction_cli.checking.fixing import write
    from getiaction_cli.datasets import sample
    from getiaction_cli.rendering import charts, dataset_html

    there = {int(index) for index in inspection.dataset.episodes.index}
    if missing := [one for one in episodes if one not in there]:
        raise typer.BadParameter(f"the dataset has no episode {missing[0]}", param_hint="--episode")
    if len(set(episodes)) > charts.COLOURS:
        raise typer.BadParameter(f"a page has room for at most {charts.COLOURS} episodes", param_hint="--episode")
    write(file, dataset_html.render(inspection, sample.take(inspection.dataset, progress, episodes)))
    note(f"wrote {file}")


def _shown(inspection: Inspection, format: Format) -> str:
    from getiaction_cli.rendering.text import columns, wants_color

    if format is Format.JSON:
        from getiaction_cli.rendering import dataset_json

        return dataset_json.render(inspection)
    if quiet():
        from getiaction_cli.rendering import terminal

        return terminal.render([inspection.report], color=wants_color(), columns=columns())
    from getiaction_cli.rendering import dataset

    return dataset.render(inspection, color=wants_color(), columns=columns())
