"""The keys and values of recipes in a small JSON file, which completion reads in a millisecond.

It is built from LeRobot's and Lightning's source once per installed version (half a second) and stored in the user's
cache folder.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

_PACKAGES = ("lerobot-", "lerobot_policy_", "lightning-", "getiaction-")
_OWN_SOURCES = (
    "data/lerobot.py",
    "policies/lerobot/policy.py",
    "spec/adapters.py",
    "spec/averaging.py",
    "spec/evaluation.py",
    "spec/overridden.py",
)


def load() -> dict[str, Any]:
    """Load the index for the installed packages; build and store it if it does not exist."""
    file = _file()
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        index = build()
        _keep(index, file)
        return index


def build() -> dict[str, Any]:
    """Read the keys, words and help of every section of a recipe from source.

    Returns:
        ``{"policies": {name: {"class_path", "help", "keys"}}, "model", "sections", "data", "dataset", "trainer",
        "objects"}``;
        keys are ``{key: {"words": [...], "help": "..."}}``, objects are ``{kind: {class path: help}}``.
    """
    from getiaction.spec.overridden import NOT_OFFERED
    from getiaction_cli import policies
    from getiaction_cli.analysis.class_objects import HOMES, A, usable_names
    from getiaction_cli.environments import known_environments
    from getiaction_cli.recipe.layout import DATAMODULE, ENTRY, EVALUATION, MODEL_SECTIONS, WRAPPER
    from getiaction_cli.recipe.signatures import read_signature

    def keys(class_path: str) -> dict[str, Any]:
        signature = read_signature(class_path)
        parameters = signature.parameters.values() if signature else ()
        return {p.name: _key(p.choices, p.default, p.help) for p in parameters if p.name not in NOT_OFFERED | {"self"}}

    known: dict[str, Any] = {}
    for name in policies.names():
        policy = policies.load(name)
        known[name] = {
            "class_path": policy.class_path,
            "help": policy.summary,
            "keys": {
                field.name: _key(field.choices, policies.plain(field.default), field.help)
                for field in policy.fields.values()
                if field.name not in policies.NOT_PARAMETERS | NOT_OFFERED
            },
        }
    return {
        "policies": known,
        "wrapper": WRAPPER,
        "datamodule": DATAMODULE,
        "model": keys(WRAPPER),
        "sections": {name: keys(path) for name, path in MODEL_SECTIONS.items()},
        "data": keys(DATAMODULE),
        "dataset": keys(ENTRY),
        "trainer": keys("lightning.Trainer"),
        "evaluation": keys(EVALUATION),
        "environments": {
            name: {
                field.name: _key(field.choices, policies.plain(field.default), field.help)
                for field in environment.fields.values()
            }
            for name, environment in known_environments().items()
            if not environment.refused
        },
        "objects": {
            kind: {f"{module}.{name}": A[kind] for name in usable_names(kind)} for kind, module in HOMES.items()
        },
    }


def _key(choices: Any, default: Any, help: str) -> dict[str, Any]:
    words = [_text(choice) for choice in choices or ()]
    if not words and isinstance(default, bool):
        words = ["true", "false"]
    if not words and isinstance(default, str):  # Lightning only lists the allowed words in the help
        words = re.findall(r'"([a-z][\w-]*)"', help) or [default]
    if not words and isinstance(default, (int, float)):
        words = [_text(default)]
    return {"words": [word for word in words if word], "help": " ".join(help.split())[:160]}


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file() -> Path:
    """The file of this installation's index; its name contains the versions of the packages."""
    site = Path(__file__).resolve().parents[2]
    folders = {site, *map(Path, sys.path)}  # plugins may be in any folder
    installed = sorted(
        name.removesuffix(".dist-info")
        for folder in folders
        if folder.is_dir()
        for name in os.listdir(folder)  # noqa: PTH208 - three times as fast
        if name.endswith(".dist-info") and name.startswith(_PACKAGES)
    )
    sources = [Path(__file__), *(site / "getiaction" / source for source in _OWN_SOURCES)]
    newest = max((int(source.stat().st_mtime) for source in sources if source.is_file()), default=0)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "getiaction" / "completion" / f"{'+'.join(installed)}+{newest}.json"


def _keep(index: dict[str, Any], file: Path) -> None:
    """Store the index atomically. Errors such as a full disk are ignored."""
    from getiaction.files import write_atomically

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(index))
    except OSError:
        return
