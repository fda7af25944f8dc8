"""An X-VLA without a backbone.

## What it finds

X-VLA without `pretrained_path` and with no `florence_config` (or one that lacks `vision_config` or `text_config`).

## Why it matters

`florence_config` is empty by default, and building the network stops with `vision_config is required`. Nearly always
the base weights are what is wanted.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.XVLA
  init_args:
    chunk_size: 8
    n_action_steps: 8
    action_mode: auto
    max_action_dim: 2
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
  class_path: getiaction.policies.lerobot.XVLA
  init_args:
    pretrained_path: lerobot/xvla-base
    chunk_size: 8
    n_action_steps: 8
    action_mode: auto
    max_action_dim: 2
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_PATH = "model.init_args.pretrained_path"


@rule("GA232", dataset="pusht")
def missing_backbone(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Look for both parts of the backbone's configuration."""
    name = policy.facts.backbone_described_by
    if not name or recipe.get(_PATH):
        return
    given = policy.get(name) or {}
    absent = [f"`{half}`" for half in ("vision_config", "text_config") if not isinstance(given.get(half), dict)]
    if absent:
        yield Finding(
            f"{policy.policy.title}'s backbone is not described: `{name}` has no {' and no '.join(absent)}",
            at=recipe.param_route(name),
            on="key",
            fix=Change(f"start from {policy.policy.base}", set=((_PATH, policy.policy.base),)),
        )
