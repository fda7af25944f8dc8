"""The measurements that a user watches."""

import math
import shlex
import sys
from pathlib import Path

import pexpect
import pytest

pytest.importorskip("lightning")

from getiaction.train.metrics import MetricsFile, forget_after
from getiaction.train.progress import Smooth, Thinned, fitted, number, sparkline
from getiaction.train.summary import count, many, table


def test_the_smoothed_loss_is_fair_from_the_first_value_on() -> None:
    smooth = Smooth()
    assert math.isnan(smooth.value)
    smooth.add(3.0)
    assert smooth.value == pytest.approx(3.0)
    for _ in range(500):
        smooth.add(1.0)
    assert smooth.value == pytest.approx(1.0)


def test_the_kept_losses_stay_few_and_in_order() -> None:
    thinned = Thinned(size=8)
    for value in range(1000):
        thinned.add(float(value))
    assert len(thinned.values) < 8
    assert thinned.values == sorted(thinned.values)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([], ""), ([1.0], "▁"), ([8.0, 4.0, 2.0, 1.0], "█▆▃▁"), ([1.0, 1.0], "▁▁"), ([-1.0, 0.0, 1.0], "▁▅█")],
)
def test_the_course_is_drawn(values: list[float], drawn: str) -> None:
    assert sparkline(values, 16) == drawn


def test_a_long_course_fits_its_width() -> None:
    assert len(sparkline([float(i + 1) for i in range(100)], 16)) == 16


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (60, "training 30/99 loss 0.5 ██▇▆▆▅▃▁ 96 samples/s 0:00:40 left"),
        (52, "30/99 loss 0.5 ██▇▆▆▅▃▁ 96 samples/s 0:00:40 left"),
        (48, "30/99 loss 0.5 █▇▆▆▄▁ 96 samples/s 0:00:40 left"),
        (42, "30/99 loss 0.5 96 samples/s 0:00:40 left"),
        (30, "30/99 loss 0.5 0:00:40 left"),
        (20, "30/99 loss 0.5"),
    ],
)
def test_a_narrow_terminal_is_shown_what_matters(room: int, said: str) -> None:
    course = [8.0 - i for i in range(8)]
    parts = {"word": "training", "count": "30/99", "loss": "loss 0.5", "curve": sparkline(course, 16)}
    parts |= {"validation": "", "pace": "96 samples/s", "left": "0:00:40 left"}
    assert " ".join(filter(None, fitted(parts, course, room).values())) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (999, "999"), (1500, "1.5 k"), (1_300_000, "1.3 M"), (450_000_000, "450 M")]
)
def test_large_numbers_as_people_say_them(value: int, said: str) -> None:
    assert count(value) == said


def test_numbers_and_tables_line_up() -> None:
    assert number(0.123456) == "0.1235"
    assert table([("a", "1"), ("long", "2")]) == "a     1\nlong  2"


def test_a_table_is_broken_between_words_where_the_terminal_ends() -> None:
    rows = [("best", "outputs/quickstart/2026-11-22_11-23-05/best.ckpt (step 200)"), ("loss", "1 → 2  ▁█  best 3")]
    assert table(rows, 40) == (
        "best  outputs/quickstart/2026-11-22_11-23-05/best.ckpt\n      (step 200)\nloss  1 → 2  ▁█  best 3"
    )
    assert "\n" not in table(rows[:1])


def test_one_of_a_thing_is_not_many() -> None:
    assert [many(n, "step") for n in (0, 1, 2000)] == ["0 steps", "1 step", "2,000 steps"]


def test_a_resumed_run_continues_its_metrics(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path)
    for step in range(5):
        first.log_metrics({"train/loss": float(step)}, step)
    forget_after(tmp_path / "metrics.csv", 3)
    again = MetricsFile(tmp_path)
    again.log_metrics({"train/loss": 30.0}, 3)
    again.log_metrics({"train/loss": 40.0, "val/loss": 1.0}, 4)
    rows = (tmp_path / "metrics.csv").read_text().split()
    assert rows == ["step,train/loss,val/loss", "0,0.0,", "1,1.0,", "2,2.0,", "3,30.0,", "4,40.0,1.0"]


def test_talk_fills_the_terminal_while_the_process_own_streams_lead_to_a_log() -> None:
    code = "from getiaction.train.screen import Screen\ns = Screen()\nwith s.taken():\n    s.say('word ' * 22)"
    shown = pexpect.run(shlex.join([sys.executable, "-c", code]), dimensions=(24, 120), encoding="utf-8")
    assert shown.split("\r\n") == [("word " * 22).strip(), ""]
