"""Action time steps that the policy was not built for.

## What it finds

`delta_timestamps` gives `action` other time steps than the policy's own parameters ask for: another number of frames,
another first frame, or frames that are further apart.

## Why it matters

Another number of frames stops training with a shape error that names neither. The right number with another start or
another distance is worse: it trains silently, and the robot acts early, late, or at the wrong speed.
getiaction derives the time steps from the policy and the dataset's fps; there is no need to write them down.
To learn a slower policy from fast data on purpose, set `data.init_args.stride`: with 5, data of 50 fps teaches a policy
that acts at 10 Hz. With `--ignore GA301`, training uses the stated steps where their number is right.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 20
    n_action_steps: 20
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    delta_timestamps:
      action: [0.0, 0.1, 0.2, 0.3, 0.4]
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 20
    n_action_steps: 20
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, REWARD, Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._timing import unlike


@rule("GA301", dataset="pusht")
def action_window(fit: Fit) -> Iterator[Finding]:
    """Compare the stated action (and reward) steps with the policy's."""
    for key in (ACTION, REWARD):
        if key in fit.stated and key in fit.dataset.features and fit.derives(key):
            yield from unlike(fit, key)
