"""`getiaction train RECIPE [overrides]` and `getiaction fit --config RECIPE [overrides]`: the one door to the core.

The recipe is judged first, in half a second. Only then torch, lightning and lerobot are imported, inside `_train`.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperOption

from getiaction_cli.commands.arguments import note, quiet, rule_codes
from getiaction_cli.commands.core import one_error, own_screen, prepare_libraries
from getiaction_cli.errors import EXIT_FOUND, CliError, RunFailed, UsageError
from getiaction_cli.short_forms import SHORT_FORMS, ShortForm, route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from getiaction.spec.launch import Launch
    from getiaction.train.folder import RunFolder
    from getiaction.train.screen import Screen
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.diagnostics import Diagnostic, Report
    from getiaction_cli.recipe import Recipe

_OVERRIDE = re.compile(r"--(?P<name>[A-Za-z_][\w-]*(?:\.[\w/-]+)*\+?)(?:=(?P<value>.*))?", re.DOTALL)
_OPTION = re.compile(r"--|-[A-Za-z]$")
_BARE = re.compile(r"[A-Za-z_]\w*(\.\w+)+=")
_ID = re.compile(r"[\w.-]+/[\w.-]+")
LATEST = "latest"
TAKEN = "GA509"  # the rule about an output folder with something in it
MACHINE = "GA5"  # the family of rules about the machine
WORLD = "GA502"  # the rule about the number of processes
PIPED = "GETIACTION_PIPED_RECIPE"
RECIPE_SUFFIXES = (".yaml", ".yml")


class TrainCommand(TyperCommand):
    """Takes overrides (`--trainer.max_steps 20`, `--steps 20`) out of the words before typer looks at the rest.

    So every other unknown option stays a usage error with a suggestion, and `--resume` may be without a value. The
    short forms are options of the command as well, for its help, for completion and for suggestions.
    """

    takes_overrides: tuple[str, ...] = ("model", "data", "trainer")  # completion reads it
    short_forms: tuple[ShortForm, ...] = SHORT_FORMS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for short in self.short_forms:
            self.params.append(
                TyperOption(
                    param_decls=[f"--{name}" for name in short.names],
                    metavar=short.metavar,
                    help=short.help,
                    expose_value=False,
                )
            )

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Split the words; the overrides are left in ``ctx.obj``."""
        rest, ctx.obj = split_overrides(args, short=bool(self.short_forms))
        rest = _with_values(rest, {name for param in self.params for name in param.opts})
        for word in rest:
            if _BARE.match(word) and not Path(word).exists():
                raise UsageError(f"{word} is neither a file nor an option", f"an override begins with dashes: --{word}")
        return super().parse_args(ctx, rest)


