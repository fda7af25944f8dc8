"""A machine as a JSON file, written on a compute node and read to check recipes for it.

It only contains what rules use: no secrets, and only environment variables that affect the checks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from getiaction import trust
from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.errors import UsageError
from getiaction_cli.machine import FFMPEG, Gpu, Machine, probe, torch_hub

VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "LEROBOT_HOME")
VERSION = 1


def describe() -> str:
    """Return this machine as JSON text."""
    here = probe()
    disks = (Path.cwd(), Path.home(), hub_cache(), Path(os.environ.get("TMPDIR", "/tmp")), Path("/"))
    values = {
        "version": VERSION,
        "system": here.system,
        "arch": here.arch,
        "gpus": [asdict(gpu) for gpu in here.gpus],
        "torch_cuda": here.torch_cuda,
        "torch_hip": here.torch_hip,
        "torch_xpu": here.torch_xpu,
        "memory": here.memory,
        "shared_memory": here.shared_memory,
        "packages": dict(sorted(here.packages.items())),
        "ffmpeg": [version for version in FFMPEG.values() if version in here.ffmpeg],
        "hub": sorted(_models(hub_cache(), here)),
        "torch_hub": sorted(path.name for path in (torch_hub() / "checkpoints").glob("*") if path.is_file()),
        "env": {name: here.env[name] for name in VARIABLES if name in here.env},
        "hub_token": here.hub_token,
        "wandb_key": here.wandb_key,
        "free_space": {str(path.absolute()): here.free_space(path) for path in disks},
    }
    return json.dumps(values, indent=2) + "\n"


def read(path: Path) -> Machine:
    """Return the machine that a file describes.

    Raises:
        UsageError: the file can't be read, or is not one that `describe` wrote.
    """
    again = f"write it on that machine: getiaction describe-machine > {path.name}"
    try:
        values = trust.read_json(path)
    except FileNotFoundError:
        raise UsageError(f"no file {path}", again) from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}", again) from None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}", again) from None
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise UsageError(f"{path} does not describe a machine", again)
    try:
        return _machine(values)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{path} is damaged: {type(error).__name__}: {error}", again) from None


def _machine(values: dict[str, Any]) -> Machine:
    free = {Path(place): _number(count) for place, count in _table(values["free_space"]).items()}

    def free_space(path: Path) -> int | None:
        above = (path.absolute(), *path.absolute().parents)
        return next((free[place] for place in above if place in free), None)

    return Machine(
        system=_text(values["system"]),
        arch=_text(values["arch"]),
        gpus=tuple(_gpu(gpu) for gpu in values["gpus"]),
        torch_cuda=_version(values["torch_cuda"]),
        torch_hip=_version(values["torch_hip"]),
        torch_xpu=_version(values["torch_xpu"]),
        memory=_number(values["memory"]),
        shared_memory=_number(values["shared_memory"]),
        packages=_texts(values["packages"]),
        ffmpeg=frozenset(filter(None, map(_number, values["ffmpeg"]))),
        hub=frozenset(map(_text, values["hub"])),
        torch_hub=frozenset(map(_text, values["torch_hub"])),
        env=_texts(values["env"]),
        hub_token=values["hub_token"] is True,
        wandb_key=values["wandb_key"] is True,
        free_space=free_space,
    )


def _gpu(values: Mapping[str, Any]) -> Gpu:
    capability = values["capability"]
    if capability is not None:
        major, minor = (_number(part) or 0 for part in capability)
        capability = major, minor
    return Gpu(_text(values["name"]), _number(values["memory"]), _number(values["free"]), capability)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not a table")
    return value


def _texts(value: object) -> dict[str, str]:
    return {key: _text(text) for key, text in _table(value).items()}


def _version(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError(f"{value!r} is not a number of bytes")
    return value


def _models(cache: Path, here: Machine) -> Iterable[str]:
    for folder in cache.glob("models--*"):
        name = folder.name.removeprefix("models--").replace("--", "/")
        if name in here.hub:
            yield name
