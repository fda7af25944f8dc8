"""A policy that trains on an NVIDIA GPU only.

## What it finds

On a machine that trains on its CPU or on Apple silicon: LingBot-VA; and VLA-JEPA or FastWAM with `torch_dtype`
bfloat16 (the default) or float16.

## Why it matters

LingBot-VA's attention has no backward pass elsewhere (`FlexAttention does not support backward on CPU`). The other two
compute partly in 16 bits and partly in 32, which LeRobot joins with CUDA's autocast: elsewhere the first batch stops
with `mat1 and mat2 must have the same dtype, but got BFloat16 and Float`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VLAJEPA
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
  class_path: getiaction.policies.lerobot.VLAJEPA
  init_args:
    torch_dtype: float32
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.machine import Machine
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen


@rule(
    "GA520",
    cause=("accelerator",),
    help="train on a machine with an NVIDIA GPU, or choose another policy: `getiaction list-policies`",
)
def only_on_cuda(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Compare the policy's requirements with the accelerator."""
    kind = chosen(recipe, machine)
    if kind not in ("cpu", "mps"):
        return
    if policy.facts.needs_cuda:
        yield Finding(
            f"{policy.policy.title} trains on an NVIDIA GPU only: its attention has no backward pass on {kind}",
            at="trainer.accelerator" if recipe.has("trainer.accelerator") else "model.class_path",
        )
    for name, values in policy.facts.needs_cuda_with.items():
        if (value := policy.get(name)) in values:
            at = recipe.param_route(name)
            yield Finding(
                f"{policy.policy.title} trains with `{name}: {value}` on an NVIDIA GPU only, not on {kind}",
                at=at,
                fix=Change(f"remove {name}: LeRobot's default is used", remove=(at,)),
            )
    if policy.facts.mixes_types and policy.get("torch_dtype") != "float32":
        at = recipe.param_route("torch_dtype")
        default = "" if recipe.has(at) else ", its default,"
        yield Finding(
            f"torch_dtype {policy.get('torch_dtype')}{default} stops {policy.policy.class_name} on {kind}: "
            "it computes in float32 too, and only CUDA joins the two",
            at=at,
            fix=Change("set torch_dtype to float32", set=((at, "float32"),)),
        )
