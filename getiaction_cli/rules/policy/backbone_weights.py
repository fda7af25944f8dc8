"""Pretrained weights of another backbone.

## What it finds

`pretrained_backbone_weights` names weights that `vision_backbone` does not have, or
`replace_final_stride_with_dilation` is on for a backbone that can't do it. The names are read from the installed
torchvision.

## Why it matters

The two are separate parameters, and often only one of them is changed. torchvision stops with a `KeyError` when the
policy is built.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    vision_backbone: resnet50
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
    chunk_size: 10
    n_action_steps: 10
    vision_backbone: resnet50
    pretrained_backbone_weights: ResNet50_Weights.IMAGENET1K_V2
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
from getiaction_cli.policies import PolicyConfig, passthrough_values
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction, shown


@rule("GA213", dataset="pusht", breaks=("backbone weights",), stops=True)
def backbone_weights(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Look up the weights in those of the backbone."""
    backbone, weights = policy.get("vision_backbone"), policy.get("pretrained_backbone_weights")
    known = passthrough_values.resnet_weights().get(backbone or "")
    if not known or (policy.input_features and not policy.image_features):
        return
    values = Values(recipe, policy.policy)
    own = f"ResNet{backbone.removeprefix('resnet')}_Weights"
    if weights is not None and weights.replace(f"{own}.", "") not in known:
        _, _, member = weights.rpartition(".")
        right = f"{own}.{member if member in known else known[0]}"
        yield contradiction(
            values,
            f"`{backbone}` has no weights called {shown(weights)}"
            + (
                "" if values.is_set("pretrained_backbone_weights") else ", the default of `pretrained_backbone_weights`"
            ),
            "pretrained_backbone_weights",
            "vision_backbone",
            fix=values.set_to(
                "pretrained_backbone_weights", right, safe=not values.is_set("pretrained_backbone_weights")
            ),
            help="null trains the backbone from scratch",
        )
    if policy.get("replace_final_stride_with_dilation") and backbone in ("resnet18", "resnet34"):
        yield contradiction(
            values,
            f"`{backbone}` can't replace its final stride with a dilation; resnet50 and larger can",
            "replace_final_stride_with_dilation",
            "vision_backbone",
            fix=values.set_to("replace_final_stride_with_dilation", False),
        )
