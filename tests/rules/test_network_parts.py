"""Parameters that describe a part of a network: their keys and types are those of the class that it is built with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import check
from getiaction_cli.diagnostics import Report
from getiaction_cli.policies import passthrough_values
from getiaction_cli.recipe import read
from getiaction_cli.recipe.writing import write

SIZE = {"hidden_dim": 24, "ffn_dim": 24, "num_heads": 2, "attn_head_dim": 12, "num_layers": 1}
SIZE |= {"text_dim": 16, "freq_dim": 16, "eps": 1e-6, "action_dim": 2}
WAN = {"in_dim": 48, "out_dim": 48, "patch_size": [1, 2, 2], "seperated_timestep": True}
VISION: dict[str, Any] = {"model_type": "davit", "dim_embed": [8], "num_heads": [2], "num_groups": [2], "depths": [1]}
VISION |= {"projection_dim": 16}
TEXT = {"d_model": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "activation_function": "gelu"}


def judged(policy: str, params: dict[str, Any]) -> Report:
    text = (
        "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n  init_args:\n"
        f"    policy_name: {policy}\n    config_kwargs: {write(params)}\n"
        "data: {class_path: getiaction.data.lerobot.LeRobotDataModule, init_args: {repo_id: nobody/nothing}}\n"
        "trainer: {max_steps: 1000}\n"
    )
    return check(RecipeContext(read("r.yaml", text=text), SharedInputs(offline=True)), select=("GA1", "GA2"))


def found(policy: str, params: dict[str, Any]) -> set[tuple[str, str]]:
    """The errors about the policy's parameters, each with its place below them."""
    report = judged(policy, params)
    errors = [each for each in report.diagnostics if each.severity == "error" and each.code != "GA230"]
    return {(each.code, each.path.partition("config_kwargs.")[2]) for each in errors if "config_kwargs." in each.path}


def fastwam(video: dict[str, Any], action: dict[str, Any]) -> set[tuple[str, str]]:
    parts = {"video_dit_config": {**SIZE, **WAN, **video}, "action_dit_config": {**SIZE, **action}}
    return found("fastwam", {"action_dim": 2, "proprio_dim": 2, **parts})


def test_parts_that_agree_are_right() -> None:
    assert fastwam({}, {}) == set()


@pytest.mark.parametrize(
    ("video", "action", "code", "at"),
    [
        ({}, {"hidden_dim": "MIN_MAX"}, "GA120", "action_dit_config.hidden_dim"),
        ({}, {"STATE": 1}, "GA110", "action_dit_config.STATE"),
        ({"num_layers": 1.5}, {}, "GA120", "video_dit_config.num_layers"),
        ({"patch_size": [1, 2]}, {}, "GA120", "video_dit_config.patch_size"),
        ({"video_attention_mask_mode": "causal"}, {}, "GA121", "video_dit_config.video_attention_mask_mode"),
        ({}, {"num_layers": 2}, "GA260", "action_dit_config.num_layers"),
        ({"num_heads": 4}, {"num_heads": 4}, "GA260", "video_dit_config.attn_head_dim"),
        ({}, {"action_dim": 7}, "GA260", "action_dit_config.action_dim"),
        ({"in_dim": 16}, {}, "GA260", "video_dit_config.in_dim"),
        ({"seperated_timestep": False}, {}, "GA260", "video_dit_config.seperated_timestep"),
        ({"freq_dim": 15}, {}, "GA212", "video_dit_config.freq_dim"),
        ({}, {"num_heads": 0}, "GA215", "action_dit_config.num_heads"),
    ],
)
def test_parts_that_do_not_agree(video: dict[str, Any], action: dict[str, Any], code: str, at: str) -> None:
    assert (code, at) in fastwam(video, action)


def test_the_width_of_a_head_is_set_to_what_the_other_numbers_give() -> None:
    parts = {"video_dit_config": {**SIZE, **WAN, "num_heads": 4}, "action_dit_config": {**SIZE, "num_heads": 4}}
    report = judged("fastwam", {"action_dim": 2, "proprio_dim": 2, **parts})
    (finding,) = [each for each in report.diagnostics if each.path.endswith("video_dit_config.attn_head_dim")]
    width = SIZE["hidden_dim"] // 4
    assert finding.fix is not None
    assert finding.fix.title == f"set video_dit_config.attn_head_dim to {width}"


