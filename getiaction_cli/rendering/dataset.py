"""The report of `inspect-dataset` for a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import shorten
from getiaction_cli.rendering import terminal
from getiaction_cli.rendering.text import Paint, clean, cut, width, wrap
from getiaction_cli.units import duration, number, plural, size

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.features import Feature
    from getiaction_cli.datasets.inspection import CameraFormat, Inspection, PolicyVerdict

_MAX_DIMENSIONS = 40
_MAX_TASKS = 10
_MAX_OUTLIERS = 6
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render(inspection: Inspection, *, color: bool, columns: int) -> str:
    """Return all sections: overview, features, episodes, tasks, problems, skipped checks, policies, next command."""
    paint = Paint(color)
    sections = [
        _overview(inspection, paint, columns),
        _features(inspection, paint, columns),
        _episodes(inspection, paint, columns),
        _tasks(inspection, paint, columns),
        _read(inspection, paint, columns),
        _problems(inspection, paint, columns),
        _not_checked(inspection, paint, columns),
        _policies(inspection, paint, columns),
        _next(inspection, paint),
    ]
    text = "\n".join("\n".join(lines) + "\n" for lines in sections if lines)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _overview(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    dataset = inspection.dataset
    fps = f"{dataset.fps:g} fps" if dataset.fps else "fps unknown"
    hours = f", {duration(inspection.seconds)}" if inspection.seconds is not None else ""
    place = {"demo": "ships with getiaction", "hub": "fetched from the Hub now: only meta/"}.get(
        dataset.place.origin, f"{dataset.place.origin}"
    )
    if dataset.place.origin in ("lerobot cache", "hf cache") and not dataset.has_data:
        place += ", only meta/"
    revision = f", revision {dataset.place.revision[:12]}" if dataset.place.revision else ""
    rows = [
        ("where", f"{dataset.root} ({place}{revision})"),
        ("format", f"{dataset.version or 'unknown'}, {fps}, robot type {dataset.robot_type or 'not set'}"),
        ("contents", f"{plural(inspection.episodes, 'episode')}, {plural(inspection.frames, 'frame')}{hours}"),
        ("size", size(dataset.size_bytes) + (" (meta/ only)" if not dataset.has_data else "")),
        *(
            [("decoded", f"{size(inspection.decoded)}, kept in a frame store when training has room")]
            if inspection.decoded
            else []
        ),
        *(("cameras" if i == 0 else "", _camera(camera)) for i, camera in enumerate(inspection.cameras)),
        ("fingerprint", dataset.fingerprint[:16]),
    ]
    if not inspection.cameras:
        rows.insert(4, ("cameras", "none"))
    return [terminal.rows(dataset.repo_id, rows, color=paint.on, columns=columns).rstrip("\n")]


def _camera(camera: CameraFormat) -> str:
    facts = [f"{camera.width}x{camera.height}" + (f"x{camera.channels}" if camera.channels != 3 else "")]
    if camera.depth:
        facts.append("depth")
    if camera.storage == "image":
        facts.append("stored as images")
    else:
        facts += [word for word in (camera.codec, camera.pix_fmt) if word]
        facts += [f"{camera.fps:g} fps"] if camera.fps else []
        facts += [plural(camera.files, "file")] if camera.files else []
    return f"{camera.key}  {', '.join(facts)}"


# -- features ----------------------------------------------------------------------------------------------------------


def _features(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    dataset = inspection.dataset
    if not dataset.features:
        return []
    shown = [f for f in dataset.features.values() if not f.why.startswith("index column")]
    keys = min(max((width(clean(f.key)) for f in shown), default=0), max(20, columns - 50))
    lines = [paint("bold", "Features")]
    for feature in shown:
        lines += _feature(dataset, feature, keys, paint, columns)
    index = [f.key for f in dataset.features.values() if f.why.startswith("index column")]
    if index:
        lines.append("  " + paint("dim", wrap(f"and the index columns {', '.join(index)}", columns, "  ")))
    return lines


def _feature(dataset: Dataset, feature: Feature, keys: int, paint: Paint, columns: int) -> list[str]:
    shape = "x".join(map(str, feature.shape)) or "?"
    role = feature.role if feature.role != "ignored" else "ignored"
    style = "dim" if feature.role == "ignored" else "good"
    key = cut(clean(feature.key), keys)
    head = f"  {key}{' ' * (keys - width(key))}  {paint(style, role.ljust(11))} {feature.dtype or '?'} {shape}"
    if feature.why:
        plain = f"  {' ' * keys}  {role.ljust(11)} {feature.dtype or '?'} {shape}"
        why = f"({feature.why})"
        head += (
            " " + paint("dim", why) if width(plain) + 1 + len(why) <= columns else "\n" + paint("dim", f"      {why}")
        )
    entry = (dataset.stats or {}).get(feature.key, {})
    if feature.role in ("ignored", "language") or not {"min", "max", "mean", "std"} <= entry.keys():
        return [head]
    return [head, *_statistics(feature, entry, paint, columns)]


def _statistics(feature: Feature, entry: dict[str, np.ndarray], paint: Paint, columns: int) -> list[str]:
    """Return one line per dimension: its statistics, and a bar for its range within that of the whole feature."""
    flat = {name: values.reshape(-1) for name, values in entry.items()}
    dimensions = len(flat["min"])
    if any(len(flat[name]) != dimensions for name in ("max", "mean", "std")) or not dimensions:
        return []
    names = _names(feature, dimensions)
    wanted = ["min", "q01", "mean", "q99", "max", "std"] if columns >= 110 else ["min", "mean", "max", "std"]
    wanted = wanted if columns >= 72 else ["min", "mean", "max"]
    wanted = [name for name in wanted if len(flat.get(name, ())) == dimensions]
    label = min(max(width(clean(name)) for name in names), 24)
    bar = max(10, min(36, columns - 6 - label - 2 - 10 * len(wanted) - 12))
    low, high = float(np.nanmin(flat["min"])), float(np.nanmax(flat["max"]))
    lines = [" " * (6 + label) + paint("dim", "".join(name.rjust(10) for name in wanted))]
    for i, name in enumerate(names[:_MAX_DIMENSIONS]):
        numbers = "".join(number(float(flat[stat][i])).rjust(10) for stat in wanted)
        one = {stat: float(values[i]) for stat, values in flat.items() if i < len(values)}
        mark = _mark(one)
        shown = cut(clean(name), label)
        drawn = range_bar(one, low, high, bar)
        lines.append(
            f"      {shown}{' ' * (label - width(shown))}{numbers}  {paint('gutter', drawn)}"
            + (f" {paint('warning', mark)}" if mark else "")
        )
    if dimensions > _MAX_DIMENSIONS:
        lines.append(paint("dim", f"      and {dimensions - _MAX_DIMENSIONS} more dimensions"))
    return lines


def _names(feature: Feature, dimensions: int) -> list[str]:
    if not feature.is_camera:
        return [feature.dimension(i) for i in range(dimensions)]
    if feature.role == "depth":
        return ["depth"] * dimensions
    return ["red", "green", "blue"] if dimensions == 3 else [f"channel {i}" for i in range(dimensions)]


def _mark(one: dict[str, float]) -> str:
    if not all(np.isfinite(value) for value in one.values()):
        return "not finite"
    if one["min"] == one["max"] or one["std"] == 0:
        return "constant"
    if one["min"] > one["max"] or not one["min"] - 1e-6 <= one["mean"] <= one["max"] + 1e-6:
        return "out of range"
    return ""


def range_bar(one: dict[str, float], low: float, high: float, room: int) -> str:
    """Return the range of a dimension between ``low`` and ``high``: ─ min to max, ━ the middle 80 %, ● the mean."""
    if not (np.isfinite(low) and np.isfinite(high)) or high <= low or not all(np.isfinite(v) for v in one.values()):
        return " " * room

    def at(value: float) -> int:
        return max(0, min(room - 1, round((value - low) / (high - low) * (room - 1))))

    cells = [" "] * room
    for cell in range(at(one["min"]), at(one["max"]) + 1):
        cells[cell] = "─"
    inner = (
        (one["q10"], one["q90"])
        if "q10" in one and "q90" in one
        else (one["mean"] - one["std"], one["mean"] + one["std"])
    )
    for cell in range(at(max(inner[0], one["min"])), at(min(inner[1], one["max"])) + 1):
        cells[cell] = "━"
    cells[at(one["mean"])] = "●"
    return "".join(cells)


# -- episodes and tasks ------------------------------------------------------------------------------------------------


def _episodes(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    lengths, fps = inspection.lengths, inspection.dataset.fps
    if not len(lengths):
        return []

    def both(frames: float) -> str:
        return f"{frames:,.0f}" + (f" ({duration(frames / fps)})" if fps else "")

    low, high = int(lengths.min()), int(lengths.max())
    head, indent = f"{paint('bold', 'Episodes')}  ", " " * 10
    if low == high:
        each = f"{len(lengths):,}, each of" if len(lengths) > 1 else "one of"
        return [head + f"{each} {both(low)} frames"]
    spread = f"{both(low)} to {both(high)} frames, median {both(float(np.median(lengths)))}, mean {lengths.mean():,.1f}"
    lines = [head + wrap(spread, columns, indent)]
    bins = inspection.histogram()
    names = [f"{a:,}–{b:,}" if a != b else f"{a:,}" for a, b, _ in bins]
    times = [f"{duration(a / fps)}" if fps else "" for a, _, _ in bins]
    left, middle = max(map(len, names)), max(map(len, times))
    most = max(count for _, _, count in bins)
    room = max(10, min(50, columns - left - middle - 16))
    for name, seconds, (_, _, count) in zip(names, times, bins, strict=True):
        drawn = paint("gutter", bar(count, most, room))
        lines.append(f"  {name.rjust(left)}  {paint('dim', seconds.rjust(middle))}  {drawn} {count:,}")
    if inspection.outliers:
        rows = inspection.outliers[:_MAX_OUTLIERS]
        named = ", ".join(f"episode {inspection.dataset.episodes.index[row]} with {lengths[row]:,}" for row in rows)
        more = f" and {len(inspection.outliers) - len(rows):,} more" if len(inspection.outliers) > len(rows) else ""
        lines.append("  " + wrap(f"unusual: {named}{more}", columns, "    "))
    return lines


def bar(count: float, most: float, room: int) -> str:
    """Return a bar of at most ``room`` columns, in eighths of a column; at least one eighth unless count is 0."""
    eighths = round(count / most * room * 8) if most else 0
    eighths = max(eighths, 1) if count else 0
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _tasks(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    dataset = inspection.dataset
    counts = dataset.episodes.task_counts() or dict.fromkeys(dataset.tasks, (0, 0))
    if not counts:
        return []
    if len(counts) == 1:
        return [paint("bold", "Task") + "  " + wrap(shorten(next(iter(counts))) or "(no text)", columns, "      ")]
    lines = [paint("bold", "Tasks") + f"  {len(counts):,}"]
    most = max(frames for _, frames in counts.values())
    for task, (episodes, frames) in list(counts.items())[:_MAX_TASKS]:
        share = f"{plural(episodes, 'episode').rjust(14)} {frames:>9,} frames"
        bars = 10 if columns >= 72 else 0
        room = max(20, columns - len(share) - 8 - bars)
        text = cut(clean(task) or "(no text)", room)
        drawn = paint("gutter", bar(frames, most, bars)) if bars else ""
        lines.append(f"  {text}{' ' * (room - width(text))} {share} {drawn}")
    if len(counts) > _MAX_TASKS:
        lines.append(f"  and {len(counts) - _MAX_TASKS:,} more")
    return lines


# -- what was found ----------------------------------------------------------------------------------------------------


def _read(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    scan = inspection.scan
    if scan is None:
        return []
    rate = f", {size(scan.bytes / scan.seconds)} a second" if scan.seconds > 0.01 else ""
    lines = [
        f"{paint('bold', 'Read')}  {plural(scan.rows, 'frame')} ({size(scan.bytes)} in {scan.seconds:.1f} s{rate})"
    ]
    if not scan.exact_quantiles:
        error = f"a quantile's rank is right to ±{100 * scan.rank_error:.2g} %"
        lines.append("  " + wrap(f"quantiles from {scan.sampled_rows:,} of them: {error}", columns, "  "))
    if scan.lag is not None and scan.lag.similarity > 0.8 and scan.lag.frames > 0:
        fps = inspection.dataset.fps
        seconds = f" ({scan.lag.frames / fps:.2g} s)" if fps else ""
        lines.append(f"  the state follows the action by {plural(scan.lag.frames, 'frame')}{seconds}")
    if scan.videos:
        decoded = sum(video.decoded for video in scan.videos)
        lines.append(f"  decoded {plural(decoded, 'frame')} of {plural(len(scan.videos), 'file')}")
    return lines


def _problems(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    report = replace(inspection.report, not_run=())
    shown = terminal.render([report], color=paint.on, columns=columns).rstrip("\n")
    if not report.diagnostics:
        return [f"{paint('bold', 'Problems')}  {shown}"]
    return [paint("bold", "Problems"), shown]


def _not_checked(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    if not inspection.not_checked:
        return []
    return [paint("bold", "Not checked"), *("  " + wrap(words, columns, "  ") for words in inspection.not_checked)]


def _policies(inspection: Inspection, paint: Paint, columns: int) -> list[str]:
    """List the policies that can train, those that must wait for fixes of the dataset, and a row for each other."""
    if not inspection.policies:
        return []
    names = max(width(verdict.name) for verdict in inspection.policies)
    ready, waiting, others = [], [], []
    for verdict in inspection.policies:
        if inspection.is_waiting(verdict):
            waiting.append(verdict.name)
        elif verdict.trainable and not verdict.changes and verdict.installed and not verdict.machine:
            ready.append(verdict.name)
        else:
            others.append(verdict)
    lines = [paint("bold", "Policies")]
    for words, style, group in (
        ("can train as it is:", "good", ready),
        ("can't train until the errors above are fixed:", "error", waiting),
    ):
        if group:
            text = wrap(f"{words} {', '.join(group)}", columns - 2, "    ")
            lines.append("  " + text.replace(words, paint(style, words), 1))
    return lines + [_policy(verdict, inspection, names, paint, columns) for verdict in others]


def _policy(verdict: PolicyVerdict, inspection: Inspection, names: int, paint: Paint, columns: int) -> str:
    mark = paint("good", "✓") if verdict.trainable else paint("error", "✗")
    words = verdict.changes if verdict.trainable else verdict.lacks(inspection.report)
    if verdict.unreadable:
        mark, words = paint("warning", "?"), ("not checked: LeRobot could not be read",)
    parts = [*words[:2], *(["…"] if len(words) > 2 else []), *(verdict.machine[:1] if verdict.trainable else ())]
    text = "; ".join(parts) or "its packages are not installed here"
    return f"  {mark} {verdict.name.ljust(names)}  {cut(clean(text), max(20, columns - names - 6))}"


def _next(inspection: Inspection, paint: Paint) -> list[str]:
    if not inspection.next_command:
        return []
    return [f"{paint('bold', 'Next')}  {inspection.next_command}"]
