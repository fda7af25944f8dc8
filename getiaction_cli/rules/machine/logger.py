"""A logger that can't log.

## What it finds

A logger whose package is not installed, or Weights & Biases without a key.

## Why it matters

The run stops before its first step; Weights & Biases would otherwise ask for the key on an unattended
terminal.

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
  logger:
    class_path: lightning.pytorch.loggers.CometLogger
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
  logger:
    class_path: lightning.pytorch.loggers.CSVLogger
    init_args:
      save_dir: logs
```
"""

from collections.abc import Iterator

from getiaction.spec.loggers import PACKAGES, wandb_goes_online
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.installed import install_command
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA511", stops=True)
def logger(recipe: Recipe, machine: Machine) -> Iterator[Finding]:
    """Look up each logger's package and API key."""
    given = recipe.get("trainer.logger")
    entries = enumerate(given) if isinstance(given, list) else [(None, given)]
    for i, entry in entries:
        route = "trainer.logger" if i is None else f"trainer.logger.{i}"
        name = str(entry.get("class_path", "")).rpartition(".")[2] if isinstance(entry, dict) else ""
        packages = PACKAGES.get(name, ())
        if packages and not any(package in machine.packages for package in packages):
            yield Finding(
                f"{name} needs the package {packages[0]}, which is not installed",
                at=f"{route}.class_path",
                help=install_command(packages[0]),
            )
        elif name == "WandbLogger" and not machine.wandb_key and _logs_in(recipe, route):
            yield Finding(
                "WandbLogger has no API key to log in with",
                at=f"{route}.class_path",
                help="run `wandb login`, or log offline",
                fix=Change("log offline", set=((f"{route}.init_args.offline", True),)),
            )


def _logs_in(recipe: Recipe, route: str) -> bool:
    arguments = recipe.get(f"{route}.init_args")
    return wandb_goes_online(arguments if isinstance(arguments, dict) else {})
