"""The policy is good on the episodes it was trained on and poor on others.

## What it finds
On held-out episodes an error of more than twice that on training episodes, each relative to the error of holding still.
Only where the run held episodes out (`val_split`).

## Why it matters
It has memorized the recorded episodes. On a robot, where nothing is ever exactly as recorded, it will do as
poorly as on the held-out ones, or worse.

## Example
```text
held-out episodes: 9.0 % of the range; training episodes: 2.1 %
```

## Instead
Record more episodes, from more starting positions; stop earlier (`checkpoints/best.ckpt` is the one with the lowest
validation loss); add image transforms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity, Unavailable
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_TIMES = 2.0


@rule("GA606", severity=Severity.WARNING, cause=("skill",))
def overfit(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare held-out with training episodes."""
    trained = evaluation.trained
    if trained is None:
        raise Unavailable("it has no held-out and training episodes to compare", is_reported=False)
    name, still = evaluation.still
    before = trained.baselines.get(name, 0.0)
    if min(still, before, trained.error) <= 0:
        return
    if (evaluation.error / still) / (trained.error / before) > _TIMES:
        yield Finding(
            f"the error on held-out episodes is {percent(evaluation.error)} of the range, on episodes it was trained "
            f"on {percent(trained.error)}: it has memorized them"
        )
