"""A variable that is not expanded.

## What it finds

`${HOME}`, `$USER` or `${model.init_args.chunk_size}` in a value, as a shell, Hydra or OmegaConf would fill them in.

## Why it matters

A recipe is plain YAML with the same meaning on every machine: the value stays text, and a folder would be called
`${HOME}`. Write the value, or give it on the command line, where your shell fills it in.

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
output_dir: ${HOME}/runs/act
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
output_dir: runs/act
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.type_errors import variables
from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA109", in_itself=True)
def unfilled_variable(recipe: Recipe) -> Iterator[Finding]:
    """Report variables of shells and of other configuration tools."""
    for route, word in variables(recipe).items():
        yield Finding(
            f"`{word}` is not expanded: recipes do not support variables",
            at=route,
            help=f"write the value, or give it where your shell fills it in: getiaction train RECIPE --{route} …",
        )
