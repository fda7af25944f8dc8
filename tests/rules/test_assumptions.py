"""A refused value hides nothing: the rest is checked with a stand-in for it, and says so."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from verdict_helpers import HEALTHY

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Assumed, Diagnostic, Report
from getiaction_cli.recipe import read

SHARED = SharedInputs(offline=True, machine=HEALTHY)
SET = "model.init_args."


@pytest.fixture(autouse=True)
def datasets(lerobot_home: Path) -> None:
    """The pusht of the tests."""


def judge(policy: str, parameters: dict[str, Any], trainer: dict[str, Any] | None = None, **data: Any) -> Report:
    recipe = {
        "model": {"class_path": f"getiaction.policies.lerobot.{policy}", "init_args": parameters},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "lerobot/pusht", **data},
        },
        "trainer": {"max_steps": 1000, **(trainer or {})},
    }
    text = yaml.safe_dump(recipe, sort_keys=False)
    return verdict(read("recipe.yaml", text=text), SHARED, ignore=("GA5", "GA326"))


def by_code(report: Report) -> dict[str, Diagnostic]:
    return {diagnostic.code: diagnostic for diagnostic in report.diagnostics}


MISTAKES = {"episodes": [77], "delta_timestamps": {"observation.state": [-0.3, 0.0]}}


@pytest.mark.parametrize(
    ("refused", "code", "assumed"),
    [
        ({"horizon": 15}, "GA202", {Assumed(SET + "horizon", "16")}),
        ({"horizon": "fifteen"}, "GA120", {Assumed(SET + "horizon", "64")}),
        ({"horizon": 10**13}, "GA122", {Assumed(SET + "horizon", "64")}),
        ({"horizon": 0}, "GA215", {Assumed(SET + "horizon", "64")}),
        ({"noise_scheduler_type": "DDXM"}, "GA205", {Assumed(SET + "noise_scheduler_type", "DDPM")}),
        ({"crop_ratio": 1.5}, "GA206", {Assumed(SET + "crop_ratio", "1.0")}),
        (
            {"horizon": 15, "noise_scheduler_type": "DDXM", "use_amp": "maybe"},
            "GA202",
            {
                Assumed(SET + "horizon", "16"),
                Assumed(SET + "noise_scheduler_type", "DDPM"),
                Assumed(SET + "use_amp", "false"),
            },
        ),
    ],
    ids=lambda value: (
        "" if isinstance(value, set) else str(value)[:40]
    ),  # the order of a set is another in each process
)
def test_a_refused_value_hides_no_other_mistake(refused: dict[str, Any], code: str, assumed: set[Assumed]) -> None:
    found = by_code(judge("Diffusion", {"crop_shape": [200, 200], **refused}, **MISTAKES))
    assert {code, "GA302", "GA314", "GA324"} <= found.keys()
    assert found[code].assuming == () or code == "GA202"
    assert {name: set(found[name].assuming) for name in ("GA302", "GA314", "GA324")} == dict.fromkeys(
        ("GA302", "GA314", "GA324"), assumed
    )


def test_nothing_is_found_that_only_the_stand_in_brings_about() -> None:
    """With the default of 2 observation steps 7 actions would lie ahead, with the 1 that was meant 8."""
    report = judge("Diffusion", {"n_obs_steps": True, "horizon": 8, "n_action_steps": 8, "drop_n_last_frames": 0})
    assert by_code(report).keys() == {"GA120"}
    assert {entry.rule: entry.reason for entry in report.not_run} == {
        "GA211": "it depends on `n_obs_steps`, which must be fixed first"
    }


def test_a_stand_in_is_not_held_against_its_neighbours() -> None:
    """The default chunk_size is 100, fewer than these actions; the one that can't be read may be more."""
    report = judge("ACT", {"chunk_size": "many", "n_action_steps": 150})
    assert by_code(report).keys() == {"GA120"}
    assert [entry.rule for entry in report.not_run] == ["GA201"]


def test_a_fix_that_depends_on_a_stand_in_waits() -> None:
    """What does not depend on it is offered at once."""
    found = by_code(judge("Diffusion", {"horizon": 15}, delta_timestamps={"action": [0.0, 0.1]}, val_split=0.9))
    assert found["GA301"].fix is None or not found["GA301"].assuming
    assert found["GA202"].fix is not None


def test_a_number_of_the_trainer_that_means_nothing_hides_no_parameter() -> None:
    found = by_code(judge("ACT", {"n_obs_steps": 3, "n_heads": 7}, trainer={"max_steps": float("nan")}))
    assert {"GA120", "GA204", "GA212"} <= found.keys()
