"""Weights that need a licence to be accepted.

## What it finds

A tokenizer or model that is gated on the Hub, is not in the cache, and no Hugging Face token on this machine.

## Why it matters

The Hub answers 401 after the dataset was read and the model built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0
  init_args:
    pretrained_path: lerobot/pi0_base
    chunk_size: 10
    n_action_steps: 10
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.weights import from_hub
from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA508", cause=("download",))
def gated_weights(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Look for a token if the weights need one."""
    for model in from_hub(recipe, policy):
        if model.gated and model.repo_id not in machine.hub and not machine.hub_token:
            yield Finding(
                f"{model.what} `{model.repo_id}` is gated, and this machine has no Hugging Face token",
                at=model.at,
                help=f"accept the licence at https://huggingface.co/{model.repo_id}, then `hf auth login`",
            )
