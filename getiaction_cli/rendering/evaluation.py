"""The report of `evaluate` for a terminal."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING

from getiaction_cli.rendering import terminal
from getiaction_cli.rendering.text import Paint, clean, cut, width, wrap
from getiaction_cli.units import duration, number, plural

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation, Probe
    from getiaction_cli.diagnostics import Report

_BARS = "▁▂▃▄▅▆▇█"
_MAX_JOINTS = 40
_MAX_TASKS = 10
_WORST_EPISODES = 3
PARTS = {
    "held-out": "held-out",
    "training": "training",
    "new": "unseen",
    "unknown": "recorded",
}


def render(evaluation: Evaluation, report: Report, *, color: bool, columns: int, drawn: bool = False) -> str:
    """Return all sections: overview, baselines, joints, inputs, episodes, findings, next commands.

    Args:
        evaluation: the measurements.
        report: the findings.
        color: with ANSI colours.
        columns: the width of the terminal.
        drawn: it was also written as an HTML page.
    """
    paint = Paint(color)
    sections = [
        _overview(evaluation, paint, columns),
        _baselines(evaluation, paint, columns),
        _joints(evaluation, paint, columns),
        _inputs(evaluation, paint, columns),
        _episodes(evaluation, paint, columns),
        [terminal.render([report], color=color, columns=columns).rstrip("\n")],
        _next(evaluation, drawn),
    ]
    text = "\n".join("\n".join(lines) + "\n" for lines in sections if lines)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def percent(share: float) -> str:
    """Return a share as a percentage: "0.42 %", "7.4 %", "31 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def against_still(evaluation: Evaluation) -> str:
    """Compare with holding still: "3.1 times closer than holding the current state"."""
    name, still = evaluation.still
    return _times(evaluation.error, still, name)


def _times(error: float, other: float, name: str) -> str:
    if error <= 0 or other <= 0:
        return f"{name} has {percent(other)}"
    times = other / error
    if times >= 1:
        return f"{times:.3g} times closer than {name}" if times >= 1.05 else f"as close as {name}"
    return f"{1 / times:.3g} times as far off as {name}"


def describe_episodes(evaluation: Evaluation) -> str:
    """Describe the data: "3 held-out episodes of getiaction/pusht-demo, 401 frames"."""
    done = len(evaluation.episodes)
    what = f"{PARTS[evaluation.part]} episode"
    count = plural(done, what) if done == evaluation.available else f"{done} of {plural(evaluation.available, what)}"
    return f"{count} of {evaluation.dataset}, {plural(evaluation.frames, 'frame')}"


def describe_predictions(evaluation: Evaluation) -> str:
    """Describe a prediction: its number of actions, and how long it takes if that was measured."""
    every = f"{plural(evaluation.steps, 'action')} at a time ({duration(evaluation.chunk_seconds)})"
    if evaluation.latency is None:
        return every
    return f"{every}; one prediction takes {1000 * evaluation.latency.seconds:.0f} ms on {evaluation.latency.device}"


def _overview(evaluation: Evaluation, paint: Paint, columns: int) -> list[str]:
    rows = [
        ("policy", evaluation.policy),
        ("episodes", describe_episodes(evaluation)),
        ("predicts", describe_predictions(evaluation)),
        ("error", f"{percent(evaluation.error)} of the range: {against_still(evaluation)}"),
    ]
    if evaluation.trained is not None:
        trained = evaluation.trained
        count = plural(len(trained.episodes), "training episode")
        rows.append(("", f"on {count}: {percent(trained.error)}"))
    return [terminal.rows(evaluation.model, rows, color=paint.on, columns=columns).rstrip("\n")]


def _baselines(evaluation: Evaluation, paint: Paint, columns: int) -> list[str]:
    entries = [("the policy", evaluation.error, evaluation.horizon)]
    entries += [
        (name, error, evaluation.baseline_horizon[name])
        for name, error in sorted(evaluation.baselines.items(), key=lambda entry: entry[1])
    ]
    margin = max(len(name) for name, _, _ in entries) + 2
    top = max(error for _, error, _ in entries) or 1.0
    room = max(8, min(24, columns - margin - 32))
    lines = [paint("bold", "Errors, as shares of each joint's range")]
    for name, error, horizon in entries:
        bar = "█" * max(1, round(room * error / top))
        reach = f"{percent(horizon[0])} → {percent(_last(horizon))}" if evaluation.steps > 1 else ""
        style = "good" if name == "the policy" else "dim"
        lines.append(f"  {name:<{margin}}{percent(error):>7}  {paint(style, f'{bar:<{room}}')}  {reach}")
    if evaluation.steps > 1:
        lines.append("  " + paint("dim", "→ from the first to the last step of a prediction"))
    if evaluation.no_state:
        lines.append("  " + paint("dim", f"holding the state is left out: {clean(evaluation.no_state)}"))
    return lines


