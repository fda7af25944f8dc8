"""report.html of a run folder: settings, training curves, evaluation, rollouts and next commands.

The page is generated from the files of the folder only, so that it can be generated again at any time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from getiaction.spec.next_commands import after_training, longer
from getiaction_cli.rendering import charts, evaluation_html, evaluation_json
from getiaction_cli.rendering.page_html import header, page, problems, section, table, text
from getiaction_cli.rendering.runs import moment
from getiaction_cli.units import number, plural

if TYPE_CHECKING:
    from getiaction_cli.runs import Rollouts, Run

_MAX_VIDEOS = 12
_MAX_VALUE_LENGTH = 48  # in characters, in the comparison of runs
_LOW, _HIGH = "eval/success_rate_low", "eval/success_rate_high"
# Metrics with their own chart → its title.
_OTHERS = {
    "train/lr": "learning rate",
    "train/samples_per_second": "samples per second",
    "train/grad_norm": "gradient norm before clipping",
}


def render(run: Run, rollouts: Sequence[Rollouts], evaluation: Any, recipe: str) -> str:
    """Return the page as an HTML document.

    Args:
        run: the run.
        rollouts: the rollouts in its folder, newest first.
        evaluation: its parsed evaluation.json; None if there is none.
        recipe: the text of its recipe; empty if there is none.
    """
    stored = evaluation_json.parse(evaluation) if evaluation is not None else None
    title = f"{run.recipe} {moment(run.started)}".strip()
    body = [
        header(title, _overview(run)),
        *_findings(run, stored),
        *_success(run),
        *_rollouts(run, rollouts),
        section("Training", _training(run)),
    ]
    if stored:
        body.append(section("On recorded episodes", table(evaluation_html.facts(stored.evaluation))))
        body += evaluation_html.sections(stored.evaluation)
    body.append(section("Next", _next(run, rollouts)))
    body += [section(name, table(facts)) for name, facts in _facts(run)]
    if recipe:
        lines = _escape_lines(recipe)
        body.append(section("Recipe", f"<details><summary>recipe.yaml</summary><pre>{lines}</pre></details>"))
    return page(title, "\n".join(body))


def compared(runs: Sequence[Run], differences: Sequence[tuple[str, Sequence[Any]]]) -> str:
    """Return a page that compares runs: their differences, and their curves in common charts."""
    names = [chr(ord("A") + i) for i in range(len(runs))]
    titles = [f"{name} {run.path}" for name, run in zip(names, runs, strict=True)]
    legend = charts.legend_of((title, i) for i, title in enumerate(titles))
    head = "".join(f"<td>{name}</td>" for name in names)
    rows = "".join(
        f"<tr><th>{text(what)}</th>{''.join(f'<td>{text(_value(value))}</td>' for value in values)}</tr>"
        for what, values in differences
    )
    body = [header("Runs compared", [(name, str(run.path)) for name, run in zip(names, runs, strict=True)])]
    if rows:
        body.append(section("Differences", f"<div class=wide><table><tr><td></td>{head}</tr>{rows}</table></div>"))
    else:
        body.append(section("Differences", "<p>No difference in recipe, dataset or versions.</p>"))
    drawn = "".join(
        _curve(
            metric,
            [(name, run.courses[metric]) for name, run in zip(names, runs, strict=True)],
            percent=metric == "success",
        )
        for metric in ("loss", "validation", "success")
    )
    drawn += "".join(
        _curve(words, [(name, run.metrics.get(metric, [])) for name, run in zip(names, runs, strict=True)])
        for metric, words in _OTHERS.items()
    )
    body.append(section("Curves", f"{legend}<div class=plots>{drawn}</div>"))
    return page("Runs compared", "\n".join(body))


def _curve(title: str, courses: Sequence[tuple[str, Sequence[tuple[int, float]]]], *, percent: bool = False) -> str:
    """Return a chart of one metric of several runs, each in its own colour; empty if no run has the metric.

    Args:
        title: the caption.
        courses: name and (step, value) points of each run.
        percent: show the values, which are shares, as percentages.
    """
    scale = 100 if percent else 1
    series = [
        charts.Line(name, [step + 1 for step, _ in course], [scale * value for _, value in course], i)
        for i, (name, course) in enumerate(courses)
        if course
    ]
    return charts.lines(title, series, unit=" %" if percent else "", legend=False) if series else ""


def _overview(run: Run) -> Iterator[tuple[str, object]]:
    done = f"{run.steps:,}" + (f" of {run.planned:,}" if run.planned and run.steps < run.planned else "")
    yield "steps", done
    yield "state", run.ended
    policy, dataset, hardware = (run.part(name) for name in ("policy", "dataset", "hardware"))
    if policy.get("name"):
        count = policy.get("parameters")
        yield "policy", f"{policy['name']}, {_count(count)} parameters" if isinstance(count, int) else policy["name"]
    if dataset.get("repo_id"):
        yield "dataset", dataset["repo_id"]
    if hardware.get("device"):
        yield "hardware", hardware.get("gpu") or hardware.get("processor") or hardware["device"]
    if run.courses["loss"]:
        yield "loss", number(run.courses["loss"][-1][1])
    if run.best_validation is not None:
        yield "best validation loss", number(run.best_validation)
    if run.success is not None:
        yield "success", _success_words(run)


def _success_words(run: Run) -> str:
    rate = f"{100 * (run.success or 0):.0f} %"
    low, high = (run.metrics.get(name, [(0, math.nan)])[-1][1] for name in (_LOW, _HIGH))
    return f"{rate} (95 % interval {100 * low:.0f} % to {100 * high:.0f} %)" if low == low and high == high else rate


def _findings(run: Run, stored: evaluation_json.StoredEvaluation | None) -> Iterator[str]:
    if stored is None:
        return
    later = run.steps - stored.steps
    note = f", {plural(later, 'step')} before this run's last one" if later > 0 else ""
    about = f"<p class=legend>{text(f'evaluated {moment(stored.evaluated)}: {stored.evaluation.model}{note}')}</p>"
    yield section("Findings", problems(stored.report.diagnostics) + about)


def _success(run: Run) -> Iterator[str]:
    rate = run.courses["success"]
    if len(rate) < 2:  # the overview already shows a single value
        return
    x = [step + 1 for step, _ in rate]
    bounds = [dict(run.metrics.get(name, [])) for name in (_LOW, _HIGH)]
    known = all(step in bound for step, _ in rate for bound in bounds)
    band = tuple([100 * bound[step] for step, _ in rate] for bound in bounds) if known else None
    drawn = charts.lines(
        "success rate over steps, with its 95 % interval",
        [charts.Line("success rate", x, [100 * value for _, value in rate], 2, thick=True, band=band)],  # type: ignore[arg-type]
        unit=" %",
        from_zero=True,
        up_to=100,
    )
    reward = run.metrics.get("eval/max_reward", [])
    if len(reward) > 1:
        drawn += _curve("best reward of an episode, mean", [("reward", reward)])
    yield section("Success in simulation", f"<div class=plots>{drawn}</div>")


def _rollouts(run: Run, rollouts: Sequence[Rollouts]) -> Iterator[str]:
    parts, left = [], _MAX_VIDEOS
    for one in rollouts:
        shown = one.videos[:left]
        left -= len(shown)
        videos = "".join(
            f'<figure><video controls preload=metadata src="{text(_link(run.path, one.path / name))}"></video>'
            f"<figcaption>{text(_caption(one, name))}</figcaption></figure>"
            for name in shown
        )
        parts.append(f"<h3>{text(_rollout_words(one))}</h3><div class=pictures>{videos}</div>")
        if left <= 0:
            break
    if parts:
        yield section("Rollouts", "".join(parts))


def _rollout_words(one: Rollouts) -> str:
    environment = one.values.get("env")
    kind = environment.get("type") if isinstance(environment, dict) else None
    episodes = one.values.get("episodes")
    words = f"{one.path.name}: {kind or 'simulation'}"
    if isinstance(episodes, list) and episodes:
        successes = sum(isinstance(episode, dict) and episode.get("success") is True for episode in episodes)
        words += f", {successes} of {plural(len(episodes), 'episode')} succeeded"
    words += ", stopped early" if one.values.get("stopped_early") is True else ""
    metrics, half = one.values.get("metrics"), one.values.get("max_reward_half_width")
    best = metrics.get("eval/max_reward") if isinstance(metrics, dict) else None
    if isinstance(best, float | int):
        spread = f" ± {half:.2f}" if isinstance(half, float | int) else ""
        words += f", best reward of an episode {best:.2f}{spread} (mean)"
    return words


def _caption(one: Rollouts, name: str) -> str:
    episodes = one.values.get("episodes")
    for episode in episodes if isinstance(episodes, list) else []:
        if isinstance(episode, dict) and episode.get("video") == name:
            reward = episode.get("max_reward")
            best = f", best reward {number(reward)}" if isinstance(reward, float | int) else ""
            return f"seed {episode.get('seed')}: {'success' if episode.get('success') is True else 'no success'}{best}"
    return name


def _link(folder: Path, file: Path) -> str:
    """Return the URL of a file of the run, relative to its page."""
    return quote(file.relative_to(folder).as_posix())


def _training(run: Run) -> str:
    loss, validation = run.courses["loss"], run.courses["validation"]
    if not loss and not validation:
        return "<p>No step was logged.</p>"
    series = [
        charts.Line(name, [step + 1 for step, _ in course], [value for _, value in course], colour, thick=thick)
        for name, course, colour, thick in (("validation", validation, 1, True), ("training", loss, 0, False))
        if course
    ]
    drawn = charts.lines("loss over steps", series)
    for metric, words in _OTHERS.items():
        if metric in run.metrics:
            drawn += _curve(words, [(words, run.metrics[metric])])
    return f"<div class=plots>{drawn}</div>"


def _next(run: Run, rollouts: Sequence[Rollouts]) -> str:
    commands = after_training(
        str(run.path),
        dataset=str(run.part("dataset").get("repo_id") or ""),
        environment=str(run.settings.get("evaluation.env.type") or ""),
        rolled_out=bool(rollouts),
        stopped=run.ended in ("stopped", "nothing saved"),
        resumable=run.resumable and run.ended != "running",
        longer=longer(run.settings.get("trainer.max_steps"), run.settings.get("trainer.max_epochs")),
    )
    shown = "".join(f"<p>{text(reason)}</p><pre>{text(command)}</pre>" for reason, command in commands)
    return shown or "<p>Nothing was saved: train it again.</p>"


def _facts(run: Run) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """Yield the sections about the dataset, the machine and the package versions."""
    dataset = [
        (str(key).replace("_", " "), str(value)[:16] if key == "fingerprint" else value)
        for key, value in run.part("dataset").items()
        if value is not None
    ]
    if dataset:
        yield "Dataset", dataset
    batch, frames = run.part("batch"), run.part("frames")
    setup: list[tuple[str, object]] = [
        ("started", run.started),
        ("seed", run.facts.get("seed", "unknown")),
        *((str(key), value) for key, value in run.part("hardware").items() if value is not None),
        ("platform", run.facts.get("platform", "unknown")),
        ("python", run.facts.get("python", "unknown")),
        *((str(package), version) for package, version in run.part("versions").items()),
    ]
    if batch:
        setup.append(("samples per step", batch.get("samples")))
    if frames:
        setup.append(("order of samples", frames.get("order")))
    resumed = run.facts.get("resumed")
    for part in resumed if isinstance(resumed, list) else []:
        if isinstance(part, dict):
            setup.append((f"resumed at step {part.get('from_step')}", part.get("started", "")))
    yield "Machine and versions", setup


def _escape_lines(recipe: str) -> str:
    """Escape a text of several lines; `text` alone would join them."""
    return "\n".join(text(line) for line in recipe.splitlines())


def _count(value: int) -> str:
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return str(value)


def _value(value: Any) -> str:
    shown = "–" if value is None else str(value)
    return shown if len(shown) <= _MAX_VALUE_LENGTH else shown[:_MAX_VALUE_LENGTH] + "…"
