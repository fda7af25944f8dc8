"""`getiaction validate-config RECIPE… [overrides]`: all that is wrong with recipes, before a GPU minute is spent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction import trust
from getiaction_cli.commands.arguments import quiet, rule_codes, say
from getiaction_cli.errors import EXIT_CHECK_NOT_RUN, EXIT_FOUND, RecipeNotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.diagnostics import Report
    from getiaction_cli.gpus import Card
    from getiaction_cli.recipe import Recipe

_SUFFIXES = (".yaml", ".yml")
_RECIPE_LIKE = re.compile(r"^(model|data|policy|dataset|trainer)\s*:", re.MULTILINE)


class ReportFormat(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    CONCISE = "concise"


def validate_config(
    ctx: typer.Context,
    recipes: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE...", help="Recipes, folders of them, patterns, or - for standard input."),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", "-c", metavar="RECIPE", help="Recipes laid over each other, checked as one."),
    ] = None,
    format: Annotated[ReportFormat, typer.Option("--format", help="How to write the report.")] = ReportFormat.TEXT,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODES", help="Report only these codes or families (GA3,GA101)."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODES", help="Leave out these codes or families.")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe fixes in the files.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="With --fix or --diff: also fixes that may change what you meant.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the fixes as a diff; change nothing.")] = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Also train two small batches with the real policy, on the CPU.")
    ] = False,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Also measure the memory of a step, with a policy that takes no memory."),
    ] = False,
    gpu: Annotated[
        str | None,
        typer.Option("--gpu", metavar="GPU", help='Name the needs on this GPU: "RTX 4090", H100, 24GB.'),
    ] = None,
    for_machine: Annotated[
        Path | None,
        typer.Option(
            "--for-machine",
            metavar="FILE",
            help="Check for the machine that `getiaction describe-machine` described in this file.",
        ),
    ] = None,
) -> None:
    """Check recipes and report every problem, each with its place, its reason and its fix.

    Overrides are judged as `train` would take them: --trainer.max_steps 2000, --model.chunk_size 20.

    Exit codes: 0 no errors (warnings allowed), 1 errors found, 2 usage error, 3 check could not run.
    """
    from getiaction_cli import gpus, policies
    from getiaction_cli.checking.recipe_context import SharedInputs
    from getiaction_cli.commands import trial

    card = gpus.named(gpu) if gpu is not None else None
    machine = None
    if for_machine is not None:
        from getiaction_cli import machine_file

        machine = machine_file.read(for_machine)
    shared = SharedInputs(machine=machine)
    run = _Run(ctx.obj or (), rule_codes(select or ()), rule_codes(ignore or ()), shared, card)
    if config and recipes:
        raise UsageError("name recipes either as arguments or with --config", "--config lays several over each other")
    if not (config or recipes or run.overrides):
        raise UsageError("no recipe was named", "for example: getiaction validate-config quickstart")
    run.under = tuple(config[:-1]) if config else ()
    changing = fix or diff
    if unsafe_fixes and not changing:
        raise typer.BadParameter(
            "it needs --fix (to make the fixes) or --diff (to show them)", param_hint="--unsafe-fixes"
        )
    fixed = 0
    failed = stopped = False
    for path in [config[-1]] if config else _paths(recipes) if recipes else [None]:
        try:
            recipe = run.read(path)
        except RecipeNotFound as error:
            failed = True
            say(error)
            continue
        if changing:
            fixed += run.fix(path, recipe, unsafe=unsafe_fixes, diff=diff)
        elif run.judge(recipe).ok:
            stopped |= measure and not _works(trial.measure, recipe)
            stopped |= smoke and not _works(trial.smoke, recipe)
    to_stderr = changing and (diff or "-" in (recipes or ()))
    clean = not any(report.diagnostics or report.not_run for report in run.reports)
    if run.reports and not (
        stopped and clean and format is ReportFormat.TEXT
    ):  # a trial that failed must not be reported as "nothing wrong"
        typer.echo(run.render(format, fixed, err=to_stderr), nl=False, err=to_stderr)
    if not all(report.complete for report in run.reports):
        say(policies.unreadable())
        failed = True
    if failed:
        raise typer.Exit(EXIT_CHECK_NOT_RUN)
    if stopped or any(not report.ok for report in run.reports):
        raise typer.Exit(EXIT_FOUND)


def _works(trial: Callable[[Recipe], str | None], recipe: Recipe) -> bool:
    """Run a trial and print its result."""
    from getiaction_cli.errors import RunFailed

    try:
        result = trial(recipe)
    except RunFailed as error:
        say(error)
        return False
    if result:
        typer.echo(result, err=True)
    return True


class _Run:
    """One call of the command: inputs that its recipes share, and the findings."""

    def __init__(
        self,
        overrides: tuple[tuple[str, str], ...],
        select: tuple[str, ...],
        ignore: tuple[str, ...],
        shared: SharedInputs,
        card: Card | None = None,
    ) -> None:
        self.overrides = overrides
        self.select, self.ignore = select, ignore
        self.shared = shared
        self.under: tuple[str, ...] = ()
        self.card = card
        self.reports: list[Report] = []
        self.context: RecipeContext | None = None

    def read(self, path: str | None) -> Recipe:
        from getiaction_cli.recipe import read

        return read(path, overrides=self.overrides, under=self.under)

    def judge(self, recipe: Recipe) -> Report:
        report = self._report(recipe)
        self.reports.append(report)
        return report

    def _report(self, recipe: Recipe) -> Report:
        from getiaction_cli.checking.recipe_context import RecipeContext
        from getiaction_cli.checking.runner import check

        self.context = RecipeContext(recipe, self.shared)
        return check(self.context, select=self.select, ignore=self.ignore)

    def fix(self, path: str | None, recipe: Recipe, *, unsafe: bool, diff: bool) -> int:
        """Make the fixes (or show them), keep the report of what is left, and say how many were made."""
        from getiaction_cli import shipped
        from getiaction_cli.checking import fixing
        from getiaction_cli.recipe import read
        from getiaction_cli.recipe.reader import read_one

        def reread(texts: dict[str, str]) -> Recipe:
            return read(recipe.file, texts=texts, under=self.under, overrides=self.overrides)

        done = fixing.fix(recipe, self._report, reread, unsafe=unsafe)
        # A fix that renames a key to `base` brings a file in, which is fixed as well.
        changed = {
            file: (before.text, source.text)
            for file, source in done.recipe.sources.items()
            if (before := recipe.sources.get(file) or read_one(file)).text != source.text
        }
        if diff:
            for file, texts in changed.items():
                typer.echo(fixing.difference(file, *texts), nl=False)
            self.judge(recipe)
            return 0
        if path == "-":
            typer.echo(done.recipe.text, nl=False)
        elif done.made:
            if path and shipped.path_of(path):
                raise UsageError(
                    f"{path} ships with getiaction and is not changed",
                    f"fix a copy: getiaction recipes {path} > {path}.yaml",
                )
            for file, (_, after) in changed.items():
                fixing.write(Path(file), after)
        for made in done.made:
            typer.echo(
                f"fixed[{made.code}] {made.file}: {made.message}: {made.fix.title if made.fix else ''}", err=True
            )
        self.reports.append(done.report)
        return len(done.made)

    def render(self, format: ReportFormat, fixed: int, *, err: bool) -> str:
        match format:
            case ReportFormat.JSON:
                from getiaction_cli.rendering import json_v1

                return json_v1.render(self.reports)
            case ReportFormat.SARIF:
                from importlib.metadata import version

                from getiaction_cli.checking.runner import load_rules
                from getiaction_cli.rendering import sarif

                return sarif.render(self.reports, load_rules(), version("getiaction"))
            case ReportFormat.GITHUB:
                from getiaction_cli.rendering import github

                return github.render(self.reports)
            case ReportFormat.CONCISE:
                from getiaction_cli.rendering import concise

                return concise.render(self.reports)
        return self._text(fixed, err=err)

    def _text(self, fixed: int, *, err: bool) -> str:
        import sys

        from getiaction_cli.rendering import terminal, text

        color, columns = text.wants_color(sys.stderr if err else sys.stdout), text.columns()
        report = terminal.render(self.reports, color=color, columns=columns, fixed=fixed)
        if len(self.reports) != 1 or not self.reports[0].ok or self.context is None or quiet():
            return report
        from getiaction_cli.checking.preview import preview

        plan = preview(self.context, self.card)
        if plan is None:
            return report
        title, entries = plan
        return terminal.rows(title, entries, color=color, columns=columns) + "\n" + report


def _paths(words: list[str]) -> Iterator[str]:
    """Return the recipes of the arguments without duplicates; folders and patterns are expanded."""
    seen: set[str] = set()
    for word in words:
        for path in _expand(word):
            if path not in seen:
                seen.add(path)
                yield path


def _expand(word: str) -> list[str]:
    if word == "-":
        return [word]
    path = Path(word)
    if _is_folder(path):
        found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and _is_recipe(file, path))
        found = _without_fragments(found)
        if not found:
            raise RecipeNotFound(
                f"there are no recipes in {word}", "a recipe is a .yaml file with `model:` and `data:`"
            )
        return [str(file) for file in found]
    if any(char in word for char in "*?[") and not os.path.lexists(path):
        import glob

        # Path.glob takes no absolute patterns.
        found_words = sorted(name for name in glob.glob(word, recursive=True) if Path(name).is_file())  # noqa: PTH207
        if not found_words:
            raise RecipeNotFound(f"no files match {word}")
        return found_words
    return [word]


def _without_fragments(files: list[Path]) -> list[Path]:
    """The files that are recipes by themselves: parts that others name as their `base` are checked with those."""
    from getiaction_cli.recipe.bases import BASE
    from getiaction_cli.recipe.reader import read_one

    heads, real = {file: _head(file) for file in files}, {file: os.path.realpath(file) for file in files}

    def has(file: Path, pattern: str) -> bool:
        return re.search(pattern, heads[file], re.MULTILINE) is not None

    bases_of: dict[str, set[str]] = {}
    for file in files:
        if has(file, rf"^[\"']?{BASE}[\"']?\s*:"):
            bases = read_one(str(file)).plain().get(BASE)
            names = [base for base in (bases if isinstance(bases, list) else [bases]) if isinstance(base, str)]
            bases_of[real[file]] = {os.path.realpath(file.parent / name) for name in names if "\0" not in name}
    whole = {real[file] for file in files if has(file, r"^model\s*:") and has(file, r"^data\s*:")}
    named = set().union(*bases_of.values())
    covered = set(real.values()) - (named - whole)
    wave = covered
    while wave := set().union(*(bases_of.get(file, set()) for file in wave)) - covered:
        covered = covered | wave
    # Files that name each other in a circle are covered by none.
    return [file for file in files if real[file] not in named & covered or real[file] in whole]


def _is_folder(path: Path) -> bool:
    """True for a folder; False if access is denied, which reading it reports."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_recipe(file: Path, folder: Path) -> bool:
    """True for a YAML file with the sections of a recipe; other files in a folder are ignored."""
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return False
    try:
        return bool(_RECIPE_LIKE.search(_head(file)))
    except OSError:
        return False


def _head(file: Path) -> str:
    """The beginning of a file, which says whether it is a recipe."""
    with trust.open_regular(file) as stream:
        return stream.read(100_000).decode("utf-8", "replace")