def split_overrides(words: list[str], *, short: bool = True) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Split a command line into its other words and its overrides.

    Args:
        words: the command line.
        short: short forms (`--steps`) are overrides, too.

    Returns:
        The words that are not overrides, and the overrides as (word without dashes, YAML text).

    Raises:
        UsageError: an override without a value.
    """
    rest: list[str] = []
    overrides: list[tuple[str, str]] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            return [*rest, word, *words], tuple(overrides)
        match = _OVERRIDE.fullmatch(word)
        name = match["name"] if match else ""
        if match is None or not ("." in name or (short and route_of(name))):
            rest.append(word)
            continue
        following = words[0] if words else None
        if match["value"] is not None:
            overrides.append((name, match["value"]))
        elif (following is None or _is_no_value(following)) and _may_be_true(name):
            overrides.append((name, "true"))
        elif following is not None and not following.startswith("--"):
            overrides.append((name, words.pop(0)))
        else:
            raise UsageError(f"{word} has no value", f"write {word} VALUE or {word}=VALUE")
    return rest, tuple(overrides)


def _is_no_value(word: str) -> bool:
    """True for what cannot be meant as the value of a switch: an option, a recipe, or the id of a dataset."""
    from getiaction_cli import shipped

    return (
        bool(_OPTION.match(word)) or word.endswith(RECIPE_SUFFIXES) or "/" in word or shipped.path_of(word) is not None
    )


def _may_be_true(name: str) -> bool:
    """True for a key that takes true or false, so that it may be without a value, as `--trainer.fast_dev_run`."""
    from getiaction_cli import policies
    from getiaction_cli.recipe.layout import DATAMODULE, WRAPPER
    from getiaction_cli.recipe.signatures import read_signature

    section, _, key = (route_of(name) or name).partition(".")
    key = key.removeprefix("init_args.").removeprefix("config_kwargs.")
    home = {"trainer": "lightning.Trainer", "data": DATAMODULE, "model": WRAPPER}.get(section)
    signature = read_signature(home) if home else None
    if signature and key in signature.parameters:
        return signature.parameters[key].type.has("bool")
    fields = (policies.load(policy).fields.get(key) for policy in (policies.names() if section == "model" else ()))
    return any(field is not None and isinstance(field.default, bool) for field in fields)


def _with_values(words: list[str], own: Collection[str] = ()) -> list[str]:
    """Join options with their values: `--resume` without one is the latest run, `--slurm` has no options of sbatch.

    Args:
        words: the command line without its overrides.
        own: the options of the command; one of them behind `--slurm` is not an option of sbatch.
    """
    done: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        following = words[0] if words else "-"
        if word == "--resume" and (following.startswith("-") or following.endswith(RECIPE_SUFFIXES)):
            word = f"--resume={LATEST}"
        elif word == "--slurm":
            name = re.split(r"[\s=]", following)[0]
            is_own = name.startswith("--") and name in own and not re.search(r"\s-", following)
            sbatch = following.startswith("-") and re.search(r"[\s=]", following) and not is_own
            word = f"--slurm={words.pop(0) if sbatch else ''}"
        elif word == "--array" and words:
            word = f"--array={words.pop(0)}"
        done.append(word)
    if sum(word.startswith("--array=") for word in done) > 1:
        raise UsageError("--array can be given once", "one override differs between the tasks: --array seed=1-5")
    return done


_CONFIG = typer.Option("--config", "-c", metavar="RECIPE", help="A recipe laid over the earlier ones; repeatable.")
SECONDS_FOR_THE_FIRST = 10
_OUTPUT_DIR = typer.Option("--output-dir", help="The run folder; new or empty.", show_default="outputs/RECIPE/TIME")
_RESUME = typer.Option(
    "--resume",
    "--ckpt_path",
    metavar="[RUN]",
    help="Resume a run: its folder or a .ckpt file; without a value: the latest run of the recipe.",
    show_default=False,
)
_UNCHECKED = typer.Option("--unchecked", help="Train even if LeRobot could not be read and checks did not run.")
_POLICY = typer.Option(
    "--policy", "-p", metavar="POLICY", help="With a dataset for RECIPE: draft a recipe for this policy and train it."
)
_PRINT_CONFIG = typer.Option(
    "--print-config",
    "--print_config",
    help="Print the recipe with all defaults and where each value comes from, and exit.",
)
_IGNORE = typer.Option("--ignore", metavar="CODES", help="Train despite these findings or families (GA301,GA5).")


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Args:
        path: the recipe; None where the command line is all of it, or where a run is resumed.
        under: files over which the recipe is laid, lowest first.
        text: the recipe's text, where it is drafted rather than read.
        overrides: as `split_overrides` gives them.
        output_dir: the run folder.
        resume: a run folder, a checkpoint, or `LATEST`.
        ignore: code prefixes of findings despite which the recipe is trained.
        unchecked: train although checks did not run.
        print_config: print the resolved recipe instead of training.
        slurm: options of sbatch; None trains on this machine.
        array: the override that differs between the tasks of a SLURM array.
        dry_run: print the batch script and submit nothing.
    """

    path: str | None
    under: tuple[str, ...] = ()
    text: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    output_dir: Path | None = None
    resume: str | None = None
    ignore: tuple[str, ...] = ()
    unchecked: bool = False
    print_config: bool = False
    slurm: str | None = None
    array: str | None = None
    dry_run: bool = False


