"""A random shift that is not applied.

## What it finds

TD-MPC with `max_random_shift_ratio` above 0 on a camera that is not called `observation.image`.

## Why it matters

LeRobot shifts `observation.image` and then encodes the picture under the camera's own key: with any other name the
policy silently trains on unshifted pictures.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/square
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
    max_random_shift_ratio: 0.0
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/square
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule


@rule("GA318", severity=Severity.INFO, dataset="square", cause=("cameras", "square pictures"))
def shift_not_applied(fit: Fit) -> Iterator[Finding]:
    """Compare the camera's name with the one that is shifted."""
    ratio = fit.policy.get("max_random_shift_ratio", 0)
    shifted = fit.facts.shifted_camera
    if not shifted or not ratio:
        return
    at = fit.recipe.param_route("max_random_shift_ratio")
    for key in fit.policy.image_features:
        if key != shifted:
            yield Finding(
                f"max_random_shift_ratio {ratio} has no effect: {fit.policy.policy.class_name} shifts `{shifted}` and "
                f"looks at `{key}`",
                at=at,
                help="rename the camera in the dataset to apply the shift",
                fix=Change("set max_random_shift_ratio to 0.0, which is what happens", set=((at, 0.0),)),
                severity=Severity.WARNING if fit.recipe.has(at) else None,
            )
