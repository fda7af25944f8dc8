"""What is written about LeRobotPolicy's own arguments is what its constructor takes."""

import inspect

from getiaction_cli.recipe.layout import WRAPPER, WRAPPER_ARGUMENTS
from getiaction_cli.recipe.signatures import read_signature

# Objects of Python, which no recipe can hold.
ONLY_IN_PYTHON = {"config", "dataset_stats"}


def test_the_wrapper_takes_what_is_said_of_it() -> None:
    signature = read_signature(WRAPPER)
    assert signature and signature.open
    assert set(signature.parameters) - {"policy_name"} - ONLY_IN_PYTHON == set(WRAPPER_ARGUMENTS)


def test_a_class_of_its_own_takes_them_too() -> None:
    from getiaction.policies.lerobot import ACT

    assert set(WRAPPER_ARGUMENTS) <= set(inspect.signature(ACT).parameters)
