"""No camera for a policy that needs one.

## What it finds

A policy that needs at least one camera (or, for act, diffusion and tdmpc, `observation.environment_state`), and none
among its inputs.

## Why it matters

Some policies refuse to be built, others stop at the first batch, after their weights were downloaded.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    input_features: [observation.state]
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
    input_features: [observation.image, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ENVIRONMENT, INPUTS, Fit, listed
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule


@rule("GA307", dataset="pusht", cause=("chosen features", "checkpoint cameras"), breaks=("camera",), stops=True)
def no_camera(fit: Fit) -> Iterator[Finding]:
    """Look for a camera if the policy needs one."""
    policy = fit.policy
    there = [key for key, feature in fit.readable.items() if feature.type.value == "VISUAL"]
    # Some policies add a camera to their inputs if the dataset has none.
    if (policy.image_features and there) or not fit.facts.needs_camera:
        return
    or_environment = fit.facts.environment_replaces_camera
    if or_environment and policy.env_state_feature is not None:
        return
    chosen = fit.recipe.get(INPUTS)
    need = f"a camera or `{ENVIRONMENT}`" if or_environment else "a camera"
    if there and chosen:
        yield Finding(
            f"{policy.policy.class_name} needs {need} among its inputs",
            at=INPUTS,
            help=f"{fit.dataset.repo_id} has {listed(there)}",
            fix=Change(f"add {there[0]}", set=((INPUTS, [there[0], *chosen]),)) if isinstance(chosen, list) else None,
        )
    else:
        yield Finding(
            f"{policy.policy.class_name} needs {need}, and {fit.dataset.repo_id} has none",
            at="data.init_args.repo_id",
            help=f"a camera is a feature of dtype `image` or `video`; here are {listed(list(fit.dataset.features))}",
        )
