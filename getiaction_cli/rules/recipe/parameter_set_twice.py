"""A parameter of the policy set in two places.

## What it finds

A parameter that is set both directly in `init_args` and in `config_kwargs`, or `learning_rate` beside
`optimizer_lr`, with different values.

## Why it matters

The direct one wins, and the other is never read.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    config_kwargs:
      chunk_size: 20
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

from getiaction_cli.analysis.unknown_keys import is_stray
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_DIRECT, _KWARGS = "model.init_args", "model.init_args.config_kwargs"


@rule("GA144", severity=Severity.WARNING)
def parameter_set_twice(recipe: Recipe) -> Iterator[Finding]:
    """Report parameters with two values."""
    pairs = [(f"{_DIRECT}.{name}", f"{_KWARGS}.{name}") for name in recipe.keys(_KWARGS)]
    rate = f"{_DIRECT}.learning_rate"
    pairs += [(rate, f"{home}.optimizer_lr") for home in (_DIRECT, _KWARGS)]
    for winner, loser in pairs:
        if recipe.get(winner) is None or not recipe.has(loser) or is_stray(recipe, loser):
            continue
        same = recipe.get(winner) == recipe.get(loser)
        name = loser.rpartition(".")[2]
        yield Finding(
            f"`{name}` is set twice" + ("" if same else "; this one is never read"),
            at=loser,
            related=(Related("this one wins", at=winner),),
            fix=Change(f"remove the {name} that is not read", remove=(loser,), safe=same),
        )
