"""Charts are SVG with every value in it, whatever the values and the names are."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from getiaction_cli.rendering import charts
from getiaction_cli.rendering.charts import Line

HOSTILE = "</svg><script>alert(1)</script>"


def svg(figure: str) -> ElementTree.Element:
    """The chart of a figure, parsed: not well-formed, it fails."""
    found = re.search(r"<svg.*</svg>", figure, re.DOTALL)
    assert found, figure
    quoted = re.sub(r"(<[^>]*?)\b(class|role)=(\w+)", r'\1\2="\3"', found[0])
    return ElementTree.fromstring(quoted)


def points(figure: str) -> list[list[tuple[float, float]]]:
    lines = svg(figure).iter("polyline")
    return [[tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()] for line in lines]  # type: ignore[misc]


def texts(figure: str) -> list[str]:
    return [node.text or "" for node in svg(figure).iter("text")]


def test_a_line_rises_where_its_values_do() -> None:
    ((first, second, third),) = points(charts.lines("loss", [Line("a", [0, 1, 2], [1.0, 2.0, 4.0])]))
    assert first[0] < second[0] < third[0]
    assert second[0] - first[0] == pytest.approx(third[0] - second[0], abs=0.2)
    assert first[1] > second[1] > third[1], "SVG counts downward"
    assert third[1] - second[1] == pytest.approx(2 * (second[1] - first[1]), abs=0.3)


def test_values_of_several_magnitudes_have_a_logarithmic_scale() -> None:
    drawn = charts.lines("loss", [Line("a", [0, 1, 2], [0.01, 0.1, 1.0])])
    ((first, second, third),) = points(drawn)
    assert second[1] - first[1] == pytest.approx(third[1] - second[1], abs=0.2)
    assert {"0.01", "0.1", "1"} <= set(texts(drawn))


def test_what_is_not_finite_is_left_out() -> None:
    drawn = charts.lines("loss", [Line("a", [0, 1, 2, 3, 4], [1.0, math.nan, None, math.inf, 2.0])])
    assert [len(line) for line in points(drawn)] == [2]
    assert "no values" in charts.lines("loss", [Line("a", [0], [math.nan])])


def test_a_long_line_stays_small_and_keeps_its_peak() -> None:
    values = [1.0] * 100_000
    values[54_321] = 9.0
    drawn = charts.lines("loss", [Line("a", range(100_000), values)])
    assert len(drawn) < 20_000
    ((*line,),) = points(drawn)
    assert line[0][1] > 150 and min(y for _, y in line) < 30


def test_an_interval_is_drawn_around_few_values() -> None:
    drawn = charts.lines("s", [Line("a", [1, 2], [10.0, 20.0], band=([5.0, 10.0], [20.0, 30.0]))], up_to=100)
    assert len(svg(drawn).findall(".//polygon")) == 1 and len(svg(drawn).findall(".//circle")) == 2
    assert "100" in texts(drawn)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    st.text(max_size=20),
    st.booleans(),
)
@example([5e-324], "", True)
@example([1e-320, 3e-320], "", False)
def test_any_values_and_any_name_give_a_chart(values: list[float], name: str, from_zero: bool) -> None:
    drawn = charts.lines(name + HOSTILE, [Line(name + HOSTILE, range(len(values)), values)], from_zero=from_zero)
    assert "<script" not in drawn and "nan" not in "".join(re.findall('points="[^"]*"', drawn))
    if "no values" not in drawn:
        assert svg(drawn).tag == "svg"


def test_names_of_bars_and_ranges_stay_names() -> None:
    drawn = charts.bars([(HOSTILE, 1.0, HOSTILE, 0)]) + charts.ranges([(HOSTILE, (0.0, 1.0), None, 0.5, HOSTILE + '"')])
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") == 4
