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

_REGISTERED = re.compile(
    r"^@PreTrainedConfig\.register_subclass\(\s*(?:name\s*=\s*)?[\"']([\w-]+)[\"']\s*,?\s*\)\s*(?:@[^\n]*\n)*\s*class\s+(\w+)",
    re.MULTILINE,
)
_IMPORTED = re.compile(r"^from \.([\w.]*configuration_\w+) import", re.MULTILINE)


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
    spec = find_spec("lerobot")
    if spec is None or not spec.submodule_search_locations:
        return ()
    folder = Path(next(iter(spec.submodule_search_locations))) / "policies"
    try:
        # A configuration is registered when `lerobot.policies` imports its file.
        init = (folder / "__init__.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    found: list[Entry] = []
    for part in _IMPORTED.findall(init):
        path = folder.joinpath(*part.split(".")).with_suffix(".py")
        found += entries_in(path, f"lerobot.policies.{part}", None)
    return tuple(sorted(found, key=lambda entry: entry.name))


def entries_in(path: Path, module: str, plugin: str | None) -> list[Entry]:
    """The policies that one file registers.

    Args:
        path: the file.
        module: its name as a module.
        plugin: the distribution it belongs to; None for LeRobot itself.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [Entry(name, config_class, module, path, plugin) for name, config_class in _REGISTERED.findall(text)]
