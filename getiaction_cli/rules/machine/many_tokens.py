"""Pictures that make ACT very large.

## What it finds

Cameras for ACT whose pictures, which it doesn't resize, become more than 4000 tokens together (one per 32x32 pixels).

## Why it matters

The memory of its attention grows with the square of that number: 1080p cameras don't fit on a consumer's GPU.

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
    repo_id: made/large
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
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from math import ceil

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import gigabytes

_STRIDE, _MANY = 32, 4000


@rule("GA516", severity=Severity.WARNING, dataset="large")
def many_tokens(fit: Fit) -> Iterator[Finding]:
    """Count the tokens."""
    if not fit.facts.attends_to_every_pixel:
        return
    sizes = {key: camera.shape[1:] for key, camera in fit.policy.image_features.items()}
    tokens = {key: ceil(h / _STRIDE) * ceil(w / _STRIDE) for key, (h, w) in sizes.items()}
    total = sum(tokens.values())
    if total <= _MANY:
        return
    # One float32 per pair of tokens, head, layer and sample is kept for the backward pass.
    attention = 4 * total**2 * fit.policy.n_heads * fit.policy.n_encoder_layers * fit.batch_size
    largest = max(tokens, key=lambda key: tokens[key])
    height, width = sizes[largest]
    yield Finding(
        f"{fit.policy.policy.class_name} doesn't resize its pictures: {total} tokens per sample, about "
        f"{gigabytes(attention)} for the attention of a batch of {fit.batch_size}",
        at="data.init_args.repo_id",
        related=(Related(f"{width}x{height}", file="meta/info.json", key=f"features.{largest}.shape"),),
        help="resize the videos of the dataset, or choose fewer cameras with `input_features`",
    )
