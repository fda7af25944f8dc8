"""A list with an ellipsis.

## What it finds

`...` inside a list, as in `[0.0, 0.1, ..., 1.5]`.

## Why it matters

YAML has no such thing: other readers see the text "..." among the numbers. Where the numbers before and after
it show the pattern, getiaction reads the list as written out; where they don't, it can't be used. For
`delta_timestamps` the better answer is mostly to leave the key out: the timing follows from the policy and
the dataset's fps.

## Example

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
    episodes: [0, 1, ..., 2]
trainer:
  max_steps: 100
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
    episodes: [0, 1, 2]
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.nodes import Kind, expand_ellipsis
from getiaction_cli.rules import rule

_DOTS = ("...", "…")


@rule("GA107", severity=Severity.WARNING)
def list_ellipsis(recipe: Recipe) -> Iterator[Finding]:
    """Report abbreviated lists."""
    for route, node in recipe.walk():
        if node.kind is not Kind.LIST:
            continue
        dots = [index for index, item in enumerate(node.items) if item.raw in _DOTS and not item.quoted]
        if not dots:
            continue
        whole = expand_ellipsis([item.plain() for item in node.items])
        if whole is None:
            yield Finding(
                "YAML has no `...`, and the pattern can't be inferred from the numbers around it",
                at=f"{route}.{dots[0]}",
                help="write the list out",
                severity=Severity.ERROR,
            )
        else:
            yield Finding(
                f"YAML has no `...`; this list is read as its {len(whole)} values",
                at=f"{route}.{dots[0]}",
                fix=Change(f"write out the {len(whole)} values", set=((route, whole),), safe=True),
            )
