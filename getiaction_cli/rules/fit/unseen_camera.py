"""A camera whose name no policy sees.

## What it finds

A camera among the policy's inputs whose name does not begin with `observation.`, as `image` and `wrist_image` of
datasets that were made for openpi.

## Why it matters

LeRobot gives a policy every feature of dtype `image` or `video` as an input, and of a sample only what is called
`observation.…`. Some policies stop at the first batch (`KeyError: 'image'`); the others train without this camera.

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
    repo_id: made/unnamed-camera
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
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/unnamed-camera
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, OBSERVATION, Fit, listed
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule


@rule(
    "GA370",
    dataset="unnamed-camera",
    cause=("chosen features", "checkpoint cameras"),
    breaks=("unseen camera",),
)
def unseen_camera(fit: Fit) -> Iterator[Finding]:
    """Look for cameras that are not observations."""
    if fit.policy.policy.entry.plugin:  # it may read its samples differently
        return
    cameras = [key for key, feature in fit.readable.items() if feature.type.value == "VISUAL" and fit.reads(key)]
    unseen = [key for key in cameras if not key.startswith(OBSERVATION)]
    if not unseen:
        return
    help = ", ".join(f"{key} to {OBSERVATION}images.{key}" for key in unseen)
    yield Finding(
        f"no policy sees {listed(unseen)}: LeRobot gives them what is called `{OBSERVATION}…`",
        at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
        related=(Related("the camera", file="meta/info.json", key=f"features.{unseen[0]}"),),
        help=f"rename it in the dataset (info.json, stats.json, tables, videos): {help}",
        features=tuple(unseen),
        fix=fit.without(unseen) if len(unseen) < len(cameras) else None,
    )
