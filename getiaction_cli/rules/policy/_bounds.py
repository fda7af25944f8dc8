"""The bounds within which a policy's network can be built, trained and used.

LeRobot checks hardly any of this. The bounds of act, diffusion, vqbet and tdmpc are those of real trainings of tiny
networks with one number changed (tests/rules/test_policy_truth.py); for the others they follow
from the parameter's name alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from getiaction_cli.diagnostics import Severity
from getiaction_cli.policies import Facts


@dataclass(frozen=True, slots=True)
class Bound:
    """The constraints on a number, or on each number of a list.

    Args:
        names: regular expression of the names of parameters.
        why: what happens otherwise, or what the number is for.
        least: smallest allowed value.
        most: largest allowed value.
        above: the value must be greater than ``least``.
        below: the value must be less than ``most``.
        odd: only odd numbers are allowed.
        count: required length of a list.
        severity: severity of a value outside the bounds.
        zero: severity of 0 if training does not fail with it.
    """

    names: str
    why: str
    least: float | None = None
    most: float | None = None
    above: bool = False
    below: bool = False
    odd: bool = False
    count: tuple[int, ...] = ()
    severity: Severity = Severity.ERROR
    zero: Severity = Severity.ERROR

    def breaks(self, value: Any) -> bool:
        """True if the value, or an element or the length of a list, is out of bounds."""
        if isinstance(value, (list, tuple)):
            return bool(self.count and len(value) not in self.count) or not value or any(map(self.breaks, value))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        too_small = self.least is not None and (value < self.least or (self.above and value == self.least))
        too_large = self.most is not None and (value > self.most or (self.below and value == self.most))
        return too_small or too_large or (self.odd and value % 2 == 0)

    def severity_of(self, value: Any) -> Severity:
        """Return the severity of this value."""
        return self.zero if value == 0 and self.zero is not Severity.ERROR else self.severity

    def describe_bounds(self) -> str:
        """Describe the bounds: "at least 1", "between 0 and 1", "an odd number"."""
        if self.count:
            return f"{self.count[0]} numbers from {self.least:g} up to, but not including, {self.most:g}"
        if self.odd:
            return "an odd number"
        if self.least is not None and self.most is not None:
            return f"between {self.least:g} and {self.most:g}"
        return f"{'above' if self.above else 'at least'} {self.least:g}"


_W = Severity.WARNING
_STEPS = (
    "chunk_size|horizon|action_horizon|n_obs_steps|n_action_pred_token|action_chunk_size|frame_chunk_size|"
    "action_per_frame|num_video_frames|action_video_freq_ratio"
)
_SIZES = (
    r"down_dims|dim_\w+|\w*_enc_hidden_dim|hidden_size|mlp_dim|max_(state|action)_dim|(action|proprio|state)_dim|"
    r"\w*(hidden|embed|embedding|input|output|model|ffn|freq|text|time|latent|head)_(dim|size)|vqvae_n_embed|n_groups|"
    r"in_dim|out_dim|patch_size|d_model|vocab_size|window_size|max_\w+_embeddings|num_groups|projection_dim|"
    r"spatial_softmax_num_keypoints|q_ensemble_size|gpt_block_size|num_domains|len_soft_prompts|max_len_seq|max_views|"
    r"tokenizer_max_len(gth)?|max_text_length|num_categories"
)
_PIXELS = r"(image_)?(crop|resize)_shape|resize_imgs_with_padding|resize_images_to|image_resolution|height|width"
_SHARES = "discount|expectile_weight|target_model_momentum|gaussian_mean_momentum"

# The first entry whose names match applies; exceptions come first.
_BOUNDS = (
    Bound(r"num_expert_layers|num_vlm_layers|vlm_num_layers|gripper_dim|prefix_length|video_exec_step", ""),
    Bound("n_vqvae_training_steps", "fewer barely train the autoencoder", least=1, severity=_W),
    Bound("bet_softmax_temperature", "a score is divided by it", least=0, above=True),
    # Time.
    Bound(_STEPS, "no step would be left", least=1),
    Bound("n_action_(steps|repeats)", "the policy could not act", least=1),
    Bound("drop_n_last_frames", "frames can only be left out", least=0),
    # Sizes.
    Bound(
        r"(n|num|gpt_n)_(\w+_)?heads?|\w*num_heads|\w+_attention_heads", "attention needs at least one head", least=1
    ),
    Bound(r"(n|num|gpt_n)_(\w+_)?layers?|depth|predictor_depth", "there would be no layer", least=1, zero=_W),
    Bound(_SIZES, "the network would have no units", least=1),
    Bound(_PIXELS, "a picture has at least one pixel", least=1),
    Bound("eps", "a variance of 0 would be divided by 0", least=0, above=True),
    Bound("empty_cameras", "it is a number of cameras to add", least=0),
    Bound(r"image_(min|max)_pixels", "a picture has at least one pixel", least=1),
    # Training.
    Bound(r"\w*beta_(alpha|beta)", "no beta distribution has such a shape", least=0, above=True),
    Bound("rope_base", "the frequencies of the position embedding are its powers", least=0, above=True),
    Bound("(min|max)_period", "it is the period of a wave", least=0, above=True),
    Bound("expert_width_multiplier", "the network would have no units", least=0, above=True),
    Bound("action_noise_s", "times are divided by it", least=0, above=True),
    Bound(r"\w*mlp_ratio", "the network would have no units", least=0, above=True),
    Bound("repeated_diffusion_steps", "no loss would be computed", least=1),
    Bound("num_embodied_action_tokens_per_instruction", "it is a number of tokens", least=0),
    Bound("flow_matching_(time_scale|cutoff)", "no time would be left to sample from", least=0, above=True),
    Bound(r"dropout|\w+_dropout", "it is the fraction of units that are dropped", least=0, most=1),
    Bound("optimizer_betas", "the optimizer refuses it", least=0, most=1, below=True, count=(2,)),
    Bound(r"optimizer_\w*weight_decay", "the optimizer refuses it", least=0),
    Bound("optimizer_eps", "a gradient of 0 would be divided by 0", least=0, above=True),
    Bound("optimizer_grad_clip_norm", "clipping would zero or reverse the gradients", least=0, above=True),
    Bound("scheduler_warmup_steps", "it is a number of steps", least=0, severity=_W),
    Bound("scheduler_decay_steps", "it is a number of steps", least=1),
    Bound("warmup_ratio|vision_encoder_lr_multiplier", "it is a fraction", least=0, severity=_W),
    Bound("(train|infer)_shift", "the noise levels are divided by it", least=0, above=True),
    Bound("num_train_timesteps|num_integration_steps", "there would be nothing to denoise", least=1),
    Bound(r"num_inference_(steps|timesteps)|num_denois\w*_steps|num_steps", "the policy could not act", least=1),
    Bound("clip_sample_range", "every action would be clipped away", least=0, above=True, severity=_W),
    Bound("beta_start|beta_end", "it is a variance", least=0, most=1, severity=_W),
    Bound(
        r"kl_weight|lambda_\w+|\w*loss_weight|(reward|value|consistency|pi)_coeff",
        "a loss would be maximized",
        least=0,
        severity=_W,
    ),
    Bound("max_random_shift_ratio", "it is a fraction of the picture", least=0, most=1),
    Bound(_SHARES, "it is a fraction", least=0, most=1, severity=_W),
    Bound("cem_iterations|n_elites|n_gaussian_samples", "planning needs at least one sample", least=1),
    Bound("n_pi_samples", "it is a number of samples", least=0),
    Bound(
        "min_std|max_std|elite_weighting_temperature", "planning can't sample with it", least=0, above=True, severity=_W
    ),
)


def bound_of(name: str, facts: Facts) -> Bound | None:
    """Return the bound of a policy's parameter, or of "parameter.key" in a mapping; None if there is none."""
    if facts.known:
        if name in facts.zero_width_trains:
            return Bound(name, "a layer needs at least one unit", least=1, zero=_W)
        if name in facts.odd_numbers:
            return Bound(name, "an even kernel makes the sequence longer", least=1, odd=True)
        if name in facts.most_numbers:
            return Bound(name, "the network is built for no more than that", least=1, most=facts.most_numbers[name])
        if name in facts.least_numbers:
            return Bound(name, "its sine embedding needs at least two pairs of values", least=facts.least_numbers[name])
    last = name.rpartition(".")[2]
    return next((bound for bound in _BOUNDS if re.fullmatch(bound.names, last)), None)
