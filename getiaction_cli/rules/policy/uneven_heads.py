"""A width that can't be divided evenly.

## What it finds

A model width that is not a multiple of what it is divided into: `dim_model` by `n_heads` (and by 4) in ACT,
`gpt_hidden_dim` by `gpt_n_head` in VQ-BeT, each of `down_dims` by `n_groups` in Diffusion, `hidden_size` by
`num_heads` in X-VLA, the width of V-JEPA2 by `predictor_num_heads` in VLA-JEPA, and others of the kind.

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

import math
from collections.abc import Iterator
from typing import Any

from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.analysis import checkpoint
from getiaction_cli.diagnostics import Change, Finding, Unavailable
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction, divisors, nearest


@rule("GA212", dataset="pusht", stops=True)
def uneven_heads(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Check that each width is divisible by the number of its parts."""
    values = Values(recipe, policy.policy)
    unread = ""
    for division in policy.facts.divided:
        if "of" in division:
            base = str(policy.get(division["of"]))
            if not policy.get(division.get("when", division["of"])):
                continue
            width = checkpoint.find(base, hub_cache()).config.get(division["base_width"])
            if type(width) is int:
                yield from _of_base(values, policy, division, width)
            else:
                unread = base
            continue
        name, by, fixed = division["width"], division.get("by", ""), division.get("multiple", 1)
        each = division.get("each", False)
        given = policy.get(name)
        if "." in name and not all(type(policy.get(each)) is int for each in filter(None, (name, by))):
            continue  # a rule about types reports it
        widths = [given] if isinstance(given, int) else list(given)
        pairing = division.get("in_pairs_for")
        paired = bool(pairing and policy.get(pairing))
        parts = policy.get(by) * (2 if paired else 1) if by else 1
        if not widths or min(*widths, parts, 1) < 1:
            continue  # a rule about sizes reports it
        if any(width % parts for width in widths):
            pairs = f", in pairs for `{pairing}`" if paired else ""
            message = f"{values.quoted(name)} can't be split evenly among {values.quoted(by)}{pairs}"
        elif any(width % fixed for width in (widths if each else widths[:1])):
            which = "each" if each else "the first"
            first = f"{which} of {values.quoted(name)}" if len(widths) > 1 else values.quoted(name)
            message = f"{first} is not a multiple of {fixed}, which {division['for']} needs"
        else:
            continue
        yield contradiction(
            values, message, *filter(None, (name, by)), fix=_fix(values, name, by, parts, fixed, widths, each)
        )
    if unread:
        raise Unavailable(f"the configuration of {unread} is not on this machine", is_reported=False)


def _of_base(values: Values, policy: PolicyConfig, division: dict[str, Any], width: int) -> Iterator[Finding]:
    """Check a width of the base model; ``not_parts`` are the narrowest and the widest rejected head."""
    by, (low, high) = division["by"], division.get("not_parts", (0, 0))
    heads = policy.get(by)
    if type(heads) is not int or heads < 1:
        return
    if width % heads:
        base = policy.get(division["of"])
        message = f"the width {width} of {base} can't be split evenly among {values.quoted(by)}"
    elif low <= width // heads <= high:
        message = (
            f"{values.quoted(by)} leaves {width // heads} of {width} numbers to a head; {low} to {high} can't train"
        )
    else:
        return
    good = [parts for parts in divisors(width) if not low <= width // parts <= high]
    yield contradiction(values, message, by, fix=values.set_to(by, nearest(heads, good)))


def _fix(values: Values, name: str, by: str, parts: int, fixed: int, widths: list[int], each: bool) -> Change:
    if by and values.is_set(by) and widths[0] % fixed == 0 and parts == values[by]:
        common = divisors(math.gcd(*widths))
        # Prefer to change the number of parts, unless the only possible number is 1: widths determine the network.
        if len(widths) == 1 or (not values.is_set(name) and len(common) > 1):
            return values.set_to(by, nearest(parts, common))
    rounded = [
        -(-width // factor) * factor for width, factor in zip(widths, _factors(parts, fixed, widths, each), strict=True)
    ]
    return values.set_to(name, rounded if isinstance(values[name], tuple) else rounded[0])


def _factors(parts: int, fixed: int, widths: list[int], each: bool) -> list[int]:
    both = math.lcm(parts, fixed)
    return [both, *([both if each else parts] * (len(widths) - 1))]
