"""Charts for HTML pages, as SVG and HTML without scripts; the page's style sheet defines their colours."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from getiaction_cli.rendering.page_html import text
from getiaction_cli.units import number

# Number of colours in the style sheet (`--c0`, …), which colour-blind people can tell apart on white and on black.
COLOURS = 6
GREY = -1

_WIDTH, _HEIGHT = 440, 210  # in SVG units; the browser scales them to the available width
_TOP, _RIGHT, _BOTTOM = 8, 24, 34
_LETTER = 6.7  # width of a digit in SVG units, at the font size of the style sheet
_LARGEST = 1e300  # differences between larger numbers may overflow
_MAX_DOTS = 60


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: Its name in the legend.
        x: Positions on the horizontal axis, ascending.
        y: Values, one per position; None and values that are not finite are left out.
        colour: Index of a colour, or GREY.
        thick: Draw it thicker than others.
        dots: Draw a dot at each value, without a line.
        band: The lower and upper bound of an interval around each value.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    colour: int = 0
    thick: bool = False
    dots: bool = False
    band: tuple[Sequence[float], Sequence[float]] | None = None


def lines(
    title: str,
    series: Sequence[Line],
    *,
    unit: str = "",
    x_unit: str = "",
    from_zero: bool = False,
    up_to: float | None = None,
    legend: bool = True,
    linear: bool = False,
    playhead: bool = False,
) -> str:
    """Return a line chart. Its vertical scale is logarithmic if the values span more than a factor of 30.

    Args:
        title: the caption.
        series: the lines; the first is drawn on top.
        unit: written after each value.
        x_unit: written after each position.
        from_zero: start the vertical scale at 0; it is linear.
        up_to: the upper end of the vertical scale, which is linear.
        legend: show a legend below the chart if there are several lines.
        linear: always use a linear scale.
        playhead: add a vertical line at the first position, which a script can move.
    """
    drawn = [(line, _points(line.x, line.y)) for line in series]
    drawn = [(line, points) for line, points in drawn if points]
    if not drawn:
        return f"<figure class=chart><figcaption>{text(title)}</figcaption><p>no values</p></figure>"
    values = [y for _, points in drawn for _, y in points]
    values += [y for line, _ in drawn if line.band for bound in line.band for _, y in _points(line.x, bound)]
    places = [x for _, points in drawn for x, _ in points]
    linear = linear or from_zero or up_to is not None
    logarithmic = not linear and min(values) > 0 and max(values) / min(values) > 30
    low, high = (0.0 if from_zero else min(values)), (max(values) if up_to is None else up_to)
    marks = _decades(low, high) if logarithmic else _ticks(low, high)
    low, high = min(low, marks[0]), max(high, marks[-1])
    names = [f"{number(mark)}{unit}" for mark in marks]
    across = _across(names, min(places), max(places))
    up: Callable[[float], float] = _Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    if logarithmic:
        powers = _Scale(math.log(low), math.log(high), _HEIGHT - _BOTTOM, _TOP)
        up = lambda value: powers(math.log(max(value, low)))  # noqa: E731
    parts = _grid(across, [(up(mark), name) for mark, name in zip(marks, names, strict=True)], x_unit)
    parts += [_drawn(line, points, across, up, unit, x_unit) for line, points in reversed(drawn)]
    shown = [line for line, _ in drawn]
    below = legend_of((line.name, line.colour) for line in shown) if legend and len(shown) > 1 else ""
    if playhead:
        parts.append(
            f"<path class=head data-low={across.low:.6g} data-high={across.high:.6g} data-from={across.start:.1f} "
            f'data-to={across.end:.1f} d="M{across.start:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        )
    return _figure(title, "".join(parts), below)


def columns(title: str, entries: Sequence[tuple[float, float, float, str]], *, x_unit: str = "") -> str:
    """Return a histogram with a column for each (start, end, height, tooltip)."""
    high = max(height for _, _, height, _ in entries)
    first, last = entries[0][0], entries[-1][1]
    marks = [mark for mark in _ticks(0.0, high) if float(mark).is_integer()] or [0.0, high]
    names = [f"{mark:,.0f}" for mark in marks]
    across = _across(names, first, last)
    up = _Scale(0.0, max(high, marks[-1]), _HEIGHT - _BOTTOM, _TOP)
    parts = _grid(across, [(up(mark), name) for mark, name in zip(marks, names, strict=True)], x_unit)
    for begin, end, height, words in entries:
        x, wide = across(begin), max(across(end) - across(begin) - 1, 1)
        y = up(height)
        parts.append(
            f'<rect class=c0 x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_HEIGHT - _BOTTOM - y:.1f}">'
            f"<title>{text(words)}</title></rect>"
        )
    return _figure(title, "".join(parts), "")


def bars(entries: Sequence[tuple[str, float, str, int]]) -> str:
    """Return horizontal bars from zero, one for each (name, value, text of the value, colour)."""
    top = max((value for _, value, _, _ in entries), default=0) or 1
    rows = "".join(
        f"<dt>{text(name)}</dt><dd><i class=c{colour} style='width:{100 * max(value, 0) / top:.1f}%'></i>"
        f"<span>{text(words)}</span></dd>"
        for name, value, words, colour in entries
    )
    return f"<dl class=bars>{rows}</dl>"


def ranges(
    entries: Sequence[tuple[str, tuple[float, float] | None, tuple[float, float] | None, float | None, str]],
) -> str:
    """Return ranges on a common scale, one for each (name, outer range, inner range, dot, tooltip)."""
    ends = [value for _, outer, inner, _, _ in entries for pair in (outer, inner) if pair for value in pair]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    place = _Scale(low, high, 0.0, 100.0)
    rows = []
    for name, outer, inner, dot, words in entries:
        drawn = "".join(
            f"<i class={kind} style='left:{place(a):.2f}%;width:{max(place(b) - place(a), 0):.2f}%'></i>"
            for kind, pair in (("outer", outer), ("inner", inner))
            if pair
            for a, b in [pair]
        )
        drawn += f"<i class=dot style='left:{min(max(place(dot), 0), 100):.2f}%'></i>" if dot is not None else ""
        rows.append(f'<dt>{text(name)}</dt><dd title="{text(words)}">{drawn}</dd>')
    scale = f"<dt></dt><dd class=scale><span>{number(low)}</span><span>{number(high)}</span></dd>"
    return f"<dl class=ranges>{''.join(rows)}{scale}</dl>"


def legend_of(entries: Iterable[tuple[str, int]]) -> str:
    """Return a legend for each (name, colour)."""
    found = "".join(f"<span><i class={_class(colour)}></i>{text(name)}</span>" for name, colour in entries)
    return f"<p class=legend>{found}</p>"


def _figure(title: str, drawn: str, below: str) -> str:
    return (
        f"<figure class=chart><figcaption>{text(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role=img aria-label="{text(title)}">{drawn}</svg>{below}</figure>'
    )


def _across(names: Sequence[str], low: float, high: float) -> _Scale:
    """Return the horizontal scale, which leaves space for the labels of the vertical axis."""
    return _Scale(low, high, 10 + _LETTER * max(map(len, names)), _WIDTH - _RIGHT)


def _grid(across: _Scale, marks: Iterable[tuple[float, str]], x_unit: str) -> list[str]:
    """Return the grid lines for each (height, label), and the labels of the horizontal axis."""
    parts = [
        f'<path class=grid d="M{across.start:.1f} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text class=left x="{across.start - 6:.1f}" y="{y + 4:.1f}">{text(name)}</text>'
        for y, name in marks
    ]
    for mark in _ticks(across.low, across.high, most=5):
        if across.low <= mark <= across.high:
            name = f"{mark:,.0f}" if float(mark).is_integer() and abs(mark) < 1e9 else number(mark)
            parts.append(f'<text class=below x="{across(mark):.1f}" y="{_HEIGHT - 14}">{text(name + x_unit)}</text>')
    return parts


def _drawn(
    line: Line,
    points: list[tuple[float, float]],
    across: _Scale,
    up: Callable[[float], float],
    unit: str,
    x_unit: str,
) -> str:
    kind = _class(line.colour)
    placed = [(across(x), up(y)) for x, y in points]
    parts = []
    if line.band:
        lower, upper = (_points(line.x, bound) for bound in line.band)
        outline = [*upper, *reversed(lower)]
        parts.append(f'<polygon class="band {kind}" points="{_joined((across(x), up(y)) for x, y in outline)}"/>')
    if not line.dots:
        thick = " thick" if line.thick else ""
        parts.append(f'<polyline class="{kind}{thick}" points="{_joined(_thinned(placed))}"/>')
    if line.dots or (len(points) <= _MAX_DOTS and (line.band or len(points) == 1)):
        parts += [
            f'<circle class={kind} cx="{a:.1f}" cy="{b:.1f}" r="{2.5 if line.dots else 3.5}">'
            f"<title>{text(f'{number(x)}{x_unit}: {number(y)}{unit}')}</title></circle>"
            for (a, b), (x, y) in zip(placed, points, strict=True)
        ]
    return f"<g><title>{text(line.name)}</title>{''.join(parts)}</g>"


def _class(colour: int) -> str:
    return "grey" if colour == GREY else f"c{colour % COLOURS}"


def _points(x: Sequence[float], y: Sequence[float | None]) -> list[tuple[float, float]]:
    return [
        (float(a), float(b))
        for a, b in zip(x, y, strict=True)
        if b is not None and math.isfinite(b) and abs(b) < _LARGEST
    ]


def _thinned(placed: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the lowest and the highest point of each unit of width: a long line stays small and keeps its peaks."""
    if len(placed) <= 2 * _WIDTH:
        return placed
    units: dict[int, list[tuple[float, float]]] = {}
    for point in placed:
        units.setdefault(int(point[0]), []).append(point)
    kept = []
    for points in units.values():
        extremes = {min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])}
        kept += sorted(extremes)
    return kept


def _joined(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


@dataclass(frozen=True)
class _Scale:
    """A linear map from `low` … `high` to `start` … `end`; an empty range maps to the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high <= self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def _ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round numbers, the first at most `low` and the last at least `high`."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    if rough < sys.float_info.min:  # steps too small for a float
        return [low, high]
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(ten * factor for factor in (1, 2, 5, 10) if ten * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if not (math.isfinite(step) and step > 0 and last - first <= 4 * most):  # steps too small for a float
        return [low, high]
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / 5))
    return [10.0**power for power in range(first, last + every, every)]
