"""Only episodes that the policy was trained on were evaluated.

## What it finds
The evaluated episodes are among those that the run trained on, because it held none out.

## Why it matters
A policy that has memorized its episodes looks perfect here. The numbers say whether it has learned anything,
not whether it will do well in a new situation.

## Example
```yaml
data:
  init_args:
    repo_id: lerobot/pusht
```

## Instead
```yaml
data:
  init_args:
    repo_id: lerobot/pusht
    val_split: 0.1
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation


@rule("GA611", severity=Severity.INFO)
def training_episodes(evaluation: Evaluation) -> Iterator[Finding]:
    """Report an evaluation on training episodes."""
    if evaluation.part == "training":
        yield Finding(
            "these are episodes that the policy was trained on; none was held out",
            help="hold some out: `val_split: 0.1` under data.init_args, and train again",
        )
