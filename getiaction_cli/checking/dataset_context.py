"""The inputs of rules for a dataset without a recipe (``inspect-dataset``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from getiaction_cli.checking.context import Context
from getiaction_cli.datasets import ONLY_DEEP
from getiaction_cli.diagnostics import Diagnostic, Finding, Fix, Frame, Related, Unavailable
from getiaction_cli.rules import Rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


class DatasetContext(Context):
    """One dataset, and the scan of its data, if there is one.

    Args:
        dataset: its metadata.
        scan: the result of ``--deep``; without it, rules about the data itself are reported as not run.
        why_no_scan: why there is no scan.
    """

    def __init__(self, dataset: Dataset, scan: Scan | None = None, why_no_scan: str = ONLY_DEEP) -> None:
        self._dataset = dataset
        self.name = dataset.repo_id
        self._scan = scan
        self._why_no_scan = why_no_scan

    @property
    def dataset(self) -> Dataset:
        """The dataset's metadata."""
        return self._dataset

    @property
    def reads_language(self) -> bool:
        """Whether the policy may read the task as text; always true without a policy."""
        return True

    @property
    def scan(self) -> Scan:
        """The data itself, read by ``--deep``."""
        if self._scan is None:
            raise Unavailable(self._why_no_scan)
        return self._scan

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Convert a finding to a diagnostic, its routes to lines."""
        lines, span = self.dataset.frame(finding.file, finding.key)
        return Diagnostic(
            code=rule.code,
            name=rule.name,
            severity=finding.severity or rule.severity,
            message=finding.message,
            file=str(self.dataset.root / finding.file) if finding.file else str(self.dataset.root),
            path=finding.key,
            span=span,
            label=finding.label,
            lines=lines,
            related=tuple(self._frame(related) for related in finding.related),
            help=finding.help,
            fix=finding.fix if isinstance(finding.fix, Fix) else None,
        )

    def _frame(self, related: Related) -> Frame:
        lines, span = self.dataset.frame(related.file, related.key)
        return Frame(str(self.dataset.root / related.file), related.label, related.key, span, lines)
