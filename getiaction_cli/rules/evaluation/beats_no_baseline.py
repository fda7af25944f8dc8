"""The policy predicts no better than one constant action.

## What it finds
An error of at least 0.95 times that of the mean action: always predicting the average of the recorded actions would be
about as good. Errors are shares of each joint's recorded range, averaged over the joints that move.

## Why it matters
The policy does not react to its inputs in a useful way. On a robot it goes to one pose and stays there, however low its
training loss is.

## Example
```text
error 21 % of the range; the mean action has 20 %
```

## Instead
Train longer; check the learning rate and the statistics that the policy was saved with (`getiaction inspect-dataset
DATASET --deep`); make sure that the dataset is the one it was trained on.
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


@rule("GA601", breaks=("skill",))
def beats_no_baseline(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare with the mean action."""
    mean = evaluation.baselines[MEAN]
    if mean > 0 and evaluation.error >= _SHARE * mean:
        yield Finding(
            f"the policy is not better than a constant: its error is {percent(evaluation.error)} of the range, "
            f"that of always predicting {MEAN} is {percent(mean)}"
        )
