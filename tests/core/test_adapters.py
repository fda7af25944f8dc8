"""Adapters (LoRA): LeRobot's own steps, checkpoints without the frozen policy, and what LeRobot's loader reads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_policies
import torch
import yaml
from safetensors.torch import load_file
from test_policy import data, observation
from tiny_vlas import smolvla

from getiaction.errors import PolicyError

pytestmark = pytest.mark.slow
STEPS = 4
PEFT = {"r": 4, "lora_alpha": 8}


@pytest.fixture(scope="module")
def base(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `pretrained_model` of a small SmolVLA."""
    from getiaction.policies.lerobot import SmolVLA

    folder = tmp_path_factory.mktemp("base")
    policy = SmolVLA(**smolvla(folder))
    tiny_policies.trainer(folder, 1).fit(policy, datamodule=data(small_root))
    policy.save_pretrained(folder / "pretrained_model")
    return folder / "pretrained_model"


def run(
    root: Path,
    base: Path,
    folder: Path,
    steps: int,
    policy: str = "SmolVLA",
    model: dict[str, Any] | None = None,
    trainer: dict[str, Any] | None = None,
) -> Path:
    """Train as `getiaction train` does, or continue."""
    from getiaction.train.run import train

    # A schedule longer than the run would be squeezed into it, differently in a shorter part of the run.
    schedule = {"scheduler_warmup_steps": 1, "scheduler_decay_steps": 2}
    schedule = schedule if policy == "SmolVLA" else {"scheduler_name": "constant"}
    arguments = {"pretrained_path": str(base), "peft": PEFT, "learning_rate": 1e-3, **schedule, **(model or {})}
    recipe = {
        "seed": 3,
        "model": {"class_path": f"getiaction.policies.lerobot.{policy}", "init_args": arguments},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/small", "root": str(root), "train_batch_size": 4},
        },
        "trainer": {"accelerator": "cpu", "max_steps": steps, "log_every_n_steps": 1, **(trainer or {})},
    }
    if "devices" in recipe["trainer"]:  # each process of them begins with the command
        file = folder.with_suffix(".yaml")
        file.write_text(yaml.safe_dump(recipe))
        words = ["--resume" if folder.exists() else "--output-dir", str(folder), "--ignore", "GA5"]
        command = [sys.executable, "-m", "getiaction_cli", "train", str(file), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return folder
    again = {"resume": folder} if folder.exists() else {"output_dir": folder}
    train(recipe, recipe_name="peft", recipe_text=yaml.safe_dump(recipe), quiet=True, **again)
    return folder


@pytest.fixture(scope="module")
def trained(small_root: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(small_root, base, tmp_path_factory.mktemp("runs") / "whole", STEPS)


def test_a_resumed_run_has_the_same_adapters_and_no_frozen_weights(
    small_root: Path, base: Path, trained: Path, tmp_path: Path
) -> None:
    parts = run(small_root, base, tmp_path / "parts", STEPS // 2)
    run(small_root, base, parts, STEPS)
    one, two = (torch.load(each / "checkpoints/last.ckpt", weights_only=True) for each in (trained, parts))
    assert one["state_dict"].keys() == two["state_dict"].keys()
    assert all(torch.equal(value, two["state_dict"][key]) for key, value in one["state_dict"].items())
    assert all("lora_" in key or not value.is_floating_point() for key, value in one["state_dict"].items())
    assert any(value.any() for key, value in one["state_dict"].items() if "lora_B" in key)


@pytest.fixture(scope="module")
def diffusion_base(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `pretrained_model` of a small diffusion policy, whose network can be checkpointed."""
    from getiaction.policies.lerobot import Diffusion

    folder = tmp_path_factory.mktemp("diffusion")
    policy = Diffusion(**tiny_policies.DIFFUSION, use_group_norm=True)
    tiny_policies.trainer(folder, 1).fit(policy, datamodule=data(small_root))
    policy.save_pretrained(folder / "pretrained_model")
    return folder / "pretrained_model"


TARGETS = {"target_modules": r".*unet.*(conv1|conv2)\.block\.0"}


@pytest.mark.parametrize(
    ("policy", "model", "trainer"),
    [
        ("SmolVLA", {"ema": {"decay": 0.8}}, {}),
        ("SmolVLA", {}, {"precision": "bf16-mixed"}),
        ("SmolVLA", {"ema": {"decay": 0.8}}, {"precision": "bf16-mixed", "accumulate_grad_batches": 2}),
        ("Diffusion", {"gradient_checkpointing": True, "ema": True}, {}),
        ("SmolVLA", {"ema": {"decay": 0.8}}, {"devices": 2, "strategy": "ddp"}),
    ],
    ids=["ema", "bf16", "ema-bf16-accumulated", "checkpointed", "two-processes"],
)
def test_adapters_go_with_everything_else_and_resume_bit_for_bit(
    small_root: Path,
    base: Path,
    diffusion_base: Path,
    tmp_path: Path,
    policy: str,
    model: dict[str, Any],
    trainer: dict[str, Any],
) -> None:
    if policy == "Diffusion":
        base, model = diffusion_base, {"peft": {**PEFT, **TARGETS}, **model}
    said: dict[str, Any] = {"policy": policy, "model": model, "trainer": trainer}
    whole = run(small_root, base, tmp_path / "whole", STEPS, **said)
    parts = run(small_root, base, tmp_path / "parts", STEPS // 2, **said)
    run(small_root, base, parts, STEPS, **said)
    one, two = (torch.load(each / "checkpoints/last.ckpt", weights_only=True) for each in (whole, parts))
    assert_equal(one["state_dict"], two["state_dict"])
    assert_equal(one["optimizer_states"][0]["state"], two["optimizer_states"][0]["state"])
    adapters = {key for key in one["state_dict"] if "lora_" in key}
    frozen = {key: value for key, value in one["state_dict"].items() if key not in adapters}
    assert not [key for key, value in frozen.items() if value.is_floating_point() and "pos_grid" not in key]
    assert any(value.any() for key, value in one["state_dict"].items() if "lora_B" in key)
    first, second = (load_file(each / "pretrained_model/adapter_model.safetensors") for each in (whole, parts))
    assert_equal(first, second)
    if "ema" in model:
        averages = [each["getiaction"]["ema"]["weights"] for each in (one, two)]
        assert_equal(*averages)
        assert len(averages[0]) == len(adapters)  # of what is trained, and of nothing else
        # What LeRobot loads, and merge-adapter merges, is the average.
        for key, value in averages[0].items():
            assert torch.equal(first[f"base_model.model.{key.replace('.default.', '.')}"], value), key


def assert_equal(one: dict[Any, Any], other: dict[Any, Any]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, dict):
            assert_equal(value, other[key])
        else:
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[key])), key


def test_lerobot_loads_the_adapters_and_merging_gives_the_same_actions(
    small_root: Path, base: Path, trained: Path, tmp_path: Path
) -> None:
    from lerobot.configs import PreTrainedConfig
    from lerobot.datasets.lerobot_dataset import LeRobotDatasetMetadata
    from lerobot.policies.factory import make_policy

    from getiaction.policies.lerobot import LeRobotPolicy
    from getiaction.policies.lerobot.policy import load_pretrained

    folder = trained / "pretrained_model"
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == str(base)
    assert not (folder / "model.safetensors").exists()
    config = PreTrainedConfig.from_pretrained(folder)
    config.pretrained_path, config.device = folder, "cpu"
    theirs = make_policy(config, ds_meta=LeRobotDatasetMetadata("made/small", root=small_root))
    saved = torch.load(trained / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    loaded = theirs.base_model.model.state_dict()
    assert all(torch.equal(value, loaded[key.removeprefix("lerobot_policy.")]) for key, value in saved.items())

    policy = load_pretrained(folder)
    again = LeRobotPolicy.load_from_checkpoint(trained / "checkpoints/last.ckpt")
    merged = load_pretrained(folder)
    merged.merge_adapters()
    merged.save_pretrained(tmp_path / "merged")
    whole = load_pretrained(tmp_path / "merged")
    assert set(load_file(tmp_path / "merged/model.safetensors")) == set(load_file(base / "model.safetensors"))
    task = {**observation(small_root), "task": "do the thing"}
    actions = []
    for each in (policy, again, whole, load_pretrained(base)):
        torch.manual_seed(0)
        actions.append(each.select_action(dict(task)))
    torch.testing.assert_close(actions[1], actions[0])
    torch.testing.assert_close(actions[2], actions[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(actions[3], actions[0], atol=1e-4)


def test_the_steps_are_lerobots(small_root: Path, base: Path, tmp_path: Path) -> None:
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.factory import make_policy, make_pre_post_processors

    from getiaction.policies.lerobot import SmolVLA

    watch = tiny_policies.Watch()
    policy = SmolVLA(pretrained_path=base, peft=PEFT, learning_rate=1e-3)
    tiny_policies.trainer(tmp_path, STEPS, watch).fit(policy, datamodule=data(small_root, seed=3))

    config = PreTrainedConfig.from_pretrained(base)
    config.pretrained_path, config.optimizer_lr, config.device = base, 1e-3, "cpu"
    dataset, batches = tiny_policies.upstream_data(small_root, config, batch_size=4, seed=3)
    theirs = make_policy(config, ds_meta=dataset.meta).wrap_with_peft(
        peft_cli_overrides={"method_type": "LORA", "full_training_modules": None, **PEFT}
    )
    inner = theirs.base_model.model
    inner.load_state_dict(watch.first)
    features = {**config.input_features, **config.output_features}
    steps = {"features": features, "norm_map": config.normalization_mapping, "stats": dataset.meta.stats}
    preprocessor, _ = make_pre_post_processors(
        config,
        pretrained_path=str(base),
        dataset_stats=dataset.meta.stats,
        preprocessor_overrides={"device_processor": {"device": "cpu"}, "normalizer_processor": steps},
        postprocessor_overrides={"unnormalizer_processor": {**steps, "features": config.output_features}},
    )
    losses, _ = tiny_policies.upstream_losses(theirs, preprocessor, batches, STEPS, dataset.meta.camera_keys)
    assert watch.losses == pytest.approx(losses, rel=1e-5)
    ours = policy.lerobot_policy.state_dict()
    for key, value in inner.state_dict().items():
        torch.testing.assert_close(ours[key], value, rtol=1e-5, atol=1e-7)


def test_the_verdict_knows_which_methods_lerobot_can_set_up(base: Path) -> None:
    from getiaction.policies.lerobot.policy import load_pretrained
    from getiaction_cli.analysis import peft_source

    policy = load_pretrained(base).lerobot_policy
    methods = peft_source.methods()
    assert methods
    for method in methods:
        try:
            policy._build_peft_config({"method_type": method, "r": 4})
        except ImportError:  # of a package that the method needs
            continue
        except (TypeError, ValueError):
            assert not peft_source.can_be_set_up(method), method
        else:
            assert peft_source.can_be_set_up(method), method
    assert peft_source.default_targets("smolvla") == policy._get_default_peft_targets()["target_modules"]


def test_what_cannot_be_adapted_is_refused(small_root: Path, base: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import SmolVLA

    with pytest.raises(PolicyError, match="no pretrained_path"):
        SmolVLA(peft={"r": 4})
    with pytest.raises(PolicyError, match=r"peft\.r"):
        SmolVLA(pretrained_path=base, peft={"r": 0})
    policy: Any = SmolVLA(pretrained_path=base, peft={"r": 4, "target_modules": ["no_such_layer"]})
    with pytest.raises(PolicyError, match="no_such_layer"):
        tiny_policies.trainer(tmp_path, 1).fit(policy, datamodule=data(small_root))
