"""The policy has not learned one of the joints.

## What it finds
A joint that moves, whose error is at least 0.95 times that of always predicting its mean, while the other joints are at
most half as far from it.

## Why it matters
That joint goes to one place and stays there, or moves at random, while the others do the task. The usual reasons are
statistics that are not this joint's (its loss then counts for nothing, or its actions come out in the wrong unit) and
a joint that moves too rarely to matter in the loss, as a gripper that closes once.

## Example
```text
gripper: error 31 % of its range, its mean has 30 %; the other joints 4 %
```

## Instead
Recompute the statistics (`getiaction inspect-dataset DATASET --deep --write-stats`) and train again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import MEAN, percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_SHARE = 0.95
_OTHERS = 0.5


@rule("GA605", cause=("skill",))
def joint_not_learned(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare each joint with its own mean."""
    ratios = {
        joint.name: joint.error / joint.baselines[MEAN]
        for joint in evaluation.joints
        if joint.share is not None and joint.baselines[MEAN] > 0
    }
    if not ratios or sorted(ratios.values())[(len(ratios) - 1) // 2] > _OTHERS:
        return
    for joint in evaluation.joints:
        if ratios.get(joint.name, 0) >= _SHARE:
            assert joint.share is not None
            mean = joint.baselines[MEAN] / (joint.high - joint.low)
            yield Finding(
                f"{joint.name} was not learned: its error is {percent(joint.share)} of its range, "
                f"that of always predicting its mean is {percent(mean)}",
                key=joint.name,
            )
