"""The policies that LeRobot registers, read from its source without importing it, and the class that runs each.

`getiaction.policies.lerobot.X` runs the policy whose configuration class is `XConfig`: `ACTConfig`, registered as
"act", gives `ACT`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# The name, or the constant that holds it; other decorators may be between it and the class.
_REGISTERED = re.compile(
    r"^@PreTrainedConfig\.register_subclass\(\s*(?:name\s*=\s*)?(?:[\"']([\w-]+)[\"']|(\w+))\s*,?\s*\)(?=.*?^class\s+(\w+))",
    re.MULTILINE | re.DOTALL,
)
_CONFIGURATION = re.compile(r"^class\s+\w+\([^)]*PreTrainedConfig", re.MULTILINE)
_IMPORTED = re.compile(r"^from (?:\.|lerobot\.policies\.)([\w.]*configuration_\w+) import", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered policy and the file of its configuration class.

    Args:
        name: the name it is registered under ("act").
        config_class: the name of its configuration class ("ACTConfig").
        module: the module of that class.
        path: the file.
        plugin: the distribution it comes from; None for LeRobot itself.
    """

    name: str
    config_class: str
    module: str
    path: Path
    plugin: str | None = None

    @property
    def class_name(self) -> str:
        """The name of its class in `getiaction.policies.lerobot` ("ACT"); plugins do not have one there."""
        return self.config_class.removesuffix("Config")


@functools.cache
def registered() -> tuple[Entry, ...]:
    """LeRobot's own policies, sorted by name; empty if LeRobot is not installed or registers them differently."""
    found = [entry for path, module in _imported() for entry in entries_in(path, module, None)]
    return tuple(sorted(found, key=lambda entry: entry.name))


def unread() -> list[str]:
    """The files of LeRobot with a policy's configuration that is registered in a way that can't be read."""
    named = {entry.path for entry in registered()}
    return [path.name for path, _ in _imported() if path not in named and _CONFIGURATION.search(_text(path))]


def policy_of_class(class_name: str) -> str | None:
    """LeRobot's name of the policy with that class ("VQBeT" → "vqbet"), in any case; None for any other word."""
    return next((entry.name for entry in registered() if entry.class_name.lower() == class_name.lower()), None)


def entries_in(path: Path, module: str, plugin: str | None) -> list[Entry]:
    """The policies that one file registers.

    Args:
        path: the file.
        module: its name as a module.
        plugin: the distribution it belongs to; None for LeRobot itself.
    """
    text = _text(path)
    found = [(name or _constant(text, constant), config) for name, constant, config in _REGISTERED.findall(text)]
    return [Entry(name, config_class, module, path, plugin) for name, config_class in found if name]


def _constant(text: str, name: str) -> str:
    value = re.search(rf"^{name}\b[^=\n]*=\s*[\"']([\w-]+)[\"']", text, re.MULTILINE)
    return value[1] if value else ""


@functools.cache
def _imported() -> tuple[tuple[Path, str], ...]:
    """The configuration files that `lerobot.policies` imports, with their modules: no other one is registered."""
    spec = find_spec("lerobot")
    if spec is None or not spec.submodule_search_locations:
        return ()
    folder = Path(next(iter(spec.submodule_search_locations))) / "policies"
    parts = _IMPORTED.findall(_text(folder / "__init__.py"))
    return tuple((folder.joinpath(*part.split(".")).with_suffix(".py"), f"lerobot.policies.{part}") for part in parts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