def test_a_part_that_lacks_an_argument() -> None:
    lacking = {key: value for key, value in SIZE.items() if key != "eps"}
    assert ("GA114", "action_dit_config.eps") in found("fastwam", {"action_dit_config": lacking, "action_dim": 2})


def test_settings_with_a_wrong_key() -> None:
    assert ("GA110", "loss.lambda_vidoe") in found("fastwam", {"loss": {"lambda_vidoe": 1.0}})
    shift = {"train_shift": 0, "infer_shift": 5.0, "num_train_timesteps": 1000}
    assert ("GA215", "video_scheduler.train_shift") in found("fastwam", {"video_scheduler": shift})


@pytest.mark.parametrize(
    ("vision", "text", "code", "at"),
    [
        ({"depths": 3}, {}, "GA120", "vision_config.depths"),
        ({"window_size": "x"}, {}, "GA120", "vision_config.window_size"),
        ({"projection_dim": 32}, {}, "GA260", "vision_config.projection_dim"),
        ({}, {"encoder_attention_heads": 3}, "GA212", "text_config.d_model"),
        ({}, {"activation_function": "geelu"}, "GA121", "text_config.activation_function"),
        ({}, {"d_model": None}, "GA115", "text_config.d_model"),
    ],
)
def test_a_backbone_that_is_described(vision: dict[str, Any], text: dict[str, Any], code: str, at: str) -> None:
    def described(vision: dict[str, Any], text: dict[str, Any]) -> set[tuple[str, str]]:
        backbone = {"vision_config": {**VISION, **vision}, "text_config": {**TEXT, **text}}
        return found("xvla", {"florence_config": backbone})

    assert described({}, {}) == set()
    assert (code, f"florence_config.{at}") in described(vision, text)


@pytest.mark.parametrize("value", ["gelu", "silu"])
def test_activations_of_transformers(value: str) -> None:
    assert value in passthrough_values.words("eo1", "action_act")


def test_attention_of_transformers() -> None:
    known = passthrough_values.words("eo1", "attn_implementation")
    assert {"eager", "sdpa", "flash_attention_2"} <= set(known)
    assert "flex_attention" not in known  # Qwen2.5-VL does not support it


@pytest.mark.parametrize(
    ("params", "errors"),
    [
        ({"attn_implementation": "sdpa"}, set()),
        ({"attn_implementation": "sdqa"}, {("GA205", "attn_implementation")}),
        ({"attn_implementation": "someone/kernel"}, {("GA205", "attn_implementation")}),
        ({"action_act": "nonsense"}, {("GA205", "action_act")}),
    ],
)
def test_words_of_eo1(params: dict[str, Any], errors: set[tuple[str, str]]) -> None:
    assert found("eo1", params) == errors


@pytest.mark.parametrize(("heads", "wrong"), [(8, False), (16, False), (12, True), (128, True), (0, True)])
def test_heads_of_a_predictor_divide_the_width_of_its_encoder(heads: int, wrong: bool, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 1024}))
    params = {"jepa_encoder_name": str(tmp_path), "predictor_num_heads": heads}
    assert bool(found("vla_jepa", params)) == wrong
    assert found("vla_jepa", {**params, "enable_world_model": False}) == (
        {("GA215", "predictor_num_heads")} if not heads else set()
    )


def test_the_size_of_a_base_model_on_this_disk(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from getiaction_cli.analysis.model_size import parameters
    from getiaction_cli.policies import load

    (tmp_path / "config.json").write_text("{}")
    for part in (1, 2):
        save_file({f"w{part}": np.zeros((3, 4), np.float16)}, tmp_path / f"model-{part}.safetensors")
    assert parameters(load("eo1").configure({"vlm_base": str(tmp_path)})) == 24
    assert parameters(load("eo1").configure({"vlm_base": "someone/else"})) is None
    assert parameters(load("eo1").configure({})) == 3 * 10**9
