"""What is installed: packages by folder, distributions by version, and what an extra asks for. Nothing is imported.

`importlib.metadata` takes 10 ms to import and some ms for each look-up; names and versions also stand in the names of
the folders that it would read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from getiaction.spec.installing import install_command as install_command

_FOLDER = re.compile(r"(?P<name>[^-]+?)(?:-(?P<version>[^-]+?))?(?:-.*)?\.(?:dist|egg)-info")
_REQUIREMENT = re.compile(r"^Requires-Dist: ([\w.-]+)(?:\[([\w,-]+)\])?([^;\n]*);?(.*)$", re.MULTILINE)
_EXTRA = re.compile(r"extra == ['\"]([\w.-]+)['\"]")
_ONLY_SOME_MACHINES = re.compile(r"platform_machine|sys_platform|platform_system")


@cache
def package_folder(name: str) -> Path | None:
    """The folder of an installed top-level package; None when there is none of that name."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def normal(name: str) -> str:
    """A distribution's or an extra's name as all spellings of it are compared: "Qwen_VL.utils" is "qwen-vl-utils"."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def distributions() -> Mapping[str, Path]:
    """Name → metadata folder of each installed distribution; the first on Python's path counts, as it does there."""
    found: dict[str, Path] = {}
    for place in map(Path, dict.fromkeys(part or "." for part in sys.path)):
        try:
            names = os.listdir(place)  # noqa: PTH208 - names alone, for hundreds of entries
        except OSError:
            continue
        for name in names:
            if match := _FOLDER.fullmatch(name):
                found.setdefault(normal(match["name"]), place / name)
    return found


@cache
def versions() -> Mapping[str, str]:
    """Name → version of each installed distribution; empty where its folder's name does not say."""
    found = {name: _FOLDER.fullmatch(folder.name) for name, folder in distributions().items()}
    return {name: match["version"] or "" for name, match in found.items() if match}


@cache
def requirements(distribution: str, extra: str) -> Mapping[str, str]:
    """What an extra of an installed distribution asks for on every machine: name → version specifier (">=5.4,<5.6").

    Extras of the distribution that the extra asks for itself are followed; what only some machines need is left out.
    """
    of_extra = _requirements(distribution)
    found: dict[str, str] = {}
    todo, seen = [normal(extra)], set[str]()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for name, inner, specifier in of_extra.get(current, ()):
            if name == normal(distribution):
                todo += map(normal, inner.split(","))
            else:
                found[name] = specifier
    return dict(sorted(found.items()))


@cache
def _requirements(distribution: str) -> dict[str, list[tuple[str, str, str]]]:
    """Extra → (name, extras of it, version specifier) of each distribution that it names."""
    try:
        text = (distributions()[normal(distribution)] / "METADATA").read_text(encoding="utf-8")
    except (KeyError, OSError):
        return {}
    of_extra: dict[str, list[tuple[str, str, str]]] = {}
    for name, inner, specifier, marker in _REQUIREMENT.findall(text):
        if not _ONLY_SOME_MACHINES.search(marker):
            for extra in _EXTRA.findall(marker):
                of_extra.setdefault(normal(extra), []).append((normal(name), inner, specifier.strip(" ()")))
    return of_extra
