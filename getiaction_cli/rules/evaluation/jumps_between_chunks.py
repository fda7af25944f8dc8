"""The actions jump where one chunk ends and the next begins.

## What it finds
From the last action of a chunk to the first of the next, predicted actions move on average more than twice as far as
95 of 100 recorded movements from one frame to the next, and at least 3 % of the range.

## Why it matters
The robot jerks every `n_action_steps` frames; arms with stiff position control shake or stop for safety.

## Example
```text
9.4 % of the range at 210 borders; 95 of 100 recorded movements are below 3.1 %
```

## Instead
Execute fewer actions of each chunk (a smaller `n_action_steps`), average overlapping chunks (ACT:
`temporal_ensemble_coeff: 0.01` with `n_action_steps: 1`), or train longer.
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
_LEAST = 0.03


@rule("GA609", severity=Severity.WARNING, cause=("skill",))
def jumps_between_chunks(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare movements between chunks with large movements within chunks."""
    borders = evaluation.borders
    if borders is None:
        raise Unavailable("no chunk follows another", is_reported=False)
    if borders.jump > max(_LEAST, _TIMES * borders.fast):
        yield Finding(
            f"between two chunks the actions jump by {percent(borders.jump)} of the range; "
            f"95 of 100 recorded movements from frame to frame are below {percent(borders.fast)}"
        )
