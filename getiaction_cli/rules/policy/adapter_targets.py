"""Adapters for layers that the pretrained policy does not have.

## What it finds

`peft.target_modules` or `peft.full_training_modules` that match no layer of the pretrained weights, or, with LoRA, one
that has no matrix to adapt; a convolution, with a method that adapts none; and a rank as large as a layer is wide. The
names come from the header of the weights on this disk; weights that were never downloaded are not judged.

## Why it matters

PEFT finds it after the policy is downloaded and built. At a rank of a layer's width, the adapter has more numbers than
the layer itself.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    peft:
      r: 4
      target_modules: [q_projection]
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
    pretrained_path: me/act-pusht
    peft:
      r: 4
      target_modules: [linear1, linear2]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from getiaction import trust
from getiaction_cli.analysis import peft_source
from getiaction_cli.analysis.checkpoint import Checkpoint
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.policies import PolicyClass
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_AT = "model.init_args.peft"
_DEFAULT_RANK = 16
# The dimensions of a weight → the layer that has it.
_CONVOLUTIONS = {3: "Conv1d", 4: "Conv2d", 5: "Conv3d"}


@rule("GA257", cause=("checkpoint", "adapters"))
def adapter_targets(recipe: Recipe, checkpoint: Checkpoint, policy_class: PolicyClass) -> Iterator[Finding]:
    """Match the names as PEFT does: suffixes, or one regular expression for the whole name."""
    section = recipe.get(_AT)
    layers = {name.removesuffix(".weight"): shape for name, shape in checkpoint.shapes.items()}
    if not isinstance(section, dict) or not layers:
        return
    modules = {".".join(parts[: i + 1]) for parts in (name.split(".") for name in layers) for i in range(len(parts))}
    targets = section.get("target_modules")
    matched: set[str] = set()
    if targets is None and (own := peft_source.default_targets(policy_class.name)):
        matched = {name for name in modules if re.fullmatch(own, name)}
    if isinstance(targets, str) and targets != "all-linear":
        try:
            matched = trust.matching(targets, modules)
        except re.error as error:
            yield Finding(f"`{targets}` is not a regular expression: {error}", at=f"{_AT}.target_modules")
            return
        except TimeoutError as error:
            yield Finding(
                f"`{targets}` is not usable: {error}",
                at=f"{_AT}.target_modules",
                help="name the layers in a list: [q_proj, v_proj]",
            )
            return
        if not matched:
            yield _missing(targets, f"{_AT}.target_modules", checkpoint, modules)
    for key in ("target_modules", "full_training_modules"):
        names = section.get(key)
        for index, name in enumerate(names if isinstance(names, list) else ()):
            found = {each for each in modules if each == name or each.endswith(f".{name}")}
            if not found:
                yield _missing(str(name), f"{_AT}.{key}.{index}", checkpoint, modules)
            elif key == "target_modules":
                matched |= found
    method = str(section.get("method_type") or "LORA").upper()
    # LoRA also adapts nn.MultiheadAttention, whose weights are called `in_proj_weight`.
    leaves = {name for name in matched if f"{name}.in_proj_weight" not in checkpoint.shapes}
    unlike = sorted(name for name in leaves if len(layers.get(name, ())) < 2)
    if targets and method == "LORA" and unlike:
        what = "is a module of several layers" if unlike[0] not in layers else "is not one that has a matrix"
        yield Finding(
            f"LoRA can't adapt `{unlike[0]}`, which {what}",
            at=f"{_AT}.target_modules",
            help="name linear layers, convolutions or embeddings",
        )
        return
    convolutions = ((name, _CONVOLUTIONS.get(len(layers.get(name, ())), "")) for name in sorted(leaves))
    refused = next((name for name, kind in convolutions if kind and not peft_source.adapts(method, kind)), "")
    if refused:
        yield Finding(
            f"{method} can't adapt `{refused}`, which is a convolution",
            at=f"{_AT}.target_modules" if targets else _AT,
            help="name linear layers, or set method_type to LORA",
        )
        return
    rank = section.get("r", _DEFAULT_RANK)
    widths = {name: min(layers[name][:2]) for name in matched if len(layers.get(name, ())) >= 2}
    # Besides attention layers, LeRobot's default targets include some narrow projections of the state and action.
    narrowest = min if targets else max
    narrow = narrowest(widths, key=lambda name: widths[name], default=None)
    if narrow is not None and isinstance(rank, int) and rank >= widths[narrow]:
        yield Finding(
            f"the rank is {rank}, and `{narrow}` is {widths[narrow]} wide: its adapter is not smaller than the layer",
            at=f"{_AT}.r" if "r" in section else _AT,
            severity=Severity.WARNING,
        )


def _missing(name: str, at: str, checkpoint: Checkpoint, modules: set[str]) -> Finding:
    last = sorted({each.rpartition(".")[2] for each in modules if not each.rpartition(".")[2].isdigit()})
    near = difflib.get_close_matches(name, last, 1, 0.6)
    return Finding(
        f"no layer of {checkpoint.path} matches `{name}`",
        at=at,
        label=f"did you mean {near[0]}?" if near else "",
        help="" if near else f"its layers are called {', '.join(last[:12])}{', …' if len(last) > 12 else ''}",
    )
