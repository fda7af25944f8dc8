"""`getiaction evaluate RUN`: what a trained policy has learned, measured on recorded episodes.

The words are checked first. Only then torch, lightning and lerobot are imported, inside `_evaluate`.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from getiaction_cli.commands import run_report
from getiaction_cli.commands.arguments import Format, note, quiet, rule_codes
from getiaction_cli.commands.core import one_error, own_screen, prepare_libraries
from getiaction_cli.commands.override_words import RECIPE_SUFFIXES, CommandWithOverrides
from getiaction_cli.commands.rollouts import roll_out
from getiaction_cli.errors import EXIT_FOUND, RunFailed, UsageError

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation
    from getiaction.evaluation.source import Source
    from getiaction_cli.diagnostics import Report

_DATA_CLASS = "getiaction.data.lerobot.LeRobotDataModule"


class Device(StrEnum):
    """Where the policy runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"
    XPU = "xpu"


class EvaluateCommand(CommandWithOverrides):
    """Takes `--data.…` and `--env.…` overrides, as `train` does; `--seed` is an option of its own."""

    takes_overrides = ("data", "env")
    short_forms = ()


def evaluate(
    ctx: typer.Context,
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run folder, a .ckpt, a pretrained_model folder or a Hub id."),
    ],
    episodes: Annotated[
        int | None,
        typer.Option("--episodes", metavar="N", min=1, help="Evaluate at most N episodes (default: 50)."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env", metavar="TYPE", help="Run rollouts in this simulated environment instead (pusht, aloha, …)."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Rollouts: seed of the first episode.", show_default="1000"),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, help="Rollouts: environments stepped together.", show_default="10"),
    ] = None,
    video: Annotated[
        int | None, typer.Option("--video", min=0, metavar="N", help="Rollouts: film N episodes.", show_default="3")
    ] = None,
    device: Annotated[Device, typer.Option("--device", help="Where the policy runs.")] = Device.AUTO,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REF", help="A tag, branch or commit of a Hub id.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with plots and pictures.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODES", help="Leave these findings out (GA603,GA61).")
    ] = None,
) -> None:
    """Measure what a trained policy has learned, on recorded episodes.

    The policy predicts the recorded actions as it would on a robot, and is compared with holding still and other
    baselines. By default the dataset is the run's own, and the episodes are those that it held out (val_split). Another
    dataset: --data.repo_id lerobot/pusht, --data.root FOLDER; certain episodes: --data.episodes "[3, 7]".

    With --env TYPE the policy acts in simulation instead, as with lerobot-eval: --env pusht --episodes 50. Fields of
    the environment: --env.episode_length 100.

    The results stay in the run folder (evaluation.json, rollouts/), and its report.html is drawn again.

    Exit codes: 0 nothing wrong (warnings allowed), 1 errors found, 2 usage error, 3 could not evaluate.
    """
    ignored = rule_codes(ignore or ())
    if env is not None:
        if html is not None:
            raise UsageError("--html is not for rollouts", "leave out --html or --env")
        words = {"episodes": episodes, "seed": seed, "batch_size": batch_size, "video": video}
        given = {name: value for name, value in words.items() if value is not None}
        return roll_out(_source(run), env, ctx.obj, given, device.value, revision, as_json=format is Format.JSON)
    for name, value in (("seed", seed), ("batch-size", batch_size), ("video", video)):
        if value is not None:
            raise UsageError(f"--{name} is for rollouts", f"name an environment as well: --env pusht --{name} {value}")
    wrong = [route for route, _ in ctx.obj if not route.startswith("data.")]
    if wrong:
        raise UsageError(f"--{wrong[0]} is not for evaluate", "it takes the keys of the data section: --data.repo_id …")
    source = _source(run)
    trained_on, data, chosen = _data(source, ctx.obj)
    measured = _evaluate(source, data, trained_on, chosen, episodes, device, revision, pictures=html is not None)
    report = _judged(measured, ignored)
    if html is not None:
        _write_page(measured, report, html)
    if source.recipe is not None and not ctx.obj:
        run_report.keep_evaluation(source.recipe.parent, measured, report)
    typer.echo(_shown(measured, report, format, drawn=html is not None), nl=False)
    if not report.ok:
        raise typer.Exit(EXIT_FOUND)


def evaluate_as_lightning(
    ctx: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run folder, a .ckpt, a pretrained_model folder or a Hub id."),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", "-c", metavar="RECIPE", help="Measure the latest run of this recipe; repeatable."),
    ] = None,
    ckpt_path: Annotated[
        str | None, typer.Option("--ckpt_path", metavar="RUN", help="Likewise RUN; `last` and `best` need --config.")
    ] = None,
    episodes: Annotated[
        int | None,
        typer.Option("--episodes", metavar="N", min=1, help="Evaluate at most N episodes (default: 50)."),
    ] = None,
    device: Annotated[Device, typer.Option("--device", help="Where the policy runs.")] = Device.AUTO,
    format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
) -> None:
    """Measure a trained policy, with LightningCLI-compatible syntax: `getiaction evaluate` under LightningCLI's names.

    `validate`, `test` and `predict` are the same: the policy predicts the actions of the episodes that the run held
    out, and these are compared with the recorded ones. `getiaction evaluate` has more options.
    """
    evaluate(ctx, run=_run_of(run, config or [], ckpt_path), episodes=episodes, device=device, format=format)


