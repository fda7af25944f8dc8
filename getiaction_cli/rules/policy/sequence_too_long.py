"""A sequence that does not fit into VQ-BeT's GPT.

## What it finds

`n_obs_steps` times 3 tokens (camera, state, action query) and the `n_action_pred_token - 1` future queries are more
than `gpt_block_size`.

## Why it matters

VQ-BeT's GPT stops with an assertion, but only in the second phase: after `n_vqvae_training_steps` batches.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    gpt_block_size: 16
    n_vqvae_training_steps: 100
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
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    gpt_block_size: 17
    n_vqvae_training_steps: 100
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
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA222", dataset="pusht")
def sequence_too_long(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Count the tokens."""
    limit = policy.facts.sequence_limit
    if not limit:
        return
    # One token per camera and one for the state and the action query; another rule checks other inputs.
    tokens = policy.n_obs_steps * (max(1, len(policy.image_features)) + 2) + policy.n_action_pred_token - 1
    if tokens <= policy.get(limit):
        return
    values = Values(recipe, policy.policy)
    yield contradiction(
        values,
        f"a sequence of {tokens} tokens does not fit into {values.quoted(limit)} "
        f"({values.quoted('n_obs_steps')}, {values.quoted('n_action_pred_token')})",
        limit,
        "n_obs_steps",
        "n_action_pred_token",
        fix=values.set_to(limit, tokens, safe=not values.is_set(limit)),
    )