_SLURM = typer.Option(
    "--slurm",
    metavar="[OPTIONS]",
    help='Submit the training to SLURM; with options of sbatch, as --slurm "--partition=gpu --gpus-per-node=4".',
    show_default=False,
)
_ARRAY = typer.Option(
    "--array",
    metavar="KEY=VALUES",
    help="With --slurm: one run for each value of an override, as seed=1-5 or steps=1000,2000.",
)
_DRY_RUN = typer.Option("--dry-run", help="With --slurm: print the batch script and submit nothing.")


def train(
    ctx: typer.Context,
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A YAML recipe, - for standard input, or a dataset with --policy.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[str | None, _POLICY] = None,
    config: Annotated[list[str] | None, _CONFIG] = None,
    output_dir: Annotated[Path | None, _OUTPUT_DIR] = None,
    resume: Annotated[str | None, _RESUME] = None,
    ignore: Annotated[list[str] | None, _IGNORE] = None,
    unchecked: Annotated[bool, _UNCHECKED] = False,
    print_config: Annotated[bool, _PRINT_CONFIG] = False,
    slurm: Annotated[str | None, _SLURM] = None,
    array: Annotated[str | None, _ARRAY] = None,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Train the policy that a recipe describes.

    Any value of the recipe can be given on the command line: --trainer.max_steps 2000, --model.chunk_size 20,
    --data.repo_id lerobot/pusht. Without a recipe, --model and --dataset are enough; `getiaction train lerobot/pusht
    --policy act` drafts a recipe as `init` does, shows it and trains it.
    """
    order = Order(
        None, (), None, ctx.obj, output_dir, _resumed(resume), rule_codes(ignore or ()), unchecked, print_config
    )
    files = [*([recipe] if recipe else []), *(config or [])]
    if policy is not None:
        order = _drafted(order, files, policy)
    else:
        _check_is_recipe(files)
        order = _with_files(order, files)
    if slurm is not None:
        _submit(replace(order, slurm=slurm, array=array, dry_run=dry_run))
    elif array is not None or dry_run:
        raise UsageError(f"{'--array' if array else '--dry-run'} needs --slurm", "add --slurm to the command")
    else:
        _run(order)


def fit(
    ctx: typer.Context,
    config: Annotated[list[str] | None, _CONFIG] = None,
    output_dir: Annotated[Path | None, _OUTPUT_DIR] = None,
    resume: Annotated[str | None, _RESUME] = None,
    ignore: Annotated[list[str] | None, _IGNORE] = None,
    unchecked: Annotated[bool, _UNCHECKED] = False,
    print_config: Annotated[bool, _PRINT_CONFIG] = False,
) -> None:
    """Train, with LightningCLI-compatible syntax: `getiaction fit --config RECIPE` is `getiaction train RECIPE`."""
    order = Order(
        None, (), None, ctx.obj, output_dir, _resumed(resume), rule_codes(ignore or ()), unchecked, print_config
    )
    _run(_with_files(order, config or []))


def _submit(order: Order) -> None:
    """Check the recipe of each task here, but for what the compute node must have, and hand them to SLURM."""
    from getiaction.spec.launch import Launch
    from getiaction.spec.seed import draw, with_seed
    from getiaction.train.folder import runs_of
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.commands import submit, time_limit

    if order.resume is not None:
        raise UsageError(
            "--slurm can't be used with --resume", "submit the script in the run folder: sbatch …/job.sbatch"
        )
    if order.path == "-" and order.array:
        raise UsageError("--array needs a recipe in a file", "save the recipe first")
    if order.path is None and not _is_described(order):
        raise UsageError("no recipe was named", "for example: getiaction train quickstart --slurm")
    given = submit.options(order.slurm or "")
    if order.array is None and any(option.name == "array" for option in given):
        raise UsageError(
            "--slurm: every task of sbatch's --array would train the same run",
            "name what differs between the tasks: --array seed=1-5",
        )
    tasks: list[submit.Task] = []
    shared = SharedInputs()
    for override in submit.array(order.array) if order.array else [None]:
        one = replace(order, overrides=(*order.overrides, override) if override else order.overrides)
        recipe = _judged(one, Launch(), shared)
        text = _own_text(recipe)
        if recipe.get("seed") is None:
            text = with_seed(text, draw())  # all starts of a job train the same
        tasks.append(submit.Task(submit.folder_of(override, tasks) if override else "", recipe, text))
    if said := time_limit.remark(
        RecipeContext(tasks[0].recipe, shared), runs_of(_name(order)), given, submit.processes(tasks[0].recipe, given)
    ):
        note(said)
    chosen = order.output_dir or tasks[0].recipe.get("output_dir")
    home = Path(str(chosen)).expanduser() if chosen else None
    submit.submit(tasks, _name(order), home, given, dry_run=order.dry_run)


def _check_is_recipe(files: list[str]) -> None:
    """Refuse a dataset in place of a recipe, and name the command that trains on it."""
    for word in files:
        if word.endswith(RECIPE_SUFFIXES):
            continue
        is_id = _ID.fullmatch(word) and not os.path.lexists(Path(word).parent)
        if is_id or os.path.isfile(Path(word) / "meta" / "info.json"):  # noqa: PTH113 - False where we may not look
            command = f"getiaction train {shlex.quote(word)} --policy act"
            raise UsageError(f"{word} is not a recipe", f"to train on a dataset, name a policy: {command}")


def _drafted(order: Order, words: list[str], policy: str) -> Order:
    """The order with a recipe that is drafted for a dataset, and shown."""
    from getiaction.spec import launch
    from getiaction.train.screen import follows
    from getiaction_cli import shipped
    from getiaction_cli.checking import drafting
    from getiaction_cli.commands.init import drafted

    given = [text for word, text in order.overrides if (route_of(word) or word) == "data.repo_id"]
    word = next(iter([*words, *reversed(given)]), None)
    if word is None:
        raise UsageError("--policy needs a dataset", "for example: getiaction train getiaction/pusht-demo --policy act")
    if len(words) > 1 or word == "-" or word.endswith(RECIPE_SUFFIXES) or shipped.path_of(word):
        raise UsageError(f"--policy is for a dataset, and {word} is a recipe", "--model changes the policy of a recipe")
    suit, dataset = drafted(word, policy)
    # The commands at its head are for a file.
    lines = [line for line in suit.text.splitlines() if line != "#" and not line.startswith("#     getiaction ")]
    text = "\n".join(lines) + "\n"
    if not (follows() or launch.read().rank or quiet() or order.print_config):
        edit = f"getiaction init {shlex.quote(word)} --policy {suit.policy.name}"
        typer.echo(f"{text}\n# The run folder keeps this recipe. To edit it before training: {edit}\n", err=True)
    return replace(order, path=f"{drafting.name_of(suit.policy.name, dataset.repo_id)}.yaml", text=text)


def _with_files(order: Order, files: list[str]) -> Order:
    if "-" in files[:-1]:
        raise UsageError("standard input can only be the last recipe", "name the recipe for - behind the others")
    return replace(order, path=files[-1] if files else None, under=tuple(files[:-1]))


def _resumed(word: str | None) -> str | None:
    """What --resume or LightningCLI's --ckpt_path names; `last` is the latest run's last checkpoint."""
    if word in ("null", "None", ""):
        return None
    if word == "best":
        raise UsageError("training is resumed from the last checkpoint", "--resume without a value, or with its file")
    return LATEST if word == "last" else word


def _run(order: Order) -> None:
    from getiaction.spec import launch

    here = launch.read()
    screen = own_screen()
    try:
        _run_here(order, here, screen)
    except CliError as error:
        if here.rank == 0:
            raise
        named = f"[rank {here.rank} on {platform.node()}] {error.message}"
        screen.alarm(f"error: {named}" + (f"\nhint: {error.hint}" if error.hint else ""))
        raise type(error)(named, error.hint) from error


def _run_here(order: Order, here: Launch, screen: Screen) -> None:
    from getiaction.train import folder
    from getiaction.train.screen import follows
    from getiaction_cli import shipped
    from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
    from getiaction_cli.checking.resolved import resolved

    if follows():  # a rank that Ctrl-C ends here would leave the first one waiting
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    if order.path is None and not _is_described(order):
        if order.resume == LATEST:
            raise UsageError(
                "--resume without a value needs a recipe", "name the run: getiaction train --resume outputs/…"
            )
        if order.resume is None:
            raise UsageError("no recipe was named", "for example: getiaction train quickstart")
    name = _name(order)
    if order.resume == LATEST:
        found = folder.latest(name)
        if found is None:
            raise RunFailed(f"no run of {name} can be resumed", f"outputs/{name}/*/checkpoints/last.ckpt is looked for")
        order = replace(order, resume=str(found))
    if order.path is None and order.resume is not None:
        path, name = _recipe_of(order.resume)
        order = replace(order, path=path)
    order = _still_ignoring(order)
    # A run that continues has its folder already, also where its recipe names it.
    shared = SharedInputs()
    recipe = _read_once(order) if follows() else _judged(order, here, shared)  # the first rank judges for this machine
    complete = resolved(RecipeContext(recipe, shared)) if here.rank == 0 else ""
    if order.print_config:
        typer.echo(complete, nl=False)
        return
    _check_launch(recipe, here)
    _check_folder(name, recipe, order.output_dir, order.resume, here)
    home = (shipped.path_of(recipe.file) or Path(recipe.file)).parent
    _train(recipe, name, (shipped.with_schema_found(_own_text(recipe), home), complete), order, screen)


def _still_ignoring(order: Order) -> Order:
    """The order with the findings that the run was started despite; one line names those that are added."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder
    from getiaction.train.screen import follows

    if order.resume is None:
        return order
    try:
        run, _ = folder.resumable(order.resume)
    except TrainingError:
        return order  # reported when the folder is taken
    added = [code for code in (run.ignored if run else ()) if not code.startswith(order.ignore or ("-",))]
    if added and not (follows() or quiet()):
        typer.echo(f"still ignored, as when the run was started: {', '.join(added)}", err=True)
    return replace(order, ignore=(*order.ignore, *added))


def _is_described(order: Order) -> bool:
    """Whether the command line is a recipe: it names a policy or a dataset."""
    return any((route_of(word) or word).startswith(("model.", "data.")) for word, _ in order.overrides)


def _name(order: Order) -> str:
    """What the runs of a recipe are filed under: its file's name, or its policy and dataset."""
    if order.path == "-":
        return "stdin"
    if order.path is not None:
        return Path(order.path).stem
    from getiaction_cli.checking.drafting import name_of

    recipe = _read_once(order)
    return name_of(recipe.policy_name or "policy", recipe.repo_id or "dataset")


def _check_folder(name: str, recipe: Recipe, output_dir: Path | None, resume: str | None, here: Launch) -> None:
    """A folder that can't be used or resumed stops the run before torch is imported."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder
    from getiaction.train.job import Job

    chosen = output_dir or recipe.get("output_dir")
    try:
        if resume is not None:
            run, _ = folder.resumable(resume)
            if run is not None and here.rank == 0:
                folder.check_free(run.path)
        elif here.rank == 0 and not recipe.trainer("fast_dev_run", False):
            job = Job.this(here, recipe.plain())
            folder.check(name, Path(str(chosen)).expanduser() if chosen else None, job)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    except OSError as error:
        raise RunFailed(
            f"{error.filename} can't be used: {error.strerror}", "choose another place with --output-dir"
        ) from None


def _recipe_of(resume: str) -> tuple[str, str]:
    """The recipe that a run was started with, and its name."""
    from getiaction.errors import TrainingError
    from getiaction.train import folder

    try:
        run, checkpoint = folder.resumable(resume)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    if run is None:
        raise UsageError(f"{checkpoint} is not in a run folder", f"name its recipe too: train RECIPE --resume {resume}")
    _repair_recipe(run, checkpoint)
    return str(run.recipe), run.path.resolve().parent.name


def _repair_recipe(run: RunFolder, checkpoint: Path | None) -> None:
    """Write recipe.yaml anew from the checkpoint, where it is missing or was cut off; keep the damaged file.

    Raises:
        RunFailed: the recipe can't be read, and there is no checkpoint that holds it.
    """
    from getiaction.files import write_atomically

    if _is_recipe(run.recipe):
        return
    text = None
    if checkpoint is not None:
        typer.echo(f"{run.recipe} is missing or damaged: reading the recipe that {checkpoint.name} holds…", err=True)
        from getiaction.train.checkpoints import recipe_inside

        text = recipe_inside(checkpoint)
    if text is None:
        raise RunFailed(
            f"{run.recipe} is missing or damaged, and no checkpoint holds the recipe",
            f"name the recipe: getiaction train RECIPE --resume {shlex.quote(str(run.path))}",
        )
    if run.recipe.is_file() and run.recipe.stat().st_size:
        damaged = run.recipe.with_name(f"{run.recipe.name}.damaged")
        run.recipe.replace(damaged)
        typer.echo(f"the damaged recipe is kept as {damaged}", err=True)
    write_atomically(run.recipe, text)


def _is_recipe(path: Path) -> bool:
    """Whether the file can be read as a recipe at all, right or wrong."""
    from getiaction_cli.recipe import read

    try:
        recipe = read(str(path))
    except CliError:
        return False
    return not recipe.broken and {"model", "data"} <= set(recipe.plain())


def _judged(order: Order, here: Launch, shared: SharedInputs) -> Recipe:
    """The recipe, found clean; otherwise its diagnostics are shown and the run ends here.

    A folder that is given beside the recipe is judged with it, for what its disk can hold, and does not get into it.
    """
    import json

    from getiaction_cli import policies
    from getiaction_cli.checking.recipe_context import RecipeContext
    from getiaction_cli.checking.runner import check
    from getiaction_cli.diagnostics import Severity
    from getiaction_cli.rendering import terminal, text

    recipe = _read_once(order)
    judged = recipe
    if order.output_dir and not order.resume:
        folder = ("output_dir", json.dumps(str(order.output_dir)))
        judged = _read_once(replace(order, overrides=(*order.overrides, folder)))
    # A later rank may find the folder that the first one has just made, a requeued job its own.
    exists = order.resume or here.rank or here.restarted
    ignore = (*order.ignore, TAKEN) if exists else order.ignore
    context = RecipeContext(judged, shared)
    report = check(context, ignore=ignore)
    if order.print_config or order.slurm is not None:  # it may be trained on another machine
        report = _without_machine(report)
    refused = report.overruled + tuple(d for d in report.diagnostics if d.severity is Severity.ERROR)
    report = replace(report, diagnostics=report.overruled + report.diagnostics)
    wrong = replace(report, diagnostics=tuple(d for d in report.diagnostics if d.severity is not Severity.INFO))
    if here.rank > 0 and not report.ok:
        _refuse_later(here, refused)
    silent = here.rank > 0 or (report.ok and quiet())
    if (wrong.diagnostics or not report.complete) and not silent:
        shown = terminal.render([wrong], color=text.wants_color(sys.stderr), columns=text.columns())
        typer.echo(shown, err=True)
    if not report.ok:
        if not silent:
            verb = "printed" if order.print_config else "trained"
            typer.echo(f"nothing was {verb}{_way_on(refused)}", err=True)
        raise typer.Exit(EXIT_FOUND)
    if not report.complete and not order.unchecked:
        error = policies.unreadable()
        error.hint += "\n--unchecked trains without these checks"
        raise error
    if not (silent or order.print_config or order.slurm is not None):
        _say_what_it_needs(context)
    return recipe


def _say_what_it_needs(context: RecipeContext) -> None:
    """Show memory, time and disk, as `validate-config` does."""
    from getiaction_cli.checking.preview import needs
    from getiaction_cli.rendering import terminal, text

    lines = needs(context)
    if lines:
        title = f"{context.recipe.file} needs"
        typer.echo(terminal.rows(title, lines, color=text.wants_color(sys.stderr), columns=text.columns()), err=True)


def _without_machine(report: Report) -> Report:
    """Leave out the findings about this machine: the recipe is trained on another one."""

    def kept(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
        return tuple(d for d in diagnostics if not d.code.startswith(MACHINE))

    return replace(report, diagnostics=kept(report.diagnostics), overruled=kept(report.overruled))


def _way_on(refused: tuple[Diagnostic, ...]) -> str:
    """How to train despite these errors; why that can't be where training stops on one of them."""
    codes = dict.fromkeys(error.code for error in refused)
    stopping = dict.fromkeys(error.code for error in refused if error.stops)
    if not stopping:
        return f"; --ignore {','.join(codes)} trains anyway"
    return f"; {', '.join(stopping)} can't be ignored: training stops on {'it' if len(stopping) == 1 else 'them'}"


def _refuse_later(here: Launch, errors: Sequence[Diagnostic]) -> NoReturn:
    """Exit a later rank whose verdict has errors; one line names them, because the first rank may have found none."""
    if any(error.code != WORLD for error in errors):  # the first rank finds a contradiction to the launcher too
        found = "; ".join(f"{error.code} {error.message}" for error in errors[:1])
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        typer.echo(f"error: [rank {here.rank} on {platform.node()}] does not start: {found}{more}", err=True)
    else:
        time.sleep(SECONDS_FOR_THE_FIRST)  # a launcher that sees this rank end first would end the first one unheard
    raise typer.Exit(EXIT_FOUND)


def _check_launch(recipe: Recipe, here: Launch) -> None:
    """Stop a SLURM batch script that starts one process where its job has several tasks."""
    if here.launcher == "sbatch" and here.tasks > 1:
        raise RunFailed(
            f"the SLURM job has {here.tasks} tasks, and this is 1 process, which srun did not start",
            "put srun before the command: srun getiaction train …",
        )


def _read_once(order: Order) -> Recipe:
    """Standard input can be read only once, and Lightning starts this command again for every further rank."""
    from getiaction_cli.recipe import read

    piped = os.environ.get(PIPED) if order.path == "-" else order.text
    recipe = read(order.path, text=piped, overrides=order.overrides, under=order.under)
    if order.path == "-":
        os.environ[PIPED] = recipe.text
    return recipe


def _own_text(recipe: Recipe) -> str:
    """The recipe in one file, with its overrides written in and its comments kept: what the run folder keeps."""
    from getiaction_cli.checking.resolved import flat
    from getiaction_cli.diagnostics import Change
    from getiaction_cli.recipe import apply_edits, edits_for
    from getiaction_cli.recipe.reader import read_one

    wanted = recipe.plain()
    text = recipe.text
    written = read_one(recipe.file, text=text)
    changes = tuple(_differences(written.plain(), wanted)) if len(recipe.sources) == 1 else ()
    if changes:
        text = apply_edits(text, edits_for(written, Change("apply the command line", set=changes)))
    if read_one(recipe.file, text=text).plain() == wanted:
        return text
    return flat(recipe)


def _differences(old: Any, new: Any, route: str = "") -> list[tuple[str, Any]]:
    """The routes whose values the command line changed."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            difference
            for key, value in new.items()
            for difference in _differences(old.get(key), value, f"{route}.{key}".lstrip("."))
        ]
    return [] if old == new else [(route, new)]


def _train(recipe: Recipe, name: str, texts: tuple[str, str], order: Order, screen: Any) -> None:
    """Through the door: the first import of torch, lightning and lerobot; texts are the recipe's and the resolved."""
    import gc

    from getiaction.spec import slurm
    from getiaction.spec.launch import rank
    from getiaction_cli.commands import run_report
    from getiaction_cli.rendering import text as rendered

    gc.set_threshold(700)  # Python's own: in training, garbage may hold memory of the GPU
    prepare_libraries()
    try:
        with one_error("training", "train"), screen.taken():
            screen.doing("starting")
            from getiaction.train import run

            try:
                summary = run.train(
                    recipe.plain(),
                    recipe_name=name,
                    recipe_text=texts[0],
                    resolved_text=texts[1],
                    output_dir=order.output_dir,
                    resume=order.resume,
                    screen=screen,
                    draw=run_report.write,
                    ignored=order.ignore,
                )
            except run.Interrupted as interrupted:
                code = _stopped_at_once(interrupted, screen)
                _requeue(interrupted.signum, screen.say)
                raise typer.Exit(code) from None
    except KeyboardInterrupt:
        typer.echo("stopped before the first step; nothing was kept", err=True)
        raise typer.Exit(128 + signal.SIGINT) from None
    if summary.stopped_by is None:
        slurm.ignore()
    if rank() == 0:
        typer.echo(summary.text(rendered.columns() if sys.stdout.isatty() else None))
        if summary.stopped_by is not None:
            _requeue(summary.stopped_by, lambda line: typer.echo(line, err=True))
            raise typer.Exit(128 + summary.stopped_by)


def _requeue(signum: int, say: Callable[[str], None]) -> None:
    """In a SLURM job: requeue it after a signal of SLURM's, once everything is saved."""
    from getiaction.spec import launch, slurm

    here = launch.read()
    if not here.in_slurm or here.rank > 0 or signum not in slurm.SIGNALS:
        return
    try:
        say(slurm.requeue())
    except slurm.RequeueError as error:
        if str(error):
            say(str(error))


def measure(recipe: Recipe) -> None:
    """Measure what a step of a recipe's training needs, and keep it.

    Raises:
        RunFailed: it can't be measured.
    """
    from getiaction.errors import TrainingError

    prepare_libraries()
    screen = own_screen()
    try:
        with screen.taken():
            screen.doing("measuring the memory of a step")
            from getiaction.train import memory

            memory.need_of(recipe.plain())
            screen.still()
    except TrainingError as error:
        raise RunFailed(f"{recipe.file} can't be measured: {error.message}", error.hint) from error


def smoke(recipe: Recipe) -> str:
    """Train two small batches of a recipe with the real policy on the CPU, and say in a line how it went.

    Raises:
        RunFailed: it does not train.
    """
    from getiaction.errors import TrainingError

    prepare_libraries()
    screen = own_screen()
    try:
        with screen.taken():
            screen.doing("starting")
            from getiaction.train import run
            from getiaction.train.smoke import shrunk

            name = Path(recipe.file).stem
            summary = run.train(shrunk(recipe.plain()), recipe_name=name, recipe_text="", screen=screen)
    except TrainingError as error:
        raise RunFailed(f"{recipe.file} does not train: {error.message}", error.hint) from error
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError) as error:
        if os.environ.get("GETIACTION_DEBUG"):
            raise
        said = (str(error).strip() or "no reason given").splitlines()[0]
        hint = "no rule finds this yet: please report the recipe; --debug shows where it failed"
        raise RunFailed(f"{recipe.file} does not train: {type(error).__name__}: {said}", hint) from error
    losses = ", ".join(f"{loss:.4g}" for loss in summary.losses)
    return f"trains: {summary.policy} on {summary.dataset}, {summary.steps} steps on the CPU, loss {losses}"


def _stopped_at_once(interrupted: Any, screen: Any) -> int:
    """Print how to resume a run that could not finish its step; return the exit code."""
    from getiaction.spec.launch import rank

    if interrupted.folder:
        resume = f"getiaction train --resume {shlex.quote(str(interrupted.folder))}"
        saved = (interrupted.folder / "checkpoints/last.ckpt").is_file()
        how = f"resume from the last checkpoint: {resume}" if saved else "there was no checkpoint yet to resume from"
        screen.say(f"stopped in the middle of a step; {how}")
    else:
        screen.say("stopped before the first step; nothing was kept")
    # Another rank's failure would make Lightning kill the first, which is still saving.
    return 128 + int(interrupted.signum) if rank() == 0 else 0
