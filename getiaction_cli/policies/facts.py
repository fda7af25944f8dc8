"""What is true of a policy besides its parameters: its name and paper, what it reads, downloads and needs installed.

Name, paper and description come from LeRobot's own model card template, what its extra needs from LeRobot's installed
metadata, the rest from `facts.toml`, where each fact stands with its source.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from getiaction_cli.installed import install_command, requirements, versions
from getiaction_cli.policies.catalog import Entry, lerobot_folder

_CARD = re.compile(r'model_name == "(\w+)" %\}\n(.*?)\n\{%', re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((http[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Download:
    """Something fetched from the Hub (or from PyTorch) before a policy can start.

    Args:
        what: in words.
        parameter: the parameter that names it; nothing is fetched where that is null or a local folder.
        repo_id: the Hub repository, where no parameter names it.
        gated: True when its licence must be accepted on the Hub first.
    """

    what: str
    parameter: str = ""
    repo_id: str = ""
    gated: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one policy; empty for a plugin, about which nothing but its source is known."""

    title: str = ""
    summary: str = ""
    description: str = ""
    paper: str = ""
    reads: dict[str, Any] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()
    extra: str | None = None
    missing: tuple[str, ...] = ()
    base: str = ""
    why_not: str = ""

    @property
    def install_command(self) -> str:
        """The command that installs what is missing."""
        return install_command(f"getiaction[{self.extra}]") if self.missing and self.extra else ""


def about(name: str, entry: Entry) -> Facts:
    """The facts about a policy."""
    if entry.plugin:
        return Facts(title=entry.config_class.removesuffix("Config"), summary=_first_sentence(_docstring(entry)))
    known = table().get(name, {})
    title, paper, description = _cards().get(name, ("", "", ""))
    extra = known.get("extra")
    return Facts(
        title=known.get("name") or title or entry.config_class.removesuffix("Config"),
        summary=known.get("task") or _first_sentence(description or _docstring(entry)),
        description=description,
        paper=known.get("paper") or paper,
        reads={key: known[key] for key in ("cameras", "state", "language", "reward") if key in known},
        downloads=tuple(
            Download(**{key: value for key, value in item.items() if key != "source"})
            for item in known.get("downloads", [])
        ),
        extra=extra,
        missing=tuple(_missing(extra)) if extra else (),
        base=known.get("base", ""),
        why_not=known.get("why_not", ""),
    )


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """`facts.toml`."""
    import tomllib

    return tomllib.loads(Path(__file__).with_name("facts.toml").read_text(encoding="utf-8"))


@functools.cache
def _cards() -> dict[str, tuple[str, str, str]]:
    """Policy → (title, link, description) from LeRobot's model card template."""
    folder = lerobot_folder()
    card = folder / "templates" / "lerobot_modelcard_template.md" if folder else None
    if card is None or not card.is_file():
        return {}
    found = {}
    for name, text in _CARD.findall(card.read_text(encoding="utf-8")):
        link = _LINK.search(text)
        found[name] = (link[1], link[2], _LINK.sub(r"\1", text)) if link else ("", "", text)
    return found


def _docstring(entry: Entry) -> str:
    import ast

    try:
        tree = ast.parse(entry.path.read_text(encoding="utf-8"))
    except SyntaxError:  # a plugin's own
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == entry.config_class:
            return ast.get_docstring(node) or ""
    return ""


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]


def _missing(extra: str) -> list[str]:
    """The distributions that an extra of LeRobot asks for and that are not installed."""
    return [name for name in requirements("lerobot", extra) if name not in versions()]
