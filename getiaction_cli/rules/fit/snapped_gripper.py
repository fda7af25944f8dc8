"""A joint that the policy treats as a gripper.

## What it finds

VLA-JEPA with `binarize_gripper_action` or `pre_snap_gripper_action` (both are the default), on a robot whose action
number `gripper_dim` (6) is something else than a gripper between -1 and 1.

## Why it matters

When it acts, that number is always rounded to -1 or 1. It is made for LIBERO's
robot, whose seventh action opens and closes the hand.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VLAJEPA
  init_args:
    torch_dtype: float32
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.VLAJEPA
  init_args:
    torch_dtype: float32
    binarize_gripper_action: false
    pre_snap_gripper_action: false
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule


@rule("GA338", severity=Severity.WARNING, dataset="aloha")
def snapped_gripper(fit: Fit) -> Iterator[Finding]:
    """Look at the extremes of the dimension that the policy rounds."""
    on = [name for name in fit.facts.rounds_gripper if fit.policy.get(name)]
    feature, stats = fit.dataset.features.get(ACTION), (fit.dataset.stats or {}).get(ACTION, {})
    if not on or feature is None or not {"min", "max"} <= stats.keys():
        return
    number = fit.policy.get("gripper_dim")
    low, high = stats["min"].reshape(-1), stats["max"].reshape(-1)
    if not 0 <= number < min(len(low), len(high)) or (low[number], high[number]) == (-1, 1):
        return
    yield Finding(
        f"{fit.policy.policy.title} rounds action {number} (`{feature.dimension(number)}`) to -1 or 1 when it acts; "
        f"here it goes from {low[number]:.3g} to {high[number]:.3g}",
        at=fit.recipe.param_route(on[0]),
        related=(Related("its extremes", file="meta/stats.json", key=f"{ACTION}.max"),),
        fix=Change(
            "set " + " and ".join(f"{name} to false" for name in on),
            set=tuple((fit.recipe.param_route(name), False) for name in on),
        ),
    )
