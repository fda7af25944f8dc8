"""A rule's page on the terminal: its Markdown, with headings and code set apart."""

from __future__ import annotations

import re

from getiaction_cli.rendering.text import Paint

_CODE = re.compile(r"`([^`\n]+)`")


def render(code: str, name: str, severity: str, page: str, *, color: bool = False) -> str:
    """The page under a heading that names the rule; plain Markdown where there are no colours."""
    paint = Paint(color)
    title, _, body = page.partition("\n")
    lines = [paint("bold", f"{code} {name}") + f" ({severity})", "", title]
    fenced = False
    for line in body.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            if color:
                continue
        elif fenced and color:
            line = f"    {paint('info', line)}"
        elif line.startswith("## ") and color:
            line = paint("bold", line.removeprefix("## "))
        elif color:
            line = _CODE.sub(lambda match: paint("info", match[1]), line)
        lines.append(line)
    return "\n".join(lines).rstrip() + "\n"
