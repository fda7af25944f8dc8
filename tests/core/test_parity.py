"""The same initial weights and the same batches give the same losses and weights as LeRobot's own loop."""

from pathlib import Path
from typing import Any

import pytest
import tiny_policies
import torch

STEPS = 10


@pytest.mark.parametrize("name", ["act", "diffusion", "vqbet", "tdmpc"])
def test_ten_steps_as_lerobot_trains(name: str, small_root: Path, tmp_path: Path) -> None:
    from getiaction.data.lerobot import LeRobotDataModule
    from getiaction.policies.lerobot import LeRobotPolicy

    watch = tiny_policies.Watch()
    policy = LeRobotPolicy(policy_name=name, learning_rate=1e-3, config_kwargs=tiny_policies.CONFIGS[name])
    data = LeRobotDataModule(
        "made/small", root=small_root, train_batch_size=4, num_workers=0, seed=7, video_backend="pyav"
    )
    tiny_policies.trainer(tmp_path, STEPS, watch).fit(policy, datamodule=data)

    theirs, losses, rates = _lerobots_own(policy, watch.first, small_root)
    assert watch.losses == pytest.approx(losses, rel=1e-5)
    assert watch.rates == pytest.approx(rates, rel=1e-9)
    _assert_same_weights(policy.lerobot_policy.state_dict(), theirs.state_dict())
    assert any(not torch.equal(theirs.state_dict()[key], value) for key, value in watch.first.items())
    if name == "vqbet":
        # The last five steps are those of the second phase.
        assert theirs.vqbet.action_head.vqvae_model.discretized.item()
        assert policy.lerobot_policy.vqbet.action_head.vqvae_model.discretized.item()
    if name == "tdmpc":
        target = "model_target._reward.0.weight"
        assert not torch.equal(policy.lerobot_policy.state_dict()[target], watch.first[target])


def _lerobots_own(policy: Any, first: dict[str, torch.Tensor], root: Path) -> tuple[Any, list[float], list[float]]:
    """LeRobot's policy of the same configuration and first weights, trained by LeRobot."""
    from lerobot.policies.factory import make_policy, make_policy_config, make_pre_post_processors

    given = tiny_policies.CONFIGS[policy.policy_name]
    config = make_policy_config(policy.policy_name, device="cpu", **{**given, "optimizer_lr": 1e-3})
    dataset, batches = tiny_policies.upstream_data(root, config, batch_size=4, seed=7)
    theirs = make_policy(config, ds_meta=dataset.meta)
    theirs.load_state_dict(first)
    preprocessor, _ = make_pre_post_processors(config, dataset_stats=dataset.meta.stats)
    losses, rates = tiny_policies.upstream_losses(theirs, preprocessor, batches, STEPS, dataset.meta.camera_keys)
    return theirs, losses, rates


def _assert_same_weights(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, rtol=1e-5, atol=1e-7, msg=lambda text, key=key: f"{key}: {text}")
