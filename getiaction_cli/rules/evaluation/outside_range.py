"""The policy predicts actions that were never recorded.

## What it finds
More than 2 % of a joint's predicted values are outside its recorded range by more than a fifth of that range.

## Why it matters
The robot is sent outside the recorded range: it clips the command, stops for safety, or hits something. The usual
reason are statistics of another dataset or robot: the actions come out in the wrong unit.

## Example
```text
elbow: 12 % of the predicted values are outside -1.2 to 1.9
```

## Instead
Evaluate with the dataset that the policy was trained on; recompute the statistics
(`getiaction inspect-dataset DATASET --deep --write-stats`) and train again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_SHARE = 0.02


@rule("GA607", severity=Severity.WARNING)
def outside_range(evaluation: Evaluation) -> Iterator[Finding]:
    """Count predicted values outside the recorded range."""
    for joint in evaluation.joints:
        if joint.outside > _SHARE:
            yield Finding(
                f"{percent(joint.outside)} of the values predicted for {joint.name} are outside the recorded range, "
                f"{joint.low:.4g} to {joint.high:.4g}",
                key=joint.name,
            )