def _last(horizon: tuple[float, ...]) -> float:
    return next((error for error in reversed(horizon) if not math.isnan(error)), math.nan)


def _joints(evaluation: Evaluation, paint: Paint, columns: int) -> list[str]:
    shown = evaluation.joints[:_MAX_JOINTS]
    names = min(max(6, *(width(clean(joint.name)) for joint in shown)), max(12, columns - 50))
    lines = [paint("bold", "Joints"), f"  {'':<{names}}  {'error':>9}  {'of range':>9}  {'range':<20}  holding still"]
    still, _ = evaluation.still
    for joint in shown:
        name = cut(clean(joint.name), names)
        share = percent(joint.share) if joint.share is not None else "–"
        reach = f"{number(joint.low)} to {number(joint.high)}"
        held = number(joint.baselines[still]) if joint.share is not None else "never moves"
        pad = " " * (names - width(name))
        lines.append(f"  {name}{pad}  {number(joint.error):>9}  {share:>9}  {reach:<20}  {held}")
    rest = len(evaluation.joints) - len(shown)
    return lines + ([f"  and {rest} more; --format json has all"] if rest else [])


def _inputs(evaluation: Evaluation, paint: Paint, columns: int) -> list[str]:
    lines = []
    for name, what, probe in (
        ("cameras", "pictures", evaluation.cameras),
        ("state", "states", evaluation.state),
    ):
        if probe is not None:
            lines.append(f"  {name:<9}{wrap(describe_probe(probe, what), columns, ' ' * 11)}")
    return [paint("bold", "What it looks at"), *lines] if lines else []


def describe_probe(probe: Probe, what: str) -> str:
    """Describe how much the error grows with inputs from other moments."""
    grown = f"the error grows by {100 * probe.growth:.0f} %" if probe.growth >= 0.005 else "the error does not grow"
    return f"with {what} of other moments {grown} ({percent(probe.error)} to {percent(probe.exchanged)})"


def _episodes(evaluation: Evaluation, paint: Paint, columns: int) -> list[str]:
    lines = []
    if len(evaluation.episodes) > 1:
        order = sorted(evaluation.episodes, key=lambda episode: -episode.error)
        worst = ", ".join(f"{episode.number} ({percent(episode.error)})" for episode in order[:_WORST_EPISODES])
        middle = order[len(order) // 2].error
        lines.append(f"  worst episodes   {worst}; in the middle {percent(middle)}")
    for i, moment in enumerate(evaluation.worst):
        lead = "worst moments" if i == 0 else ""
        lines.append(
            f"  {lead:<15}  episode {moment.episode} at {moment.second:.1f} s: {percent(moment.error)} "
            f"(most in {clean(moment.joint)})"
        )
    tasks = list(evaluation.tasks.items())
    if len(tasks) > 1:
        for i, (task, error) in enumerate(tasks[:_MAX_TASKS]):
            lead = "tasks" if i == 0 else ""
            lines.append(cut(f"  {lead:<15}  {percent(error):>7}  {clean(task)}", columns))
        if len(tasks) > _MAX_TASKS:
            lines.append(f"  {'':<15}  and {len(tasks) - _MAX_TASKS} better ones")
    return [paint("bold", "Where"), *lines] if lines else []


def _next(evaluation: Evaluation, drawn: bool) -> list[str]:
    command = f"  getiaction evaluate {shlex.quote(clean(evaluation.model))}{_same_data(evaluation)}"
    lines = []
    if not drawn:
        lines += ["  # see the predicted actions beside the recorded ones", f"{command} --html report.html"]
    if len(evaluation.episodes) < evaluation.available:
        lines += [f"  # evaluate all {evaluation.available} episodes", f"{command} --episodes {evaluation.available}"]
    return ["next", *lines] if lines else []


def _same_data(evaluation: Evaluation) -> str:
    """Return the options for the same dataset, unless it is the policy's own."""
    if evaluation.part in ("held-out", "training"):
        return ""
    return f" --data.repo_id {shlex.quote(evaluation.dataset)} --data.root {shlex.quote(evaluation.root)}"
