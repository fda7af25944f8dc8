"""No reward for a policy that learns from it.

## What it finds

TD-MPC on a dataset without `next.reward`.

## Why it matters

TD-MPC learns a value function from rewards; demonstrations of a teleoperated robot rarely have them. It stops at the
first batch.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/no-reward
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    horizon: 3
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import REWARD, Fit
from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule


@rule("GA317", dataset="no-reward", breaks=("reward",), stops=True)
def no_reward(fit: Fit) -> Iterator[Finding]:
    """Look for rewards if the policy reads them."""
    if fit.policy.reward_delta_indices is not None and REWARD not in fit.dataset.features:
        yield Finding(
            f"{fit.policy.policy.class_name} learns from `{REWARD}`, and {fit.dataset.repo_id} has none",
            at="model.class_path",
            label="needs rewards",
            help="act, diffusion and vqbet learn from demonstrations without rewards",
        )
