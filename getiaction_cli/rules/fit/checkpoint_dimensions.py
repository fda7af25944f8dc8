"""State or action sizes that differ from the pretrained policy's.

## What it finds

A state or an action whose length differs from the checkpoint's. It is an error for a policy that doesn't
pad them to one width, and a note for one that does.

## Why it matters

The first layer does not have the robot's shape: the weights don't load, or the first batch stops with a matrix
error. A policy that pads them trains; what it saves says what this training read, and LeRobot's own training would keep
the old lengths in config.json.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    rename_map:
      observation.images.top: observation.image
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/one-joint
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.checkpoint import ROUTE, Checkpoint
from getiaction_cli.analysis.recipe_on_dataset import ACTION, ENVIRONMENT, STATE, Fit
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule


@rule("GA343", cause=("checkpoint", "checkpoint policy", "checkpoint cameras"), breaks=("checkpoint dimensions",))
def checkpoint_dimensions(fit: Fit, checkpoint: Checkpoint) -> Iterator[Finding]:
    """Compare the lengths of state and action."""
    widths = ("max_action_dim", "expected_max_action_dim")
    pads = any(fit.policy.get(name) is not None for name in widths)
    trained = {**checkpoint.features("output_features"), **checkpoint.features("input_features")}
    for key in (STATE, ENVIRONMENT, ACTION):
        feature = {**fit.readable, **fit.writable}.get(key)
        if key in trained and feature is not None and tuple(feature.shape) != trained[key][1]:
            yield Finding(
                f"{checkpoint.path} was trained with {_length(trained[key][1])} numbers of `{key}`, and "
                f"{fit.dataset.repo_id} has {_length(feature.shape)}"
                + (
                    "; the policy pads both to one width, and the saved policy will say what was trained"
                    if pads
                    else ""
                ),
                at=ROUTE,
                related=(
                    Related(f"{_length(feature.shape)} numbers", file="meta/info.json", key=f"features.{key}.shape"),
                ),
                help="" if pads else "train from scratch: leave pretrained_path out",
                severity=Severity.INFO if pads else None,
            )


def _length(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
