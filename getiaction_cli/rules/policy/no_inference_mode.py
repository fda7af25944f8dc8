"""A policy without an inference mode.

## What it finds

MolmoAct2 without `inference_action_mode`.

## Why it matters

It trains, and the trained policy refuses to act: `MolmoAct2 inference requires inference_action_mode to be set
explicitly`. Training is the same either way: with `action_mode: both` you can choose the mode later.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.MolmoAct2
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

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.MolmoAct2
  init_args:
    chunk_size: 8
    n_action_steps: 8
    inference_action_mode: continuous
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


@rule("GA245", severity=Severity.WARNING, dataset="pusht")
def no_inference_mode(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Look for the mode."""
    if not policy.facts.needs_inference_mode:
        return
    values = Values(recipe, policy.policy)
    mode = "discrete" if policy.action_mode == "discrete" else "continuous"
    yield contradiction(
        values,
        f"{policy.policy.title} trains without `inference_action_mode`, and can't act without it",
        "inference_action_mode",
        fix=values.set_to("inference_action_mode", mode),
    )
