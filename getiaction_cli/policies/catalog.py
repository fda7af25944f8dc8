"""Which policies are installed: those that LeRobot registers, and those of plugins (`lerobot_policy_*`)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from getiaction_cli.installed import distributions, package_folder
from getiaction_cli.policies.sandbox import LightWorld

_REGISTERED = re.compile(
    r"^@PreTrainedConfig\.register_subclass\(\s*(?:name\s*=\s*)?[\"']([\w-]+)[\"']\s*,?\s*\)\s*(?:@[^\n]*\n)*\s*class\s+(\w+)",
    re.MULTILINE,
)
_PLUGIN = "lerobot_policy_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered policy and the file that says what it accepts.

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


def lerobot_folder() -> Path | None:
    """Where LeRobot is installed; None when it is not."""
    return package_folder("lerobot")


@functools.cache
def plugin_folders() -> dict[str, Path]:
    """The installed policy plugins: import name → folder. A plugin counts when its distribution bears the prefix."""
    found: dict[str, Path] = {}
    for metadata in distributions().values():
        # "lerobot_policy_foo-0.1.dist-info"; LeRobot imports the distribution's name as a module.
        if metadata.name.startswith(_PLUGIN) and _is_named_as_lerobot_asks(metadata):
            module = metadata.name.partition("-")[0].removesuffix(".egg").removesuffix(".dist")
            if folder := package_folder(module):
                found[module] = folder
    return dict(sorted(found.items()))


def _is_named_as_lerobot_asks(metadata: Path) -> bool:
    """False for "lerobot-policy-foo", as some builders write the name: LeRobot finds no plugin there."""
    for file in ("METADATA", "PKG-INFO"):
        try:
            text = (metadata / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name = re.search(r"^Name: *(\S+)", text, re.MULTILINE)
        return name is None or name[1].startswith(_PLUGIN)
    return True


@functools.cache
def world() -> LightWorld:
    """The one set of lightly executed modules of this process."""
    roots = dict(plugin_folders())
    if folder := lerobot_folder():
        roots["lerobot"] = folder
    return LightWorld(roots)


@functools.cache
def entries() -> dict[str, Entry]:
    """Every installed policy by name: LeRobot's in alphabetical order, then those of plugins."""
    found: list[Entry] = []
    if folder := lerobot_folder():
        # `lerobot.policies` registers what it imports; a configuration file that it leaves out is not registered.
        init = (folder / "policies" / "__init__.py").read_text(encoding="utf-8")
        for part in re.findall(r"^from \.([\w.]*configuration_\w+) import", init, re.MULTILINE):
            path = folder.joinpath("policies", *part.split(".")).with_suffix(".py")
            found += _registered_in(path, f"lerobot.policies.{part}", None)
    found.sort(key=lambda entry: entry.name)
    for plugin, folder in plugin_folders().items():
        for path in sorted(folder.rglob("*.py")):
            inner = ".".join(path.relative_to(folder).with_suffix("").parts)
            found += _registered_in(path, f"{plugin}.{inner}", plugin)
    return {entry.name: entry for entry in found}


def _registered_in(path: Path, module: str, plugin: str | None) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [Entry(name, config_class, module, path, plugin) for name, config_class in _REGISTERED.findall(text)]
