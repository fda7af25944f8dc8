"""A rule's documentation page on a terminal, with highlighted headings and code."""

from __future__ import annotations

import re

from getiaction_cli.rendering.text import Paint, reflow, wrap

_CODE = re.compile(r"`([^`]+)`")


def render(code: str, name: str, severity: str, page: str, *, columns: int, color: bool = False) -> str:
    """Return the page with a heading of code, name and severity; without colours, the body stays Markdown."""
    paint = Paint(color)
    title, _, body = page.partition("\n")
    body = reflow(body, columns).strip("\n")
    if color:
        # Every second part is fenced code.
        parts = re.split(r"^```.*\n?", body, flags=re.MULTILINE)
        parts[0::2] = [_prose(part, paint) for part in parts[0::2]]
        parts[1::2] = [re.sub("^.+", lambda line: "    " + paint("info", line[0]), p, flags=re.M) for p in parts[1::2]]
        body = "".join(parts).rstrip("\n")
    return f"{paint('bold', f'{code} {name}')} ({severity})\n\n{wrap(title, columns, '')}\n\n{body}\n"


def _prose(markdown: str, paint: Paint) -> str:
    text = _CODE.sub(lambda code: "\n".join(paint("info", line) for line in code[1].split("\n")), markdown)
    return re.sub("^## (.*)", lambda head: paint("bold", head[1]), text, flags=re.MULTILINE)
