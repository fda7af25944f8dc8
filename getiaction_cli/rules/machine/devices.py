"""More devices than there are, or another number of processes than were started.

## What it finds

`trainer.devices` asks for more GPUs than this machine has, for a GPU index that does not exist, or for one GPU twice.
Under torchrun or SLURM: `trainer.devices` and `trainer.num_nodes` differ from the processes that were started.

## Why it matters

Lightning stops before the first step, or waits for processes that never start. Under a launcher, leave both keys out:
the same recipe then trains on one GPU and on a cluster.

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

import re
from collections.abc import Iterator
from typing import Any

from getiaction.spec import launch
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen

_ROUTE, _NODES = "trainer.devices", "trainer.num_nodes"
# Environment variables that launchers of multi-node jobs set: torchrun, SLURM, LSF, MPI, Kubeflow.
_LAUNCHERS = ("MASTER_ADDR", "TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE", "GROUP_RANK")


@rule("GA502", cause=("accelerator",))
def devices(recipe: Recipe, machine: Machine) -> Iterator[Finding]:
    """Count the devices, and the machines."""
    here = launch.read(machine.env)
    kind, asked = chosen(recipe, machine), _read(recipe.get(_ROUTE))
    trainer = recipe.get("trainer")
    seen = len(machine.gpus) if kind == "cuda" else None
    contradiction = here.contradiction(trainer if isinstance(trainer, dict) else {}, seen)
    if contradiction is not None:
        keys = tuple(route for route in (_ROUTE, _NODES) if recipe.has(route))
        yield Finding(
            contradiction.message,
            at=f"trainer.{contradiction.key}",
            help=contradiction.help,
            stops=True,
            fix=Change("leave the number of processes to the launcher", remove=keys) if keys else None,
        )
        return
    nodes = recipe.get(_NODES)
    if isinstance(nodes, int) and nodes > 1 and not any(name in machine.env for name in _LAUNCHERS):
        yield Finding(
            f"num_nodes {nodes} waits for other machines, but no launcher has started processes on them",
            at=_NODES,
            help="start the run on each machine with torchrun or SLURM",
            fix=Change("train on this machine only", set=((_NODES, 1),)),
        )
    if kind == "cpu" and (isinstance(asked, list) or asked == -1):
        yield Finding(
            f"devices {asked} chooses among GPUs, and this run is on the cpu: a number of processes, 1 or more",
            at=_ROUTE,
            fix=Change("set devices to 1", set=((_ROUTE, 1),)),
        )
    elif isinstance(asked, list) and any(asked.count(gpu) > 1 for gpu in asked):
        each = [gpu for place, gpu in enumerate(asked) if gpu not in asked[:place]]
        yield Finding(
            f"devices {asked} names a GPU twice", at=_ROUTE, fix=Change(f"set devices to {each}", set=((_ROUTE, each),))
        )
        return
    if seen is not None and here.sees_one_each(seen):
        return
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


def _read(given: Any) -> Any:
    """Parse devices as Lightning does: `"0,1"` and `"0,"` are lists, `"2"` is a number."""
    if not isinstance(given, str) or not re.fullmatch(r"\s*-?\d+\s*(,\s*\d*\s*)*", given):
        return given
    numbers = [int(part) for part in given.split(",") if part.strip()]
    return numbers if "," in given else numbers[0]
