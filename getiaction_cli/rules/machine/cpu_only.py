"""A large policy on a CPU.

## What it finds

A policy of a billion parameters or more on a machine without a GPU that torch can use.

## Why it matters

One step takes minutes, a training weeks. A few steps for a test are possible, unless the weights, their gradients and
the state of Adam (16 bytes per parameter) exceed the memory: then the system kills the process.

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

_LARGE = 1_000_000_000


@rule("GA504", severity=Severity.WARNING, cause=("accelerator",))
def cpu_only(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Estimate the number of parameters if there is no GPU."""
    count = parameters(policy) or 0
    if chosen(recipe, machine) != "cpu" or count < _LARGE:
        return
    why = "this machine has no GPU"
    if machine.gpus:
        why = f"torch is built without CUDA, so {machine.gpus[0].name} is not used"
    size, memory = memory_of(recipe, count, gpu=False), machine.memory
    slow = "a step takes minutes"
    if memory and size > memory:
        slow = f"training them takes {gigabytes(size)}, and there are {gigabytes(memory)} of memory"
    yield Finding(
        f"{policy.policy.class_name} has about {magnitude(count)} parameters, and {why}: {slow}",
        at="trainer.accelerator" if recipe.has("trainer.accelerator") else "model.class_path",
    )
