"""The page of `inspect-dataset --html`: self-contained, with light and dark colours, also for small screens."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getiaction_cli.rendering import charts
from getiaction_cli.rendering.page_html import data, finite, header, page, pictures, problems, section, text
from getiaction_cli.units import duration, number, plural, size

if TYPE_CHECKING:
    from getiaction_cli.datasets.features import Feature
    from getiaction_cli.datasets.inspection import Inspection
    from getiaction_cli.datasets.sample import Clip, Sample

_MAX_DIMENSIONS = 64
_MAX_TASKS = 20


def render(inspection: Inspection, sample: Sample) -> str:
    """Return the page as an HTML document."""
    script = "episodes.js" if sample.trajectories or sample.clips else ""
    return page(inspection.dataset.repo_id, "\n".join(_sections(inspection, sample)), script=script)


def _sections(inspection: Inspection, sample: Sample) -> Iterator[str]:
    yield _overview(inspection)
    yield section("Problems", problems(inspection.report.diagnostics))
    if sample.trajectories or sample.clips:
        yield section("Episodes", _episodes(inspection, sample))
    if sample.pictures:
        yield section("Cameras", _cameras(sample))
    if len(inspection.lengths):
        yield section("Episode lengths", _lengths(inspection))
    tasks = inspection.dataset.episodes.task_counts()
    if tasks:
        yield section("Tasks", _tasks(tasks))
    for feature in _vectors(inspection):
        if ranges := _ranges(feature, (inspection.dataset.stats or {}).get(feature.key, {})):
            yield section(feature.key, ranges, mono=True)
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
    return header(dataset.repo_id, facts)


def _cameras(sample: Sample) -> str:
    return "".join(
        pictures(
            key,
            [(one.jpeg, f"episode {one.episode}, {one.second:.1f} s") for one in sample.pictures if one.key == key],
            "camera",
        )
        for key in dict.fromkeys(picture.key for picture in sample.pictures)
    )


def _lengths(inspection: Inspection) -> str:
    fps = inspection.dataset.fps or 1
    entries = [
        (low / fps, (high + 1) / fps, count, f"{plural(count, 'episode')} of {low} to {high} frames")
        for low, high, count in inspection.histogram(24)
    ]
    return charts.columns("episodes by their length", entries, x_unit=" s")


def _tasks(tasks: dict[str, tuple[int, int]]) -> str:
    shown = list(tasks.items())[:_MAX_TASKS]
    if len(shown) == 1:
        return f"<p>{text(shown[0][0])}</p>"
    drawn = charts.bars(
        [
            (task, frames, f"{plural(frames, 'frame')}, {plural(episodes, 'episode')}", 0)
            for task, (episodes, frames) in shown
        ]
    )
    rest = len(tasks) - len(shown)
    return drawn + (f"<p>and {plural(rest, 'other task')}</p>" if rest else "")


def _ranges(feature: Feature, stats: dict[str, Any]) -> str:
    """Return a chart of each dimension: min to max as a thin bar, q01 to q99 as a thick bar, the mean as a dot."""
    if not {"min", "max"} <= stats.keys():
        return ""
    numbers = {name: finite(values) for name, values in stats.items()}

    def pair(low: str, high: str, at: int) -> tuple[float, float] | None:
        lows, highs = numbers.get(low, []), numbers.get(high, [])
        if not len(lows) == len(highs) == feature.size or lows[at] is None or highs[at] is None:
            return None
        return lows[at], highs[at]  # type: ignore[return-value]

    entries = []
    for at in range(feature.size):
        outer, inner = pair("min", "max", at), pair("q01", "q99", at)
        means = numbers.get("mean", [])
        mean = means[at] if len(means) == feature.size else None
        parts = [
            f"{what} {number(ends[0])} to {number(ends[1])}"
            for what, ends in (("min to max", outer), ("q01 to q99", inner))
            if ends
        ]
        if mean is not None:
            parts.append(f"mean {number(mean)}")
        entries.append((feature.dimension(at), outer, inner, mean, ", ".join(parts)))
    legend = "<p class=legend>thin: smallest to largest value; thick: 1st to 99th percentile; dot: mean</p>"
    return legend + charts.ranges(entries)


def _vectors(inspection: Inspection) -> list[Feature]:
    return [feature for feature in inspection.dataset.by_role("state", "action", "environment") if feature.is_vector]


def _episodes(inspection: Inspection, sample: Sample) -> str:
    """Return the episode browser: camera images with a time slider, which stay visible above the curves."""
    cameras = list(dict.fromkeys(clip.key for clip in sample.clips))
    clips = {(clip.key, clip.episode): clip for clip in sample.clips}
    seconds = {one.episode: one.seconds for one in sample.trajectories}
    shown_episodes = sorted({*seconds, *(clip.episode for clip in sample.clips)})
    films = []
    for episode in shown_episodes:
        filmed = [clips.get((key, episode)) for key in cameras]
        ends = [clip.seconds[-1] for clip in filmed if clip] + [
            float(second) for second in seconds.get(episode, [])[-1:]
        ]
        films.append({"length": round(max(ends, default=0.0), 3), "cameras": [_film(clip) for clip in filmed]})
    shown = "".join(
        f'<figure><img alt="{text(key)}, the moment of the slider"><figcaption><code>'
        f"{text(key).replace('.', '.<wbr>')}</code></figcaption></figure>"
        for key in cameras
    )
    options = "".join(f"<option>episode {episode}</option>" for episode in shown_episodes)
    legend = charts.legend_of((f"episode {episode}", i) for i, episode in enumerate(shown_episodes))
    vectors = _vectors(inspection) if sample.trajectories else []
    curves = "".join(_curves(feature, sample, shown_episodes) for feature in vectors)
    return (
        f"<div id=episodes><div id=player><div id=cameras>{shown}</div>"
        f'<div id=controls hidden><select id=episode aria-label="Episode">{options}</select>'
        "<button id=play type=button>Play</button><output id=clock></output>"
        '<input id=time type=range min=0 step=any value=0 aria-label="Time"></div></div>'
        f"{legend}{curves}</div>{data('clips', films)}"
    )


def _film(clip: Clip | None) -> dict[str, Any] | None:
    if clip is None:
        return None
    return {"seconds": clip.seconds, "frames": [base64.b64encode(jpeg).decode() for jpeg in clip.jpegs]}


def _curves(feature: Feature, sample: Sample, episodes: list[int]) -> str:
    """Return a chart of each dimension with all episodes; the script fades those that are not selected."""
    plots = (_curve(feature, at, sample, episodes) for at in range(min(feature.size, _MAX_DIMENSIONS)))
    kind = f"{text(feature.role)}, {text(feature.dtype)}, {plural(feature.size, 'dimension')}"
    return f"<h3><code>{text(feature.key)}</code> <small>{kind}</small></h3><div class=plots>{''.join(plots)}</div>"


def _curve(feature: Feature, dimension: int, sample: Sample, episodes: list[int]) -> str:
    series = []
    for trajectory in sample.trajectories:
        values = trajectory.values.get(feature.key)
        if values is not None and dimension < values.shape[1]:
            seconds = trajectory.seconds.round(3).tolist()
            colour = episodes.index(trajectory.episode)
            series.append(charts.Line(f"episode {trajectory.episode}", seconds, finite(values[:, dimension]), colour))
    name = feature.dimension(dimension)
    return charts.lines(name, series, x_unit=" s", legend=False, linear=True, playhead=True)


def _policies(inspection: Inspection) -> str:
    rows = []
    for verdict in inspection.policies:
        if inspection.is_waiting(verdict):
            continue
        mark, words = ("✓", verdict.changes) if verdict.trainable else ("✗", verdict.lacks(inspection.report))
        if verdict.unreadable:
            mark, words = "?", ("not checked: LeRobot could not be read",)
        remarks = "; ".join(words) or "can train as it is"
        rows.append(
            f"<tr class={'good' if verdict.trainable else 'bad'}><td>{mark}</td><th>{text(verdict.name)}</th>"
            f"<td>{text(remarks)}{'' if verdict.installed else ' (its packages are not installed here)'}</td></tr>"
        )
    waiting = ", ".join(verdict.name for verdict in inspection.policies if inspection.is_waiting(verdict))
    before = f"<p>Can't train until the errors above are fixed: {text(waiting)}</p>" if waiting else ""
    after = f"<p>Next: <code>{text(inspection.next_command)}</code></p>" if inspection.next_command else ""
    return f"{before}<table class=marks>{''.join(rows)}</table>{after}"
