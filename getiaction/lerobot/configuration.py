"""LeRobot's policy configurations: made from plain values, written as plain values."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import draccus
from lerobot.configs import PreTrainedConfig

from getiaction.errors import PolicyError
from getiaction.lerobot.errors import first_line, policy_errors
from getiaction.lerobot.names import config_class


def plain(value: Any) -> Any:
    """The same value in lists, dictionaries, strings and numbers, which any reader can load without running code."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # tensors and arrays
        return value.tolist()
    return draccus.encode(value)


def config_to_plain(config: PreTrainedConfig) -> dict[str, Any]:
    """Every field of a configuration, with the policy's name under `type`, as LeRobot writes config.json."""
    return plain(draccus.encode(config, PreTrainedConfig))


def make_config(policy: str, values: Mapping[str, Any], device: str) -> PreTrainedConfig:
    """Build a configuration from plain values, with LeRobot's own decoding and checks.

    Args:
        policy: the policy's registered name.
        values: fields of its configuration class; what is left out keeps its default.
        device: `cpu`, `cuda`, `mps` or `xpu`; given always, because LeRobot would choose (and warn) otherwise.

    Raises:
        PolicyError: an unknown field, a value of the wrong type, or one that the policy's own checks refuse.
    """
    cls = config_class(policy)
    known = {each.name for each in fields(cls) if each.init}
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{close[0]}`?" if close else f"It takes: {', '.join(sorted(known))}."
            raise PolicyError(f"{policy} has no parameter `{name}`", hint)
    with policy_errors(policy):
        return draccus.decode(cls, {**plain(values), "device": device})


def pretrained_config_values(policy: str, path: str, revision: str | None) -> dict[str, Any]:
    """The fields in the config.json of a `pretrained_model` folder or Hub repository, without `type` and `device`.

    Raises:
        PolicyError: the folder or repository has none, or it is that of another policy.
    """
    try:
        if Path(path).is_dir():
            file = Path(path) / "config.json"
        else:
            from huggingface_hub import hf_hub_download

            file = Path(hf_hub_download(path, "config.json", revision=revision))
        values = json.loads(file.read_text())
    except (OSError, ValueError) as error:  # what the Hub raises is an OSError or a ValueError too
        where = "in the folder" if Path(path).is_dir() else "as a folder or on the Hub"
        raise PolicyError(
            f"no readable config.json of pretrained_path {path} {where}: {first_line(error)}",
            "Give a folder that LeRobot or getiaction saved (…/pretrained_model), or a Hub id (lerobot/smolvla_base).",
        ) from error
    found = values.pop("type", None)
    if found != policy:
        raise PolicyError(f"pretrained_path {path} holds a {found} policy, the model is {policy}")
    values.pop("device", None)
    return values
