"""A group of settings that LeRobot refuses.

## What it finds

A parameter that is a mapping (`rtc_config`, `concurrency`, …) holds values that its class refuses.

## Why it matters

The policy can't be built with it.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/smolvla_base
    rtc_config: {enabled: true, max_guidance_weight: -1.0}
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
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/smolvla_base
    rtc_config: {enabled: true, max_guidance_weight: 5.0}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyClass, Rejected
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA208", dataset="pusht", stops=True, help="correct this value; the message is LeRobot's")
def refused_setting(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Validate each mapping as its class; rules about the recipe report wrong types."""
    for name, value in recipe.params().items():
        try:
            policy_class.read_value(name, value)
        except Rejected as refused:
            if refused.kind == "value":
                inside = (
                    next((key for key in value if key in refused.message), None) if isinstance(value, dict) else None
                )
                route = recipe.param_route(name)
                yield Finding(
                    f"{policy_class.class_name} refuses `{name}`: {' '.join(refused.message.split())}",
                    at=f"{route}.{inside}" if inside else route,
                )
