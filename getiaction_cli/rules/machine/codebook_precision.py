"""A codebook in mixed precision.

## What it finds

VQ-BeT with `trainer.precision` 16-mixed or bf16-mixed, or with `use_amp`.

## Why it matters

The moving averages of its codebook are float32 and refuse to be mixed with anything else: the first step stops with
`expected dtype float for `end` but got …`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
    n_vqvae_training_steps: 100
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: bf16-mixed
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
    n_vqvae_training_steps: 100
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: 32-true
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_PRECISION = "trainer.precision"


@rule("GA519", breaks=("precision",), stops=True)
def codebook_precision(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Find settings that mix floating-point types."""
    if not policy_class.facts.codebook_in_float32:
        return
    asked, amp = str(recipe.get(_PRECISION, "")), recipe.param_route("use_amp")
    if asked in ("16", "bf16") or asked.endswith("-mixed"):
        yield Finding(
            f"{policy_class.class_name} can't be trained in `{asked}`: its codebook is updated in float32 only",
            at=_PRECISION,
            fix=Change("set precision to 32-true", set=((_PRECISION, "32-true"),)),
        )
    elif recipe.get(amp) is True:
        yield Finding(
            f"{policy_class.class_name} can't be trained with use_amp: its codebook is updated in float32 only",
            at=amp,
            fix=Change("set use_amp to false", set=((amp, False),)),
        )
