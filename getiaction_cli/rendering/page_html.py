"""One self-contained HTML page: its frame, sections and findings. Texts are a stranger's and always escaped."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from getiaction_cli.control import clean
from getiaction_cli.installed import rule_url

if TYPE_CHECKING:
    from getiaction_cli.diagnostics import Diagnostic


def page(title: str, body: str, *, script: str = "") -> str:
    """The document, which loads nothing from the network.

    Args:
        title: of the document.
        body: its sections.
        script: name of a file beside this one; it is embedded, and the page's policy runs no other script.
    """
    folder = Path(__file__).parent
    template = (folder / "page.html").read_text(encoding="utf-8")
    code = (folder / script).read_text(encoding="utf-8") if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    parts = {"TITLE": text(title), "BODY": body + (f"\n<script>{code}</script>" if code else "")}
    parts["SCRIPTS"] = f"'sha256-{digest}'" if code else "'none'"
    # In one pass: a text that holds another mark stays a text.
    return re.sub("@(TITLE|SCRIPTS|BODY)@", lambda match: parts[match[1]], template)


def data(name: str, value: object) -> str:
    """JSON in the page, for its script to read from the element with this id."""
    # Nothing in a text may end the element.
    escaped = json.dumps(value, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{text(name)}">{escaped}</script>'


def text(words: object) -> str:
    """Words for the page."""
    return html.escape(clean(str(words)))


def section(title: str, body: str, *, mono: bool = False) -> str:
    """A part of the page under a heading."""
    heading = f"<code>{text(title)}</code>" if mono else text(title)
    return f"<section><h2>{heading}</h2>{body}</section>"


def header(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """The title of the page, and what it is about as (name, value)."""
    return f"<header><h1>{text(title)}</h1>{table(facts)}</header>"


def table(facts: Iterable[tuple[str, object]]) -> str:
    """Names with their values, side by side where there is room."""
    entries = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    return f"<dl>{entries}</dl>"


def problems(found: Iterable[Diagnostic]) -> str:
    """What was found, one entry each."""
    rows = "".join(
        f"<li class={one.severity.value}><b>{one.severity.value} {text(one.code)}</b> {text(one.message)}"
        f"<br><small><code>{text(one.file)}{': ' if one.path else ''}{text(one.path)}</code>"
        f"{' · ' + text(one.help) if one.help else ''} · see: {_page_of(one.code)}</small></li>"
        for one in found
    )
    return f"<ul class=problems>{rows}</ul>" if rows else "<p class=good>Nothing wrong was found.</p>"


def _page_of(code: str) -> str:
    command = f"<code>getiaction explain {text(code)}</code>"
    url = rule_url(code)
    return f'<a href="{text(url)}">{command}</a>' if url else command


def pictures(key: str, shots: Sequence[tuple[bytes, str]], what: str) -> str:
    """A camera's pictures, embedded: (JPEG, words below it) of each."""
    shown = "".join(
        f'<figure><img alt="{text(key)}, {text(what)}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
        f"<figcaption>{text(words)}</figcaption></figure>"
        for jpeg, words in shots
    )
    return f"<h3><code>{text(key)}</code></h3><div class=pictures>{shown}</div>"


def finite(values: Any) -> list[float | None]:
    """Numbers with six digits; None for what is not finite."""
    return [float(f"{number:.6g}") if np.isfinite(number) else None for number in np.asarray(values).reshape(-1)]
