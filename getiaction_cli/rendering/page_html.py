"""Elements of self-contained HTML pages. All texts are untrusted and escaped."""

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
    """Return the document, which loads nothing from the network.

    Args:
        title: title of the document.
        body: HTML of its sections.
        script: a file next to this one; it is embedded, and the content security policy allows no other script.
    """
    folder = Path(__file__).parent
    template = (folder / "page.html").read_text(encoding="utf-8")
    code = (folder / script).read_text(encoding="utf-8") if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    parts = {"TITLE": text(title), "BODY": body + (f"\n<script>{code}</script>" if code else "")}
    parts["SCRIPTS"] = f"'sha256-{digest}'" if code else "'none'"
    # Substitute in one pass, so that placeholders in untrusted text are not replaced.
    return re.sub("@(TITLE|SCRIPTS|BODY)@", lambda match: parts[match[1]], template)


def data(name: str, value: object) -> str:
    """Embed JSON in an element with this id, for the page's script."""
    # Untrusted text must not close the element.
    escaped = json.dumps(value, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{text(name)}">{escaped}</script>'


def text(words: object) -> str:
    """Return text without control characters, escaped for HTML."""
    return html.escape(clean(str(words)))


def section(title: str, body: str, *, mono: bool = False) -> str:
    """Return a section with a heading; `mono` sets the heading in a monospaced font."""
    heading = f"<code>{text(title)}</code>" if mono else text(title)
    return f"<section><h2>{heading}</h2>{body}</section>"


def header(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """Return the header of the page: its title, and a table of (name, value)."""
    return f"<header><h1>{text(title)}</h1>{table(facts)}</header>"


def table(facts: Iterable[tuple[str, object]]) -> str:
    """Return a table of (name, value), in several columns if the page is wide enough."""
    entries = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts)
    return f"<dl>{entries}</dl>"


def problems(found: Iterable[Diagnostic]) -> str:
    """Return a list of diagnostics."""
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
    """Embed the images of a camera, each a (JPEG, caption)."""
    shown = "".join(
        f'<figure><img alt="{text(key)}, {text(what)}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
        f"<figcaption>{text(words)}</figcaption></figure>"
        for jpeg, words in shots
    )
    return f"<h3><code>{text(key)}</code></h3><div class=pictures>{shown}</div>"


def finite(values: Any) -> list[float | None]:
    """Return the values rounded to six significant digits; None for those that are not finite."""
    return [float(f"{number:.6g}") if np.isfinite(number) else None for number in np.asarray(values).reshape(-1)]
