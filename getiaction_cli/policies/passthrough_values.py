"""The allowed values of parameters that LeRobot passes unchecked to other libraries.

They are read from the installed source of torchvision, diffusers, transformers and LeRobot's own registries with
regular expressions; nothing is imported. A list that can't be read is empty, and then its values are not checked.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from getiaction.spec import facts
from getiaction_cli.installed import package_folder
from getiaction_cli.policies.networks import action_spaces


def _text(package: str, *parts: str) -> str:
    path = Path(package_folder(package) or "/nowhere").joinpath(*parts)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@functools.cache
def resnets() -> tuple[str, ...]:
    """The backbones of torchvision whose name begins with "resnet"."""
    return tuple(re.findall(r"^def (resnet\d+)\(", _text("torchvision", "models", "resnet.py"), re.MULTILINE))


@functools.cache
def resnet_weights() -> dict[str, tuple[str, ...]]:
    """Backbone → the names of its weights ("IMAGENET1K_V1", …), in the order of the source."""
    text = _text("torchvision", "models", "resnet.py")
    bodies = re.findall(r"^class ResNet(\d+)_Weights\(WeightsEnum\):\n((?:(?:    .*)?\n)+)", text, re.MULTILINE)
    return {f"resnet{number}": tuple(re.findall(r"^    (\w+) = ", body, re.MULTILINE)) for number, body in bodies}


@functools.cache
def _beta_schedules(scheduler: str) -> tuple[str, ...]:
    text = _text("diffusers", "schedulers", f"scheduling_{scheduler.lower()}.py")
    return tuple(re.findall(r'beta_schedule == "(\w+)"', text))


@functools.cache
def _lr_schedules() -> tuple[str, ...]:
    body = re.search(
        r"^class SchedulerType\(Enum\):\n((?:    .*\n)+)", _text("diffusers", "optimization.py"), re.MULTILINE
    )
    # piecewise_constant needs arguments that LeRobot does not pass.
    return tuple(name for name in re.findall(r'= "(\w+)"', body[1]) if name != "piecewise_constant") if body else ()


@functools.cache
def _activations() -> tuple[str, ...]:
    """The names of transformers' activation functions."""
    body = re.search(r"^ACT2CLS = \{\n((?:    .*\n)+)", _text("transformers", "activations.py"), re.MULTILINE)
    return tuple(re.findall(r'^    "(\w+)":', body[1], re.MULTILINE)) if body else ()


@functools.cache
def _attention(model: str) -> tuple[str | None, ...]:
    """The implementations of attention that a model of transformers supports; compiled code of the Hub is not one.

    None is transformers' own choice.
    """
    everything = re.search(
        r"^    _global_mapping = \{\n((?:        .*_attention_.*\n|        .*attention.*\n)+)",
        _text("transformers", "modeling_utils.py"),
        re.MULTILINE,
    )
    source = _text("transformers", "models", model, f"modeling_{model}.py")
    names = re.findall(r'"([\w|]+)":', everything[1]) if everything and source else []
    flags = {"flash": "_supports_flash_attn", "flex": "_supports_flex_attn", "sdpa": "_supports_sdpa"}
    missing = [word for word, flag in flags.items() if f"{flag} = True" not in source]
    supported = [name for name in names if not any(word in name for word in missing)]
    return (*sorted({"eager", *supported}, key=lambda name: ("|" in name, name)), None) if names else ()


def words(policy: str, name: str, scheduler: str = "DDPM") -> tuple[str | None, ...]:
    """The allowed values of a parameter, by its use in the policy's model; empty if unknown.

    Args:
        policy: the policy's name.
        name: the parameter's name.
        scheduler: for a noise schedule, the noise scheduler in use.
    """
    kind = facts.value(policy, "words", {}).get(name)
    if isinstance(kind, str) and kind.startswith("attention of "):
        return _attention(kind.removeprefix("attention of "))
    match kind:
        case "activations":
            return _activations()
        case "resnets":
            return resnets()
        case "noise schedules":
            return _beta_schedules(scheduler)
        case "learning rate schedules":
            return _lr_schedules()
        case "action spaces":
            return tuple(action_spaces(facts.value(policy, "action_spaces")["file"]))
    return tuple(kind or ())
