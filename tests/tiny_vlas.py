"""The parameters of the larger policies, as small as they can be, and the models that they start from, in a folder.

Each function takes the folder that stands for the Hub's cache, and makes there what the policy would download.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_hub


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


def wall_x(hub: Path) -> dict[str, Any]:
    return {
        "pretrained_name_or_path": str(tiny_hub.wall_oss(hub / "wall-oss")),
        "chunk_size": 4,
        "n_action_steps": 4,
    }


def groot(hub: Path) -> dict[str, Any]:
    return {"base_model_path": str(tiny_hub.gr00t(hub, hub / "gr00t")), "chunk_size": 4, "n_action_steps": 4}


def fastwam(hub: Path) -> dict[str, Any]:
    wan = tiny_hub.wan(tiny_hub.cached(hub, "Wan-AI/Wan2.2-TI2V-5B-Diffusers"))
    size = {"hidden_dim": 24, "ffn_dim": 24, "num_heads": 2, "attn_head_dim": 12, "num_layers": 1}
    size |= {"text_dim": 16, "freq_dim": 16, "eps": 1e-6}
    return {
        "tokenizer_model_id": str(wan / "tokenizer"),
        "torch_dtype": "float32",
        "action_dim": 2,
        "proprio_dim": 2,
        "action_horizon": 4,
        "n_action_steps": 4,
        "num_video_frames": 5,
        "action_video_freq_ratio": 1,
        "image_size": [32, 32],
        "num_inference_steps": 2,
        "video_dit_config": {
            **size,
            "patch_size": [1, 2, 2],
            "in_dim": 48,
            "out_dim": 48,
            "seperated_timestep": True,
            "video_attention_mask_mode": "first_frame_causal",
            "action_dim": 2,
        },
        "action_dit_config": {**size, "action_dim": 2},
    }


def molmoact2(hub: Path) -> dict[str, Any]:
    return {
        "checkpoint_path": str(tiny_hub.molmoact2(hub / "molmoact2")),
        "discrete_action_tokenizer": str(tiny_hub.fast(hub / "fast", tokenizer="")),
        "model_dtype": "float32",
        "chunk_size": 4,
        "n_action_steps": 4,
        "num_flow_timesteps": 2,
        "inference_action_mode": "continuous",
    }


def base(hub: Path, repo_id: str, name: str, cameras: list[str], numbers: int, **parameters: Any) -> None:
    """A pretrained policy of random weights in the cache, with the features of the one that it stands for."""
    import torch

    from getiaction.policies.lerobot import LeRobotPolicy

    vector = {"type": "STATE", "shape": [numbers]}
    inputs = {key: {"type": "VISUAL", "shape": [3, 224, 224]} for key in cameras} | {"observation.state": vector}
    statistics = {"mean": 0.0, "std": 1.0, "min": -1.0, "max": 1.0, "q01": -1.0, "q99": 1.0}
    stats = {
        key: {statistic: torch.full((numbers,), value) for statistic, value in statistics.items()}
        for key in ("observation.state", "action")
    }
    policy = LeRobotPolicy(
        name,
        config_kwargs=parameters,
        input_features=inputs,
        output_features={"action": {**vector, "type": "ACTION"}},
        dataset_stats=stats,
    )
    policy.save_pretrained(tiny_hub.cached(hub, repo_id))


def smolvla_base(hub: Path) -> None:
    """`lerobot/smolvla_base` and the vision-language model that it names, in a Hub cache."""
    tiny_hub.smolvlm(tiny_hub.cached(hub, "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"))
    cameras = [f"observation.images.camera{number}" for number in (1, 2, 3)]
    base(hub, "lerobot/smolvla_base", "smolvla", cameras, 6, num_vlm_layers=2, expert_width_multiplier=0.5)


MAKERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    make.__name__: make
    for make in (xvla, multi_task_dit, smolvla, evo1, eo1, vla_jepa, wall_x, groot, fastwam, molmoact2)
}
