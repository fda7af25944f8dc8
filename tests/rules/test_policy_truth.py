"""The bounds of GA21x against real trainings: tiny networks with one parameter changed.

Each of these stops a real training or leaves a policy that can't act, although LeRobot's configuration accepts it; the
control group trains. 758 such mutants were trained when the bounds were written; these are those at the edges.
"""

from __future__ import annotations

from typing import Any

import pytest

from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import check
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import read
from getiaction_cli.recipe.writing import write

TINY: dict[str, dict[str, Any]] = {
    "act": {
        "pretrained_backbone_weights": None,
        "dim_model": 32,
        "n_heads": 2,
        "dim_feedforward": 32,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "latent_dim": 4,
        "chunk_size": 4,
        "n_action_steps": 4,
    },
    "diffusion": {
        "pretrained_backbone_weights": None,
        "down_dims": [16, 32],
        "n_groups": 4,
        "diffusion_step_embed_dim": 16,
        "horizon": 8,
        "n_action_steps": 4,
        "num_train_timesteps": 4,
        "spatial_softmax_num_keypoints": 4,
    },
    "vqbet": {
        "pretrained_backbone_weights": None,
        "gpt_n_layer": 1,
        "gpt_n_head": 2,
        "gpt_input_dim": 16,
        "gpt_hidden_dim": 16,
        "gpt_output_dim": 16,
        "vqvae_n_embed": 4,
        "vqvae_embedding_dim": 8,
        "vqvae_enc_hidden_dim": 8,
        "crop_shape": None,
        "n_vqvae_training_steps": 2,
        "gpt_block_size": 17,
    },
    "tdmpc": {
        "latent_dim": 8,
        "mlp_dim": 16,
        "q_ensemble_size": 2,
        "state_encoder_hidden_dim": 16,
        "image_encoder_hidden_dim": 4,
        "horizon": 2,
        "n_gaussian_samples": 16,
        "n_pi_samples": 4,
        "n_elites": 4,
        "cem_iterations": 2,
    },
}
BREAKS: dict[str, list[dict[str, Any]]] = {
    "act": [
        {"n_action_steps": 0},
        {"vision_backbone": "resnet7"},
        {"vision_backbone": "resnet50", "pretrained_backbone_weights": "ResNet18_Weights.IMAGENET1K_V1"},
        {"replace_final_stride_with_dilation": True},
        {"dim_model": 0},
        {"dim_model": 6},
        {"dim_model": 34},
        {"n_heads": 3},
        {"n_heads": 0},
        {"dim_feedforward": -1},
        {"feedforward_activation": "glu"},
        {"feedforward_activation": "swish"},
        {"latent_dim": -1},
        {"dropout": -0.1},
        {"dropout": 1.5},
        {"optimizer_lr": -1.0},
        {"optimizer_weight_decay": -1.0},
    ],
    "diffusion": [
        {"n_obs_steps": 0},
        {"horizon": 0, "n_action_steps": 1},
        {"n_action_steps": 0},
        {"vision_backbone": "resnet7"},
        {"pretrained_backbone_weights": "ResNet18_Weights.IMAGENET1K_V1", "use_group_norm": True},
        {"spatial_softmax_num_keypoints": 0},
        {"down_dims": [10, 12]},
        {"down_dims": [84, 84]},
        {"down_dims": []},
        {"kernel_size": 0},
        {"kernel_size": 2},
        {"n_groups": 3},
        {"n_groups": 0},
        {"diffusion_step_embed_dim": 2},
        {"diffusion_step_embed_dim": 17},
        {"num_train_timesteps": 0},
        {"beta_schedule": "cosine"},
        {"scheduler_name": "piecewise_constant"},
        {"scheduler_name": "cosin"},
        {"num_inference_steps": 5},
        {"num_inference_steps": 0},
        {"optimizer_betas": [1.0, 0.9]},
        {"optimizer_betas": [0.5]},
        {"optimizer_eps": -1.0},
    ],
    "vqbet": [
        {"n_obs_steps": 6},
        {"n_action_pred_token": 0},
        {"action_chunk_size": 0},
        {"spatial_softmax_num_keypoints": 0},
        {"vqvae_n_embed": 0},
        {"vqvae_embedding_dim": 0},
        {"gpt_block_size": 16},
        {"gpt_n_head": 3},
        {"gpt_hidden_dim": 17},
        {"bet_softmax_temperature": 0.0},
        {"optimizer_eps": -1.0},
    ],
    "tdmpc": [
        {"horizon": 0},
        {"image_encoder_hidden_dim": 0},
        {"latent_dim": 0},
        {"q_ensemble_size": 0},
        {"cem_iterations": 0},
        {"n_pi_samples": -1},
        {"n_elites": 21},
        {"n_elites": 0},
    ],
}
TRAINS: dict[str, list[dict[str, Any]]] = {
    "act": [{}, {"vision_backbone": "resnet50"}, {"dim_model": 36, "n_heads": 3}, {"feedforward_activation": "gelu"}],
    "diffusion": [{}, {"down_dims": [8, 12]}, {"kernel_size": 1}, {"beta_schedule": "laplace"}, {"n_action_steps": 7}],
    "vqbet": [{}, {"gpt_hidden_dim": 15, "gpt_n_head": 3}, {"n_obs_steps": 2}],
    "tdmpc": [{}, {"n_elites": 20}, {"max_random_shift_ratio": 0.0}],
}
SIDE = 48


