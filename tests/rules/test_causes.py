"""What rules say about causes: every name that one gives in ``cause`` is one that another breaks."""

import pytest

from getiaction_cli.checking.runner import load_rules

RULES = load_rules()
# The beginnings of names of files and keys of a dataset, which the rules that read these files break.
PLACES = ("meta/", "codebase_version", "data_path", "video_path", "fps")


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.cause])
def test_a_cause_is_what_another_rule_breaks(code: str) -> None:
    broken = {name for rule in RULES.values() if rule.code != code for name in rule.breaks}
    assert [name for name in RULES[code].cause if name not in broken and not name.startswith(PLACES)] == []


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.breaks])
def test_what_a_rule_breaks_is_the_cause_of_another(code: str) -> None:
    named = {name for rule in RULES.values() if rule.code != code for name in rule.cause}
    assert set(RULES[code].breaks) <= named
