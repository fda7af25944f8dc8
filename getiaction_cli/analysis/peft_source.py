"""Read methods and defaults of adapters from the source of the installed PEFT and LeRobot, without importing them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from getiaction_cli.installed import package_folder

# The fields that LeRobot sets for every method: a rank, its targets, and the modules that are trained completely.
_GIVEN = ("r", "target_modules", "modules_to_save")
# The error of a method that needs more than a rank.
_NOT_ENOUGH = re.compile(r"raise ValueError\(\s*f?\"[^\"]*(?:does not work when `|only specify either r )")
# The field that LeRobot's `init_type` sets, for the methods that have one.
_STARTS = {"LORA": "init_lora_weights", "MISS": "init_weights"}


@cache
def methods() -> tuple[str, ...] | None:
    """PEFT's methods; None if it is not installed."""
    body = _read("peft", "utils/peft_types.py").partition("class PeftType")[2].partition("\nclass ")[0]
    return tuple(re.findall(r"^    ([A-Z][A-Z0-9_]*) = ", body, re.MULTILINE)) or None


@cache
def can_be_set_up(method: str) -> bool:
    """Whether a method accepts the fields that LeRobot sets; true if PEFT's source can't be read."""
    source = _read("peft", f"tuners/{method.lower()}/config.py")
    if not source:
        return True
    takes = all(re.search(rf"^    {field}: ", source, re.MULTILINE) for field in _GIVEN)
    return takes and not _NOT_ENOUGH.search(source)


@cache
def starts(method: str) -> tuple[str, ...] | None:
    """The allowed values of `init_type` for a method; empty if it does not have one, None if that can't be read."""
    if method not in _STARTS:
        return ()
    declared = re.compile(rf"^    {_STARTS[method]}: (.*?)= field\(", re.MULTILINE | re.DOTALL)
    found = declared.search(_read("peft", f"tuners/{method.lower()}/config.py"))
    return tuple(re.findall(r'"([\w\[\] ]+)"', found[1])) if found else None


def is_start(method: str, word: str) -> bool:
    """Whether a method accepts this `init_type`; true if that can't be read."""
    known = starts(method)
    return known is None or any(word == each or ("[" in each and word.startswith(each.split("[")[0])) for each in known)


@cache
def adapts(method: str, layer: str) -> bool:
    """Whether a method adapts a kind of layer ("Conv2d"); true if PEFT's source can't be read."""
    folder = (package_folder("peft") or Path("/nowhere")) / "tuners" / method.lower()
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    return not source or bool(re.search(rf"isinstance\([^)]*nn\.{layer}\b", source))


@cache
def default_targets(policy: str) -> str | None:
    """LeRobot's default targets for a policy, a regular expression; empty if it can't be read, None without any."""
    source = _read("lerobot", f"policies/{policy}/modeling_{policy}.py")
    if "def _get_default_peft_targets" not in source:
        return None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == "_get_default_peft_targets":
            return _texts(node).get("target_modules", "")
    return ""


def _texts(function: ast.FunctionDef) -> dict[str, str]:
    """The strings that a function assigns to its variables."""
    known: dict[str, str] = {}
    for node in function.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
            texts = [_text(part, known) for part in parts]
            if None not in texts:
                known[node.targets[0].id] = "".join(text or "" for text in texts)
    return known


def _text(node: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        return known.get(node.value.id)
    return None


def _read(package: str, name: str) -> str:
    home = package_folder(package)
    file = home / name if home else None
    return file.read_text(encoding="utf-8") if file and file.is_file() else ""
