"""More denoising steps than the policy was trained with.

## What it finds

`num_inference_steps` is greater than `num_train_timesteps`.

## Why it matters

The noise scheduler has one time step per training step to choose from. Training goes through; the first call of the
trained policy stops with an error from diffusers.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    num_train_timesteps: 50
    num_inference_steps: 100
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
    num_train_timesteps: 50
    num_inference_steps: 50
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
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA224", severity=Severity.WARNING, dataset="pusht")
def more_inference_steps(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare inference steps with training steps."""
    steps, trained = policy.get("num_inference_steps"), policy.get("num_train_timesteps")
    if steps is None or trained is None or steps <= trained or trained < 1:
        return
    values = Values(recipe, policy.policy)
    yield contradiction(
        values,
        f"{values.quoted('num_inference_steps')} denoising steps, "
        f"but training uses only {values.quoted('num_train_timesteps')}",
        "num_inference_steps",
        "num_train_timesteps",
        fix=values.set_to("num_inference_steps", trained, safe=not values.is_set("num_inference_steps")),
    )
