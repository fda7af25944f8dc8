"""Compute the number of parameters of a policy from its configuration, without building the model.

It is exact except for a few buffers for the networks in `_COUNTS` (tests compare with the real models). For large
pretrained policies it is the published size of their checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from getiaction_cli.policies.config import PolicyConfig
from getiaction_cli.policies.networks import convolutions

_RESNET = {
    "resnet18": (11_176_512, 512),
    "resnet34": (21_284_672, 512),
    "resnet50": (23_508_032, 2048),
    "resnet101": (42_500_160, 2048),
    "resnet152": (58_143_808, 2048),
}

# Bytes per parameter: float32 weight; weight, gradient and Adam's two moments; one more temporary tensor while Adam
# steps on a GPU (docs/benchmarks.md: the peak of a 263 million parameter policy on an H100 is 20 bytes per parameter
# and 2 %).
_WEIGHT, _TRAINED, _STEP = 4, 16, 4


def training_bytes(count: int, *, adapters: bool = False, averaged: bool = False, gpu: bool = False) -> int:
    """The minimum memory of a training in bytes, without activations.

    Args:
        count: number of parameters of the policy.
        adapters: whether only adapters are trained (`peft`), whose size is not included.
        averaged: whether a moving average of the weights is computed (`ema`).
        gpu: whether the optimizer updates all parameters at once.
    """
    if adapters:
        return count * _WEIGHT
    return count * (_TRAINED + (_WEIGHT if averaged else 0) + (_STEP if gpu else 0))


def checkpoint_bytes(count: int, *, averaged: bool = False) -> tuple[int, int]:
    """The minimum and maximum bytes of a run's checkpoints and its `pretrained_model/`.

    At most last.ckpt, best.ckpt and the next one while it is written; each contains the weights and Adam's two moments.

    Args:
        count: number of parameters of the policy.
        averaged: whether a moving average of the weights is computed (`ema`).
    """
    each = 3 * _WEIGHT + (_WEIGHT if averaged else 0)
    return count * (each + _WEIGHT), count * (3 * each + _WEIGHT)


_MAX = 10**30  # a larger count comes from a damaged shape, and its size in bytes does not fit a float


def parameters(policy: PolicyConfig) -> int | None:
    """Number of parameters of the model that a configuration builds; None if unknown.

    The configuration must have its features (cameras, state, action).

    Raises:
        Unavailable: the installed LeRobot's network differs from the one that is counted here.
    """
    if not policy.facts.known:
        return None
    count = _COUNTS.get(policy.facts.network)
    if count is None:
        billions = policy.facts.billions
        return None if billions is None else int(billions * 1e9)
    try:
        number = count(policy)
        return number if number <= _MAX else None
    except (TypeError, AttributeError, IndexError, KeyError, ValueError, ZeroDivisionError):
        return None


def _dim(feature: object) -> int:
    shape = getattr(feature, "shape", (0,))
    return int(shape[0])


def _linear(given: int, out: int) -> int:
    return given * out + out


def _mlp(*widths: int) -> int:
    return sum(_linear(a, b) for a, b in pairwise(widths))


def _attention(width: int) -> int:
    return 4 * _linear(width, width)


def _transformer(p: PolicyConfig) -> int:
    d, ff = p.dim_model, p.dim_feedforward
    ffn = _linear(d, ff) + _linear(ff, d)
    layer = _attention(d) + ffn + 4 * d
    state, env, action = _dim(p.state_feature), _dim(p.env_state_feature), _dim(p.action_feature)
    final_norm = 2 * d if p.pre_norm else 0
    total = p.n_encoder_layers * layer + final_norm
    total += p.n_decoder_layers * (2 * _attention(d) + ffn + 6 * d) + 2 * d
    total += sum(_linear(n, d) + d for n in (p.latent_dim, state, env) if n)
    total += p.chunk_size * d + _linear(d, action)
    if p.use_vae:
        total += p.n_vae_encoder_layers * layer + final_norm + d
        total += (_linear(state, d) if state else 0) + _linear(action, d) + _linear(d, 2 * p.latent_dim)
    if p.image_features:
        backbone, width = _RESNET[p.vision_backbone]
        total += backbone + _linear(width, d)
    return total


def _rgb_encoder(p: PolicyConfig) -> tuple[int, int]:
    """(parameters, output width) of the ResNet with spatial softmax that two networks use."""
    backbone, width = _RESNET[p.vision_backbone]
    points = p.spatial_softmax_num_keypoints
    return backbone + _linear(width, points) + _linear(2 * points, 2 * points), 2 * points


def _u_net(p: PolicyConfig) -> int:
    cameras = len(p.image_features)
    condition, total = _dim(p.state_feature) + _dim(p.env_state_feature), 0
    if cameras:
        encoder, width = _rgb_encoder(p)
        total += encoder * (cameras if p.use_separate_rgb_encoder_per_camera else 1)
        condition += width * cameras
    step, action, k = p.diffusion_step_embed_dim, _dim(p.action_feature), p.kernel_size
    total += _linear(step, 4 * step) + _linear(4 * step, step)
    condition = condition * p.n_obs_steps + step

    def conv(given: int, out: int, size: int = k) -> int:
        return given * out * size + out

    def block(given: int, out: int) -> int:
        film = _linear(condition, 2 * out if p.use_film_scale_modulation else out)
        skip = conv(given, out, 1) if given != out else 0
        return conv(given, out) + conv(out, out) + 4 * out + film + skip

    widths: Sequence[int] = (action, *p.down_dims)
    pairs = list(pairwise(widths))
    for i, (given, out) in enumerate(pairs):
        total += block(given, out) + block(out, out) + (conv(out, out, 3) if i < len(pairs) - 1 else 0)
    last, first = p.down_dims[-1], p.down_dims[0]
    total += 2 * block(last, last)
    for given, out in reversed(pairs[1:]):
        total += block(2 * out, given) + block(given, given) + conv(given, given, 4)
    return total + conv(first, first) + 2 * first + conv(first, action, 1)


def _gpt(p: PolicyConfig) -> int:
    encoder, width = _rgb_encoder(p)
    token, h, out = p.gpt_input_dim, p.gpt_hidden_dim, p.gpt_output_dim
    chunk = _dim(p.action_feature) * p.action_chunk_size
    code, hidden, entries = p.vqvae_embedding_dim, p.vqvae_enc_hidden_dim, p.vqvae_n_embed
    total = encoder + token + _linear(_dim(p.state_feature), token) + _linear(width, token)
    total += _linear(token, h) + p.gpt_block_size * h + 2 * h + h * out
    total += p.gpt_n_layer * (4 * h + _linear(h, 3 * h) + _linear(h, h) + _linear(h, 4 * h) + _linear(4 * h, h))
    total += _mlp(chunk, hidden, hidden, code) + _mlp(code, hidden, hidden, chunk) + 2 * entries * (2 * code + 1)
    if p.sequentially_select:
        total += _linear(out, entries) + _linear(out + entries, entries)
    else:
        total += _linear(out, 2 * entries)
    return total + _linear(out, 2 * entries * chunk)


def _world_model(p: PolicyConfig) -> int:
    z, m, s, action = p.latent_dim, p.mlp_dim, p.state_encoder_hidden_dim, _dim(p.action_feature)
    total = 0
    for shape in [feature.shape for feature in p.image_features.values()][:1]:
        given, c, side = shape[0], p.image_encoder_hidden_dim, [shape[1], shape[2]]
        for kernel, stride in convolutions(p.facts.image_convolutions):
            total += given * c * kernel**2 + c
            given, side = c, [(n - kernel) // stride + 1 for n in side]
        total += _linear(c * math.prod(side), z) + 2 * z
    for size in (_dim(p.env_state_feature), _dim(p.state_feature)):
        total += _mlp(size, s, z) + 2 * z if size else 0
    total += _mlp(z + action, m, m, z) + 4 * m + 2 * z
    total += _mlp(z + action, m, m, 1) + 4 * m
    total += _mlp(z, m, m, action) + 4 * m
    total += p.q_ensemble_size * (_mlp(z + action, m, m, 1) + 2 * m)
    total += _mlp(z, m, m, 1) + 2 * m
    return 2 * total  # the model and its target network


_COUNTS: dict[str, Callable[[PolicyConfig], int]] = {
    "transformer": _transformer,
    "U-Net": _u_net,
    "GPT": _gpt,
    "world model": _world_model,
}
