"""A policy whose packages are not installed.

## What it finds

A policy of an extra of LeRobot that is not installed, or not in the versions that LeRobot asks for.

## Why it matters

LeRobot says so when the policy is built, after the dataset was downloaded.

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
from getiaction_cli.installed import install_command, requirements
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA505")
def extra_missing(recipe: Recipe, policy_class: PolicyClass, machine: Machine) -> Iterator[Finding]:
    """Look up each requirement of the extra, and the packages that a parameter's value needs."""
    if not policy_class.extra:
        return
    parameters = recipe.params()
    for name, packages in policy_class.facts.needs_package_with.items():
        package = packages.get(str(parameters.get(name)))
        if package and package not in machine.packages:
            yield Finding(
                f"`{name}: {parameters[name]}` needs {package}, not installed here",
                at=recipe.param_route(name),
                help=install_command(package),
            )
    wanted = requirements("lerobot", policy_class.extra)
    missing = [name for name in wanted if name not in machine.packages]
    command = install_command(f"getiaction[{policy_class.extra}]")
    if missing:
        yield Finding(
            f"{policy_class.class_name} needs {', '.join(missing)}, not installed here",
            at="model.class_path",
            help=command,
        )
    for name, specifier in wanted.items():
        version = machine.packages.get(name)
        if version and specifier and not _is_within(version, specifier):
            yield Finding(
                f"LeRobot's {policy_class.extra} requires {name} {specifier}, and {version} is installed",
                at="model.class_path",
                help=command,
                severity=Severity.WARNING,
            )


def _is_within(version: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet  # the import takes 17 ms, and most policies need no extra

    return SpecifierSet(specifier).contains(version, prereleases=True)
