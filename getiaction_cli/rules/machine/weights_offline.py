"""Weights that would have to be downloaded, offline.

## What it finds

Weights, tokenizers or processors that the policy fetches when it is built, that are not in a cache of this machine,
while the environment forbids the network (`HF_HUB_OFFLINE`).

## Why it matters

The run stops after the dataset was read, some libraries only after minutes of trying again. Weights of torchvision
come from another server; that one is not forbidden by the variable, but rarely to be reached where it is set.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    pretrained_path: lerobot/smolvla_base
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
    pretrained_backbone_weights: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.weights import BACKBONE, backbone, fetch_command, from_hub
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.machine import Machine, resnet_weights
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA507", cause=("backbone weights",), breaks=("download",))
def weights_offline(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Look for the weights in the caches."""
    if not machine.offline:
        return
    fetch = fetch_command(recipe)
    for model in from_hub(recipe, policy):
        if model.repo_id not in machine.hub:
            yield Finding(
                f"{model.what} `{model.repo_id}` is not cached, and HF_HUB_OFFLINE is set",
                at=model.at,
                help=fetch,
            )
    name = backbone(recipe, policy)
    file = resnet_weights().get(name or "")
    if file and file not in machine.torch_hub:
        at = recipe.param_route(BACKBONE)
        yield Finding(
            f"the backbone starts from {name}, which is not in torch's cache; HF_HUB_OFFLINE is set, so the "
            "download will probably fail",
            at=at,
            help=f"{fetch}; or train without",
            fix=Change("train the backbone from scratch", set=((at, None),)),
            severity=Severity.WARNING,
        )
