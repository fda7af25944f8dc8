"""A policy that needs more memory than the GPU has.

## What it finds

A policy whose weights, gradients and state of Adam (20 bytes per parameter while Adam steps, all trained) take more
than the GPU's memory. Activations come on top; parts that the policy itself freezes are counted as well. Under adapters
(`peft`) only the weights are counted (4 bytes), and an average of the weights (`ema`) adds 4 bytes.

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

from getiaction_cli.analysis.model_size import parameters
from getiaction_cli.analysis.training_need import memory_of
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen, gigabytes
from getiaction_cli.units import magnitude

_MODEL = "model.init_args"


@rule("GA517", severity=Severity.WARNING, cause=("accelerator",))
def gpu_memory(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Compare the bytes of all parameters with the smallest GPU."""
    sizes = [gpu.memory for gpu in machine.gpus if gpu.memory]
    count = parameters(policy)
    if chosen(recipe, machine) != "cuda" or not sizes or not count:
        return
    needed = memory_of(recipe, count, gpu=True)
    if needed <= min(sizes):
        return
    adapters = recipe.get(f"{_MODEL}.peft")
    ways = [
        f"{name} {str(value).lower()}"
        for name, value in (
            ("train_expert_only", True),
            ("freeze_vision_encoder", True),
            ("gradient_checkpointing", True),
        )
        if policy.get(name) is False and value
    ]
    if not adapters and recipe.get(f"{_MODEL}.pretrained_path"):
        ways.append("adapters, as in peft: {r: 16}")
    held = "as a frozen policy under adapters" if adapters else "with gradients and Adam"
    yield Finding(
        f"{policy.policy.class_name} has about {magnitude(count)} parameters: {held} "
        f"{gigabytes(needed)}, and {machine.gpus[0].name} has {gigabytes(min(sizes))}",
        at="model.class_path",
        help=f"train fewer parameters: {', '.join(ways)}" if ways else "",
    )
