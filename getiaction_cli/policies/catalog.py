"""Which policies are installed: those that LeRobot registers, and those of plugins (`lerobot_policy_*`)."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from getiaction.spec import lerobot_parts
from getiaction.spec.policies import Entry, entries_in, registered
from getiaction_cli.errors import LeRobotUnreadable
from getiaction_cli.installed import distributions, install_command, package_folder, versions
from getiaction_cli.policies.sandbox import LightWorld

_PLUGIN = "lerobot_policy_"
TESTED = "0.6.1"


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


def unreadable(reason: str = "") -> LeRobotUnreadable:
    """The error that names the installed LeRobot and what could not be read of it.

    Args:
        reason: what could not be read; empty when the report has said so.
    """
    version = versions().get("lerobot", "")
    return LeRobotUnreadable(
        f"LeRobot {version} in {lerobot_folder()} can't be read completely{f': {reason}' if reason else ''}",
        f"this version of getiaction is tested with lerobot {TESTED}: {install_command(f'lerobot=={TESTED}')}",
    )


@functools.cache
def missing_part() -> str:
    """What getiaction imports of LeRobot to train and the installed one lacks; empty when all of it is there."""
    folder = lerobot_folder()
    return lerobot_parts.missing_part(folder) if folder else ""


@functools.cache
def entries() -> dict[str, Entry]:
    """Every installed policy by name: LeRobot's in alphabetical order, then those of plugins."""
    found = list(registered())
    if not found and lerobot_folder() is not None:
        raise unreadable("it registers no policies in lerobot/policies/__init__.py")
    for plugin, folder in plugin_folders().items():
        for path in sorted(folder.rglob("*.py")):
            inner = ".".join(path.relative_to(folder).with_suffix("").parts)
            found += entries_in(path, f"{plugin}.{inner}", plugin)
    return {entry.name: entry for entry in found}
