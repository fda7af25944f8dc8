"""Convert LeRobot's policy configurations from and to plain values."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import draccus
from lerobot.configs import PreTrainedConfig

from getiaction import trust
from getiaction.errors import PolicyError
from getiaction.lerobot.errors import first_line, policy_errors
from getiaction.lerobot.names import config_class

# Settings of the checkpoint's author for uploads, which a run that starts from it must not inherit.
_PUBLISHING = ("push_to_hub", "repo_id", "private", "tags", "license")


def plain(value: Any) -> Any:
    """Convert a value to lists, dictionaries, strings and numbers, which can be loaded without running code."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # tensors and arrays
        return value.tolist()
    return draccus.encode(value)


def config_to_plain(config: PreTrainedConfig) -> dict[str, Any]:
    """Convert a configuration to the content of LeRobot's config.json, with the policy's name under `type`."""
    return plain(draccus.encode(config, PreTrainedConfig))


def require_fields(policy: str, names: Iterable[str]) -> None:
    """Check that a policy has parameters with these names.

    Raises:
        PolicyError: LeRobot does not register the policy, or its configuration has no such field.
    """
    known = {each.name for each in fields(config_class(policy)) if each.init}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"it takes: {', '.join(sorted(known))}"
            raise PolicyError(f"{policy} has no parameter `{name}`", hint)


def make_config(policy: str, values: Mapping[str, Any], device: str) -> PreTrainedConfig:
    """Build a configuration from plain values, with LeRobot's own decoding and checks.

    Args:
        policy: the policy's registered name.
        values: fields of its configuration class; missing fields keep their defaults.
        device: `cpu`, `cuda`, `mps` or `xpu`; required, because LeRobot would otherwise choose one and warn.

    Raises:
        PolicyError: an unknown field, a value of the wrong type, or one that fails the policy's own checks.
    """
    require_fields(policy, values)
    trust.no_foreign_kernels(values)
    with policy_errors(policy):
        return draccus.decode(config_class(policy), {**plain(values), "device": device})


def pretrained_json(path: str, name: str, revision: str | None, *, key: str = "") -> dict[str, Any]:
    """Read a JSON file of a `pretrained_model` folder or Hub repository.

    Args:
        path: the folder or Hub id.
        name: the file's name.
        revision: branch, tag or commit of the Hub id.
        key: the recipe's key that names it, for the message.

    Raises:
        PolicyError: it does not exist, or can't be downloaded or read.
    """
    try:
        values = trust.read_json(pretrained_file(path, name, revision))
        if not isinstance(values, dict):
            raise ValueError("not a JSON object")
    except (OSError, ValueError) as error:  # includes the exceptions of the Hub
        where = "in the folder" if Path(path).is_dir() else "as a folder or on the Hub"
        raise PolicyError(
            f"no readable {name} of {key + ' ' if key else ''}{path} {where}: {first_line(error)}",
            "give a folder that LeRobot or getiaction saved (…/pretrained_model), or a Hub id (lerobot/smolvla_base)",
        ) from error
    return values


def pretrained_config_values(policy: str, path: str, revision: str | None) -> dict[str, Any]:
    """Read the fields in the config.json of a `pretrained_model` folder or Hub repository, without `type` and `device`.

    Raises:
        PolicyError: the file does not exist, or belongs to another policy.
    """
    values = pretrained_json(path, "config.json", revision, key="pretrained_path")
    found = values.pop("type", None)
    if not isinstance(found, str):
        raise PolicyError(f"config.json of pretrained_path {path} does not say which policy it is for (type)")
    if found != policy:
        raise PolicyError(f"pretrained_path {path} holds a {found} policy, the model is {policy}")
    for name in ("device", *_PUBLISHING):
        values.pop(name, None)
    return values


def pretrained_file(path: str, name: str, revision: str | None) -> Path:
    """Return a small file of a `pretrained_model` folder or Hub repository, downloaded unless it is cached.

    Raises:
        OSError, ValueError: it does not exist, or the Hub can't be reached.
    """
    if Path(path).is_dir():
        return Path(path) / name
    from huggingface_hub import hf_hub_download

    if revision is not None and not trust.is_revision(revision):
        raise ValueError(f"{revision!r} can't be a branch, tag or commit")
    return Path(hf_hub_download(path, name, revision=revision))
