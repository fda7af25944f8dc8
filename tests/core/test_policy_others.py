"""The other policies, as small as their code allows: three steps, saved, loaded, fine-tuned."""

import importlib
import math
from pathlib import Path
from typing import Any

import pytest
import tiny_hub
import tiny_policies
import tiny_vlas
import torch
from safetensors.torch import load_file, save_file
from test_policy import data, observation

from getiaction.errors import PolicyError


@pytest.mark.parametrize(
    "name", [name if name == "xvla" else pytest.param(name, marks=pytest.mark.slow) for name in tiny_vlas.MAKERS]
)
def test_a_policy_trains_and_is_loaded_again(
    name: str, small_root: Path, toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    root = toy_root if name == "fastwam" else small_root  # it looks for `observation.images.…`
    exercise(name, tiny_vlas.MAKERS[name](tmp_path / "hub"), root, tmp_path)


@pytest.mark.slow
def test_fastwam_starts_from_its_base_on_a_robot_with_other_numbers(
    toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants
    from lerobot.policies.fastwam import configuration_fastwam

    from getiaction.policies.lerobot import LeRobotPolicy

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    parameters = tiny_vlas.fastwam(tmp_path / "hub")
    wide = {
        "action_dim": 7,
        "proprio_dim": 8,
        "action_dit_config": {**parameters["action_dit_config"], "action_dim": 7},
    }
    base = LeRobotPolicy(
        "fastwam",
        config_kwargs={**parameters, **wide},
        input_features={
            "observation.images.image": {"type": "VISUAL", "shape": [3, 32, 32]},
            "observation.state": {"type": "STATE", "shape": [8]},
        },
        output_features={"action": {"type": "ACTION", "shape": [7]}},
        dataset_stats={
            key: {"mean": torch.zeros(numbers), "std": torch.ones(numbers)}
            for key, numbers in (("observation.state", 8), ("action", 7))
        },
    )
    base.save_pretrained(tmp_path / "base")
    # It starts from its base by itself, wherever the networks are of the base's sizes.
    monkeypatch.setattr(configuration_fastwam, "is_fastwam_base_compatible_config", lambda config: True)
    policy = LeRobotPolicy("fastwam", config_kwargs={**parameters, "base_model_id": str(tmp_path / "base")})
    watch = tiny_policies.Watch()
    tiny_policies.trainer(tmp_path, 1, watch).fit(policy, datamodule=data(toy_root, train_batch_size=2))
    held = base.lerobot_policy.state_dict()
    started_again = {name for name, value in watch.first.items() if not torch.equal(value, held[name])}
    assert {
        name.removeprefix("model.").removeprefix("mot.mixtures.action.").split(".")[0] for name in started_again
    } == {
        "action_encoder",
        "head",
        "proprio_encoder",
    }


LINGBOT = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 16,
    "freq_dim": 16,
    "ffn_dim": 24,
    "num_layers": 1,
    "action_dim": 4,
    "used_action_channel_ids": [0, 1],
    "obs_cam_keys": ["observation.image"],
    "height": 32,
    "width": 32,
    "frame_chunk_size": 2,
    "num_inference_steps": 2,
    "action_num_inference_steps": 2,
    "attn_mode": "flex",
}


@pytest.mark.slow
def test_lingbot_va_trains_and_is_loaded_again_to_act(
    small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lerobot.policies.lingbot_va import utils

    from getiaction.policies.lerobot import LeRobotPolicy

    tiny_hub.dense_attention(utils, monkeypatch)
    parameters = {**LINGBOT, "wan_pretrained_path": str(tiny_hub.wan(tmp_path / "wan"))}
    policy, trainer = trained("lingbot_va", parameters, small_root, tmp_path)
    # It learns with one attention and acts with another.
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    acting = LeRobotPolicy.load_from_checkpoint(tmp_path / "last.ckpt", attn_mode="torch")
    seen = {**observation(small_root), "task": "Do the thing."}
    torch.manual_seed(1)
    expected = acting.select_action(seen)
    assert torch.isfinite(expected).all() and expected.shape == (1, 2)

    policy.save_pretrained(tmp_path / "pretrained_model")
    assert torch.equal(lerobots_action("lingbot_va", tmp_path / "pretrained_model", seen, attn_mode="torch"), expected)
    tuned = LeRobotPolicy("lingbot_va", pretrained_path=tmp_path / "pretrained_model")
    tiny_policies.trainer(tmp_path, 1).fit(tuned, datamodule=data(small_root, train_batch_size=2))


PI = {
    "chunk_size": 4,
    "n_action_steps": 4,
    "max_state_dim": 4,
    "max_action_dim": 4,
    "image_resolution": [28, 28],
    "tokenizer_max_length": 12,
}
FLOW = {**PI, "num_inference_steps": 2}
# Its pictures have one size; and untrained, it doesn't write its actions as it should.
TOKENS = {
    **PI,
    "image_resolution": [224, 224],
    "max_action_tokens": 16,
    "max_decoding_steps": 4,
    "validate_action_token_prefix": False,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "layer"),
    [
        ("pi0", FLOW, "model.action_in_proj"),
        ("pi05", FLOW, "model.action_in_proj"),
        ("pi0_fast", TOKENS, "model.paligemma_with_expert.paligemma.model.multi_modal_projector.linear"),
    ],
)
def test_the_pi_family_trains_and_is_loaded_again(
    name: str,
    parameters: dict[str, Any],
    layer: str,
    small_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    tiny_hub.named_tokenizer(tmp_path / "cache", "google/paligemma-3b-pt-224", "paligemma", tiny_hub.GEMMA_WORDS)
    module = importlib.import_module(f"lerobot.policies.{name}.modeling_{name}")
    tiny_hub.small_gemma(module, monkeypatch)
    if name == "pi0_fast":
        parameters = {**parameters, "action_tokenizer_name": str(tiny_hub.fast(tmp_path / "fast"))}
        monkeypatch.setenv("GETIACTION_ALLOW_CODE_FROM", str(tmp_path / "fast"))
    exercise(name, parameters, small_root, tmp_path)

    # LeRobot prints what goes wrong while it loads this family, and goes on with random weights.
    from getiaction.policies.lerobot import LeRobotPolicy

    weights = tmp_path / "pretrained_model/model.safetensors"
    tensors = load_file(weights)
    for damage, message in (
        (lambda: save_file({k: v for k, v in tensors.items() if k != f"{layer}.bias"}, weights), layer),
        (lambda: save_file({**tensors, f"{layer}.bias": torch.zeros(3)}, weights), "size mismatch"),
        (lambda: weights.write_bytes(b"half a file"), "can't be fetched or read"),
    ):
        damage()
        with pytest.raises(PolicyError, match=message):
            tuned = LeRobotPolicy(name, pretrained_path=tmp_path / "pretrained_model")
            tiny_policies.trainer(tmp_path, 1).fit(tuned, datamodule=data(small_root))


def trained(name: str, parameters: dict[str, Any], root: Path, folder: Path) -> tuple[Any, Any]:
    """A policy after three steps that changed it, and its trainer."""
    from getiaction.policies.lerobot import LeRobotPolicy

    torch.manual_seed(0)
    watch = tiny_policies.Watch()
    policy = LeRobotPolicy(name, learning_rate=1e-3, config_kwargs=parameters)
    trainer = tiny_policies.trainer(folder, 3, watch)
    trainer.fit(policy, datamodule=data(root, train_batch_size=2))
    assert all(math.isfinite(loss) for loss in watch.losses)
    assert len(set(watch.losses)) == 3
    moved = policy.lerobot_policy.state_dict()
    assert any(not torch.equal(moved[key], value) for key, value in watch.first.items())
    return policy, trainer


def lerobots_action(name: str, saved: Path, seen: dict[str, Any], **changed: Any) -> torch.Tensor:
    """What the policy in a `pretrained_model` folder does when LeRobot loads it."""
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors

    config = PreTrainedConfig.from_pretrained(saved)
    config.pretrained_path = saved
    for parameter, value in changed.items():
        setattr(config, parameter, value)
    theirs = get_policy_class(name).from_pretrained(saved, config=config)
    before, after = make_pre_post_processors(config, pretrained_path=str(saved))
    frame = {key: value.float() / 255 if "image" in key else value for key, value in seen.items()}
    torch.manual_seed(1)
    with torch.no_grad():
        return after(theirs.select_action(before(frame)))


def exercise(name: str, parameters: dict[str, Any], root: Path, folder: Path) -> None:
    """Three steps, a checkpoint, LeRobot's own loading, and one step of fine-tuning from there."""
    from getiaction.policies.lerobot import LeRobotPolicy

    policy, trainer = trained(name, parameters, root, folder)
    seen = {**observation(root), "task": "Do the thing."}
    torch.manual_seed(1)
    policy.reset()
    expected = policy.select_action(seen)
    assert torch.isfinite(expected).all()
    assert expected.shape[-1] == 2

    trainer.save_checkpoint(folder / "last.ckpt")
    again = LeRobotPolicy.load_from_checkpoint(folder / "last.ckpt")
    torch.manual_seed(1)
    assert torch.equal(again.select_action(seen), expected)

    saved = folder / "pretrained_model"
    policy.save_pretrained(saved)
    assert torch.equal(lerobots_action(name, saved, seen), expected)

    tuned = LeRobotPolicy(name, pretrained_path=saved)
    tiny_policies.trainer(folder, 1).fit(tuned, datamodule=data(root, train_batch_size=2))
