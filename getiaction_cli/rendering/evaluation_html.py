"""The page of `evaluate --html`: self-contained, with light and dark colours, also for small screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.rendering import charts
from getiaction_cli.rendering import evaluation as words
from getiaction_cli.rendering.page_html import finite, header, page, pictures, problems, section, text
from getiaction_cli.units import number

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation, Trajectory
    from getiaction_cli.diagnostics import Report

_MAX_DIMENSIONS = 64
# Colours: recorded actions, predicted actions, starts of predictions.
_RECORDED, _PREDICTED, _BEGINS = 0, 1, charts.GREY


def render(evaluation: Evaluation, report: Report) -> str:
    """Return the page as an HTML document."""
    body = [
        header(evaluation.model, [("policy", evaluation.policy), *facts(evaluation)]),
        section("Findings", problems(report.diagnostics)),
        *sections(evaluation),
    ]
    if report.not_run:
        rows = "".join(f"<li>{text(entry.rule)}: {text(entry.reason)}</li>" for entry in report.not_run)
        body.append(section("Not judged", f"<ul>{rows}</ul>"))
    return page(evaluation.model, "\n".join(body))


def facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the data and the result of the evaluation, as (name, value)."""
    found = [
        ("episodes", words.describe_episodes(evaluation)),
        ("predicts", words.describe_predictions(evaluation)),
        ("error", f"{words.percent(evaluation.error)} of the range"),
        ("compared", words.against_still(evaluation)),
    ]
    if evaluation.trained is not None:
        found.append(("on training episodes", words.percent(evaluation.trained.error)))
    return found


def sections(evaluation: Evaluation) -> Iterator[str]:
    """Yield the sections of a page that show an evaluation."""
    yield section("Compared with baselines", _baselines(evaluation))
    if evaluation.steps > 1:
        yield section("Error over the steps of a prediction", _horizon(evaluation))
    yield section("Joints", _joints(evaluation))
    probes = ((evaluation.cameras, "pictures"), (evaluation.state, "states"))
    looks = [words.describe_probe(probe, what) for probe, what in probes if probe]
    if looks:
        yield section("What it looks at", "<ul>" + "".join(f"<li>{text(look)}</li>" for look in looks) + "</ul>")
    for trajectory in evaluation.trajectories:
        yield section(f"Episode {trajectory.episode}", _episode(evaluation, trajectory))
    if evaluation.worst:
        rows = "".join(
            f"<tr><td>episode {m.episode}, {m.second:.1f} s</td><td>{text(words.percent(m.error))}</td>"
            f"<td>most in <code>{text(m.joint)}</code></td></tr>"
            for m in evaluation.worst
        )
        yield section("Worst moments", f"<table>{rows}</table>")


def _baselines(evaluation: Evaluation) -> str:
    entries = [("the policy", evaluation.error), *sorted(evaluation.baselines.items(), key=lambda entry: entry[1])]
    drawn = charts.bars([(name, error, words.percent(error), min(i, 1)) for i, (name, error) in enumerate(entries)])
    return f"<p class=legend>error, share of each joint's range</p>{drawn}"


def _horizon(evaluation: Evaluation) -> str:
    horizons = {"the policy": evaluation.horizon, **evaluation.baseline_horizon}
    return charts.lines(
        "error, share of the range, at each step",
        [
            charts.Line(name, range(1, len(errors) + 1), [100 * error for error in errors], i, thick=i == 0)
            for i, (name, errors) in enumerate(horizons.items())
        ],
        unit=" %",
        from_zero=True,
    )


def _joints(evaluation: Evaluation) -> str:
    still, _ = evaluation.still
    head = f"<tr><td></td><td>error</td><td>of range</td><td>range</td><td>{text(still)}</td></tr>"
    rows = "".join(
        f"<tr><th>{text(joint.name)}</th><td>{number(joint.error)}</td>"
        f"<td>{text(words.percent(joint.share)) if joint.share is not None else '–'}</td>"
        f"<td>{number(joint.low)} to {number(joint.high)}</td>"
        f"<td>{number(joint.baselines[still]) if joint.share is not None else 'never moves'}</td></tr>"
        for joint in evaluation.joints
    )
    return f"<div class=wide><table>{head}{rows}</table></div>"


def _episode(evaluation: Evaluation, trajectory: Trajectory) -> str:
    legend = charts.legend_of((("recorded", _RECORDED), ("predicted", _PREDICTED), ("a prediction begins", _BEGINS)))
    cameras = ""
    for key in dict.fromkeys(camera for camera, _, _ in trajectory.pictures):
        shots = [
            (jpeg, f"{frame / evaluation.fps:.1f} s") for camera, frame, jpeg in trajectory.pictures if camera == key
        ]
        cameras += pictures(key, shots, f"episode {trajectory.episode}")
    plots = "".join(_joint(evaluation, trajectory, i) for i in range(len(evaluation.joints[:_MAX_DIMENSIONS])))
    return f"{cameras}{legend}<div class=plots>{plots}</div>"


def _joint(evaluation: Evaluation, trajectory: Trajectory, i: int) -> str:
    seconds = [round(frame / evaluation.fps, 3) for frame in range(len(trajectory.recorded))]
    predicted = finite(trajectory.predicted[:, i])
    starts = [int(frame) for frame in trajectory.starts] if evaluation.steps > 1 else []
    return charts.lines(
        evaluation.joints[i].name,
        [
            charts.Line(
                "a prediction begins", [seconds[s] for s in starts], [predicted[s] for s in starts], _BEGINS, dots=True
            ),
            charts.Line("predicted", seconds, predicted, _PREDICTED),
            charts.Line("recorded", seconds, finite(trajectory.recorded[:, i]), _RECORDED),
        ],
        x_unit=" s",
        legend=False,
    )
