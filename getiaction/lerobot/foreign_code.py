"""Which Python code may run to make a policy: LeRobot's, and that of the repositories which LeRobot itself names."""

import contextlib
import functools
import sys
from dataclasses import fields

from lerobot.configs import PreTrainedConfig

from getiaction import trust


def no_foreign_code(policy: str) -> contextlib.AbstractContextManager[None]:
    """While it lasts, transformers runs no code but what LeRobot itself asks for to make this policy."""
    return trust.no_foreign_code(own_texts(policy))


@functools.cache
def own_texts(policy: str) -> frozenset[str]:
    """The texts that LeRobot's source has for a policy: its parameters' defaults, and the constants beside them."""
    if policy not in PreTrainedConfig.get_known_choices():
        return frozenset()
    cls = PreTrainedConfig.get_choice_class(policy)
    found = [*vars(sys.modules[cls.__module__]).values(), *(each.default for each in fields(cls))]
    return frozenset(value for value in found if isinstance(value, str))


def refusal(error: BaseException | None) -> trust.Refused | None:
    """The refusal behind an error: transformers and LeRobot wrap what is raised inside them."""
    while error is not None and not isinstance(error, trust.Refused):
        error = error.__cause__ or error.__context__
    return error
