"""Invalid YAML.

## What it finds

A place where the YAML can't be read: a bracket or quote that is never closed, a tab as indentation, a line
that is indented further than its neighbours, a word that begins with `@`, `%` or a backtick, an alias
(`*name`) without its anchor.

## Why it matters

Nothing after such a place can be trusted. The other sections are still read, so that one error does not hide others;
rules that need the broken section are listed as not run.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: [10
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

from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA101", stops=True)
def yaml_syntax(recipe: Recipe) -> Iterator[Finding]:
    """Report syntax errors of the parser."""
    yield from recipe.found("GA101")
