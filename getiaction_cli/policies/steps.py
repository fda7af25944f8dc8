"""Read the processing steps that LeRobot and policy plugins define from their source."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from getiaction_cli.policies.catalog import lerobot_folder, plugin_folders

_CLASS = re.compile(r"^((?:@[^\n]*\n)*)class (\w+)\(([^)]*)\)", re.MULTILINE)
_REGISTERED = re.compile(r"@ProcessorStepRegistry\.register\(\s*(?:name\s*=\s*)?[\"']([\w-]+)[\"']")
_BASE = "ProcessorStep"


class InstalledSteps:
    """The steps that are allowed in a checkpoint's processors; the training core checks the loaded classes instead."""

    def has_name(self, name: str) -> bool:
        """Whether a name is in LeRobot's registry of steps."""
        return name in _known()[0]

    def has_class(self, path: str) -> bool:
        """Whether a path is that of a step's class, in its module or in a package above it."""
        module, _, name = path.rpartition(".")
        return any(f"{home}.".startswith(f"{module}.") for home in _known()[1].get(name, ()))


@functools.cache
def _known() -> tuple[frozenset[str], dict[str, list[str]]]:
    """Registered names, and class name → the modules that define such a step."""
    bases: dict[str, set[str]] = {}
    modules: dict[str, list[str]] = {}
    registered: dict[str, str] = {}
    for module, path in _files():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if _BASE not in text:
            continue
        for decorators, name, parents in _CLASS.findall(text):
            bases.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:\[|,|$)", parents))
            modules.setdefault(name, []).append(module)
            if found := _REGISTERED.search(decorators):
                registered[found[1]] = name
    steps = {_BASE}
    while more := {name for name, parents in bases.items() if parents & steps} - steps:
        steps |= more
    names = frozenset(name for name, of in registered.items() if of in steps)
    return names, {name: homes for name, homes in modules.items() if name in steps}


def _files() -> Iterator[tuple[str, Path]]:
    """Yield (module, file) of files that may define steps, except those that control robots."""
    roots = [(name, folder, folder) for name, folder in plugin_folders().items()]
    if (lerobot := lerobot_folder()) is not None:
        roots += [("lerobot", lerobot, lerobot / part) for part in ("processor", "policies")]
    for name, top, folder in roots:
        for path in sorted(folder.rglob("*.py")):
            yield ".".join((name, *path.relative_to(top).with_suffix("").parts)), path
