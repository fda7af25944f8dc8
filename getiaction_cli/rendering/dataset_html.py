"""`inspect-dataset --html`: one page with everything on it, no network, readable in light and dark and on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getiaction_cli.rendering.page_html import COLOURS, figure, finite, label, page, problems, section, text
from getiaction_cli.units import duration, plural, size

if TYPE_CHECKING:
    from getiaction_cli.datasets.features import Feature
    from getiaction_cli.datasets.inspection import Inspection
    from getiaction_cli.datasets.sample import Sample

_MOST_DIMENSIONS = 64
_MOST_TASKS = 20


def render(inspection: Inspection, sample: Sample) -> str:
    """The page as one HTML document; the plots are drawn by the plotly.js that is inside it."""
    figures: list[dict[str, Any]] = []
    body = "\n".join(_sections(inspection, sample, figures))
    return page(inspection.dataset.repo_id, body, figures)


def _sections(inspection: Inspection, sample: Sample, figures: list[dict[str, Any]]) -> Iterator[str]:
    yield _overview(inspection)
    yield section("Problems", problems(inspection.report.diagnostics))
    if sample.pictures:
        yield section("Cameras", _cameras(sample))
    if len(inspection.lengths):
        yield section("Episode lengths", figure(figures, _lengths(inspection), "Episodes by their length"))
    tasks = inspection.dataset.episodes.task_counts()
    if tasks:
        yield section("Tasks", _tasks(tasks, figures))
    for feature in inspection.dataset.by_role("state", "action", "environment"):
        if feature.is_vector:
            yield section(f"{feature.key}", _vector(inspection, feature, sample, figures), mono=True)
    if inspection.policies:
        yield section("Policies", _policies(inspection))
    unseen = [*inspection.not_checked, *sample.problems]
    if unseen:
        yield section("Not checked", "<ul>" + "".join(f"<li>{text(words)}</li>" for words in unseen) + "</ul>")


def _overview(inspection: Inspection) -> str:
    dataset = inspection.dataset
    seconds = inspection.seconds
    facts = [
        ("episodes", f"{inspection.episodes:,}"),
        ("frames", f"{inspection.frames:,}"),
        ("length", duration(seconds) if seconds is not None else "unknown"),
        ("fps", f"{dataset.fps:g}" if dataset.fps else "unknown"),
        ("tasks", f"{len(dataset.tasks):,}"),
        ("robot", dataset.robot_type or "unknown"),
        ("format", dataset.version or "unknown"),
        ("size", size(dataset.size_bytes)),
        *([("decoded", size(inspection.decoded))] if inspection.decoded else []),
        *(
            (camera.key, ", ".join(filter(None, (f"{camera.width}×{camera.height}", camera.codec, camera.pix_fmt))))
            for camera in inspection.cameras
        ),
        ("fingerprint", dataset.fingerprint[:16]),
    ]
    entries = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    return f"<header><h1>{text(dataset.repo_id)}</h1><dl>{entries}</dl></header>"


def _cameras(sample: Sample) -> str:
    parts = []
    for key in dict.fromkeys(picture.key for picture in sample.pictures):
        pictures = "".join(
            f'<figure><img alt="{text(key)}, episode {one.episode}" '
            f'src="data:image/jpeg;base64,{base64.b64encode(one.jpeg).decode()}">'
            f"<figcaption>episode {one.episode}, {one.second:.1f} s</figcaption></figure>"
            for one in sample.pictures
            if one.key == key
        )
        parts.append(f"<h3><code>{text(key)}</code></h3><div class=pictures>{pictures}</div>")
    return "".join(parts)


def _lengths(inspection: Inspection) -> Any:
    import plotly.graph_objects as go

    steps = inspection.histogram(24)
    fps = inspection.dataset.fps or 1
    chart = go.Figure(
        go.Bar(
            x=[(low + high) / 2 / fps for low, high, _ in steps],
            y=[count for _, _, count in steps],
            width=[(high - low + 1) / fps * 0.94 for low, high, _ in steps],
            customdata=[f"{low}–{high} frames" for low, high, _ in steps],
            hovertemplate="%{y} episodes of %{customdata}<extra></extra>",
            marker_color=COLOURS[0],
        )
    )
    return chart.update_layout(xaxis_ticksuffix=" s", yaxis_title="episodes", height=260)


def _tasks(tasks: dict[str, tuple[int, int]], figures: list[dict[str, Any]]) -> str:
    import plotly.graph_objects as go

    shown = list(tasks.items())[:_MOST_TASKS]
    if len(shown) == 1:
        return f"<p>{text(shown[0][0])}</p>"
    labels = [label(task if len(task) <= 60 else task[:59] + "…") for task, _ in shown]
    chart = go.Figure(
        go.Bar(
            x=[frames for _, (_, frames) in shown][::-1],
            y=labels[::-1],
            orientation="h",
            customdata=[episodes for _, (episodes, _) in shown][::-1],
            hovertemplate="%{x:,} frames in %{customdata} episodes<extra></extra>",
            marker_color=COLOURS[0],
        )
    )
    chart.update_layout(xaxis_title="frames", height=90 + 26 * len(shown), yaxis_automargin=True)
    rest = len(tasks) - len(shown)
    return figure(figures, chart, "Frames per task") + (f"<p>and {plural(rest, 'other task')}</p>" if rest else "")


def _vector(inspection: Inspection, feature: Feature, sample: Sample, figures: list[dict[str, Any]]) -> str:
    stats = (inspection.dataset.stats or {}).get(feature.key)
    parts = [f"<p>{text(feature.role)}, {text(feature.dtype)}, {plural(feature.size, 'dimension')}</p>"]
    if stats and {"min", "max"} <= stats.keys():
        parts.append(figure(figures, _ranges(feature, stats), f"Ranges of {feature.key}"))
    plots = [
        figure(
            figures,
            _trajectories(feature, dimension, sample),
            f"{feature.dimension(dimension)} over time",
        )
        for dimension in range(min(feature.size, _MOST_DIMENSIONS))
        if sample.trajectories
    ]
    if plots:
        parts.append(f"{_legend(sample)}<div class=plots>{''.join(plots)}</div>")
    return "".join(parts)


def _ranges(feature: Feature, stats: dict[str, Any]) -> Any:
    """Each dimension's extremes as a thin bar, its first to last percentile as a thick one, its mean as a dot."""
    import plotly.graph_objects as go

    numbers = {name: finite(values) for name, values in stats.items()}
    names = [label(feature.dimension(at)) for at in range(feature.size)]
    low, high = numbers["min"], numbers["max"]
    chart = go.Figure()
    for name, lows, highs, width, opacity in (
        ("min to max", low, high, 0.25, 0.45),
        ("q01 to q99", numbers.get("q01"), numbers.get("q99"), 0.6, 0.8),
    ):
        if lows and highs and len(lows) == len(highs) == len(names):
            spread = [b - a if a is not None and b is not None else None for a, b in zip(lows, highs, strict=True)]
            chart.add_bar(
                y=names, x=spread, base=lows, orientation="h", width=width, opacity=opacity, name=name,
                marker_color=COLOURS[0], hovertemplate=f"%{{base:.4g}} to %{{x:.4g}}<extra>{name}</extra>",
            )  # fmt: skip
    if len(numbers.get("mean", [])) == len(names):
        chart.add_scatter(
            y=names, x=numbers["mean"], mode="markers", name="mean", marker={"color": COLOURS[1], "size": 9}
        )
    return chart.update_layout(
        barmode="overlay", height=110 + 26 * len(names), yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip


def _trajectories(feature: Feature, dimension: int, sample: Sample) -> Any:
    import plotly.graph_objects as go

    chart = go.Figure()
    for colour, trajectory in zip(COLOURS, sample.trajectories, strict=False):
        values = trajectory.values.get(feature.key)
        if values is None or dimension >= values.shape[1]:
            continue
        chart.add_scatter(
            x=trajectory.seconds.round(3).tolist(), y=finite(values[:, dimension]), mode="lines",
            name=f"episode {trajectory.episode}", line={"color": colour, "width": 1.5},
        )  # fmt: skip
    return chart.update_layout(
        title={"text": label(feature.dimension(dimension)), "font": {"size": 13}}, height=190, showlegend=False,
        xaxis={"ticksuffix": " s"}, margin={"l": 45, "r": 8, "t": 30, "b": 30},
    )  # fmt: skip


def _legend(sample: Sample) -> str:
    """The colours of the episodes, once for all plots."""
    entries = "".join(
        f'<span><i style="background:{colour}"></i>episode {trajectory.episode}</span>'
        for colour, trajectory in zip(COLOURS, sample.trajectories, strict=False)
    )
    return f"<p class=legend>{entries}</p>"


def _policies(inspection: Inspection) -> str:
    rows = []
    for verdict in inspection.policies:
        mark, words = ("✓", verdict.changes) if verdict.trainable else ("✗", verdict.reasons)
        if verdict.unreadable:
            mark, words = "?", ("not checked: LeRobot could not be read",)
        said = "; ".join(words) or "can train as it is"
        rows.append(
            f"<tr class={'good' if verdict.trainable else 'bad'}><td>{mark}</td><th>{text(verdict.name)}</th>"
            f"<td>{text(said)}{'' if verdict.installed else ' (its packages are not installed here)'}</td></tr>"
        )
    after = f"<p>Next: <code>{text(inspection.next_command)}</code></p>" if inspection.next_command else ""
    return f"<table>{''.join(rows)}</table>{after}"
