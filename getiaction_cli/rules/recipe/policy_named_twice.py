"""A policy named by its class and by its name.

## What it finds

`policy_name` beside a class that is a policy already (`ACT`, `Diffusion` …).

## Why it matters

The class says which policy it is; a name that differs contradicts it, one that agrees is superfluous.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    policy_name: act
    chunk_size: 10
    n_action_steps: 10
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

from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import WRAPPER
from getiaction_cli.recipe.signatures import read_signature
from getiaction_cli.rules import rule

_ROUTE = "model.init_args.policy_name"


@rule("GA133", stops=True)
def policy_named_twice(recipe: Recipe) -> Iterator[Finding]:
    """Report policy_name if the class is already that of a policy."""
    own = recipe.policy_name
    if recipe.uses_wrapper or own is None or not recipe.has(_ROUTE):
        return
    same = recipe.get(_ROUTE) == own
    yield Finding(
        f"`policy_name` has no place beside the class of {own}"
        + ("" if same else f", and it names another policy, `{recipe.get(_ROUTE)}`"),
        at=_ROUTE,
        on="key" if same else "value",
        related=(Related(f"this class is {own}", at="model.class_path"),),
        help="" if same else f"to choose the policy by its name, set class_path to {WRAPPER}",
        fix=Change("remove policy_name", remove=(_ROUTE,), safe=same),
        severity=Severity.WARNING if same and _is_taken(recipe) else None,
    )


def _is_taken(recipe: Recipe) -> bool:
    """True if the class accepts any keyword argument; only ACT lists its arguments."""
    signature = read_signature(recipe.class_path or "")
    return signature is None or signature.open or "policy_name" in signature.parameters
