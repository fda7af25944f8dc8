"""A pretrained policy that lacks files, or that another LeRobot wrote.

## What it finds

A `pretrained_path` whose folder has no `policy_preprocessor.json` or `policy_postprocessor.json`, or lacks a file that
these name; the same of a Hub id that is partly in this machine's cache, while HF_HUB_OFFLINE is set. A `config.json`
with a parameter that the installed LeRobot's policy does not have.

## Why it matters

Training stops while it builds the policy. Checkpoints of LeRobot before 0.4 have no processors, and those of a newer
one can have parameters that the installed one does not know.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: old/act-pusht
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
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from shlex import quote

from getiaction.spec import facts
from getiaction_cli.analysis.checkpoint import MISSING, ROUTE, WEIGHTS, Checkpoint, is_hub_id
from getiaction_cli.analysis.recipe_on_dataset import listed
from getiaction_cli.analysis.weights import fetch_command
from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA251", cause=("checkpoint", "checkpoint policy"), stops=True)
def incomplete_checkpoint(
    recipe: Recipe, checkpoint: Checkpoint, policy_class: PolicyClass, machine: Machine
) -> Iterator[Finding]:
    """Look for each file that training reads, and for each parameter in the configuration."""
    known = policy_class.parameter_names
    for key in checkpoint.config:
        if key == "type" or key in known:
            continue
        near = difflib.get_close_matches(key, known, 1)
        yield Finding(
            f"config.json of {checkpoint.path} has `{key}`, which {policy_class.class_name} of the installed LeRobot "
            "does not have",
            at=ROUTE,
            label=f"did you mean `{near[0]}`?" if near else "",
            help="train with the LeRobot that wrote it, or take the key out of a copy of the folder",
        )
    here = not is_hub_id(checkpoint.path)
    if checkpoint.folder is None or not (here or machine.offline):
        return
    lacking = [] if (checkpoint.folder / WEIGHTS).is_file() else [WEIGHTS]
    if not facts.holds(policy_class.name, "processors_from_configuration"):
        lacking += [name for name, why in checkpoint.unreadable.items() if why == MISSING]
        lacking += [name for name in _state_files(checkpoint) if not (checkpoint.folder / name).is_file()]
    if not lacking:
        return
    if here:
        message = f"{checkpoint.path} has no {listed(lacking)}"
        help = "copy the whole `pretrained_model` folder; a checkpoint that is older than processors gets them by "
        help += f"python -m lerobot.processor.migrate_policy_normalization --pretrained-path {quote(checkpoint.path)}"
    else:
        are = "is" if len(lacking) == 1 else "are"
        message = f"{listed(lacking)} of `{checkpoint.path}` {are} not cached, and HF_HUB_OFFLINE is set"
        help = fetch_command(recipe)
    yield Finding(message, at=ROUTE, help=help)


def _state_files(checkpoint: Checkpoint) -> Iterator[str]:
    """Return the state files that the processors' configuration names."""
    for content in checkpoint.processors.values():
        steps = content.get("steps") if isinstance(content, dict) else None
        for step in steps if isinstance(steps, list) else ():
            name = step.get("state_file") if isinstance(step, dict) else None
            if isinstance(name, str) and name and "/" not in name:
                yield name
