"""Weights that LeRobot downloads or loads: ResNet backbones, and whether a checkpoint has all weights of a policy."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.pretrained import PreTrainedPolicy

from getiaction.errors import PolicyError
from getiaction.lerobot.errors import first_line
from getiaction.spec import facts, torchvision_weights


@contextlib.contextmanager
def without_weight_downloads(config: PreTrainedConfig) -> Iterator[None]:
    """Context in which the constructor of this configuration's policy does not download weights."""
    kept = {name: getattr(config, name) for name in facts.FETCHES_WEIGHTS if hasattr(config, name)}
    for name in kept:
        setattr(config, name, facts.FETCHES_WEIGHTS[name])
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(config, name, value)


def ensure_backbone_weights(config: PreTrainedConfig) -> None:
    """Download the ResNet weights that a configuration names, unless they are in torch's cache.

    Raises:
        PolicyError: torchvision has no such weights, or they are neither cached nor available.
    """
    name = getattr(config, "pretrained_backbone_weights", None)
    if name is None:
        return
    import torchvision

    if "." not in name:  # "IMAGENET1K_V1" is short for ResNet18_Weights.IMAGENET1K_V1 with resnet18
        name = f"{config.vision_backbone.replace('resnet', 'ResNet')}_Weights.{name}"
    alternative = "train without them: --model.init_args.pretrained_backbone_weights null"
    if config.type not in ("act",):
        alternative = "train without them: --model.init_args.config_kwargs.pretrained_backbone_weights null"
    try:
        weights = torchvision.models.get_weight(name)
    except (ValueError, KeyError, AttributeError) as error:
        raise PolicyError(
            f"torchvision has no weights named {name} (pretrained_backbone_weights)", alternative
        ) from error
    backbone = config.vision_backbone
    if type(weights).__name__.lower() != f"{backbone}_weights":
        raise PolicyError(
            f"pretrained_backbone_weights {name} are not those of vision_backbone {backbone}",
            f"name weights of {backbone}, or none: pretrained_backbone_weights: null",
        )
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / weights.url.rsplit("/", 1)[1]
    try:
        torchvision_weights.fetch(weights.url, folder)
    except OSError as error:
        raise PolicyError(
            f"the backbone weights {name} are not in {folder} and can't be downloaded: {first_line(error)}",
            f"with a network, `getiaction fetch RECIPE` downloads them\n{alternative}\n"
            f"or put {file.name} from {weights.url} into that folder",
        ) from error


@dataclass
class Load:
    """The result of one call of `load_state_dict`."""

    module: torch.nn.Module
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    error: str = ""


@contextlib.contextmanager
def record_loads() -> Iterator[list[Load]]:
    """Context that records every call of `load_state_dict`, also those whose result the caller ignores."""
    original = torch.nn.Module.load_state_dict
    loads: list[Load] = []

    def observed(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        try:
            result = original(module, *args, **kwargs)
        except Exception as error:
            loads.append(Load(module, error=first_line(error)))
            raise
        loads.append(Load(module, list(result.missing_keys), list(result.unexpected_keys)))
        return result

    torch.nn.Module.load_state_dict = observed  # type: ignore[method-assign]
    try:
        yield loads
    finally:
        torch.nn.Module.load_state_dict = original  # type: ignore[method-assign]


def require_complete_load(policy: PreTrainedPolicy, loads: list[Load]) -> None:
    """Check that a checkpoint and the policy have the same tensors, and that all of them were loaded.

    LeRobot does not load strictly, and the pi0 family ignores every error while loading and returns random weights.

    Raises:
        PolicyError: a tensor is missing on either side or has another shape, or nothing was loaded.
    """
    config = policy.config
    start = f"the weights of {config.pretrained_path} do not match this {config.type} policy"
    hint = "leave out the parameters that change the network, or start without pretrained_path"
    mine = [load for load in loads if load.module is policy]
    if not mine:
        if facts.holds(config.type, "loads_in_constructor"):
            return
        raise PolicyError(f"{start}: its model.safetensors can't be fetched or read", hint)
    load = mine[-1]
    held = policy.state_dict()
    storages = {held[name].data_ptr() for name in held if name not in load.missing}  # tied tensors are stored once
    reinitialized = (
        *(getattr(config, "reinit_modules", None) or ()),
        *facts.value(config.type, "restarted_layers", ()),
    )
    wrong = [load.error] if load.error else [f"{name} is not in the policy" for name in load.unexpected]
    wrong += [
        f"{name} is not in the checkpoint"
        for name in load.missing
        if held[name].numel() and held[name].data_ptr() not in storages and not name.startswith(reinitialized or "\0")
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise PolicyError(f"{start}: {', '.join(wrong[:3])}{more}", hint)
