"""The other policies, as small as their code allows: three steps, saved, loaded, fine-tuned."""

import importlib
import math
from pathlib import Path
from typing import Any

import pytest
import tiny
import tiny_hub
import torch
from safetensors.torch import load_file, save_file
from test_policy import data, observation

from getiaction.errors import PolicyError


def xvla(hub: Path) -> dict[str, Any]:
    tiny_hub.tokenizer(hub / "bart")
    return {
        "florence_config": tiny_hub.florence(),
        "tokenizer_name": str(hub / "bart"),
        "tokenizer_max_length": 8,
        "hidden_size": 16,
        "depth": 1,
        "num_heads": 2,
        "num_domains": 2,
        "len_soft_prompts": 2,
        "chunk_size": 4,
        "n_action_steps": 4,
        "action_mode": "auto",
        "max_len_seq": 64,
        "resize_imgs_with_padding": [64, 64],
    }


def multi_task_dit(hub: Path) -> dict[str, Any]:
    clip = str(tiny_hub.clip(hub / "clip"))
    return {
        "vision_encoder_name": clip,
        "text_encoder_name": clip,
        "image_resize_shape": [32, 32],
        "image_crop_shape": None,
        "hidden_dim": 16,
        "num_layers": 1,
        "num_heads": 2,
        "timestep_embed_dim": 16,
        "horizon": 8,
        "n_action_steps": 4,
        "num_train_timesteps": 4,
    }


def smolvla(hub: Path) -> dict[str, Any]:
    return {
        "vlm_model_name": str(tiny_hub.smolvlm(hub / "smolvlm")),
        "num_vlm_layers": 2,
        "expert_width_multiplier": 0.5,
        "chunk_size": 4,
        "n_action_steps": 4,
        "resize_imgs_with_padding": [64, 64],
        "max_state_dim": 4,
        "max_action_dim": 4,
    }


def evo1(hub: Path) -> dict[str, Any]:
    return {
        "vlm_model_name": str(tiny_hub.internvl(hub / "internvl")),
        "vlm_num_layers": 1,
        "vlm_dtype": "float32",
        "use_flash_attn": False,
        "image_resolution": [32, 32],
        "max_views": 1,
        "max_state_dim": 4,
        "max_action_dim": 4,
        "chunk_size": 4,
        "n_action_steps": 4,
        "embed_dim": 16,
        "hidden_dim": 16,
        "state_hidden_dim": 16,
        "num_heads": 2,
        "num_layers": 1,
        "num_inference_timesteps": 2,
    }


def eo1(hub: Path) -> dict[str, Any]:
    return {
        "vlm_base": str(tiny_hub.qwen(hub / "qwen", "2_5")),
        "dtype": "float32",
        "image_min_pixels": 28**2,
        "image_max_pixels": 56**2,
        "max_state_dim": 4,
        "max_action_dim": 4,
        "chunk_size": 4,
        "n_action_steps": 4,
        "num_denoise_steps": 2,
    }


def vla_jepa(hub: Path) -> dict[str, Any]:
    return {
        "qwen_model_name": str(tiny_hub.qwen(hub / "qwen", "3")),
        "jepa_encoder_name": str(tiny_hub.vjepa(hub / "vjepa")),
        "torch_dtype": "float32",
        "chunk_size": 4,
        "n_action_steps": 4,
        "num_video_frames": 4,
        "predictor_depth": 1,
        "predictor_num_heads": 2,
        "action_hidden_size": 16,
        "action_num_layers": 1,
        "action_num_heads": 2,
        "action_attention_head_dim": 8,
        "num_target_vision_tokens": 2,
        "num_embodied_action_tokens_per_instruction": 2,
        "num_action_tokens_per_timestep": 1,
        "repeated_diffusion_steps": 1,
        "num_inference_timesteps": 2,
        "binarize_gripper_action": False,
        "pre_snap_gripper_action": False,
        "resize_images_to": [32, 32],
    }


@pytest.mark.parametrize(
    "make",
    [xvla, *(pytest.param(make, marks=pytest.mark.slow) for make in (multi_task_dit, smolvla, evo1, eo1, vla_jepa))],
    ids=lambda make: make.__name__,
)
def test_a_policy_trains_and_is_loaded_again(make: Any, small_root: Path, tmp_path: Path) -> None:
    exercise(make.__name__, make(tmp_path / "hub"), small_root, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pi0", "pi05"])
def test_the_pi_family_trains_and_is_loaded_again(
    name: str, small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    tiny_hub.named_tokenizer(tmp_path / "cache", "google/paligemma-3b-pt-224", "paligemma")
    module = importlib.import_module(f"lerobot.policies.{name}.modeling_{name}")
    tiny_hub.small_gemma(module, monkeypatch)
    parameters = {
        "chunk_size": 4,
        "n_action_steps": 4,
        "max_state_dim": 4,
        "max_action_dim": 4,
        "image_resolution": [28, 28],
        "tokenizer_max_length": 12,
        "num_inference_steps": 2,
    }
    exercise(name, parameters, small_root, tmp_path)

    # LeRobot prints what goes wrong while it loads this family, and goes on with random weights.
    from getiaction.policies.lerobot import LeRobotPolicy

    weights = tmp_path / "pretrained_model/model.safetensors"
    tensors = load_file(weights)
    for damage, message in (
        (
            lambda: save_file({k: v for k, v in tensors.items() if "action_out_proj" not in k}, weights),
            "action_out_proj",
        ),
        (lambda: save_file({**tensors, "model.action_in_proj.bias": torch.zeros(3)}, weights), "size mismatch"),
        (lambda: weights.write_bytes(b"half a file"), "can't be fetched or read"),
    ):
        damage()
        with pytest.raises(PolicyError, match=message):
            tuned = LeRobotPolicy(name, pretrained_path=tmp_path / "pretrained_model")
            tiny.trainer(tmp_path, 1).fit(tuned, datamodule=data(small_root))


def exercise(name: str, parameters: dict[str, Any], root: Path, folder: Path) -> None:
    """Three steps, a checkpoint, LeRobot's own loading, and one step of fine-tuning from there."""
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.factory import get_policy_class, make_pre_post_processors

    from getiaction.policies.lerobot import LeRobotPolicy

    torch.manual_seed(0)
    watch = tiny.Watch()
    policy = LeRobotPolicy(name, learning_rate=1e-3, config_kwargs=parameters)
    trainer = tiny.trainer(folder, 3, watch)
    trainer.fit(policy, datamodule=data(root, train_batch_size=2))
    assert all(math.isfinite(loss) for loss in watch.losses)
    assert len(set(watch.losses)) == 3
    moved = policy.lerobot_policy.state_dict()
    assert any(not torch.equal(moved[key], value) for key, value in watch.first.items())

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
    config = PreTrainedConfig.from_pretrained(saved)
    config.pretrained_path = saved
    theirs = get_policy_class(name).from_pretrained(saved, config=config)
    before, after = make_pre_post_processors(config, pretrained_path=str(saved))
    frame = {**seen, "observation.image": seen["observation.image"].float() / 255}
    torch.manual_seed(1)
    with torch.no_grad():
        assert torch.equal(after(theirs.select_action(before(frame))), expected)

    tuned = LeRobotPolicy(name, pretrained_path=saved)
    tiny.trainer(folder, 1).fit(tuned, datamodule=data(root, train_batch_size=2))
