"""A learning rate that is out of range.

## What it finds

A learning rate of 0 or below, or one above 0.01 (an error from 0.1 on): `learning_rate`, and every `optimizer_lr…` of
the policy.

## Why it matters

With 0 nothing is learned, silently. Policies are trained with 1e-5 to 1e-3; much above that the loss becomes
infinite within a few steps.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    learning_rate: 1.0
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
    learning_rate: 1.0e-5
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
from getiaction_cli.rules.policy._values import Values

_OWN = "model.init_args.learning_rate"
_HIGH, _ABSURD = 0.01, 0.1


@rule("GA241", severity=Severity.WARNING, dataset="pusht")
def learning_rate(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Check each learning rate that the recipe sets."""
    values = Values(recipe, policy.policy)
    rates = {values.at(name): (name, rate) for name, rate in values.written.items() if _is_rate(name)}
    own = recipe.get(_OWN)
    if isinstance(own, int | float) and not isinstance(own, bool):
        rates[_OWN] = ("learning_rate", float(own))
        rates.pop(values.at("optimizer_lr"), None)  # learning_rate overrides it
    preset = policy.policy.configure({}).optimizer.get("lr")
    for at, (name, rate) in rates.items():
        usual = f"{policy.policy.class_name}'s own is {preset:g}" if isinstance(preset, float) else ""
        if rate == 0 and name not in ("learning_rate", "optimizer_lr"):
            continue  # a rate of 0 freezes this part of the policy
        if rate == 0:
            yield Finding(f"with `{name}` 0 nothing is learned", at=at, help=usual, severity=Severity.ERROR)
        elif rate < 0:
            yield Finding(f"`{name}` is negative", at=at, help=usual, severity=Severity.ERROR)
        elif rate > _HIGH:
            severity = Severity.ERROR if rate >= _ABSURD else None
            message = f"`{name}` {rate:g} is far above what policies are trained with"
            yield Finding(message, at=at, help=usual, severity=severity)


def _is_rate(name: str) -> bool:
    return name.startswith("optimizer_") and (name.endswith("_lr") or "_lr_" in name) and not name.endswith("scale")
