"""Two parts of a network that must agree, and don't.

## What it finds

A parameter that describes a part of the network (FastWAM's `video_dit_config` and `action_dit_config`) with a number
that contradicts another part, the policy, or itself: other heads or layers than the part it attends to, a head that is
not `hidden_dim / num_heads` wide, a setting with which the policy does not train.

## Why it matters

Training stops when the network is built, or at the first batch.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    action_dim: 14
    proprio_dim: 14
    action_dit_config:
      {action_dim: 7, hidden_dim: 1024, ffn_dim: 4096, num_heads: 24, attn_head_dim: 128, num_layers: 30,
       text_dim: 4096, freq_dim: 256, eps: 1.0e-6}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    action_dim: 14
    proprio_dim: 14
    action_dit_config:
      {action_dim: 14, hidden_dim: 1024, ffn_dim: 4096, num_heads: 24, attn_head_dim: 128, num_layers: 30,
       text_dim: 4096, freq_dim: 256, eps: 1.0e-6}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.recipe_schema import described
from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction, shown


@rule("GA260", dataset="aloha", stops=True)
def unequal_parts(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Compare the numbers that must be equal."""
    values = Values(recipe, policy.policy)
    for relation in policy.facts.equal:
        names = [part for name in relation["names"] for part in name.split(" / ")]
        results = [_quotient(policy, name) for name in relation["names"]]
        wanted = relation.get("value", results[-1])
        if None in results or wanted is None or all(result == wanted for result in results):
            continue
        first = values.first_set(*names)
        if "value" in relation:
            message = f"`{names[0]}` must be {shown(wanted)}, not {shown(results[0])}: {relation['why']}"
        else:
            one, other = (
                f"`{name}` ({shown(result)})" for name, result in zip(relation["names"], results, strict=True)
            )
            message = f"{one} must equal {other}: {relation['why']}"
        plain_names = len(names) == len(relation["names"])
        named = first if plain_names else names[-1]
        target = relation.get("value", results[0 if named == names[-1] else 1])  # the value on the other side
        fix = values.set_to(named, target) if values.is_set(named) else None
        yield contradiction(values, message, *sorted(names, key=lambda name: name != named), fix=fix)


def _quotient(policy: PolicyConfig, name: str) -> Any:
    """Return the value of "a", or of "a / b" rounded down; None if it is missing or not a number."""
    parts = [_value(policy, part) for part in name.split(" / ")]
    if any(not isinstance(part, int) for part in parts):
        return None
    if len(parts) == 1:
        return parts[0]
    return parts[0] // parts[1] if parts[1] > 0 else None


def _value(policy: PolicyConfig, name: str) -> Any:
    """Return a value of the configuration, or the default of the class that a mapping describes."""
    outer, _, key = name.rpartition(".")
    found = policy.get(name)
    if (
        found is None
        and isinstance(policy.get(outer), dict)
        and (signature := described(policy.facts.described_parts.get(outer, "")))
    ):
        parameter = signature.parameters.get(key)
        return parameter.default if parameter else None
    return found
