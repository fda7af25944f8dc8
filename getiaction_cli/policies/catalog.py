"""The installed policies: those that LeRobot registers, and those of plugins (`lerobot_policy_*`)."""

from __future__ import annotations

import functools
from pathlib import Path

from getiaction.spec import lerobot_parts
from getiaction.spec.policies import Entry, registered, unread
from getiaction_cli.errors import LeRobotUnreadable
from getiaction_cli.installed import install_command, package_folder, versions
from getiaction_cli.plugins import plugin_entries, plugin_folders
from getiaction_cli.policies.sandbox import LightLeRobot

TESTED = "0.6.1"


def lerobot_folder() -> Path | None:
    """The folder of the installed LeRobot; None if it is not installed."""
    return package_folder("lerobot")


@functools.cache
def light_lerobot() -> LightLeRobot:
    """LeRobot's configuration modules, executed without torch; one instance per process."""
    roots = dict(plugin_folders())
    if folder := lerobot_folder():
        roots["lerobot"] = folder
    return LightLeRobot(roots)


def unreadable(reason: str = "") -> LeRobotUnreadable:
    """The error that the installed LeRobot can't be read completely.

    Args:
        reason: what could not be read; empty if the report shows it.
    """
    version = versions().get("lerobot", "")
    return LeRobotUnreadable(
        f"LeRobot {version} in {lerobot_folder()} can't be read completely{f': {reason}' if reason else ''}",
        f"this version of getiaction is tested with lerobot {TESTED}: {install_command(f'lerobot=={TESTED}')}",
    )


def is_tested() -> bool:
    """True for the version of LeRobot that getiaction is tested with, and where LeRobot is not installed."""
    return versions().get("lerobot", TESTED) == TESTED


@functools.cache
def missing_part() -> str:
    """The first part of LeRobot that training imports and the installed one lacks; empty if it has all of them."""
    folder = lerobot_folder()
    return lerobot_parts.missing_part(folder) if folder else ""


@functools.cache
def entries() -> dict[str, Entry]:
    """All installed policies by name: LeRobot's in alphabetical order, then those of plugins."""
    found = list(registered())
    if not found and lerobot_folder() is not None:
        raise unreadable("it registers no policies in lerobot/policies/__init__.py")
    if hidden := unread():
        raise unreadable(f"the name under which {', '.join(hidden)} registers its policy")
    found += plugin_entries()
    return {entry.name: entry for entry in found}
