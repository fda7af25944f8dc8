"""Properties of a policy besides its parameters: title and paper, inputs, downloads and required packages.

Title, paper and description come from LeRobot's own model card template, the packages of its extra from LeRobot's
installed metadata, the rest from `getiaction/spec/facts.toml`, where each fact has its evidence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from getiaction.spec import facts
from getiaction_cli.installed import install_command, requirements, versions
from getiaction_cli.policies.catalog import Entry, lerobot_folder

_CARD = re.compile(r'model_name == "(\w+)" %\}\n(.*?)\n\{%', re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((http[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Download:
    """A download from the Hub (or from PyTorch) that a policy needs.

    Args:
        what: description of the files.
        parameter: the parameter that names it; nothing is downloaded if that is null or a local folder.
        repo_id: the Hub repository, if no parameter names it.
        gated: whether its licence must be accepted on the Hub first.
        starts: whether it is the pretrained policy that LeRobot starts from by default.
        weights: False if only configurations, tokenizers and processors are read; the name of a parameter if that
            decides.
        folders: the folders of the repository that are read; empty for all.
    """

    what: str
    parameter: str = ""
    repo_id: str = ""
    gated: bool = False
    starts: bool = False
    weights: bool | str = True
    folders: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class About:
    """Texts and requirements of one policy; mostly empty for a plugin, of which only the source is known."""

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
        """The command that installs the missing packages; empty if none are missing."""
        return install_command(f"getiaction[{self.extra}]") if self.missing and self.extra else ""


def about(name: str, entry: Entry) -> About:
    """Collect the properties of a policy."""
    if entry.plugin:
        return About(title=entry.config_class.removesuffix("Config"), summary=_first_sentence(_docstring(entry)))
    known = facts.of(name)
    title, paper, description = _cards().get(name, ("", "", ""))
    extra = facts.value(name, "extra")
    return About(
        title=known.get("name") or title or entry.config_class.removesuffix("Config"),
        summary=known.get("task") or _first_sentence(description or _docstring(entry)),
        description=description,
        paper=facts.value(name, "paper") or paper,
        reads={
            "cameras": known["cameras"],
            "state": known["state"],
            "language": facts.holds(name, "reads_language"),
            "reward": facts.holds(name, "reads_reward"),
        }
        if known
        else {},
        downloads=tuple(
            Download(**{key: value for key, value in item.items() if key != "evidence"})
            for item in known.get("downloads", [])
        ),
        extra=extra,
        missing=tuple(_missing(extra)) if extra else (),
        base=facts.value(name, "base", ""),
        why_not=known.get("why_not", ""),
    )


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
    except SyntaxError:  # in a plugin
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == entry.config_class:
            return ast.get_docstring(node) or ""
    return ""


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]


def _missing(extra: str) -> list[str]:
    """The distributions that an extra of LeRobot requires and that are not installed."""
    return [name for name in requirements("lerobot", extra) if name not in versions()]
