"""Actions are learned in one unit and returned in another.

## What it finds

LingBot-VA with another normalization of the action than `QUANTILES`; it has `IDENTITY` by default.

## Why it matters

With any normalization, LingBot-VA takes its predictions for values between -1 and 1 and stretches them to the
dataset's quantiles. Trained on the raw numbers, the loss falls and the robot receives actions that differ from those
that were learned.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.LingBotVA
  init_args:
    attn_mode: flex
    frame_chunk_size: 2
    used_action_channel_ids: [0, 1]
    obs_cam_keys: [observation.image]
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
    attn_mode: flex
    frame_chunk_size: 2
    used_action_channel_ids: [0, 1]
    obs_cam_keys: [observation.image]
    normalization_mapping: {VISUAL: IDENTITY, STATE: IDENTITY, ACTION: QUANTILES}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA244", severity=Severity.WARNING, dataset="pusht")
def raw_actions(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report actions without quantile normalization, which the inverse transform requires."""
    mode = policy.normalization.get("ACTION", "IDENTITY")
    if mode == "QUANTILES" or not policy.facts.returns_quantiles:
        return
    values = Values(recipe, policy.policy)
    yield contradiction(
        values,
        f"{policy.policy.title} stretches what it predicts to the dataset's quantiles, and learns with "
        f"`ACTION: {mode}`",
        "normalization_mapping",
        fix=values.set_to("normalization_mapping", {**policy.normalization, "ACTION": "QUANTILES"}),
    )