def _cases(table: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [pytest.param(name, change, id=f"{name} {change}") for name, changes in table.items() for change in changes]


def _found(name: str, change: dict[str, Any]) -> dict[str, Severity]:
    params = {**TINY[name], **change}
    text = (
        "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n"
        f"  init_args: {{policy_name: {name}, config_kwargs: {write(params)}}}\n"
        "data: {class_path: getiaction.data.lerobot.LeRobotDataModule, init_args: {repo_id: nobody/nothing}}\n"
        "trainer: {max_steps: 1000}\n"
    )
    report = check(RecipeContext(read("recipe.yaml", text=text), SharedInputs(offline=True)), select=("GA2",))
    return {d.code: d.severity for d in report.diagnostics if d.severity is not Severity.INFO}


@pytest.mark.parametrize(("name", "change"), _cases(BREAKS))
def test_what_breaks_is_found(name: str, change: dict[str, Any]) -> None:
    assert _found(name, change)


@pytest.mark.parametrize(("name", "change"), _cases(TRAINS))
def test_what_trains_is_let_through(name: str, change: dict[str, Any]) -> None:
    assert _found(name, change) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), _cases(BREAKS))
def test_it_really_breaks(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(Exception):  # noqa: B017 - each breaks in its own way
        _train_and_act(name, {**TINY[name], **change})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), _cases(TRAINS))
def test_it_really_trains(name: str, change: dict[str, Any]) -> None:
    _train_and_act(name, {**TINY[name], **change})


def _train_and_act(name: str, params: dict[str, Any]) -> None:
    """Three steps of real training (VQ-BeT: through both phases), then two actions."""
    import typing

    import lerobot.policies  # noqa: F401 - registers the policies
    import torch
    from draccus.parsers.decoding import get_decoding_fn
    from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
    from lerobot.policies.factory import get_policy_class

    cls = PreTrainedConfig.get_choice_class(name)
    hints = typing.get_type_hints(cls)
    config = cls(**{key: get_decoding_fn(hints[key])(value, (key,)) for key, value in params.items()}, device="cpu")
    config.input_features = {
        "observation.image": PolicyFeature(FeatureType.VISUAL, (3, SIDE, SIDE)),
        "observation.state": PolicyFeature(FeatureType.STATE, (2,)),
    }
    config.output_features = {"action": PolicyFeature(FeatureType.ACTION, (2,))}
    torch.manual_seed(0)
    torch.set_num_threads(1)  # these networks are too small to share
    policy = get_policy_class(name)(config=config, dataset_stats=None)
    policy.train()
    optimizer = config.get_optimizer_preset().build(policy.get_optim_params())
    preset = config.get_scheduler_preset()
    schedule = preset.build(optimizer, 10) if preset else None
    for _ in range(4 if name == "vqbet" else 3):
        loss, _info = policy.forward(_batch(config, 4))
        if not torch.isfinite(loss):
            raise ArithmeticError("the loss is no longer finite")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
    if not all(torch.isfinite(parameter).all() for parameter in policy.parameters()):
        raise ArithmeticError("the network is no longer finite")
    policy.eval()
    policy.reset()
    with torch.no_grad():
        for _ in range(2):
            policy.select_action(
                {"observation.image": torch.rand(1, 3, SIDE, SIDE), "observation.state": torch.rand(1, 2)}
            )


def _batch(config: Any, size: int) -> dict[str, Any]:
    import torch

    batch: dict[str, Any] = {"index": torch.arange(size)}
    seen = config.observation_delta_indices
    shape = (size,) if seen is None else (size, len(seen))
    batch["observation.image"] = torch.rand(*shape, 3, SIDE, SIDE)
    batch["observation.state"] = torch.rand(*shape, 2)
    for key, steps in (("action", config.action_delta_indices), ("next.reward", config.reward_delta_indices)):
        if steps is not None:
            batch[key] = torch.rand(size, len(steps), 2)[..., : 2 if key == "action" else 1].squeeze(-1) * 2 - 1
            batch[f"{key}_is_pad"] = torch.zeros(size, len(steps), dtype=torch.bool)
    if seen is not None:
        for key in ("observation.image", "observation.state"):
            batch[f"{key}_is_pad"] = torch.zeros(shape, dtype=torch.bool)
    return batch
