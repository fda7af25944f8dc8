"""Installed packages, distributions and the requirements of extras, without importing any of them.

It reads names and versions from folder names, because `importlib.metadata` takes 10 ms to import and some ms for each
look-up.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from getiaction.spec.installing import install_command as install_command

_FOLDER = re.compile(r"(?P<name>[^-]+?)(?:-(?P<version>[^-]+?))?(?:-.*)?\.(?:dist|egg)-info")
_DOCUMENTATION = re.compile(r"^Project-URL: *documentation *, *(https?://\S+)$", re.MULTILINE | re.IGNORECASE)
_REQUIREMENT = re.compile(r"^Requires-Dist: *(.+)$", re.MULTILINE)
# The format of build tools for a requirement without conditions other than its extra.
_UNCONDITIONAL = re.compile(
    r"(?P<name>[\w.-]+)(?:\[(?P<extras>[\w,-]+)\])?(?P<versions>(?:[<>=!~]=?[\w.*]+,?)*); extra == ['\"][\w.-]+['\"]"
)
_EXTRA = re.compile(r"extra == ['\"]([\w.-]+)['\"]")
# Two different environments: a marker that is true in both is assumed to be true on any machine.
_NO_MACHINE = {"sys_platform": "", "platform_machine": "", "platform_system": ""}


@cache
def package_folder(name: str) -> Path | None:
    """Return the folder of an installed top-level package; None if it is not installed."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def normal(name: str) -> str:
    """Normalize the name of a distribution or extra: "Qwen_VL.utils" becomes "qwen-vl-utils"."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def distributions() -> Mapping[str, Path]:
    """Return name → metadata folder of installed distributions; the first one on Python's path wins."""
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
    """Return name → version of installed distributions; empty if the folder's name has no version."""
    found = {name: _FOLDER.fullmatch(folder.name) for name, folder in distributions().items()}
    return {name: match["version"] or "" for name, match in found.items() if match}


@cache
def requirements(distribution: str, extra: str, *, own: bool = False) -> Mapping[str, str]:
    """Return the requirements of an extra of an installed distribution: name → version specifier (">=5.4,<5.6").

    Args:
        distribution: its name.
        extra: the extra's name.
        own: only return the direct requirements on this machine. Otherwise, include those of further extras of the
            distribution, and exclude requirements for some platforms only, such as optional video decoders.
    """
    found: dict[str, str] = {}
    todo, seen = [normal(extra)], set[str]()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for line in _requirement_lines(distribution).get(current, ()):
            for name, extras, specifier in _parse_requirement(line, current, everywhere=not own):
                if name != normal(distribution):
                    found[name] = specifier
                elif not own:
                    todo += extras
    return dict(sorted(found.items()))


def _parse_requirement(line: str, extra: str, *, everywhere: bool) -> Iterator[tuple[str, list[str], str]]:
    """Yield name, extras and versions of a requirement if its conditions are true."""
    if plain := _UNCONDITIONAL.fullmatch(line):
        yield normal(plain["name"]), [normal(name) for name in (plain["extras"] or "").split(",")], plain["versions"]
        return
    from packaging.requirements import InvalidRequirement, Requirement  # takes 20 ms, and few requirements need it

    with suppress(InvalidRequirement):
        wanted = Requirement(line)
        machines = [{}, _NO_MACHINE] if everywhere else [{}]
        if wanted.marker and all(wanted.marker.evaluate({**machine, "extra": extra}) for machine in machines):
            yield normal(wanted.name), [normal(name) for name in wanted.extras], str(wanted.specifier)


def rule_url(code: str) -> str:
    """Return the URL of a rule's page on the documentation site in getiaction's metadata; empty if there is none."""
    site = _documentation_site()
    return f"{site}/rules/{code}/" if site else ""


@cache
def _documentation_site() -> str:
    try:
        text = (distributions()["getiaction"] / "METADATA").read_text(encoding="utf-8")
    except (KeyError, OSError):
        return ""
    site = _DOCUMENTATION.search(text.partition("\n\n")[0])
    return site[1].rstrip("/") if site else ""


@cache
def _requirement_lines(distribution: str) -> Mapping[str, list[str]]:
    """Return extra → lines of requirements whose markers name it, so that only few must be parsed."""
    try:
        text = (distributions()[normal(distribution)] / "METADATA").read_text(encoding="utf-8")
    except (KeyError, OSError):
        return {}
    found: dict[str, list[str]] = {}
    for line in _REQUIREMENT.findall(text.partition("\n\n")[0]):
        for extra in dict.fromkeys(map(normal, _EXTRA.findall(line))):
            found.setdefault(extra, []).append(line)
    return found
