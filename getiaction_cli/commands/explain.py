"""`getiaction explain GA301`: a rule's page. Without a code: the list of all rules."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction_cli.errors import UsageError
from getiaction_cli.installed import rule_url

if TYPE_CHECKING:
    from getiaction_cli.rules import Rule

FAMILIES = {
    "GA1": "the recipe itself",
    "GA2": "the policy and its parameters",
    "GA3": "the recipe against the dataset",
    "GA4": "the dataset itself",
    "GA5": "this machine and the run",
    "GA6": "a trained policy",
}


def explain(
    rule: Annotated[
        str | None,
        typer.Argument(
            metavar="[RULE]", help="A code (GA301), a name (action-window) or a word to search for.", show_default=False
        ),
    ] = None,
) -> None:
    """Explain what a rule finds, why it matters, and how to write it instead.

    Without a rule, all of them are listed; with a word, those that mention it.
    """
    from getiaction_cli.checking.runner import load_rules
    from getiaction_cli.rendering import page, text

    rules = load_rules()
    if rule is None:
        typer.echo(_list(rules), nl=False)
        return
    word = re.sub(r"[_ ]", "-", rule.strip().lower())
    found = next((entry for entry in rules.values() if word in (entry.code.lower(), entry.name)), None)
    if found is None:
        matching = _matching(rule.strip().lower(), rules)
        if not matching:
            raise UsageError(f"no rule is called {rule}, and none mentions it", _near(word, rules))
        typer.echo(_list({entry.code: entry for entry in matching}), nl=False)
        return
    shown = page.render(
        found.code, found.name, str(found.severity), found.page, columns=text.columns(), color=text.wants_color()
    )
    typer.echo(shown, nl=False)
    if url := rule_url(found.code):
        typer.echo(f"\nOn the web: {url}")


def _list(rules: dict[str, Rule]) -> str:
    from getiaction_cli.rendering import text

    paint = text.Paint(text.wants_color())
    # In a pipe, print one line per rule, so that grep finds it.
    columns = text.columns() if sys.stdout.isatty() else 1000
    names = max(len(entry.name) for entry in rules.values())
    lines: list[str] = []
    family = ""
    for entry in rules.values():
        if entry.code[:3] != family:
            family = entry.code[:3]
            lines += [*([""] if lines else []), paint("bold", f"{family}xx  {FAMILIES.get(family, '')}")]
        head = f"  {entry.code}  {entry.name:<{names}}  "
        lines.append(head + text.wrap(entry.page.partition("\n")[0], columns, " " * len(head)))
    return "\n".join(lines) + "\n"


def _matching(word: str, rules: dict[str, Rule]) -> list[Rule]:
    """Return the rules of a family ("GA3"), or those that contain a word before their example."""
    family = [entry for entry in rules.values() if len(word) > 1 and entry.code.lower().startswith(word)]
    spoken = re.compile(rf"\b{re.escape(word)}s?(?![a-z])", re.IGNORECASE)
    return family or [
        entry
        for entry in rules.values()
        if len(word) > 2 and spoken.search(f"{entry.name} {entry.page.partition('## Example')[0]}")
    ]


def _near(word: str, rules: dict[str, Rule]) -> str:
    import difflib

    # All codes are similar: only suggest one that differs in one character.
    close = difflib.get_close_matches(word.upper(), rules, n=1, cutoff=0.9)
    close = close or difflib.get_close_matches(word, [entry.name for entry in rules.values()], n=1)
    return f"did you mean {close[0]}?" if close else "`getiaction explain` lists them"
