"""`evaluate --html`: one page with plots of every joint, no network, readable in light and dark and on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getiaction_cli.rendering import evaluation as words
from getiaction_cli.rendering.page_html import COLOURS, figure, finite, label, page, problems, section, text
from getiaction_cli.units import number

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation, Trajectory
    from getiaction_cli.diagnostics import Report

_MOST_DIMENSIONS = 64


def render(evaluation: Evaluation, report: Report) -> str:
    """The page as one HTML document."""
    figures: list[dict[str, Any]] = []
    return page(evaluation.model, "\n".join(_sections(evaluation, report, figures)), figures)


def _sections(evaluation: Evaluation, report: Report, figures: list[dict[str, Any]]) -> Iterator[str]:
    yield _overview(evaluation)
    yield section("Findings", problems(report.diagnostics))
    yield section("Compared with baselines", figure(figures, _baselines(evaluation), "Error of each baseline"))
    if evaluation.steps > 1:
        yield section("Error over the steps of a prediction", figure(figures, _horizon(evaluation), "Error per step"))
    yield section("Joints", _joints(evaluation))
    looks = [words.said(p, w) for p, w in ((evaluation.cameras, "pictures"), (evaluation.state, "states")) if p]
    if looks:
        yield section("What it looks at", "<ul>" + "".join(f"<li>{text(look)}</li>" for look in looks) + "</ul>")
    for trajectory in evaluation.trajectories:
        yield section(f"Episode {trajectory.episode}", _episode(evaluation, trajectory, figures))
    if evaluation.worst:
        rows = "".join(
            f"<tr><td>episode {m.episode}, {m.second:.1f} s</td><td>{text(words.percent(m.error))}</td>"
            f"<td>most in <code>{text(m.joint)}</code></td></tr>"
            for m in evaluation.worst
        )
        yield section("Worst moments", f"<table>{rows}</table>")
    if report.not_run:
        rows = "".join(f"<li>{text(entry.rule)}: {text(entry.reason)}</li>" for entry in report.not_run)
        yield section("Not judged", f"<ul>{rows}</ul>")


def _overview(evaluation: Evaluation) -> str:
    facts = [
        ("policy", evaluation.policy),
        ("episodes", words.whose(evaluation)),
        ("predicts", words.predicts(evaluation)),
        ("error", f"{words.percent(evaluation.error)} of the range"),
        ("compared", words.against_still(evaluation)),
    ]
    if evaluation.trained is not None:
        facts.append(("on training episodes", words.percent(evaluation.trained.error)))
    entries = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    return f"<header><h1>{text(evaluation.model)}</h1><dl>{entries}</dl></header>"


def _baselines(evaluation: Evaluation) -> Any:
    import plotly.graph_objects as go

    entries = [("the policy", evaluation.error), *sorted(evaluation.baselines.items(), key=lambda entry: entry[1])]
    bar = go.Bar(
        x=[100 * error for _, error in entries],
        y=[label(name) for name, _ in entries],
        orientation="h",
        marker_color=[COLOURS[0], *[COLOURS[1]] * (len(entries) - 1)],
        hovertemplate="%{x:.2f} %<extra></extra>",
    )
    return go.Figure(bar).update_layout(
        xaxis={"ticksuffix": " %", "title": "error, share of the range"},
        yaxis={"autorange": "reversed", "automargin": True},
        height=110 + 30 * len(entries),
    )


def _horizon(evaluation: Evaluation) -> Any:
    import plotly.graph_objects as go

    chart = go.Figure()
    lines = {"the policy": evaluation.horizon, **evaluation.baseline_horizon}
    for i, (name, errors) in enumerate(lines.items()):
        chart.add_scatter(
            x=list(range(1, len(errors) + 1)),
            y=finite([100 * error for error in errors]),
            mode="lines",
            name=label(name),
            line={"color": COLOURS[i % len(COLOURS)], "width": 3 if i == 0 else 1.5},
        )
    return chart.update_layout(
        xaxis_title="step", yaxis={"ticksuffix": " %", "rangemode": "tozero"}, height=300,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip


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


def _episode(evaluation: Evaluation, trajectory: Trajectory, figures: list[dict[str, Any]]) -> str:
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{what}</span>'
        for colour, what in ((COLOURS[0], "recorded"), (COLOURS[1], "predicted"), ("#888", "a prediction begins"))
    )
    cameras = ""
    for key in dict.fromkeys(camera for camera, _, _ in trajectory.pictures):
        shots = "".join(
            f'<figure><img alt="{text(key)}, episode {trajectory.episode}" '
            f'src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
            f"<figcaption>{frame / evaluation.fps:.1f} s</figcaption></figure>"
            for camera, frame, jpeg in trajectory.pictures
            if camera == key
        )
        cameras += f"<h3><code>{text(key)}</code></h3><div class=pictures>{shots}</div>"
    plots = "".join(
        figure(figures, _joint(evaluation, trajectory, i), f"{joint.name} over time")
        for i, joint in enumerate(evaluation.joints[:_MOST_DIMENSIONS])
    )
    return f"{cameras}<p class=legend>{legend}</p><div class=plots>{plots}</div>"


def _joint(evaluation: Evaluation, trajectory: Trajectory, i: int) -> Any:
    import plotly.graph_objects as go

    seconds = [round(frame / evaluation.fps, 3) for frame in range(len(trajectory.recorded))]
    chart = go.Figure()
    for name, values, colour in (
        ("recorded", trajectory.recorded, COLOURS[0]),
        ("predicted", trajectory.predicted, COLOURS[1]),
    ):
        chart.add_scatter(
            x=seconds, y=finite(values[:, i]), mode="lines", name=name, line={"color": colour, "width": 1.5}
        )
    starts = [int(frame) for frame in trajectory.starts] if evaluation.steps > 1 else []
    chart.add_scatter(
        x=[seconds[frame] for frame in starts], y=finite(trajectory.predicted[starts, i]), mode="markers",
        name="a prediction begins", marker={"color": "#888", "size": 5},
    )  # fmt: skip
    return chart.update_layout(
        title={"text": label(evaluation.joints[i].name), "font": {"size": 13}}, height=210, showlegend=False,
        xaxis={"ticksuffix": " s"}, margin={"l": 45, "r": 8, "t": 30, "b": 30},
    )  # fmt: skip
