"""One self-contained HTML page: its frame, sections, findings and plots. Texts are a stranger's and always escaped."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from getiaction_cli.diagnostics import Diagnostic

# Colours that differ on white and on black, also by the colour-blind (after Okabe and Ito).
COLOURS = ("#3b82c4", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")


def page(title: str, body: str, figures: list[dict[str, Any]]) -> str:
    """The document; the figures are drawn by the plotly.js that is inside it."""
    import plotly.offline

    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    # Nothing in a figure's texts may end the script that they are in.
    data = json.dumps(figures, allow_nan=False).replace("<", "\\u003c")
    parts = {"TITLE": text(title), "BODY": body, "FIGURES": data, "PLOTLY": plotly.offline.get_plotlyjs()}
    # In one pass: a text that holds another mark stays a text.
    return re.sub("@(TITLE|BODY|FIGURES|PLOTLY)@", lambda match: parts[match[1]], template)


def text(words: object) -> str:
    """Words for the page."""
    return html.escape(str(words))


def label(words: object) -> str:
    """Words in a plot: plotly takes tags for markup there, and knows no more than three of HTML's entities."""
    return html.escape(str(words), quote=False)


def section(title: str, body: str, *, mono: bool = False) -> str:
    """A part of the page under a heading."""
    heading = f"<code>{text(title)}</code>" if mono else text(title)
    return f"<section><h2>{heading}</h2>{body}</section>"


def problems(found: Iterable[Diagnostic]) -> str:
    """What was found, one entry each."""
    rows = "".join(
        f"<li class={one.severity.value}><b>{one.severity.value} {text(one.code)}</b> {text(one.message)}"
        f"<br><small><code>{text(one.file)}{': ' if one.path else ''}{text(one.path)}</code>"
        f"{' · ' + text(one.help) if one.help else ''}</small></li>"
        for one in found
    )
    return f"<ul class=problems>{rows}</ul>" if rows else "<p class=good>Nothing wrong was found.</p>"


def figure(figures: list[dict[str, Any]], chart: Any, title: str) -> str:
    """Keep a figure for the page's script, and return the place where it will be drawn."""
    figures.append(json.loads(chart.to_json()))
    place = f'<div class=plot role=img aria-label="{text(title)}" id=plot{len(figures) - 1}></div>'
    return f"<figure>{place}</figure>"


def finite(values: Any) -> list[float | None]:
    """Numbers as JSON has them, with six digits; None for what is not finite."""
    return [float(f"{number:.6g}") if np.isfinite(number) else None for number in np.asarray(values).reshape(-1)]
