"""Policies of plugins (`lerobot_policy_*`): found by the names of what is installed; none of their code is executed."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from getiaction.spec.policies import Entry, entries_in
from getiaction_cli.installed import distributions, package_folder

_PLUGIN = "lerobot_policy_"


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


def plugin_entries() -> list[Entry]:
    """The policies that plugins register."""
    found: list[Entry] = []
    for plugin, folder in plugin_folders().items():
        for path in sorted(folder.rglob("*.py")):
            inner = ".".join(path.relative_to(folder).with_suffix("").parts)
            found += entries_in(path, f"{plugin}.{inner}", plugin)
    return found
