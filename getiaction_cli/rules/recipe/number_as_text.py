"""A number that other YAML readers read as text.

## What it finds

A number such as `1e-4`, `1e5` or `0o17`: YAML 1.1, which PyYAML and most tools read, wants a dot and a signed
exponent (`1.0e-4`). Also a number with leading zeros (`010`), which they take for an octal one.

## Why it matters

getiaction reads it as a number, and training gets that number. Other tools that load this file get text, or another
number. The fix writes it so that all tools read the same number; it changes no value.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    learning_rate: 1e-5
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    learning_rate: 1.0e-5
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.type_errors import mistaken
from getiaction_cli.diagnostics import Edit, Finding, Fix, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.scalars import Note, plain
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules import rule


@rule("GA105", severity=Severity.INFO)
def number_as_text(recipe: Recipe) -> Iterator[Finding]:
    """Report numbers that YAML 1.1 reads as text."""
    for route, node in recipe.walk():
        if node.note not in (Note.NUMBER_AS_TEXT, Note.LEADING_ZERO) or route in mistaken(recipe):
            continue
        if node.source.is_command_line:  # other tools don't read the command line
            continue
        written = _dotted(node.raw) if node.note is Note.NUMBER_AS_TEXT else write(node.value)
        other = "an octal number" if node.note is Note.LEADING_ZERO else "text"
        yield Finding(
            f"`{node.raw}` is read as the number {write(node.value)} here, but as {other} by other YAML readers",
            at=route,
            fix=Fix(f"write it as {written}", (Edit(node.start, node.end, written),), safe=True, file=node.source.file),
        )


def _dotted(raw: str) -> str:
    """Add the dot and the sign that YAML 1.1 requires: 1e-4 → 1.0e-4, 1.5E5 → 1.5e+5."""
    digits, mark, exponent = raw.lower().partition("e")
    if not mark:
        return write(plain(raw)[0])
    sign = "" if exponent[0] in "+-" else "+"
    return f"{digits if '.' in digits else digits + '.0'}e{sign}{exponent}"
