"""Policies of plugins (`lerobot_policy_*`), found by the names of distributions without executing their code."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from getiaction.spec.policies import Entry, entries_in
from getiaction_cli.installed import distributions, package_folder

_PLUGIN = "lerobot_policy_"


@functools.cache
def plugin_folders() -> dict[str, Path]:
    """Return import name → folder of the installed policy plugins: distributions whose name has the prefix."""
    found: dict[str, Path] = {}
    for metadata in distributions().values():
        # "lerobot_policy_foo-0.1.dist-info": LeRobot imports a module with the name of the distribution.
        if metadata.name.startswith(_PLUGIN) and _has_lerobots_spelling(metadata):
            module = metadata.name.partition("-")[0].removesuffix(".egg").removesuffix(".dist")
            if folder := package_folder(module):
                found[module] = folder
    return dict(sorted(found.items()))


def _has_lerobots_spelling(metadata: Path) -> bool:
    """False for "lerobot-policy-foo", the spelling of some build tools: LeRobot does not find such a plugin."""
    for file in ("METADATA", "PKG-INFO"):
        try:
            text = (metadata / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name = re.search(r"^Name: *(\S+)", text, re.MULTILINE)
        return name is None or name[1].startswith(_PLUGIN)
    return True


def plugin_entries() -> list[Entry]:
    """Return the policies that plugins register."""
    found: list[Entry] = []
    for plugin, folder in plugin_folders().items():
        for path in sorted(folder.rglob("*.py")):
            inner = ".".join(path.relative_to(folder).with_suffix("").parts)
            found += entries_in(path, f"{plugin}.{inner}", plugin)
    return found
