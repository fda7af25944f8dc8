"""An accelerator that this machine does not have.

## What it finds

`trainer.accelerator` (or the policy's `device`) asks for a GPU that is not there, or that the installed torch can't
use.

## Why it matters

Training stops before its first step. (LeRobot's own loop says `Switching to 'cpu'` in its log and trains on for
days.)

## Example

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
  accelerator: cuda
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
  accelerator: auto
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import accelerator

_TRAINER = "trainer.accelerator"


@rule("GA501", breaks=("accelerator",), stops=True)
def accelerator_missing(recipe: Recipe, machine: Machine) -> Iterator[Finding]:
    """Compare the requested accelerator with those of this machine."""
    for at in (_TRAINER, recipe.param_route("device")):
        asked = recipe.get(at)
        name = asked.lower().partition(":")[0] if isinstance(asked, str) else ""
        there = {
            "gpu": machine.has_cuda or machine.has_mps or machine.torch_hip is not None,
            "cuda": machine.has_cuda or machine.torch_hip is not None,
            "mps": machine.has_mps,
            "xpu": machine.torch_xpu is not None,
            "tpu": "torch-xla" in machine.packages,
        }
        if there.get(name, True) or (at != _TRAINER and name == "gpu"):
            continue
        why = "this machine has none"
        if machine.gpus and name in ("gpu", "cuda"):
            why = f"this torch is built without CUDA (the machine has {machine.gpus[0].name})"
        best = accelerator("auto", machine)
        yield Finding(
            f"the recipe asks for `{asked}`, and {why}",
            at=at,
            fix=Change("let training choose: accelerator auto", set=((at, "auto"),))
            if at == _TRAINER
            else Change("remove device: the trainer's accelerator decides", remove=(at,)),
            help=f"on this machine that is {best}" if at == _TRAINER else "",
        )
