"""The inputs of rules for a trained policy (``evaluate``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from getiaction_cli.checking.context import Context
from getiaction_cli.diagnostics import Diagnostic, Finding
from getiaction_cli.rules import Rule

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation


class EvaluationContext(Context):
    """One policy, evaluated on recorded episodes.

    Args:
        evaluation: the result.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.name = evaluation.model

    @property
    def evaluation(self) -> Evaluation:
        """The result of the evaluation."""
        return self._evaluation

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Convert a finding to a diagnostic without a line."""
        return Diagnostic(
            code=rule.code,
            name=rule.name,
            severity=finding.severity or rule.severity,
            message=finding.message,
            file=self.name,
            path=finding.key,
            help=finding.help,
        )
