"""Restrict the Python code that runs to build a policy to LeRobot's own and that of repositories LeRobot names."""

import contextlib
import functools
import sys
from dataclasses import fields

from lerobot.configs import PreTrainedConfig

from getiaction import trust


def no_foreign_code(policy: str) -> contextlib.AbstractContextManager[None]:
    """Context in which transformers runs only code from repositories that LeRobot names for this policy."""
    return trust.no_foreign_code(trusted_texts(policy))


@functools.cache
def trusted_texts(policy: str) -> frozenset[str]:
    """The strings in LeRobot's source for a policy: defaults of its parameters, and constants of its module."""
    if policy not in PreTrainedConfig.get_known_choices():
        return frozenset()
    cls = PreTrainedConfig.get_choice_class(policy)
    found = [*vars(sys.modules[cls.__module__]).values(), *(each.default for each in fields(cls))]
    return frozenset(value for value in found if isinstance(value, str))


def refusal(error: BaseException | None) -> trust.Refused | None:
    """The `Refused` behind an error; transformers and LeRobot wrap exceptions."""
    while error is not None and not isinstance(error, trust.Refused):
        error = error.__cause__ or error.__context__
    return error
