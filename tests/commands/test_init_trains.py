"""What `getiaction init` writes validates clean and trains: every policy that can be built here, on every test dataset.

The recipe is taken as it was written; only widths and depths are overridden, on the command line, and the models that
it names on the Hub are small ones of the same form. Pictures, steps and normalization are what the recipe says.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_hub
import tiny_vlas
from typer.testing import CliRunner

from getiaction_cli import machine, main, policies
from getiaction_cli.recipe import read

DATASETS = ("pusht_root", "aloha_root", "toy_root", "cameras_root")
# What the datasets lack: rewards and a square camera, and a camera's name.
UNFIT = {("tdmpc", "aloha_root"), ("tdmpc", "toy_root"), ("tdmpc", "cameras_root"), ("fastwam", "pusht_root")}

# Widths and depths, per policy.
SMALL: dict[str, dict[str, object]] = {
    "act": {"dim_model": 32, "n_heads": 2, "dim_feedforward": 32, "n_encoder_layers": 1},
    "diffusion": {"down_dims": [16, 32, 64], "diffusion_step_embed_dim": 16},
    "vqbet": {"gpt_n_layer": 1, "gpt_n_head": 2, "gpt_input_dim": 16, "gpt_hidden_dim": 16, "gpt_output_dim": 16},
    "tdmpc": {"latent_dim": 8, "mlp_dim": 16, "state_encoder_hidden_dim": 16, "image_encoder_hidden_dim": 4},
    "multi_task_dit": {"hidden_dim": 16, "num_layers": 1, "num_heads": 2, "timestep_embed_dim": 16},
    "evo1": {"embed_dim": 16, "hidden_dim": 16, "state_hidden_dim": 16, "num_heads": 2, "num_layers": 1},
    "eo1": {},
    "vla_jepa": {
        "torch_dtype": "float32",  # LeRobot mixes its two precisions on a GPU only
        "predictor_depth": 1,
        "predictor_num_heads": 2,
        "action_hidden_size": 16,
        "action_num_layers": 1,
        "action_num_heads": 2,
        "action_attention_head_dim": 8,
    },
    "lingbot_va": {
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "text_dim": 16,
        "freq_dim": 16,
        "ffn_dim": 24,
        "num_layers": 1,
    },
    # These start from a model on the Hub, and have its sizes.
    "smolvla": {},
    "xvla": {},
    "pi0": {},
    "pi05": {},
    "pi0_fast": {},
    "groot": {},
    "wall_x": {},
    "molmoact2": {},
    "fastwam": {},  # its sizes stand beside the robot's, below
}


def _xvla(hub: Path) -> None:
    tiny_hub.named_tokenizer(hub, "facebook/bart-large", "bart")
    sizes = {"hidden_size": 16, "depth": 1, "num_heads": 2, "num_domains": 2, "len_soft_prompts": 2}
    pictures = {"resize_imgs_with_padding": [64, 64], "max_state_dim": 20, "num_image_views": 3}
    cameras = ["observation.images.image", "observation.images.image2"]
    florence = tiny_hub.florence()
    tiny_vlas.base(hub, "lerobot/xvla-base", "xvla", cameras, 20, florence_config=florence, **sizes, **pictures)


def _fastwam(hub: Path) -> None:
    tiny_hub.wan(tiny_hub.cached(hub, "Wan-AI/Wan2.2-TI2V-5B-Diffusers"))
    tiny_hub.named_tokenizer(hub, "google/umt5-xxl", "umt5")


def _fastwam_sizes(numbers: int) -> dict[str, object]:
    size = {"hidden_dim": 24, "ffn_dim": 24, "num_heads": 2, "attn_head_dim": 12, "num_layers": 1, "eps": 1e-6}
    size |= {"text_dim": 16, "freq_dim": 16, "action_dim": numbers}
    video = {"patch_size": [1, 2, 2], "in_dim": 48, "out_dim": 48, "seperated_timestep": True}
    video["video_attention_mask_mode"] = "first_frame_causal"
    # LeRobot mixes its two precisions on a GPU only.
    return {"video_dit_config": {**size, **video}, "action_dit_config": size, "torch_dtype": "float32"}


def _pi(name: str, base: str) -> Callable[[Path], None]:
    def make(hub: Path) -> None:
        tiny_hub.named_tokenizer(hub, "google/paligemma-3b-pt-224", "paligemma", tiny_hub.GEMMA_WORDS)
        cameras = [f"observation.images.{where}_rgb" for where in ("base_0", "left_wrist_0", "right_wrist_0")]
        tiny_vlas.base(hub, base, name, cameras, 32)

    return make


HUB: dict[str, Callable[[Path], object]] = {
    "multi_task_dit": lambda hub: tiny_hub.clip(tiny_hub.cached(hub, "openai/clip-vit-base-patch16"), pixels=224),
    "evo1": lambda hub: tiny_hub.internvl(tiny_hub.cached(hub, "OpenGVLab/InternVL3-1B-hf"), pixels=448),
    "eo1": lambda hub: tiny_hub.qwen(tiny_hub.cached(hub, "Qwen/Qwen2.5-VL-3B-Instruct"), "2_5"),
    "vla_jepa": lambda hub: (
        tiny_hub.qwen(tiny_hub.cached(hub, "Qwen/Qwen3-VL-2B-Instruct"), "3"),
        tiny_hub.vjepa(tiny_hub.cached(hub, "facebook/vjepa2-vitl-fpc64-256"), pixels=256),
    ),
    "smolvla": tiny_vlas.smolvla_base,
    "xvla": _xvla,
    "pi0": _pi("pi0", "lerobot/pi0_base"),
    "pi05": _pi("pi05", "lerobot/pi05_base"),
    "pi0_fast": lambda hub: (
        tiny_hub.fast(tiny_hub.cached(hub, "lerobot/fast-action-tokenizer")),
        _pi("pi0_fast", "lerobot/pi0fast-base")(hub),
    ),
    "groot": lambda hub: tiny_hub.gr00t(hub, tiny_hub.cached(hub, "nvidia/GR00T-N1.7-3B")),
    "wall_x": lambda hub: tiny_hub.wall_oss(tiny_hub.cached(hub, "x-square-robot/wall-oss-flow")),
    "fastwam": _fastwam,
    "molmoact2": lambda hub: (
        tiny_hub.molmoact2(tiny_hub.cached(hub, "allenai/MolmoAct2")),
        tiny_hub.fast(tiny_hub.cached(hub, "allenai/MolmoAct2-FAST-Tokenizer"), tokenizer=""),
    ),
    "lingbot_va": lambda hub: tiny_hub.wan(tiny_hub.cached(hub, "robbyant/lingbot-va-base")),
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of the Hugging Face Hub, which this process takes for the user's."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    machine.probe.cache_clear()
    yield tmp_path / "hub"
    machine.probe.cache_clear()


def getiaction(*words: str) -> tuple[int, str]:
    """The exit code and output of a command, run in this process."""
    done = CliRunner().invoke(main.app, list(words))
    return done.exit_code, done.output


def _said(file: Path) -> list[str]:
    """The errors and warnings about a recipe, those about this machine (no GPU, no network) left out."""
    _, output = getiaction("validate-config", str(file), "--ignore", "GA5", "--format", "json")
    found = json.loads(output)["diagnostics"]
    return [f"{one['code']}: {one['message']}" for one in found if one["severity"] != "info"]


@pytest.mark.slow
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("policy", SMALL)
def test_what_init_writes_validates_clean_and_trains(
    policy: str,
    dataset: str,
    hub: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from getiaction.train.run import train

    root, file = str(request.getfixturevalue(dataset)), tmp_path / "recipe.yaml"
    if policy in ("pi0", "pi05", "pi0_fast"):
        module = importlib.import_module(f"lerobot.policies.{policy}.modeling_{policy}")
        tiny_hub.small_gemma(module, monkeypatch)
    if policy == "lingbot_va":
        tiny_hub.dense_attention(importlib.import_module("lerobot.policies.lingbot_va.utils"), monkeypatch)
    if policy in HUB:
        HUB[policy](hub)
    code, output = getiaction("init", root, "--policy", policy, "-o", str(file))
    if (policy, dataset) in UNFIT:
        assert code == 1 and not file.exists()
        return
    assert code == 0, output
    assert _said(file) == []
    model = dict(SMALL[policy])
    if policy == "fastwam":
        model |= _fastwam_sizes(read(str(file)).get("model.init_args.action_dim"))
    if "pretrained_backbone_weights" in policies.load(policy).fields:
        model["pretrained_backbone_weights"] = None
    overrides = {f"model.{key}": value for key, value in model.items()}
    overrides |= {"trainer.max_steps": 3, "trainer.accelerator": "cpu", "data.train_batch_size": 2}
    words = tuple((route, json.dumps(value)) for route, value in overrides.items())
    recipe = read(str(file), overrides=words)
    summary = train(recipe.plain(), recipe_name="drafted", recipe_text="", output_dir=tmp_path / "run", quiet=True)
    assert summary.steps == 3 and all(math.isfinite(loss) for loss in summary.losses)
    assert (tmp_path / "run/pretrained_model/config.json").is_file()
