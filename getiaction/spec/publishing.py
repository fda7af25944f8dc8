"""What a recipe says about uploading its policy to the Hub, with the field names of LeRobot's configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class Upload:
    """An upload that a recipe asks for.

    Args:
        repo_id: `user/name` on the Hub.
        private: who may see it; None is the default of the account, as in LeRobot.
    """

    repo_id: str
    private: bool | None = None


def upload_of(arguments: Mapping[str, Any]) -> Upload | None:
    """Read the upload that `model.init_args` asks for; None without `push_to_hub: true`.

    Args:
        arguments: the policy's parameters, those under `config_kwargs` too.
    """
    said = {**(arguments.get("config_kwargs") or {}), **arguments}
    if said.get("push_to_hub") is not True:
        return None
    private = said.get("private")
    return Upload(str(said.get("repo_id") or ""), private if isinstance(private, bool) else None)


def name_problem(repo_id: str) -> str:
    """Say what is wrong with the name of a repository on the Hub; empty where it can be one."""
    user, slash, name = repo_id.partition("/")
    if not slash or "/" in name:
        return "a name on the Hub is written user/name"
    if not _NAME.fullmatch(user) or not _NAME.fullmatch(name) or "--" in repo_id or ".." in repo_id:
        return "a name on the Hub has letters, digits, `-`, `_` and `.`, and neither `--` nor `..`"
    if name.endswith(".git"):
        return "a name on the Hub must not end in .git"
    return ""
