"""`getiaction evaluate RUN --env TYPE`: a trained policy in a simulated environment."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from getiaction.spec.run_folder import ROLLOUTS
from getiaction_cli.commands import run_report
from getiaction_cli.commands.core import one_error, own_screen, prepare_libraries
from getiaction_cli.errors import UsageError
from getiaction_cli.rendering.json_text import json_text
from getiaction_cli.units import plural

if TYPE_CHECKING:
    from getiaction.evaluation.rollouts import Report
    from getiaction.evaluation.source import Source

_WIDTH = 13


def roll_out(
    source: Source,
    name: str,
    overrides: tuple[tuple[str, str], ...],
    given: dict[str, Any],
    device: str,
    revision: str | None,
    *,
    as_json: bool,
) -> None:
    """Run the episodes and print the results.

    Args:
        source: where the policy is.
        name: the environment's type.
        overrides: `--env.FIELD VALUE` from the command line.
        given: arguments of `getiaction.spec.evaluation.Evaluation` from the command line.
        device: where the policy runs.
        revision: branch, tag or commit of a policy on the Hub.
        as_json: print everything as JSON.
    """
    env, words = _environment(source, name, overrides)
    folder = _folder(source)
    report = _run(source, env, words, given, device, revision, folder)
    if source.recipe is not None:
        run_report.draw(source.recipe.parent)
    if as_json:
        typer.echo(json_text({**report.plain(), "folder": str(folder)}), nl=False)
        _end(report)
        return
    rows = [("policy", source.place), ("environment", _shown(report.env)), *report.rows(), ("kept in", f"{folder}/")]
    for label, value in rows:
        typer.echo(f"{label:<{_WIDTH}}{value}")
    _end(report)


def _end(report: Report) -> None:
    """Exit as a command that Ctrl-C has ended, where the rollouts were stopped early."""
    if report.planned is not None:
        raise typer.Exit(128 + signal.SIGINT)


def _environment(source: Source, name: str, overrides: tuple[tuple[str, str], ...]) -> tuple[dict[str, Any], list[str]]:
    """The environment's fields: those of the run's recipe, where it evaluates in the same one, and the overrides.

    Returns:
        The fields, and the values of `obs_type` that the environment has.
    """
    from getiaction_cli.analysis.spelling import closest
    from getiaction_cli.environments import known_environments
    from getiaction_cli.recipe import read

    for route, _ in overrides:
        if not route.startswith("env."):
            raise UsageError(f"--{route} is not for rollouts", "it takes the environment's fields: --env.obs_type …")
    known = known_environments()
    if known and name not in known:
        near = closest(name, known)
        raise UsageError(
            f"LeRobot has no environment {name}", f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
        )
    env: dict[str, Any] = {}
    if source.recipe is not None:
        of_run = read(str(source.recipe)).get("evaluation.env")
        if isinstance(of_run, dict) and of_run.get("type") == name:
            env = dict(of_run)
    env |= read("evaluate", text="env: {}\n", overrides=overrides).plain().get("env") or {}
    env["type"] = name
    return env, known[name].observation_types if name in known else []


def _folder(source: Source) -> Path:
    """A new folder in the run's own; for a policy outside of a run, in the current folder."""
    parent = source.recipe.parent if source.recipe else Path()
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    place = parent / ROLLOUTS / f"evaluate_{stamp}"
    number = 2
    while place.exists():
        place = place.with_name(f"evaluate_{stamp}_{number}")
        number += 1
    return place


def _run(
    source: Source,
    env: dict[str, Any],
    words: list[str],
    given: dict[str, Any],
    device: str,
    revision: str | None,
    folder: Path,
) -> Report:
    """The first import of torch, lightning and lerobot."""

    prepare_libraries()
    screen = own_screen()
    with one_error("the rollouts", "evaluate"), screen.taken():
        screen.doing("starting")
        from getiaction.evaluation import rollouts
        from getiaction.evaluation.run import load
        from getiaction.lerobot.environments import Actor, StoppedEarly
        from getiaction.spec.evaluation import Evaluation
        from getiaction.train.failures import in_plain_words

        with in_plain_words():
            screen.doing("loading the policy")
            policy = load(source, device, revision)
            assert policy.lerobot_policy is not None
            actor = Actor(policy.lerobot_policy, policy.preprocessor, policy.postprocessor)
            options = Evaluation(rollouts.fitted(env, actor, words), **given)
            screen.doing(f"creating the environment {env['type']}")
            for note in rollouts.check(options, actor):
                screen.say(f"note: {note}")
            screen.doing(f"{plural(options.episodes, 'rollout')} in {env['type']}")

            def watch(done: int, step: int) -> None:
                if screen.live:
                    screen.doing(f"rollouts in {env['type']}: {done} of {options.episodes} done, step {step}")

            try:
                return rollouts.run(options, actor, folder=folder, on_step=watch)
            except StoppedEarly:
                screen.say("stopped before the first episodes were done; nothing was kept")
                raise typer.Exit(128 + signal.SIGINT) from None


def _shown(env: Any) -> str:
    fields = ", ".join(f"{key} {value}" for key, value in env.items() if key != "type")
    return f"{env['type']} ({fields})" if fields else str(env["type"])
