"""What is written about LeRobotPolicy's own arguments is what its constructor takes."""

import pytest

from getiaction_cli.recipe.layout import POLICY_HOME, WRAPPER, WRAPPER_ARGUMENTS
from getiaction_cli.recipe.signatures import read_signature

# Objects of Python, which no recipe can hold.
ONLY_IN_PYTHON = {"config", "dataset_stats"}


def test_the_wrapper_takes_what_is_said_of_it() -> None:
    signature = read_signature(WRAPPER)
    assert signature and signature.open
    assert set(signature.parameters) - {"policy_name"} - ONLY_IN_PYTHON == set(WRAPPER_ARGUMENTS)


@pytest.mark.parametrize("name", WRAPPER_ARGUMENTS)
def test_a_class_of_its_own_takes_them_too(name: str) -> None:
    signature = read_signature(f"{POLICY_HOME}.ACT")
    assert signature and name in signature.parameters
