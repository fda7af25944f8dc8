"""A chosen feature that the dataset does not have.

## What it finds

A key in `input_features` or `output_features` that the dataset doesn't have, or that a policy can't read or predict;
a feature written out there with another type or shape than the dataset's. For a policy that takes pictures of any size
the size of a camera is a warning.

## Why it matters

The policy would be built without it, or for a robot with dimensions that are not the dataset's:
the first batch fails.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    input_features: [observation.images.top, observation.state]
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
    chunk_size: 8
    n_action_steps: 8
    input_features: [observation.image, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, OUTPUTS, Fit, listed
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule


@rule("GA306", dataset="pusht", breaks=("chosen features",), stops=True)
def chosen_feature(fit: Fit) -> Iterator[Finding]:
    """Look up each chosen feature among those that a policy can have."""
    for route, there, verb in ((INPUTS, fit.readable, "read"), (OUTPUTS, fit.writable, "predict")):
        given = fit.recipe.get(route)
        if given in ([], {}):
            yield Finding(
                f"an empty {'section' if given == {} else 'list'} leaves the policy nothing to {verb}",
                at=route,
                fix=Change(f"remove it: the policy may {verb} everything", remove=(route,)),
            )
        written = isinstance(given, dict)
        for i, key in enumerate(given if isinstance(given, list | dict) else []):
            at = f"{route}.{key}" if written else f"{route}.{i}"
            if not isinstance(key, str):
                continue
            if key in there:
                yield from _differs(fit, at, key, there[key], given[key]) if written else ()
                continue
            # Features are selected by their names in the dataset, before they are renamed.
            renamed = [old for old, new in fit.renames.items() if new == key and old in there]
            close = renamed or get_close_matches(key, there, 1)
            known = key in fit.dataset.features
            fix = None
            if close and not known and close[0] not in given:
                new, title = ((at, close[0]),), f"write {close[0]}"
                fix = Change(title, rename=new) if written else Change(title, set=new)
            yield Finding(
                f"`{key}` is not a feature that a policy can {verb}"
                if known
                else f"{fit.dataset.repo_id} has no `{key}`",
                at=at,
                on="key" if written else "value",
                label=f"did you mean `{close[0]}`?" if close else "",
                help=f"it has {listed(list(there))}" if there else "",
                fix=fix,
            )


def _differs(fit: Fit, at: str, key: str, feature: Any, given: Any) -> Iterator[Finding]:
    """Report a feature whose definition differs from the dataset's; with a dtype, it has the dataset's format."""
    if not isinstance(given, dict) or "dtype" in given:
        return
    for name, real, its in (("type", feature.type.value, "dtype"), ("shape", list(feature.shape), "shape")):
        if name not in given or given[name] == real:
            continue
        # Outputs have the dataset's shape, unless the policy is built from both sections.
        passed_over = feature.type.value == "ACTION" and not isinstance(fit.recipe.get(INPUTS), dict)
        cut = fit.policy.get("crop_shape") or fit.policy.get("resize_shape")
        any_size = feature.type.value == "VISUAL" and (cut or not (fit.facts.known and fit.facts.built_for_size))
        small = name == "shape" and (passed_over or any_size)
        yield Finding(
            f"the {name} of `{key}` is {_shown(real)} in the dataset, and {_shown(given[name])} here",
            at=f"{at}.{name}",
            related=(Related("the dataset's", file="meta/info.json", key=f"features.{key}.{its}"),),
            fix=Change(f"set it to {_shown(real)}", set=((f"{at}.{name}", real),)),
            severity=Severity.WARNING if small else None,
        )


def _shown(value: object) -> str:
    return str(value).replace("'", "")