def _run_of(run: str | None, config: list[str], checkpoint: str | None) -> str:
    """Return the run that LightningCLI's options name."""
    from getiaction.train import folder

    name = Path(config[-1]).stem if config else None
    if run and run.endswith(RECIPE_SUFFIXES):
        raise UsageError(
            f"{run} is a recipe, not a trained policy", f"to check it: getiaction validate-config {shlex.quote(run)}"
        )
    if run and checkpoint:
        raise UsageError("the policy is named twice", "leave out --ckpt_path or RUN")
    chosen = run or (checkpoint if checkpoint not in ("last", "best", "null", None) else None)
    if chosen is not None:
        return chosen
    if name is None:
        raise UsageError("no trained policy was named", "name its run folder: getiaction evaluate outputs/RECIPE/TIME")
    found = folder.latest(name)
    if found is None:
        raise RunFailed(
            f"{name} has no run with a checkpoint", f"train it first: getiaction train {shlex.quote(config[-1])}"
        )
    best = Path(found) / "checkpoints" / "best.ckpt"
    return str(best) if checkpoint == "best" and best.is_file() else str(found)


def _source(run: str) -> Source:
    from getiaction.errors import TrainingError
    from getiaction.evaluation import source

    try:
        return source.find(run)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error


def _data(
    source: Source, overrides: tuple[tuple[str, str], ...]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[int] | None]:
    """Return the data module's arguments of the run and of this evaluation, and the selected episodes."""
    trained_on = _arguments(str(source.recipe), None, ()) if source.recipe else None
    if not overrides:
        return trained_on, trained_on, None
    data = dict(_arguments("evaluate", f"data:\n  class_path: {_DATA_CLASS}\n", overrides) or {})
    chosen = data.pop("episodes", None)
    if chosen is not None and not (isinstance(chosen, list) and chosen and all(type(e) is int for e in chosen)):
        raise UsageError("--data.episodes takes a list of indices", 'for example --data.episodes "[3, 7]"')
    # The recipe's settings about its dataset don't apply to another dataset.
    kept = {} if "repo_id" in data or trained_on is None else trained_on
    return trained_on, ({**kept, **data} or None), chosen


def _arguments(file: str, text: str | None, overrides: tuple[tuple[str, str], ...]) -> dict[str, Any] | None:
    """Return the init_args of a recipe's data section; None if it has none."""
    from getiaction_cli.recipe import read

    section = read(file, text=text, overrides=overrides).plain().get("data")
    if not isinstance(section, dict):
        return None
    arguments = section.get("init_args")
    return dict(arguments) if isinstance(arguments, dict) else None


def _evaluate(
    source: Source,
    data: dict[str, Any] | None,
    trained_on: dict[str, Any] | None,
    chosen: list[int] | None,
    episodes: int | None,
    device: Device,
    revision: str | None,
    *,
    pictures: bool,
) -> Evaluation:
    """Evaluate. This is the first import of torch, lightning and lerobot."""
    from getiaction_cli.rendering.progress import Progress

    prepare_libraries()
    screen = own_screen()
    with one_error("the evaluation", "evaluate"), screen.taken():
        screen.doing("starting")
        from getiaction.evaluation.run import evaluate
        from getiaction.train.data_progress import DataProgress
        from getiaction.train.failures import in_plain_words

        bar = Progress(quiet=quiet(), stream=screen.stream)

        def watch(what: str, done: int, of: int) -> None:
            if of:
                screen.still()
                bar(what, done, of, "frames")
            else:
                screen.doing(what)

        with in_plain_words():
            return evaluate(
                source,
                data,
                trained_on=trained_on,
                chosen=chosen,
                most_episodes=episodes,
                device=device.value,
                revision=revision,
                watch=watch,
                progress=DataProgress(screen),
                pictures=pictures,
            )


def _judged(measured: Evaluation, ignored: tuple[str, ...]) -> Report:
    from getiaction_cli.checking.evaluation_context import EvaluationContext
    from getiaction_cli.checking.runner import check

    return check(EvaluationContext(measured), ignore=ignored)


def _write_page(measured: Evaluation, report: Report, file: Path) -> None:
    from getiaction_cli.checking.fixing import write
    from getiaction_cli.rendering import evaluation_html

    write(file, evaluation_html.render(measured, report))
    note(f"wrote {file}")


def _shown(measured: Evaluation, report: Report, format: Format, *, drawn: bool) -> str:
    from getiaction_cli.rendering.text import columns, wants_color

    if format is Format.JSON:
        from getiaction_cli.rendering import evaluation_json

        return evaluation_json.render(measured, report)
    from getiaction_cli.rendering import evaluation

    return evaluation.render(measured, report, color=wants_color(), columns=columns(), drawn=drawn)
