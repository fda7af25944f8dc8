"""An inspected dataset in words, whatever is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from corruptions import CORRUPTIONS

from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.runner import check
from getiaction_cli.datasets import locate, read
from getiaction_cli.datasets.inspection import Inspection, PolicyVerdict
from getiaction_cli.rendering import dataset as rendering
from getiaction_cli.rendering import dataset_json
from getiaction_cli.units import duration, number, size

VERDICTS = (
    PolicyVerdict("act", trainable=True),
    PolicyVerdict("tdmpc", trainable=False, reasons=("it has no `next.reward`" * 10,)),
    PolicyVerdict("pi0", trainable=True, installed=False, changes=("set a to 1", "set b to 2", "set c to 3")),
)


def inspection(root: Path) -> Inspection:
    dataset = read(locate(str(root), folders=True))
    return Inspection(dataset, check(DatasetContext(dataset)), VERDICTS)


@pytest.mark.parametrize("name", sorted(name for name, c in CORRUPTIONS.items() if not c.deep))
def test_whatever_is_wrong_can_be_shown(damaged: Callable[[str], Path], name: str) -> None:
    found = inspection(damaged(name))
    assert CORRUPTIONS[name].code in rendering.render(found, color=False, columns=80)
    document = json.loads(dataset_json.render(found))
    assert CORRUPTIONS[name].code in {diagnostic["code"] for diagnostic in document["diagnostics"]}


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(healthy_root: Path, columns: int) -> None:
    text = rendering.render(inspection(healthy_root), color=False, columns=columns)
    # Paths and commands are never broken: they are there to be copied.
    free = [line for line in text.splitlines() if "/" not in line]
    assert max(map(len, free)) <= columns


def test_colours_change_no_letter(toy_root: Path) -> None:
    import re

    found = inspection(toy_root)
    painted = rendering.render(found, color=True, columns=80)
    assert "\x1b[" in painted
    plain = rendering.render(found, color=False, columns=80)
    assert [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", painted).splitlines()] == plain.splitlines()


def test_names_from_the_dataset_do_not_steer_the_terminal(damaged: Callable[[str], Path]) -> None:
    root = damaged("task-count")
    info = root / "meta/info.json"
    info.write_text(
        info.read_text()
        .replace("motor_0", "\\u001b[31mred")
        .replace('"robot_type": null', '"robot_type": "\\u001b]0;x\\u0007"')
    )
    assert "\x1b" not in rendering.render(inspection(root), color=False, columns=80)


def test_range_bar() -> None:
    one = {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.1, "q10": 0.25, "q90": 0.75}
    assert rendering.range_bar(one, 0.0, 1.0, 9) == "──━━●━━──"
    assert rendering.range_bar(one, -1.0, 1.0, 9) == "    ─━●━─"
    assert rendering.range_bar({**one, "mean": float("nan")}, 0.0, 1.0, 9) == " " * 9


def test_bars() -> None:
    assert rendering.bar(0, 10, 8) == ""
    assert rendering.bar(10, 10, 8) == "█" * 8
    assert rendering.bar(1, 1000, 8) == "▏"  # something is never nothing


def test_numbers_for_people() -> None:
    assert [size(n) for n in (0, 999, 1000, 72_294, 123_456_789, 2.5e12)] == [
        "0 B", "999 B", "1.0 kB", "72.3 kB", "123 MB", "2.5 TB",
    ]  # fmt: skip
    assert [duration(n) for n in (8.8, 720, 19080)] == ["8.8 s", "12 min", "5.3 h"]
    assert [number(n) for n in (0, 0.02131, 83.92, 1204.4, 1.2e8, -1e-9, float("nan"))] == [
        "0", "0.02131", "83.92", "1,204", "1.2e+08", "-1.0e-09", "nan",
    ]  # fmt: skip


def test_histogram_counts_every_episode_once(toy_root: Path) -> None:
    found = inspection(toy_root)
    for lengths in ([5], [5, 5], [1, 1000], list(range(1, 400)), [300] * 50 + [12]):
        found.__dict__["lengths"] = np.array(lengths)
        bins = found.histogram()
        assert sum(count for _, _, count in bins) == len(lengths)
        assert len(bins) <= 12


def test_outliers(toy_root: Path) -> None:
    found = inspection(toy_root)
    found.__dict__["lengths"] = np.array([300, 310, 295, 305, 300, 12, 302, 298, 301, 2000])
    assert found.outliers == [9, 5]
