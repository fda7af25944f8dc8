"""A state whose normalization does not fit the prompt.

## What it finds

pi0.5 or pi0-FAST with another normalization of the state than `QUANTILES` or `MIN_MAX`.

## Why it matters

Both print the state into the prompt as whole numbers of 256 bins between -1 and 1. After `MEAN_STD` about a third of
all values lie outside, and each of those is printed as the first or the last bin. pi0-FAST has `MEAN_STD` by default,
though its own comment says quantiles.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.PI05
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/pi05_base
    normalization_mapping: {VISUAL: IDENTITY, STATE: MEAN_STD, ACTION: MEAN_STD}
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
  class_path: getiaction.policies.lerobot.PI05
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/pi05_base
    normalization_mapping: {VISUAL: IDENTITY, STATE: MIN_MAX, ACTION: MEAN_STD}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction

_WITHIN = ("QUANTILES", "MIN_MAX")


@rule("GA242", severity=Severity.WARNING, dataset="pusht")
def state_in_words(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Report normalization modes whose results exceed -1 to 1."""
    mode = policy.normalization.get("STATE", "IDENTITY")
    if mode in _WITHIN or not policy.facts.state_in_prompt:
        return
    values = Values(recipe, policy.policy)
    mapping = {**policy.normalization, "STATE": "QUANTILES"}
    yield contradiction(
        values,
        f"{policy.policy.title} prints the state into its prompt in 256 bins between -1 and 1; "
        f"with `STATE: {mode}` many values lie outside",
        "normalization_mapping",
        fix=values.set_to("normalization_mapping", mapping),
        help="QUANTILES needs the statistics q01 and q99 in the dataset; MIN_MAX needs none but the usual ones",
    )
