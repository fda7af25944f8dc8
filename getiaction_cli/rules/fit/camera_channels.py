"""A camera that is not a colour camera.

## What it finds

A camera with another number of channels than three (a depth camera, or one with transparency) among the inputs of a
policy that sees in colour. LeRobot passes depth cameras to every policy as colour pictures.

## Why it matters

The first layer expects three channels: training stops at the first batch with `expected input … to have 3 channels`.

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
    repo_id: made/depth
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
    repo_id: made/depth
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._cameras import seen

_MAX = 4


@rule("GA313", dataset="depth", cause=("cameras", "camera"), breaks=("channels",), stops=True)
def camera_channels(fit: Fit) -> Iterator[Finding]:
    """Count the channels of each camera."""
    if fit.facts.any_channels:
        return
    cameras = seen(fit)
    # A policy without weights has the dataset's own keys.
    depths = {name for key in fit.dataset.depth_keys for name in (key, fit.renames.get(key, key))}
    # Depth values would be clipped at 255, unlike grey values.
    odd = {
        key: camera.shape[0]
        for key, camera in cameras.items()
        if camera.shape[0] not in ([3] if key in depths else fit.facts.channels)
    }
    for key in [key for key, channels in odd.items() if channels > _MAX]:
        height, width = cameras[key].shape[1:]
        yield Finding(
            f"LeRobot takes `{key}` for {odd.pop(key)} channels of {height}x{width}: its names put the channel first",
            at="data.init_args.repo_id",
            related=(Related("the names", file="meta/info.json", key=f"features.{key}.names"),),
            # The other policies only read the images, which are correct.
            severity=None if fit.facts.built_for_shape else Severity.WARNING,
        )
    parameter = fit.facts.camera_names
    named = fit.policy.get(parameter)
    at = fit.recipe.param_route(parameter) if named else INPUTS
    keep = [key for key in named or fit.inputs or fit.readable if fit.renames.get(key, key) not in odd]
    colour = any(fit.renames.get(key, key) in cameras for key in keep)
    for key, channels in odd.items():
        depth = " (a depth camera)" if key in depths else ""
        count = f"{channels} {'channel' if channels == 1 else 'channels'}"
        yield Finding(
            f"`{key}`{depth} has {count}, and {fit.policy.policy.class_name} sees in colour: 3 channels",
            at=at if fit.recipe.has(at) else "data.init_args.repo_id",
            related=(Related(count, file="meta/info.json", key=f"features.{key}.shape"),),
            help="" if colour else "no colour camera would be left",
            fix=Change(f"read everything but {', '.join(odd)}", set=((at, keep),)) if colour else None,
        )
