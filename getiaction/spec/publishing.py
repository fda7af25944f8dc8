"""The upload of a trained policy to the Hub, as a recipe requests it with LeRobot's field names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class Upload:
    """An upload that a recipe requests.

    Args:
        repo_id: `user/name` on the Hub.
        private: whether the repository is private; None for the account's default, as in LeRobot.
    """

    repo_id: str
    private: bool | None = None


def upload_of(arguments: Mapping[str, Any]) -> Upload | None:
    """Read the upload that `model.init_args` requests; None without `push_to_hub: true`.

    Args:
        arguments: the policy's parameters, including those under `config_kwargs`.
    """
    values = {**(arguments.get("config_kwargs") or {}), **arguments}
    if values.get("push_to_hub") is not True:
        return None
    private = values.get("private")
    return Upload(str(values.get("repo_id") or ""), private if isinstance(private, bool) else None)


def name_problem(repo_id: str) -> str:
    """Return why a repository name is invalid on the Hub; empty if it is valid."""
    user, slash, name = repo_id.partition("/")
    if not slash or "/" in name:
        return "a name on the Hub is written user/name"
    if not _NAME.fullmatch(user) or not _NAME.fullmatch(name) or "--" in repo_id or ".." in repo_id:
        return "a name on the Hub has letters, digits, `-`, `_` and `.`, and neither `--` nor `..`"
    if name.endswith(".git"):
        return "a name on the Hub must not end in .git"
    return ""
