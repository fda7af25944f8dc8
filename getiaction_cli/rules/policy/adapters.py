"""Adapters that can't be trained.

## What it finds

A `peft` section without `pretrained_path`; a policy for which LeRobot has no default `target_modules`, where the
section names none; a method that PEFT does not have, or one that needs more than LeRobot gives it (a rank and
targets); an `init_type` that the method does not have; a high rank without `lora_alpha`; and PEFT that is not
installed.

## Why it matters

LeRobot finds these after it has downloaded and built the policy, or not at all: with `r: 64` and PEFT's default
`lora_alpha` of 8, the adapters are scaled by 1/8 and learn little.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    peft:
      r: 16
      lora_alpha: 16
      target_modules: [q_proj, v_proj]
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

from getiaction.spec.adapters import Adapters
from getiaction_cli.analysis import peft_source
from getiaction_cli.analysis.checkpoint import ROUTE
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.installed import install_command
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_AT = "model.init_args.peft"
_HIGH_RANK = 32
_PEFTS_ALPHA = 8


@rule("GA256", breaks=("adapters",), stops=True)
def adapters(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Check the section against the source of LeRobot and PEFT, as training does."""
    if not isinstance(recipe.get(_AT), dict):
        return
    try:
        settings = Adapters.read(recipe.get(_AT))
    except TypeError:
        return
    except ValueError as error:
        yield Finding(str(error), at=f"{_AT}.r")
        return
    assert settings is not None
    if not recipe.get(ROUTE):
        yield Finding(
            "`peft` trains adapters on a pretrained policy, and there is no `pretrained_path`",
            at=_AT,
            on="key",
            fix=Change("remove peft: the whole policy is trained", remove=(_AT,)),
            help="set model.init_args.pretrained_path to a folder or a Hub id",
        )
    methods, method = peft_source.methods(), settings.method_type.upper()
    if methods is None:
        yield Finding(
            "`peft` needs the package peft, which is not installed", at=_AT, on="key", help=install_command("peft")
        )
    elif method not in methods or not peft_source.can_be_set_up(method):
        wrong = "PEFT has no method" if method not in methods else "LeRobot can't set up PEFT's method"
        yield Finding(
            f"{wrong} `{settings.method_type}`",
            at=f"{_AT}.method_type",
            help=f"one of {', '.join(filter(peft_source.can_be_set_up, methods))}",
        )
    elif settings.init_type is not None and not peft_source.is_start(method, str(settings.init_type)):
        words = ", ".join(peft_source.starts(method) or ())
        yield Finding(
            f"{method} can't begin with the `init_type` {settings.init_type}"
            if words
            else f"LeRobot has no `init_type` for {method}",
            at=f"{_AT}.init_type",
            help=f"one of {words}; or leave it out" if words else "leave it out",
        )
    if not settings.target_modules and peft_source.default_targets(policy_class.name) is None:
        yield Finding(
            f"LeRobot has no default targets for {policy_class.name}: `peft` must name `target_modules`",
            at=_AT,
            on="key",
            help="suffixes of layer names, as in target_modules: [q_proj, v_proj], or all-linear",
        )
    if settings.r >= _HIGH_RANK and settings.lora_alpha is None and method == "LORA":
        yield Finding(
            f"`lora_alpha` is {_PEFTS_ALPHA} when left out: at rank {settings.r} the adapters are scaled by "
            f"{_PEFTS_ALPHA / settings.r:.2g}",
            at=f"{_AT}.r",
            severity=Severity.WARNING,
            fix=Change(f"set lora_alpha to {settings.r}", set=((f"{_AT}.lora_alpha", settings.r),)),
        )
