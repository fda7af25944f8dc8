"""Check, without importing it, that a LeRobot has all modules and names that getiaction's core imports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_CORE = Path(__file__).parents[1]
_PACKAGES = ("data", "evaluation", "lerobot", "policies", "train")
_IMPORT = re.compile(r"from (lerobot[\w.]*) import (\([^)]*\)|.*)")
_FORMAT = re.compile(r"^CODEBASE_VERSION\b[^=\n]*=\s*[\"']v?(\d+)", re.MULTILINE)
_INFO_CLASS = re.compile(r"^class DatasetInfo\b.*?(?=^    def |\Z)", re.MULTILINE | re.DOTALL)
_REQUIRED_FIELD = re.compile(r"^    (\w+): [^=\n]+$", re.MULTILINE)
# What LeRobot 0.6 requires of info.json; the checks of a dataset look for these.
_REQUIRED_KEYS = {"codebase_version", "fps", "features"}
_NAME = re.compile(r"(\w+)(?: as \w+)?(?:,|\s*$)", re.MULTILINE)


def missing_part(lerobot: Path) -> str:
    """The first module or name that the core imports and this LeRobot lacks; empty if it has all of them.

    Args:
        lerobot: the folder of the package ``lerobot``.
    """
    texts: dict[str, str] = {}
    for module, name in imported():
        folder = lerobot.parent.joinpath(*module.split("."))
        file = folder.with_suffix(".py")
        if not file.is_file():
            if not folder.is_dir():
                return module
            if (folder / f"{name}.py").is_file() or (folder / name).is_dir():
                continue
            file = folder / "__init__.py"
        if module not in texts:
            texts[module] = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        if name not in texts[module]:
            return f"{module}.{name}"
    written = _FORMAT.search(texts["lerobot.datasets.dataset_metadata"])
    if written and written[1] != "3":
        return f"datasets of the format v3: its own is v{written[1]}"
    unknown = sorted(_required_keys(lerobot) - _REQUIRED_KEYS)
    return f"datasets without `{unknown[0]}` in info.json" if unknown else ""


def _required_keys(lerobot: Path) -> set[str]:
    """The keys of info.json without which LeRobot reads no dataset; empty where it does not list them."""
    file = lerobot / "datasets/utils.py"
    found = _INFO_CLASS.search(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else None
    return set(_REQUIRED_FIELD.findall(found[0])) if found else set()


def imported() -> Iterator[tuple[str, str]]:
    """Every (module, name) that the core imports from LeRobot, read from the core's source."""
    for package in _PACKAGES:
        for file in sorted((_CORE / package).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            for module, names in _IMPORT.findall(text) if "from lerobot" in text else ():
                plain = re.sub(r"#.*", "", names).strip("() \n")
                yield from ((module, name) for name in _NAME.findall(plain))
