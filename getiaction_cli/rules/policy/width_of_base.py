"""A width that the base model does not have.

## What it finds

Another `max_state_dim` or `max_action_dim` than that of the model from which the policy starts (GR00T, Wall-X), where
the configuration of that model is on this machine.

## Why it matters

The layers of the base have its width, and training stops at the first batch, after gigabytes of weights were loaded.
States and actions with fewer numbers are padded.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Groot
  init_args:
    base_model_path: me/gr00t
    chunk_size: 10
    n_action_steps: 10
    max_state_dim: 200
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.Groot
  init_args:
    base_model_path: me/gr00t
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from typing import Any

from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.analysis import checkpoint
from getiaction_cli.diagnostics import Finding, Unavailable
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values


@rule("GA249", dataset="pusht")
def width_of_base(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare the widths with the configuration of the base."""
    known = policy.facts.base_widths
    if known is None or recipe.get(checkpoint.ROUTE):
        return
    base = str(policy.get(known["base"]))
    config = checkpoint.find(base, hub_cache()).config
    if not config:
        raise Unavailable(f"the configuration of {base} is not on this machine", is_reported=False)
    values = Values(recipe, policy.policy)
    for name, key in known["widths"].items():
        width = _width(config, key)
        if width is not None and policy.get(name) != width:
            yield Finding(
                f"`{name}` is {policy.get(name)}, and the layers of {base} take {width} numbers",
                at=values.at(name),
                fix=values.set_to(name, width),
            )


def _width(config: dict[str, Any], key: str) -> int | None:
    """Return a number, or the sum of a mapping's numbers, of the configuration or its text configuration."""
    inner = config.get("text_config")
    value = config.get(key, inner.get(key) if isinstance(inner, dict) else None)
    numbers = [n for n in (value.values() if isinstance(value, dict) else [value]) if type(n) is int]
    return sum(numbers) if numbers else None
