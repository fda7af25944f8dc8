"""A value that LeRobot does not accept for this parameter.

## What it finds

A parameter that takes one of a few words (or numbers) has another one. The allowed values are read from the checks in
LeRobot's own configuration source, and from torchvision and diffusers where LeRobot passes a value to them without
checking it.

## Why it matters

LeRobot refuses it when the policy is built, after the dataset was downloaded; or torchvision or diffusers do.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    noise_scheduler_type: ddim
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
    noise_scheduler_type: DDIM
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

import difflib
from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected, passthrough_values
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._refused import refused_value as refused_names
from getiaction_cli.rules.policy._values import Values, shown


@rule("GA205", dataset="pusht", stops=True)
def refused_value(recipe: Recipe, policy_class: PolicyClass, configured: PolicyConfig | Rejected) -> Iterator[Finding]:
    """Report every parameter outside the allowed values of LeRobot, or of the libraries that LeRobot calls."""
    values = Values(recipe, policy_class)
    refused = isinstance(configured, Rejected)
    for name in refused_names(values):
        allowed = policy_class.fields[name].choices
        if not refused:
            allowed = passthrough_values.words(policy_class.name, name, values["noise_scheduler_type"] or "DDPM")
        value = values[name]
        if not allowed or value in allowed:
            continue
        close = difflib.get_close_matches(str(value).lower(), [str(choice).lower() for choice in allowed], 1, 0.6)
        # "flow" for flow_matching.
        close = close or [word for word in map(str.lower, map(str, allowed)) if str(value).lower() in word.split("_")]
        choice = next((choice for choice in allowed if close and str(choice).lower() == close[0]), None)
        yield Finding(
            f"`{name}` can't be {shown(value)}; it must be one of "
            + " and ".join(filter(None, (", ".join(map(shown, allowed[:-1])), shown(allowed[-1])))),
            at=values.at(name),
            fix=None
            if choice is None
            else Change(
                f"set {name} to {shown(choice)}",
                set=((values.at(name), choice),),
                safe=str(choice).lower() == str(value).lower(),
            ),
        )
