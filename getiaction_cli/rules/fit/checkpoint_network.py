"""Parameters that contradict the pretrained weights.

## What it finds

Parameters in addition to `pretrained_path` with which the network's size differs from the checkpoint's.

## Why it matters

The weights don't fit the network. The checkpoint contains its own parameters; only those that don't affect the shape of
the network can be changed.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    dim_model: 64
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    dropout: 0.2
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.checkpoint import Checkpoint
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import Rejected, Unjudgeable
from getiaction_cli.policies.size import parameters
from getiaction_cli.rules import rule


@rule("GA344", cause=("checkpoint", "checkpoint policy", "checkpoint cameras", "checkpoint dimensions"))
def checkpoint_network(fit: Fit, checkpoint: Checkpoint) -> Iterator[Finding]:
    """Compare the parameter counts with the user's values and with the checkpoint's."""
    policy, asked = fit.policy, fit.recipe.params()
    if not checkpoint.config or policy.policy.name != checkpoint.policy:
        return
    for name, value in asked.items():
        own = checkpoint.config.get(name, value)
        if own == value or name not in policy.policy.parameter_names:
            continue
        try:
            given = {**policy.params, name: own}
            before = policy.policy.configure(
                given, policy.input_features, policy.output_features, policy.dataset_features
            )
        except (Rejected, Unjudgeable):
            continue
        if parameters(before) != parameters(policy):
            yield Finding(
                f"{name} {value!r} makes a network that differs from that of {checkpoint.path}, which has {own!r}",
                at=fit.recipe.param_route(name),
                fix=Change(f"remove {name}: the checkpoint's own is used", remove=(fit.recipe.param_route(name),)),
            )
