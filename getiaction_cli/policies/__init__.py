"""LeRobot's policies, read from LeRobot's own source without importing torch.

`names()` lists the installed policies, `load(name)` returns a `PolicyClass`: its parameters with type, default, allowed
values and help, and `configure(params)`, which runs LeRobot's own checks on the user's values. `sandbox` describes how
the source is executed; tests/policies/test_differential.py compares it with the real import.
"""

from __future__ import annotations

import functools

from getiaction_cli.policies.catalog import TESTED, entries, is_tested, missing_part, unreadable
from getiaction_cli.policies.config import PolicyConfig, Rejected
from getiaction_cli.policies.facts import Facts
from getiaction_cli.policies.features import feature_kinds, normalization_modes, to_policy_features
from getiaction_cli.policies.policy_class import NOT_PARAMETERS, Field, PolicyClass, plain
from getiaction_cli.policies.stubs import Unjudgeable

__all__ = [
    "NOT_PARAMETERS",
    "TESTED",
    "Facts",
    "Field",
    "PolicyClass",
    "PolicyConfig",
    "Rejected",
    "Unjudgeable",
    "by_class_name",
    "feature_kinds",
    "is_tested",
    "load",
    "missing_part",
    "names",
    "normalization_modes",
    "plain",
    "to_policy_features",
    "unreadable",
]


def names() -> list[str]:
    """The names of all registered policies, those of plugins last, without executing their source."""
    return list(entries())


@functools.cache
def load(name: str) -> PolicyClass:
    """The policy registered as ``name``.

    Raises:
        KeyError: no such policy is installed.
    """
    return PolicyClass(entries()[name])


def by_class_name(class_name: str) -> str | None:
    """The policy of a class in `getiaction.policies.lerobot` ("act" for "ACT"); None if there is none."""
    for entry in entries().values():
        if entry.plugin is None and entry.class_name == class_name:
            return entry.name
    return None
