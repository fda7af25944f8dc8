"""The policy predicts hardly better than holding still.

## What it finds
An error of more than 0.9 times that of holding still: the better of the two baselines that hold the current state or
repeat the last action. Not judged for policies that predict again within 0.3 seconds: in so short a time a robot hardly
moves, and holding still is right.

## Why it matters
An average error alone is not informative, because most robots move slowly. A policy near this baseline follows the
robot instead of leading it; on a robot it drifts to one pose and stays there.

## Example
```text
error 7.4 % of the range; holding the current state has 7.9 %
```

## Instead
Train longer, or look at what the policy does with its inputs: `getiaction evaluate RUN --html report.html` shows
where it lags behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity, Unavailable
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_SHARE = 0.9
_SHORTEST = 0.3  # seconds


@rule("GA602", severity=Severity.WARNING, cause=("skill",))
def hardly_moves(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare with the better of the two baselines that hold still."""
    if evaluation.chunk_seconds < _SHORTEST:
        raise Unavailable(
            f"it predicts again after {evaluation.chunk_seconds:.2g} s, in which a robot hardly moves",
        )
    name, still = evaluation.still
    if still > 0 and evaluation.error > _SHARE * still:
        how = "hardly better" if evaluation.error < still else "no better"
        yield Finding(
            f"the policy is {how} than {name}: its error is {percent(evaluation.error)} of the range, "
            f"against {percent(still)}"
        )
