"""`getiaction evaluate`: what it finds in a policy, how it says so, and with which exit code."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_evaluation import BASELINES, evaluation, joint

from getiaction.evaluation.result import HOLD_ACTION, MEAN, Borders, Comparison, Evaluation, Latency, Probe
from getiaction_cli.checking.evaluation_context import EvaluationContext
from getiaction_cli.checking.runner import check
from getiaction_cli.diagnostics import Report
from getiaction_cli.rendering import evaluation as text
from getiaction_cli.rendering import evaluation_html, evaluation_json

HOSTILE = '</script><script>document.title="taken over"</script>\x1b[31m'


def report(measured: Evaluation) -> Report:
    return check(EvaluationContext(measured))


def codes(measured: Evaluation) -> list[str]:
    return [diagnostic.code for diagnostic in report(measured).diagnostics]


def probe(error: float, exchanged: float) -> Probe:
    return Probe(("observation.image",), 36, error, exchanged, 0.02, 0.001)


def bad(name: str, **changes: Any) -> tuple[Any, ...]:
    return (joint("shoulder"), joint("elbow"), joint(name, **changes))


def test_nothing_is_found_in_a_sound_policy() -> None:
    assert codes(evaluation()) == []
    assert report(evaluation()).not_run == ()


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("GA601", {"error": 0.24}),
        ("GA602", {"error": 0.066, "trained": None}),
        ("GA603", {"cameras": probe(0.02, 0.0209)}),
        ("GA604", {"state": probe(0.02, 0.0209)}),
        ("GA605", {"joints": bad("gripper", error=0.5, share=0.25)}),
        ("GA606", {"trained": Comparison((0, 1, 2), 36, 0.008, BASELINES)}),
        ("GA607", {"joints": bad("gripper", outside=0.05)}),
        ("GA608", {"joints": bad("gripper", at_limit=0.3, recorded_at_limit=0.1)}),
        ("GA609", {"borders": Borders(9, 0.09, 0.01, 0.01)}),
        ("GA610", {"latency": Latency(0.6, 0.5, 5, "cpu")}),
        ("GA611", {"part": "training", "trained": None}),
    ],
)
def test_a_fault_is_found_by_its_code_alone(code: str, changes: dict[str, Any]) -> None:
    assert codes(evaluation(**changes)) == [code]


def test_what_follows_from_an_untrained_policy_is_not_repeated() -> None:
    untrained = evaluation(
        error=0.26, cameras=probe(0.26, 0.26), state=probe(0.26, 0.26), borders=Borders(9, 0.3, 0, 0.01)
    )
    assert codes(untrained) == ["GA601"]


def test_holding_still_is_no_measure_for_a_chunk_that_is_over_at_once() -> None:
    short = evaluation(steps=1, error=0.08, horizon=(0.08,), trained=None)
    assert codes(short) == []
    assert [entry.rule for entry in report(short).not_run] == ["GA602"]


def test_a_policy_without_cameras_is_not_asked_about_them() -> None:
    assert report(evaluation(cameras=None, camera_inputs=())).not_run == ()
    assert [entry.rule for entry in report(evaluation(cameras=None)).not_run] == ["GA603"]


def test_a_joint_that_never_moves_is_no_fault() -> None:
    still = joint("spare", error=0.0, share=None, low=0.0, high=0.0, baselines=dict.fromkeys(BASELINES, 0.0))
    assert codes(evaluation(joints=(joint("shoulder"), still))) == []
    assert "never moves" in text.render(
        evaluation(joints=(joint("elbow"), still)), Report("x"), color=False, columns=80
    )


def test_the_text_says_what_a_person_can_judge() -> None:
    shown = text.render(evaluation(), Report("x"), color=False, columns=80)
    assert "3 held-out episodes of made/reach, 36 frames" in shown
    assert "3.5 times closer than repeating the last action" in shown
    assert "with pictures of other moments the error grows by 50 % (2 % to 3 %)" in shown
    assert "episode 8 at 0.4 s: 6 % (most in elbow)" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "getiaction evaluate" not in line)


def test_the_next_command_names_the_dataset_where_the_run_does_not() -> None:
    shown = text.render(evaluation(part="new"), Report("x"), color=False, columns=80)
    assert "--data.repo_id made/reach --data.root /data/reach --html report.html" in shown


def test_the_json_is_complete_and_finite() -> None:
    measured = evaluation(horizon=(0.01, math.nan), error=0.24)
    document = json.loads(evaluation_json.render(measured, report(measured)))
    assert document["version"] == 1 and document["verdict"] == "error"
    assert document["horizon"]["policy"] == [0.01, None]
    assert document["baselines"][MEAN] == 0.25 and document["holding_still"]["baseline"] == HOLD_ACTION
    assert [finding["code"] for finding in document["findings"]] == ["GA601"]
    assert document["joints"][1]["name"] == "elbow" and document["joints"][1]["error_units"] == 0.04


def test_names_of_a_stranger_end_neither_script_nor_line() -> None:
    measured = evaluation(joints=(joint(HOSTILE), joint("elbow")), model=HOSTILE, dataset=HOSTILE)
    measured = replace(measured, worst=(replace(measured.worst[0], joint=HOSTILE),))
    page = evaluation_html.render(measured, report(measured))
    assert "<script>document.title" not in page
    shown = text.render(measured, report(measured), color=False, columns=80)
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["no/where/at/all"], 3, "no run or policy at no/where/at/all"),
        (["outputs/none"], 3, "no run or policy at outputs/none"),
        ([], 2, "missing argument 'RUN'"),
        (["RUN", "--device", "gpu"], 2, "gpu"),
        (["RUN", "--trainer.max_steps", "3"], 2, "--trainer.max_steps is not for evaluate"),
        (["RUN", "--data.episodes", "some"], 2, "--data.episodes takes a list of indices"),
        (["RUN", "--ignore", "GA999"], 2, "GA999"),
    ],
)
def test_wrong_words_are_told_before_torch_is_loaded(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "RUN" / "pretrained_model").mkdir(parents=True)
    (tmp_path / "RUN" / "pretrained_model" / "config.json").write_text("{}")
    command = [sys.executable, "-X", "importtime", "-m", "getiaction_cli.main", "evaluate", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=os.environ)
    told = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("import time:"))
    assert done.returncode == code, told
    assert said in told
    assert "| torch\n" not in done.stderr
