"""A state or action that is text.

## What it finds

A feature that the policy reads or predicts, and that the dataset stores as text.

## Why it matters

LeRobot goes by the name of a feature, not by its type: the model is built for as many numbers as the shape says, and
the first batch stops.

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
    repo_id: made/text-state
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/toy
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule


@rule(
    "GA334",
    dataset="text-state",
    cause=("feature names", "foreign names", "feature dtype", "image shape"),
    help="store it as numbers, or leave it out of `input_features`",
)
def text_feature(fit: Fit) -> Iterator[Finding]:
    """Look at the dtypes of the features that the policy reads."""
    for key in (*fit.readable, *fit.writable):
        feature = fit.dataset.features[key]
        if feature.dtype == "string" and fit.reads(key):
            yield Finding(
                f"{fit.policy.policy.class_name} computes with `{key}`, and {fit.dataset.repo_id} stores it as text",
                at="data.init_args.repo_id",
                related=(Related("text", file="meta/info.json", key=f"features.{key}.dtype"),),
                features=(key,),
            )
