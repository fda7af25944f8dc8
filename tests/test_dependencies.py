"""What the packages import is what pyproject.toml declares, so that an installation never works by chance."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("getiaction", "getiaction_cli")

NOT_DECLARED = {
    "torchcodec": "LeRobot asks for it where there are wheels; elsewhere videos are decoded with av",
    "peft": "comes with the extra of that name; a rule asks for it where a recipe trains adapters",
    "transformers": "comes with the extras of the policies that use it; guarded only where it is installed",
}


@cache
def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.split(r"[^\w.-]", line)[0] for line in project["dependencies"]]


def provided(name: str) -> set[str]:
    """The top-level modules of a distribution, read from its list of files (a tenth of the time of `.files`)."""
    lines = (distribution(name).read_text("RECORD") or "").splitlines()
    return {line.split(",")[0].split("/")[0].removesuffix(".py") for line in lines}


@cache
def imported() -> dict[str, list[str]]:
    """Top-level module that is neither Python's nor ours → where it is imported, also inside functions."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for module, line in statements(path):
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in PACKAGES:
                    found.setdefault(top, []).append(f"{path.relative_to(ROOT)}:{line}")
    return found


def statements(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno


def test_everything_imported_is_declared() -> None:
    known = set().union(*map(provided, declared()), NOT_DECLARED)
    assert not {module: places for module, places in imported().items() if module not in known}


def test_everything_declared_is_imported() -> None:
    assert not [name for name in declared() if not provided(name) & imported().keys()]


def test_no_exception_is_out_of_date() -> None:
    assert imported().keys() >= NOT_DECLARED.keys()
    assert not NOT_DECLARED.keys() & set(declared())
