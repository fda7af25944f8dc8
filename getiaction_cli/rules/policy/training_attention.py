"""A setting that can't be trained with.

## What it finds

LingBot-VA with another `attn_mode` than `flex` (the default `torch` is for acting), and FastWAM without its text
encoder.

## Why it matters

Training stops at the first batch, after several billion parameters and 20 GB of frozen models were loaded.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.LingBotVA
  init_args:
    pretrained_path: robbyant/lingbot-va-base
    obs_cam_keys: [observation.image]
    used_action_channel_ids: [0, 1]
    normalization_mapping: {VISUAL: IDENTITY, STATE: IDENTITY, ACTION: QUANTILES}
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
  class_path: getiaction.policies.lerobot.LingBotVA
  init_args:
    pretrained_path: robbyant/lingbot-va-base
    obs_cam_keys: [observation.image]
    used_action_channel_ids: [0, 1]
    normalization_mapping: {VISUAL: IDENTITY, STATE: IDENTITY, ACTION: QUANTILES}
    attn_mode: flex
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
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction, shown


@rule("GA231", dataset="pusht")
def training_attention(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare each parameter with the only value that supports training."""
    values = Values(recipe, policy.policy)
    for name, needed in policy.facts.trains_only_with.items():
        if policy.get(name) != needed:
            yield contradiction(
                values,
                f"{policy.policy.title} trains with `{name}: {shown(needed)}` only; "
                f"{values.quoted(name)} is for acting",
                name,
                fix=values.set_to(name, needed, safe=not values.is_set(name)),
            )
