"""What LeRobot refuses is told all at once, each at its own place, though LeRobot itself stops at the first."""

from __future__ import annotations

from typing import Any

import pytest

from getiaction_cli import policies
from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import check
from getiaction_cli.diagnostics import Report
from getiaction_cli.recipe import read
from getiaction_cli.recipe.writing import write


def judged(name: str, params: dict[str, Any], trainer: str = "{max_steps: 1000}") -> Report:
    kwargs = "".join(f"\n      {key}: {write(value)}" for key, value in params.items())
    text = (
        "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n  init_args:\n"
        f"    policy_name: {name}\n    config_kwargs:{kwargs or ' {}'}\n"
        "data: {class_path: getiaction.data.lerobot.LeRobotDataModule, init_args: {repo_id: nobody/nothing}}\n"
        f"trainer: {trainer}\n"
    )
    return check(RecipeContext(read("recipe.yaml", text=text), SharedInputs(offline=True)), select=("GA2",))


def found(report: Report) -> set[tuple[str, str]]:
    return {(d.code, d.path.rpartition(".")[2]) for d in report.diagnostics}


def test_all_refusals_at_once() -> None:
    report = judged(
        "diffusion", {"horizon": 20, "noise_scheduler_type": "ddim", "prediction_type": "x", "crop_ratio": 2.0}
    )
    assert found(report) == {
        ("GA202", "horizon"),
        ("GA205", "noise_scheduler_type"),
        ("GA205", "prediction_type"),
        ("GA206", "crop_ratio"),
    }


@pytest.mark.parametrize(
    ("name", "params", "code", "at"),
    [
        ("act", {"chunk_size": 10}, "GA201", "chunk_size"),
        ("act", {"n_action_steps": 101}, "GA201", "n_action_steps"),
        ("fastwam", {"n_action_steps": 33}, "GA201", "n_action_steps"),
        ("tdmpc", {"n_action_steps": 6, "n_action_repeats": 1}, "GA201", "n_action_steps"),
        ("vla_jepa", {"n_action_steps": 9}, "GA201", "n_action_steps"),
        ("evo1", {"n_action_steps": 51}, "GA201", "n_action_steps"),
        ("xvla", {"n_action_steps": 33}, "GA201", "n_action_steps"),
        ("molmoact2", {"n_action_steps": 31}, "GA201", "n_action_steps"),
        ("tdmpc", {"n_action_steps": 2}, "GA206", "n_action_steps"),
        ("tdmpc", {"n_obs_steps": 2}, "GA204", "n_obs_steps"),
        ("tdmpc", {"normalization_mapping": {"ACTION": "MEAN_STD"}}, "GA206", "normalization_mapping"),
        ("pi0", {"paligemma_variant": "gemma_7b"}, "GA205", "paligemma_variant"),
        ("pi05", {"dtype": "float16"}, "GA205", "dtype"),
        ("groot", {"base_model_path": "nvidia/GR00T-N1.5-3B"}, "GA206", "base_model_path"),
        ("groot", {"tokenizer_assets_repo": "x"}, "GA206", "tokenizer_assets_repo"),
        ("smolvla", {"use_delta_joint_actions_aloha": True}, "GA206", "use_delta_joint_actions_aloha"),
        ("evo1", {"image_resolution": [448, 224]}, "GA206", "image_resolution"),
        ("evo1", {"training_stage": "stage3"}, "GA205", "training_stage"),
        ("lingbot_va", {"attn_mode": "sdpa"}, "GA205", "attn_mode"),
        ("multi_task_dit", {"objective": "flow"}, "GA205", "objective"),
        ("wall_x", {"attn_implementation": "sdpa"}, "GA205", "attn_implementation"),
        ("multi_task_dit", {"hidden_dim": 100}, "GA206", "hidden_dim"),
        ("fastwam", {"num_video_frames": 30}, "GA206", "num_video_frames"),
    ],
)
def test_the_place_is_the_parameter_at_fault(name: str, params: dict[str, Any], code: str, at: str) -> None:
    with pytest.raises(policies.Rejected):
        policies.load(name).configure(params)
    assert (code, at) in found(judged(name, params))


@pytest.mark.parametrize("name", policies.names())
def test_defaults_are_never_refused(name: str) -> None:
    refused = [d for d in judged(name, {}).diagnostics if d.code.startswith("GA20")]
    assert refused == []


@pytest.mark.parametrize(
    ("trainer", "fires"),
    [
        ("{max_steps: 20000}", True),
        ("{max_steps: 20001}", False),
        ("{max_steps: 10001, accumulate_grad_batches: 2}", False),
        ("{max_steps: 100, fast_dev_run: true}", False),
        ("{max_epochs: 1}", False),  # without the dataset it can't be told
    ],
)
def test_vqbet_that_stays_in_its_first_phase(trainer: str, fires: bool) -> None:
    assert ("GA221" in {d.code for d in judged("vqbet", {}, trainer).diagnostics}) is fires


def test_rewritten_values_are_named_with_lerobots_own_words() -> None:
    report = judged("groot", {"chunk_size": 50, "n_action_steps": 40})
    (said,) = [d for d in report.diagnostics if d.code == "GA207"]
    assert said.path.endswith("chunk_size") and "LeRobot makes it 40" in said.message and "legacy" in said.help


@pytest.mark.parametrize(
    ("name", "params", "fires"),
    [
        ("multi_task_dit", {"hidden_dim": 24, "num_heads": 8}, True),  # 3 numbers a head, and they turn in pairs
        ("multi_task_dit", {"hidden_dim": 24, "num_heads": 8, "use_rope": False}, False),
        ("multi_task_dit", {"timestep_embed_dim": 255}, True),
        ("smolvla", {"num_expert_layers": 5}, True),
        ("smolvla", {"num_expert_layers": 8}, False),
        ("xvla", {"hidden_size": 1000}, True),
    ],
)
def test_widths_that_do_not_divide(name: str, params: dict[str, Any], fires: bool) -> None:
    assert ("GA212" in {d.code for d in judged(name, params).diagnostics}) is fires


def test_the_width_that_nobody_chose_stays() -> None:
    told = next(d for d in judged("diffusion", {"n_groups": 7}).diagnostics if d.code == "GA212")
    assert told.fix is not None and told.fix.title == "set n_groups to 8"
