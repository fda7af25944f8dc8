"""Averaged weights with settings that defeat them.

## What it finds

An `ema` section that cannot be used: `decay` beside `min_decay` or `max_decay`, `min_decay` above `max_decay`, a
strategy that divides the policy between processes. And an average that is still close to the weights that the run
began with, because the constant `decay` is too near 1 for the number of steps, or that never begins
(`update_after_step`).

## Why it matters

With `ema`, validation, rollouts and `pretrained_model/` use the average. After 1,000 steps with a constant decay of
0.9999, 90 % of it are the first weights: random ones, unless the run starts from `pretrained_path`. The policy would
hardly move, however low the training loss is. The default schedule forgets the first weights within a few steps.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    ema:
      decay: 0.9999
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
    ema: true
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction.spec.averaging import Averaging
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_AT = "model.init_args.ema"
_MUCH = 0.1
_SHARDED = ("fsdp", "modelparallel", "deepspeed")


@rule("GA255", stops=True)
def averaged_weights(recipe: Recipe) -> Iterator[Finding]:
    """Check the section, and compute how many updates the average covers."""
    section = recipe.get(_AT)
    try:
        averaging = Averaging.read(section)
    except TypeError:
        return
    except ValueError as error:
        at = next((f"{_AT}.{key}" for key in ("decay", "min_decay") if recipe.has(f"{_AT}.{key}")), _AT)
        yield Finding(str(error), at=at)
        return
    if averaging is None:
        return
    strategy = recipe.trainer("strategy")
    named = strategy if isinstance(strategy, str) else recipe.get("trainer.strategy.class_path")
    if isinstance(named, str) and named.rpartition(".")[2].lower().startswith(_SHARDED):
        yield Finding(
            f"`ema` needs the whole policy in each process, and `{named}` divides it between them",
            at=_AT,
            help="use `strategy: ddp`, or leave `ema` out",
        )
    steps = recipe.trainer("max_steps")
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        return
    if averaging.update_after_step >= steps:
        yield Finding(
            f"the average begins after step {averaging.update_after_step:,}, and the run ends at step {steps:,}",
            at=f"{_AT}.update_after_step",
            severity=Severity.WARNING,
            fix=Change("remove ema", remove=(_AT,)),
        )
    elif (share := averaging.share_of_start(steps)) > _MUCH:
        pretrained = bool(recipe.get("model.init_args.pretrained_path"))
        key = "decay" if averaging.decay is not None else "min_decay"
        yield Finding(
            f"after {steps:,} steps, {share:.0%} of the average are still the weights that the run began with",
            at=f"{_AT}.{key}",
            label=f"about {1 / max(1 - (averaging.decay or averaging.min_decay), 1e-9):,.0f} steps are averaged",
            severity=Severity.WARNING if pretrained else Severity.ERROR,
            fix=Change("use the default schedule", set=((_AT, True),)),
        )
