"""Parameters that LeRobot refuses.

## What it finds

LeRobot's own configuration class, run on the recipe's parameters, raises an error that no more particular rule
explains. The message is LeRobot's; the place is the parameter that it names.

## Why it matters

Building the policy stops with this error, after the dataset was downloaded.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    crop_ratio: 1.5
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
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    resize_shape: [96, 96]
    crop_ratio: 0.875
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected, Unjudgeable
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import named_in, other_refusals
from getiaction_cli.rules.policy._values import Values


@rule("GA206", dataset="pusht", stops=True)
def refused_parameters(
    recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected
) -> Iterator[Finding]:
    """Report LeRobot's error at the parameters in its message."""
    values = Values(recipe, policy_class)
    for refused in other_refusals(configured, values):
        if refused.message.startswith("Unknown device"):  # another rule reports this unknown name
            continue
        yield _describe(refused, values)


def _describe(refused: Rejected, values: Values) -> Finding:
    names = [name for name in named_in(refused.message, values) if values.is_set(name)] or _only_suspect(values)
    message = f"{values.policy_class.class_name} refuses its parameters: {' '.join(refused.message.split())}"
    if not names:
        return Finding(message, at="model.init_args", on="key")
    # If a single parameter causes the error, its default is a fix.
    alone = names[0] if len(names) == 1 and _accepted_without(values.policy_class, values.recipe, names[0]) else ""
    fix = Change(f"remove {alone}: LeRobot's default is used", remove=(values.at(alone),)) if alone else None
    return Finding(message, at=values.at(names[0]), related=values.places(*names[1:]), fix=fix)


def _only_suspect(values: Values) -> list[str]:
    """Return the parameter without which LeRobot accepts the rest, if there is exactly one."""
    suspects = [name for name in values.written if _accepted_without(values.policy_class, values.recipe, name)]
    return suspects if len(suspects) == 1 else []


def _accepted_without(policy_class: PolicyClass, recipe: Recipe, name: str) -> bool:
    params = {key: value for key, value in recipe.params().items() if key != name}
    try:
        policy_class.configure(params)
    except (Rejected, Unjudgeable):
        return False
    return True
