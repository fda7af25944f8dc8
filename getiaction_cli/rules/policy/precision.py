"""The trainer's precision contradicts the policy's `dtype`.

## What it finds

The policy's own `dtype` is 16 bits wide while the trainer computes in 32, or the trainer's `precision` casts the
whole policy (`16-true`, `bf16-true`) while its `dtype` says otherwise.

## Why it matters

The policy casts some of its layers to its `dtype`; inputs of another type stop them with `expected scalar type Float
but found BFloat16`. Set it in one place.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/pi0_base
    dtype: float32
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: bf16-true
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0
  init_args:
    chunk_size: 10
    n_action_steps: 10
    pretrained_path: lerobot/pi0_base
    dtype: bfloat16
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: bf16-true
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values

_CASTS = {"16-true": "float16", "bf16-true": "bfloat16", "16": "float16", "64-true": "float64", "64": "float64"}


@rule("GA243", severity=Severity.WARNING, dataset="pusht")
def precision(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare the precision of the trainer with the dtype of the policy."""
    name = next((name for name in ("dtype", "model_dtype", "torch_dtype") if policy.get(name) is not None), None)
    casts_to = _CASTS.get(str(recipe.trainer("precision")))
    if name is None or casts_to is None or policy.get(name) in (casts_to, "auto"):
        return
    values = Values(recipe, policy.policy)
    yield Finding(
        f"the trainer casts the policy to {casts_to}, the policy itself says {values.quoted(name)}",
        at="trainer.precision",
        related=(Related(f"{name} is {policy.get(name)}", at=values.at(name)),) if values.is_set(name) else (),
        fix=values.set_to(name, casts_to) if casts_to in ("bfloat16", "float16") else None,
        help="`precision: bf16-mixed` computes in 16 bits and keeps the weights as they are",
    )
