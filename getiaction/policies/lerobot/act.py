"""ACT, with every parameter of LeRobot's configuration in its signature."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from getiaction.lerobot.names import PreTrainedConfig
from getiaction.policies.lerobot.policy import LeRobotPolicy


def _given_only(init: Callable[..., None]) -> Callable[..., None]:
    """Pass on only the keywords a caller wrote.

    The signature's defaults are LeRobot's, for readers; a default that nobody wrote must not win over `config_kwargs`,
    over `config` or over what a pretrained policy was made with.
    """
    accepted = inspect.signature(init)

    @functools.wraps(init)
    def wrapped(self: LeRobotPolicy, **given: Any) -> None:
        named = {key: value for key, value in given.items() if key != "policy_name"}
        accepted.bind(self, **named)  # the TypeError that the signature promises
        LeRobotPolicy.__init__(self, **given)

    return wrapped


class ACT(LeRobotPolicy):
    """Action Chunking with Transformers: predicts a chunk of actions from one observation.

    Args:
        learning_rate: learning rate of everything but the vision backbone; None keeps LeRobot's 1e-5.
        n_obs_steps: observations per sample; ACT takes one.
        chunk_size: actions predicted at once.
        n_action_steps: of these, how many are executed before the next prediction.
        normalization_mapping: how each kind of feature is normalized.
        vision_backbone: a torchvision ResNet.
        pretrained_backbone_weights: its weights; None starts from random ones and downloads nothing.
        replace_final_stride_with_dilation: dilate instead of stride in the ResNet's last stage.
        pre_norm: normalize before each transformer block instead of after.
        dim_model: width of the transformer.
        n_heads: attention heads.
        dim_feedforward: width of the feed-forward layers.
        feedforward_activation: `relu`, `gelu` or `glu`.
        n_encoder_layers: encoder layers.
        n_decoder_layers: decoder layers.
        use_vae: train with the variational objective.
        latent_dim: size of its latent.
        n_vae_encoder_layers: layers of its encoder.
        temporal_ensemble_coeff: average overlapping chunks while acting; needs n_action_steps 1.
        dropout: dropout in the transformer.
        kl_weight: weight of the variational term in the loss.
        optimizer_lr: as learning_rate.
        optimizer_weight_decay: weight decay.
        optimizer_lr_backbone: learning rate of the vision backbone.
        use_amp: bfloat16 mixed precision, unless the trainer's `precision` says otherwise.
        config_kwargs: any field of LeRobot's ACTConfig; the keywords above win.
        input_features: see `LeRobotPolicy`, as for the arguments below.
        output_features: see `LeRobotPolicy`.
        config: see `LeRobotPolicy`.
        dataset_stats: see `LeRobotPolicy`.
        pretrained_path: see `LeRobotPolicy`.
        pretrained_revision: see `LeRobotPolicy`.
        rename_map: see `LeRobotPolicy`.
        ema: see `LeRobotPolicy`.
    """

    policy_name = "act"

    @_given_only
    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        n_obs_steps: int = 1,
        chunk_size: int = 100,
        n_action_steps: int = 100,
        normalization_mapping: Mapping[str, str] | None = None,
        vision_backbone: str = "resnet18",
        pretrained_backbone_weights: str | None = "ResNet18_Weights.IMAGENET1K_V1",
        replace_final_stride_with_dilation: bool = False,
        pre_norm: bool = False,
        dim_model: int = 512,
        n_heads: int = 8,
        dim_feedforward: int = 3200,
        feedforward_activation: str = "relu",
        n_encoder_layers: int = 4,
        n_decoder_layers: int = 1,
        use_vae: bool = True,
        latent_dim: int = 32,
        n_vae_encoder_layers: int = 4,
        temporal_ensemble_coeff: float | None = None,
        dropout: float = 0.1,
        kl_weight: float = 10.0,
        optimizer_lr: float = 1e-5,
        optimizer_weight_decay: float = 1e-4,
        optimizer_lr_backbone: float = 1e-5,
        use_amp: bool = False,
        config_kwargs: dict[str, Any] | None = None,
        input_features: Sequence[str] | Mapping[str, Any] | None = None,
        output_features: Sequence[str] | Mapping[str, Any] | None = None,
        config: PreTrainedConfig | None = None,
        dataset_stats: Mapping[str, Mapping[str, Any]] | None = None,
        pretrained_path: str | Path | None = None,
        pretrained_revision: str | None = None,
        rename_map: Mapping[str, str] | None = None,
        ema: bool | Mapping[str, Any] | None = None,
    ) -> None:
        """See the class."""
