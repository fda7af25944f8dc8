"""Group normalization over pretrained weights.

## What it finds

`use_group_norm: true` while `pretrained_backbone_weights` is set (it is by default).

## Why it matters

Without its batch normalization, the weights of a pretrained backbone are useless; LeRobot refuses when the network is
built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    use_group_norm: true
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
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    use_group_norm: true
    pretrained_backbone_weights: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA214", dataset="pusht", cause=("backbone weights", "camera"), stops=True)
def group_norm_weights(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report pretrained weights with group norm."""
    if not (policy.get("use_group_norm") and policy.get("pretrained_backbone_weights")):
        return
    if policy.input_features and not policy.image_features:
        return
    values = Values(recipe, policy.policy)
    yield contradiction(
        values,
        "`use_group_norm` can't replace the batch normalization of a pretrained backbone "
        f"({values.quoted('pretrained_backbone_weights')})",
        "use_group_norm",
        "pretrained_backbone_weights",
        fix=values.set_to("pretrained_backbone_weights", None, safe=not values.is_set("pretrained_backbone_weights")),
        help="or leave `use_group_norm` out and keep the weights",
    )
