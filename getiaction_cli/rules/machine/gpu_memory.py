"""A policy larger than the GPU.

## What it finds

A policy whose weights, gradients and two numbers of Adam (16 bytes per parameter, all trained) take more than the
GPU's memory. Activations come on top; parts that are frozen are counted as well.

## Why it matters

`CUDA out of memory` at the first or second step.

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

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.policies.size import BYTES_TRAINED, parameters
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen, gigabytes


@rule("GA517", severity=Severity.WARNING, cause=("accelerator",))
def gpu_memory(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Compare sixteen bytes per parameter with the smallest GPU."""
    sizes = [gpu.memory for gpu in machine.gpus if gpu.memory]
    count = parameters(policy)
    if chosen(recipe, machine) != "cuda" or not sizes or not count or count * BYTES_TRAINED <= min(sizes):
        return
    ways = [
        f"{name} {str(value).lower()}"
        for name, value in (
            ("train_expert_only", True),
            ("freeze_vision_encoder", True),
            ("gradient_checkpointing", True),
        )
        if policy.get(name) is False and value
    ]
    yield Finding(
        f"{policy.policy.class_name} has about {count / 1e9:.1f} billion parameters: with gradients and Adam "
        f"{gigabytes(count * BYTES_TRAINED)}, and {machine.gpus[0].name} has {gigabytes(min(sizes))}",
        at="model.class_path",
        help=f"train less of it: {', '.join(ways)}" if ways else "",
    )
