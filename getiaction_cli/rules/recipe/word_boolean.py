"""A word that YAML reads as true or false.

## What it finds

`no`, `yes`, `on` or `off` without quotes where text is wanted.

## Why it matters

YAML reads these words as true and false, so the setting gets a boolean instead of the word.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
  default_root_dir: on
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 100
  default_root_dir: "on"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.type_errors import mistaken
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.scalars import Note
from getiaction_cli.rules import rule


@rule("GA106", in_itself=True)
def word_boolean(recipe: Recipe) -> Iterator[Finding]:
    """Report yes, no, on and off, which YAML reads as booleans, in place of text."""
    for route, mistake in mistaken(recipe).items():
        if mistake.node.note is Note.WORD_BOOLEAN and not mistake.key.wrong(mistake.node.raw):
            yield Finding(
                f"YAML reads `{mistake.node.raw}` as {str(mistake.node.value).lower()}; {mistake.name} takes text",
                at=route,
                fix=Change("put it in quotes", set=((route, mistake.node.raw),), safe=True),
            )
