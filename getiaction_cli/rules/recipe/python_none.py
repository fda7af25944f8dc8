"""Python's `None` instead of `null`.

## What it finds

`None`, written without quotes.

## Why it matters

YAML's word is `null`; `None` is text to other readers. getiaction reads it as `null`, the obvious intention, and so
does training. The fix writes it so that all tools read null; it changes no value.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    learning_rate: None
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
    learning_rate: null
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
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.scalars import Note
from getiaction_cli.rules import rule


@rule("GA108", severity=Severity.INFO)
def python_none(recipe: Recipe) -> Iterator[Finding]:
    """Report words for null that YAML reads as text."""
    for route, node in recipe.walk():
        if node.note is Note.PYTHON_NONE and not node.source.is_command_line and route not in mistaken(recipe):
            yield Finding(
                "`None` is read as null here, but as text by other YAML readers",
                at=route,
                fix=Change("write it as null", set=((route, None),), safe=True),
            )
