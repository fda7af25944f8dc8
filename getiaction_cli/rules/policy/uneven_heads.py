"""A width that does not divide.

## What it finds

A model width that is not a multiple of what it is divided into: `dim_model` by `n_heads` (and by 4) in ACT,
`gpt_hidden_dim` by `gpt_n_head` in VQ-BeT, each of `down_dims` by `n_groups` in Diffusion, `hidden_size` by
`num_heads` in X-VLA, and others of the kind.

## Why it matters

Attention splits its width into equal heads and group normalization into equal groups. LeRobot does not check it in
the configuration: building the network stops with an assertion, or the first batch with a shape error.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    dim_model: 256
    n_heads: 6
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
    dim_model: 256
    n_heads: 8
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
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction, divisors, nearest

# Policy → (the width, what divides it or a fixed number, what for).
_DIVIDED: dict[str, tuple[tuple[str, str | int, str], ...]] = {
    "act": (
        ("dim_model", "n_heads", "attention heads"),
        ("dim_model", 4, "position embedding (two axes, sine and cosine)"),
    ),
    "vqbet": (("gpt_hidden_dim", "gpt_n_head", "attention heads"),),
    "diffusion": (
        ("down_dims", "n_groups", "groups of its normalization"),
        ("diffusion_step_embed_dim", 2, "embedding (sine and cosine)"),
    ),
    "multi_task_dit": (("hidden_dim", "num_heads", "attention heads"), ("timestep_embed_dim", 2, "embedding")),
    "xvla": (("hidden_size", "num_heads", "attention heads"),),
}


@rule("GA212", dataset="pusht")
def uneven_heads(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Divide each width by what divides it."""
    values = Values(recipe, policy.policy)
    for width_name, by, what in _DIVIDED.get(policy.policy.name, ()):
        width = policy.get(width_name)
        parts = by if isinstance(by, int) else policy.get(by)
        widths = [width] if isinstance(width, int) else list(width)
        if not widths or min(*widths, parts, parts) < 1:
            continue  # a rule about sizes speaks of it
        uneven = [size for size in widths if size % parts]
        if not uneven:
            continue
        names = (width_name,) if isinstance(by, int) else (width_name, by)
        yield contradiction(
            values,
            f"{values.said(width_name)} can't be split evenly into {parts} for its {what}"
            if isinstance(by, int)
            else f"{values.said(width_name)} can't be split evenly into {values.said(by)} {what}",
            *names,
            fix=_fix(values, width_name, by, widths),
        )


def _fix(values: Values, width_name: str, by: str | int, widths: list[int]) -> Change:
    if isinstance(by, str) and values.is_set(by) and len(widths) == 1:
        return values.set_to(by, nearest(values[by], divisors(widths[0])))
    parts = by if isinstance(by, int) else values[by]
    rounded = [-(-size // parts) * parts for size in widths]
    return values.set_to(width_name, rounded if len(rounded) > 1 else rounded[0])
