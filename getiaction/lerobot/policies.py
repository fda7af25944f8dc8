"""Build LeRobot policies, with initial weights or those of a checkpoint."""

from collections.abc import Mapping
from pathlib import Path

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import dataset_to_policy_features, get_policy_class, make_policy
from lerobot.policies.pretrained import PreTrainedPolicy

from getiaction.lerobot.errors import policy_errors, quiet_prints
from getiaction.lerobot.features import DatasetView, split_features
from getiaction.lerobot.steps import check_processors
from getiaction.lerobot.weights import (
    ensure_backbone_weights,
    record_loads,
    require_complete_load,
    without_weight_downloads,
)


def build_policy(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> PreTrainedPolicy:
    """Build a policy with initial weights, or with those of `config.pretrained_path`, in training mode.

    Raises:
        PolicyError: the policy does not accept the features, an extra is missing, or weights can't be downloaded or are
            incomplete.
    """
    with policy_errors(config.type), quiet_prints():
        if not config.pretrained_path:
            cameras = (feature.get("dtype") in ("image", "video") for feature in view.features.values())
            if config.image_features if config.input_features else any(cameras):
                ensure_backbone_weights(config)
            return make_policy(config, ds_meta=view, rename_map=dict(rename_map)).train()
        check_processors(config)  # before the weights are downloaded
        with without_weight_downloads(config), record_loads() as loads:
            policy = make_policy(config, ds_meta=view, rename_map=dict(rename_map))
        require_complete_load(policy, loads)
    return policy.train()


def build_empty_policy(config: PreTrainedConfig, weights: Mapping[str, torch.Tensor]) -> PreTrainedPolicy:
    """Build the policy of a complete configuration, with the dtypes of the weights that will be loaded into it."""
    given = config.pretrained_path
    # Some constructors download a base model unless the configuration names a checkpoint.
    config.pretrained_path = given or Path("checkpoint")
    try:
        with policy_errors(config.type), quiet_prints(), without_weight_downloads(config):
            policy = get_policy_class(config.type)(config)
    finally:
        config.pretrained_path = given
    for name, tensor in policy.state_dict(keep_vars=True).items():
        if name in weights and tensor.dtype != weights[name].dtype:
            tensor.data = tensor.data.to(weights[name].dtype)
    return policy.to(config.device)


def build_policy_without_weights(config: PreTrainedConfig, view: DatasetView) -> PreTrainedPolicy:
    """Build the policy for this dataset as `build_policy` does, but with the weights of its constructor.

    Raises:
        PolicyError: the policy does not accept the features, or an extra is missing.
    """
    inputs, config.output_features = split_features(dataset_to_policy_features(view.features))
    config.input_features = config.input_features or inputs
    describe = getattr(config, "set_dataset_feature_metadata", None)
    if callable(describe):
        describe(view.features)
    return build_empty_policy(config, {})


def load_policy(config: PreTrainedConfig) -> PreTrainedPolicy:
    """Load the policy of the folder or Hub repository `config.pretrained_path`, with its saved features.

    Raises:
        PolicyError: its weights can't be downloaded, or are incomplete.
    """
    with policy_errors(config.type), quiet_prints():
        check_processors(config)  # before the weights are downloaded
        with without_weight_downloads(config), record_loads() as loads:
            policy = get_policy_class(config.type).from_pretrained(
                str(config.pretrained_path), config=config, revision=config.pretrained_revision
            )
        require_complete_load(policy, loads)
    return policy.to(config.device)
