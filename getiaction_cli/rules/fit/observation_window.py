"""Observation time steps that the policy was not built for.

## What it finds

`delta_timestamps` gives an observation other time steps than the policy's own parameters ask for, or gives a policy
that looks at one moment a window of several.

## Why it matters

ACT and most pretrained policies want observations without a time dimension: one entry under `observation.…` stops
them with a shape error. Of `[0.0]`, the current frame alone, the time dimension is dropped, as LeRobot drops it.
Diffusion and VQ-BeT want exactly `n_obs_steps` frames that end now; a window of the same length that lies in the
future silently trains on what the robot will never see.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      observation.state: [0.0, 0.1]
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      observation.state: [-0.1, 0.0]
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._timing import unlike


@rule("GA302", dataset="pusht")
def observation_window(fit: Fit) -> Iterator[Finding]:
    """Compare the stated steps of each observation with the policy's."""
    for key in fit.stated:
        if key.startswith("observation.") and key in fit.dataset.features:
            yield from unlike(fit, key)
