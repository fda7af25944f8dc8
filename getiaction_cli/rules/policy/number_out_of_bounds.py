"""A number that the network can't be built or used with.

## What it finds

A size, a number of steps, heads or layers, a fraction or an optimizer setting outside its valid range: a `chunk_size`
of 0, a `dropout` of 2, an even `kernel_size`, `optimizer_betas` above 1.

## Why it matters

LeRobot's configuration accepts nearly every number. The network then can't be built, the first batch stops with a
shape error, or training goes through and the policy can't act.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
    dropout: 10
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
    dropout: 0.1
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
from getiaction_cli.policies import PolicyClass, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._bounds import bound_of
from getiaction_cli.rules.policy._refused import steps_limit
from getiaction_cli.rules.policy._values import Values, shown


@rule("GA215", in_itself=True, dataset="pusht")
def number_out_of_bounds(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Compare every number in the recipe with its bounds."""
    values = Values(recipe, policy_class)
    facts = policy_class.facts
    parts = {*facts.described_parts, *facts.whole_mappings} if facts.known else set()
    inner = {
        f"{name}.{key}": value
        for name in sorted(parts)
        if values.is_set(name) and isinstance(mapping := values[name], dict)
        for key, value in mapping.items()
    }
    for name, value in (values.written | inner).items():
        bound = bound_of(name, facts)
        if bound is None or not bound.breaks(value):
            continue
        at = values.at(name)
        yield Finding(
            f"`{name}` can't be {shown(value)}: {bound.why}",
            at=at,
            label=bound.describe_bounds(),
            severity=bound.severity_of(value),
            fix=_fix(values, name),
        )


def _fix(values: Values, name: str) -> Change | None:
    """Return a fix with the default, or with the largest smaller number that suits the rest of the recipe.

    A width that depends on the dataset has no default; another rule reports it once the number is within its bounds.
    """
    if "." in name:
        return None
    facts, default = values.policy_class.facts, plain(values.policy_class.fields[name].default)
    if name in facts.exact_widths:
        return None
    most = None
    if name == "n_action_steps":
        most = values[steps_limit(values)]
        if facts.horizon_includes_past and isinstance(most, int):
            most -= values["n_obs_steps"] - 1
    elif name == facts.first_phase:
        steps = values.recipe.trainer("max_steps")
        most = steps // 5 if isinstance(steps, int) and steps <= default else None
    if isinstance(most, int) and isinstance(default, int) and 0 < most < default:
        return values.set_to(name, most)
    return Change(f"remove {name}: LeRobot's default is used", remove=(values.at(name),))
