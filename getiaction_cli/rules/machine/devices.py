"""More devices than there are.

## What it finds

`trainer.devices` asks for more GPUs than this machine has, or for one of a number that it hasn't.

## Why it matters

Lightning stops before the first step.

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
  devices: 4
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
  accelerator: cuda
  devices: 1
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen

_ROUTE, _NODES = "trainer.devices", "trainer.num_nodes"
# What a launcher of jobs on several machines sets: torchrun, SLURM, LSF, MPI, Kubeflow.
_LAUNCHERS = ("MASTER_ADDR", "TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE", "GROUP_RANK")


@rule("GA502", cause=("accelerator",))
def devices(recipe: Recipe, machine: Machine) -> Iterator[Finding]:
    """Count the devices, and the machines."""
    nodes = recipe.get(_NODES)
    if isinstance(nodes, int) and nodes > 1 and not any(name in machine.env for name in _LAUNCHERS):
        yield Finding(
            f"num_nodes {nodes} waits for other machines, and nothing has started them: no launcher is at work here",
            at=_NODES,
            help="start the run on each machine with torchrun or SLURM",
            fix=Change("train on this machine alone", set=((_NODES, 1),)),
        )
    kind, asked = chosen(recipe, machine), recipe.get(_ROUTE)
    if kind == "cpu" and (isinstance(asked, list) or asked == -1):
        yield Finding(
            f"devices {asked} chooses among GPUs, and this run is on the cpu: a number of processes, 1 or more",
            at=_ROUTE,
            fix=Change("set devices to 1", set=((_ROUTE, 1),)),
        )
    there = {"cuda": len(machine.gpus), "mps": 1}.get(kind)
    if not there or isinstance(asked, bool):
        return
    wrong = (isinstance(asked, int) and asked > there) or (
        isinstance(asked, list) and any(isinstance(i, int) and i >= there for i in asked)
    )
    if wrong:
        gpus = f"{there} GPU{'' if there == 1 else 's'}"
        yield Finding(
            f"devices {asked} asks for more than this machine has: {gpus}"
            + ("" if isinstance(asked, int) else ", from 0 on"),
            at=_ROUTE,
            fix=Change(f"set devices to {there}", set=((_ROUTE, there),)),
        )
