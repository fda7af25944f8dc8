"""Which policies are installed: those that LeRobot registers, and those of plugins (`lerobot_policy_*`)."""

from __future__ import annotations

import functools
from pathlib import Path

from getiaction.spec import lerobot_parts
from getiaction.spec.policies import Entry, registered
from getiaction_cli.errors import LeRobotUnreadable
from getiaction_cli.installed import install_command, package_folder, versions
from getiaction_cli.plugins import plugin_entries, plugin_folders
from getiaction_cli.policies.sandbox import LightWorld

TESTED = "0.6.1"


def lerobot_folder() -> Path | None:
    """Where LeRobot is installed; None when it is not."""
    return package_folder("lerobot")


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
    found += plugin_entries()
    return {entry.name: entry for entry in found}
