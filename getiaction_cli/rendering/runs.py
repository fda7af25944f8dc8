"""The output of `runs`: a table of runs, or the differences between some of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from getiaction_cli.rendering.json_text import json_text
from getiaction_cli.rendering.text import Paint, clean, width, wrap
from getiaction_cli.units import number

if TYPE_CHECKING:
    from getiaction_cli.runs import Run

_BARS = "▁▂▃▄▅▆▇█"


def moment(started: str) -> str:
    """Shorten a time in ISO 8601 to "YYYY-MM-DD HH:MM"."""
    return started[:16].replace("T", " ")


def table(runs: Sequence[Run], *, color: bool, columns: int) -> str:
    """Return a table with a row for each run: start, steps, losses, success rate, state, folder."""
    paint = Paint(color)
    rows = [
        (
            moment(run.started) or "–",
            f"{run.steps:,}" + (f"/{run.planned:,}" if run.planned and run.steps < run.planned else ""),
            _value(run.best_loss),
            _value(run.best_validation),
            _percent(run.success),
            run.ended,
            clean(str(run.path)),
        )
        for run in runs
    ]
    head = ("started", "steps", "best loss", "validation", "success", "ended", "run")
    widths = [max(width(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [paint("bold", _line(head, widths, columns))]
    lines += [_line(row, widths, columns) for row in rows]
    return "\n".join(lines) + "\n"


def _line(row: Sequence[str], widths: Sequence[int], columns: int) -> str:
    """Join the cells of a row. The last cell, a path, moves to the next line if there is no space: it is never cut."""
    cells = [f"{cell}{' ' * (wide - width(cell))}" for cell, wide in zip(row[:-1], widths, strict=False)]
    line = "  ".join(cells)
    return f"{line}  {row[-1]}" if width(line) + 2 + widths[-1] <= columns else f"{line.rstrip()}\n  {row[-1]}"


def comparison(
    runs: Sequence[Run], differences: Sequence[tuple[str, Sequence[Any]]], *, color: bool, columns: int
) -> str:
    """Return the differences between runs, and their curves on a common scale."""
    paint = Paint(color)
    names = [chr(ord("A") + i) for i in range(len(runs))]
    lines = [f"{paint('bold', name)}  {clean(str(run.path))}" for name, run in zip(names, runs, strict=True)]
    lines += ["", paint("bold", "Differences" if differences else "No difference in recipe, dataset or versions")]
    for what, values in differences:
        lines.append(f"  {clean(what)}")
        for name, value in zip(names, values, strict=True):
            shown = "–" if value is None else json.dumps(value, ensure_ascii=False)
            lines.append(f"    {name}  {wrap(shown, columns, '       ')}")
    for metric in ("loss", "validation", "success"):
        lines += _curves(metric, runs, names, paint, columns)
    return "\n".join(lines) + "\n"


def _curves(metric: str, runs: Sequence[Run], names: Sequence[str], paint: Paint, columns: int) -> list[str]:
    """Return the curve of a metric for each run, all with the same horizontal and vertical scale."""
    courses = [run.courses[metric] for run in runs]
    values = [value for course in courses for _, value in course]
    if not values:
        return []
    low, high, last = min(values), max(values), max(course[-1][0] for course in courses if course)
    logarithmic = low > 0
    room = max(10, min(60, columns - 30))
    lines = ["", paint("bold", metric) + f"  {number(low)} to {number(high)}, steps 0 to {last + 1:,}"]
    for name, course in zip(names, courses, strict=True):
        drawn = _drawn(course, room, last, low, high, logarithmic=logarithmic)
        end = f"  {number(course[-1][1])}" if course else "  –"
        lines.append(f"  {name}  {drawn:<{room}}{end}")
    return lines


def _drawn(
    course: Sequence[tuple[int, float]], room: int, last: int, low: float, high: float, *, logarithmic: bool
) -> str:
    sums = [0.0] * room
    counts = [0] * room
    for step, value in course:
        place = min(room - 1, step * room // (last + 1))
        sums[place] += value
        counts[place] += 1

    def height(value: float) -> int:
        if high <= low:
            return 0
        share = math.log(value / low) / math.log(high / low) if logarithmic else (value - low) / (high - low)
        return round(share * (len(_BARS) - 1))

    line, before = "", " "
    end = course[-1][0] * room // (last + 1) if course else -1
    for place in range(room):
        if counts[place]:
            before = _BARS[height(sums[place] / counts[place])]
        line += before if place <= end else " "
    return line


def document(runs: Sequence[Run], differences: Sequence[tuple[str, Sequence[Any]]] | None) -> str:
    """Return version 1 of the JSON of `runs`. Keys may be added, but not changed or removed."""
    content: dict[str, Any] = {
        "runs": [
            {
                "path": str(run.path),
                "recipe": run.recipe,
                "started": run.started or None,
                "steps": run.steps,
                "planned": run.planned,
                "best_loss": run.best_loss,
                "validation": run.best_validation,
                "success_rate": run.success,
                "ended": run.ended,
            }
            for run in runs
        ],
    }
    if differences is not None:
        content["differences"] = [{"what": what, "values": list(values)} for what, values in differences]
    return json_text(content)


def _value(value: float | None) -> str:
    return "–" if value is None else number(value)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
