"""Every error says what to do next: it has a fix, or a help text that begins with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from corruptions import CORRUPTIONS
from test_machine import ON
from verdict_helpers import HEALTHY, Judge, block

from getiaction_cli.checking.dataset_context import DatasetContext
from getiaction_cli.checking.runner import check, load_rules
from getiaction_cli.datasets import locate, read
from getiaction_cli.diagnostics import Diagnostic, Severity

RULES = {code: rule for code, rule in load_rules().items() if code[:3] not in ("GA4", "GA6") and "```yaml" in rule.page}


def dead_ends(found: Iterable[Diagnostic]) -> list[str]:
    """The errors among them that name no next step."""
    return [
        f"{one.code}: {one.message}"
        for one in found
        if one.severity is Severity.ERROR and not one.help and one.fix is None
    ]


@pytest.mark.parametrize("code", RULES)
def test_the_error_of_a_rule_page_has_a_next_step(code: str, judge: Judge) -> None:
    found = judge(block(RULES[code], "Example"), ON.get(code, HEALTHY))
    assert dead_ends(found.values()) == []


@pytest.mark.parametrize("name", sorted(name for name, damage in CORRUPTIONS.items() if not damage.deep))
def test_the_errors_of_a_broken_dataset_have_a_next_step(name: str, damaged: Callable[[str], Path]) -> None:
    found = check(DatasetContext(read(locate(str(damaged(name)), folders=True))))
    assert dead_ends(found.diagnostics) == []
