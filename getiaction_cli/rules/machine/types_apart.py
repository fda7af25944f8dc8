"""Two halves of a policy that only a GPU brings to one precision.

## What it finds

VLA-JEPA with `torch_dtype` bfloat16 (the default) or float16 on a machine that trains on its CPU or on Apple silicon.

## Why it matters

Its language model computes in 16 bits and its action head in 32; LeRobot joins them with CUDA's autocast. Elsewhere
the first batch stops: `mat1 and mat2 must have the same dtype, but got BFloat16 and Float`.

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


@rule("GA520", unless=("GA501",))
def types_apart(recipe: Recipe, policy: PolicyConfig, machine: Machine) -> Iterator[Finding]:
    """Compare the type of the language model with what the accelerator can join."""
    kind = chosen(recipe, machine)
    if policy.policy.name != "vla_jepa" or kind not in ("cpu", "mps") or policy.get("torch_dtype") == "float32":
        return
    at = recipe.param_route("torch_dtype")
    default = "" if recipe.has(at) else ", its default,"
    yield Finding(
        f"torch_dtype {policy.get('torch_dtype')}{default} stops VLA-JEPA's action head on {kind}: "
        "only CUDA joins the two",
        at=at,
        fix=Change("set torch_dtype to float32", set=((at, "float32"),)),
    )
