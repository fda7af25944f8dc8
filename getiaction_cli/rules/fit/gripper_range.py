"""A gripper that is not normalized and goes beyond -1 to 1.

## What it finds

MolmoAct2 without `normalize_gripper`, and a dimension of the state or action whose name has "gripper" in it and whose
values go beyond -1 and 1.

## Why it matters

MolmoAct2 doesn't normalize such a dimension, and expects values between -1 and 1. Training stops after the model was
loaded: `gripper values are not under [-1, 1]. Please set normalize_gripper=True`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.MolmoAct2
  init_args:
    inference_action_mode: continuous
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
  class_path: getiaction.policies.lerobot.MolmoAct2
  init_args:
    inference_action_mode: continuous
    normalize_gripper: true
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, STATE, Fit
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule


@rule("GA337", dataset="aloha")
def gripper_range(fit: Fit) -> Iterator[Finding]:
    """Look at the extremes of each gripper."""
    if not fit.facts.passes_grippers_raw:
        return
    for key in (ACTION, STATE):
        feature, stats = fit.dataset.features.get(key), (fit.dataset.stats or {}).get(key, {})
        if feature is None or not feature.names or not {"min", "max"} <= stats.keys():
            continue
        low, high = stats["min"].reshape(-1), stats["max"].reshape(-1)
        if not len(feature.names) == len(low) == len(high):
            continue
        for name, least, most in zip(feature.names, low, high, strict=True):
            if "gripper" not in name.lower() or (least >= -1 and most <= 1):
                continue
            at = fit.recipe.param_route("normalize_gripper")
            yield Finding(
                f"{fit.policy.policy.class_name} takes `{name}` of `{key}` as it is, and it goes from "
                f"{least:.3g} to {most:.3g}: values outside -1 to 1 are refused",
                at=at,
                related=(Related("its extremes", file="meta/stats.json", key=f"{key}.max"),),
                fix=Change("set normalize_gripper to true", set=((at, True),)),
            )
            return
