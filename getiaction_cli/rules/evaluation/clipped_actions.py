"""The policy's actions are cut off at a limit.

## What it finds
More than 5 % more of a joint's predicted values than of its recorded ones are exactly at the smallest or largest value
that is predicted.

## Why it matters
The policy wants to go further and is cut off, by its own clipping (`clip_sample` and the like clip at -1 and 1 after
normalization) with statistics whose minimum and maximum are too narrow. The robot never reaches the ends of its
movements.

## Example
```text
gripper: 18 % of the predicted values are exactly 0.62, of the recorded ones 0 %
```

## Instead
Recompute the statistics (`getiaction inspect-dataset DATASET --deep --write-stats`) and train again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_SHARE = 0.05


@rule("GA608", severity=Severity.WARNING)
def clipped_actions(evaluation: Evaluation) -> Iterator[Finding]:
    """Count predicted values at their own extremes."""
    for joint in evaluation.joints:
        if joint.at_limit - joint.recorded_at_limit > _SHARE:
            yield Finding(
                f"{percent(joint.at_limit)} of the values predicted for {joint.name} are exactly at their limit, "
                f"of the recorded ones {percent(joint.recorded_at_limit)}",
                key=joint.name,
            )
