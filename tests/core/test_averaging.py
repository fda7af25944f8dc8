"""The moving average of the weights: its formula, its checkpoints, and who uses it."""

from pathlib import Path
from typing import Any

import pytest
import tiny_policies
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from test_policy import data

from getiaction.errors import PolicyError
from getiaction.spec.averaging import Averaging

BLIND = {**tiny_policies.ACT, "learning_rate": 1e-2}


@settings(deadline=None)  # the first example imports diffusers
@given(power=st.floats(0.1, 2), gamma=st.floats(0.1, 100), step=st.integers(1, 10**6), after=st.integers(0, 50))
def test_the_schedule_is_that_of_diffusers(power: float, gamma: float, step: int, after: int) -> None:
    from diffusers.training_utils import EMAModel

    theirs = EMAModel(
        [], decay=0.9999, update_after_step=after, use_ema_warmup=True, inv_gamma=gamma, power=power
    ).get_decay(step)
    assert Averaging(power=power, inv_gamma=gamma, update_after_step=after).decay_at(step) == pytest.approx(theirs)


@settings(deadline=None)
@given(decay=st.floats(0, 1), values=st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_a_constant_decay_gives_the_closed_form(decay: float, values: list[float]) -> None:
    from getiaction.policies.averaging import AveragedWeights

    parameter = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    average = AveragedWeights(Averaging(decay=decay), [("w", parameter)])
    for value in values:
        parameter.data.fill_(value)
        average.update()
    n = len(values)
    expected = decay**n + sum((1 - decay) * decay ** (n - 1 - i) * value for i, value in enumerate(values))
    assert average.tensors["w"].item() == pytest.approx(expected, abs=1e-9)
    assert Averaging(decay=decay).share_of_start(n) == pytest.approx(decay**n)


def test_bfloat16_weights_are_averaged_in_float32() -> None:
    from getiaction.policies.averaging import AveragedWeights

    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    average = AveragedWeights(Averaging(decay=0.999), [("w", parameter)])
    parameter.data.fill_(1.0)
    for _ in range(1000):
        average.update()
    assert average.tensors["w"].item() == pytest.approx(1 - 0.999**1000, rel=1e-3)


@pytest.mark.parametrize(
    "ema",
    [{"decay": 2}, {"decay": 0.9, "max_decay": 0.99}, {"decya": 0.9}, {"min_decay": 0.9, "max_decay": 0.1}, "yes"],
)
def test_what_cannot_be_meant_is_refused(ema: Any) -> None:
    from getiaction.policies.lerobot import ACT

    with pytest.raises(PolicyError, match=r"ema|decya"):
        ACT(ema=ema)


def run(root: Path, folder: Path, steps: int, ema: Any = None, **data_arguments: Any) -> Path:
    """Train as `getiaction train` does, or continue."""
    from getiaction.train.run import train

    model: dict[str, Any] = {**tiny_policies.ACT, "learning_rate": 1e-3}
    recipe = {
        "seed": 3,
        "model": {
            "class_path": "getiaction.policies.lerobot.ACT",
            "init_args": {**model, "ema": ema} if ema else model,
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/small", "root": str(root), "train_batch_size": 4, **data_arguments},
        },
        "trainer": {"accelerator": "cpu", "max_steps": steps, "log_every_n_steps": 1},
    }
    again = {"resume": folder} if folder.exists() else {"output_dir": folder}
    summary = train(recipe, recipe_name="ema", recipe_text=yaml.safe_dump(recipe), quiet=True, **again)
    if ema:
        assert "averaged weights" in summary.text()
    return folder


@pytest.mark.slow
def test_a_run_keeps_the_average_and_continues_it_bit_for_bit(small_root: Path, tmp_path: Path) -> None:
    ema = {"decay": 0.8, "keep_raw": True}
    whole = run(small_root, tmp_path / "whole", 6, ema, val_split=0.3)
    parts = run(small_root, tmp_path / "parts", 3, ema, val_split=0.3)
    parts = run(small_root, parts, 6, ema, val_split=0.3)
    one, two = (torch.load(folder / "checkpoints/last.ckpt", weights_only=True) for folder in (whole, parts))
    assert one["getiaction"]["ema"]["steps"] == two["getiaction"]["ema"]["steps"] == 6
    for key, value in one["state_dict"].items():
        assert torch.equal(value, two["state_dict"][key])
    averages = one["getiaction"]["ema"]["weights"]
    for key, value in averages.items():
        assert torch.equal(value, two["getiaction"]["ema"]["weights"][key])
    assert any(not torch.equal(value, one["state_dict"][f"lerobot_policy.{key}"]) for key, value in averages.items())

    averaged, raw = (
        load_file(whole / name / "model.safetensors") for name in ("pretrained_model", "pretrained_model_raw")
    )
    for key, value in averages.items():
        assert torch.equal(averaged[key], value)
        assert torch.equal(raw[key], one["state_dict"][f"lerobot_policy.{key}"])

    from getiaction.policies.lerobot import LeRobotPolicy

    loaded = LeRobotPolicy.load_from_checkpoint(whole / "checkpoints/last.ckpt").lerobot_policy.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in averages.items())

    # The training itself is that without an average.
    plain = run(small_root, tmp_path / "plain", 6, None, val_split=0.3)
    other = torch.load(plain / "checkpoints/last.ckpt", weights_only=True)
    assert all(torch.equal(value, other["state_dict"][key]) for key, value in one["state_dict"].items())


@pytest.mark.slow
def test_a_resumed_run_may_begin_an_average_and_leave_it_out_again(small_root: Path, tmp_path: Path) -> None:
    def checkpoint(folder: Path) -> dict[str, Any]:
        return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)

    plain = run(small_root, tmp_path / "plain", 6)
    folder = run(small_root, tmp_path / "changed", 2)
    started = checkpoint(folder)["state_dict"]
    averaged = checkpoint(run(small_root, folder, 4, {"decay": 1.0}))["getiaction"]["ema"]
    assert averaged["steps"] == 2
    for key, value in averaged["weights"].items():  # a decay of 1 keeps the weights that the average began with
        assert torch.equal(value, started[f"lerobot_policy.{key}"])
    last = checkpoint(run(small_root, folder, 6))
    assert "ema" not in last["getiaction"]
    assert all(torch.equal(value, last["state_dict"][key]) for key, value in checkpoint(plain)["state_dict"].items())
    exported = load_file(folder / "pretrained_model/model.safetensors")
    for key, value in exported.items():
        assert torch.equal(value, last["state_dict"][f"lerobot_policy.{key}"])


def test_validation_uses_the_average(small_root: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import ACT

    # A constant decay of 1 never leaves the first weights: neither does the validation loss.
    policy = ACT(**BLIND, ema={"decay": 1.0})
    losses = []

    import lightning as L

    class Keep(L.Callback):
        def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
            losses.append(trainer.callback_metrics["val/loss"].item())
            assert not pl_module._average.applied  # callbacks save here

    trainer = tiny_policies.trainer(tmp_path, 3, Keep(), val_check_interval=1, num_sanity_val_steps=0)
    torch.manual_seed(0)
    trainer.fit(policy, datamodule=data(small_root, val_split=0.3))
    assert len(losses) == 3
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)
    with policy.averaged():
        first = {name: value.clone() for name, value in policy.lerobot_policy.named_parameters()}
    assert any(not torch.equal(first[name], value) for name, value in policy.lerobot_policy.named_parameters())
