"""A mapping that lacks a key which the policy reads.

## What it finds

A mapping among the policy's parameters (FastWAM's `loss`, `video_scheduler`, `action_scheduler`) without a key of
LeRobot's default. What a recipe gives takes the place of the whole default.

## Why it matters

Training stops when the policy is built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    action_dim: 14
    proprio_dim: 14
    loss: {lambda_video: 0.5}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    action_dim: 14
    proprio_dim: 14
    loss: {lambda_video: 0.5, lambda_action: 1.0}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyClass, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values


@rule("GA248", dataset="aloha")
def incomplete_mapping(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Compare the keys of each mapping with those of LeRobot's default."""
    values = Values(recipe, policy_class)
    for name in policy_class.facts.whole_mappings:
        given, default = values.written.get(name), plain(policy_class.fields[name].default)
        if not isinstance(given, dict) or not isinstance(default, dict):
            continue
        absent = {key: value for key, value in default.items() if key not in given}
        if absent:
            at = values.at(name)
            keys = " and ".join(f"`{key}`" for key in absent)
            yield Finding(
                f"`{name}` lacks {keys}, which {policy_class.title} reads",
                at=at,
                fix=Change(
                    f"add {keys} with LeRobot's default",
                    set=tuple((f"{at}.{key}", value) for key, value in absent.items()),
                ),
            )
