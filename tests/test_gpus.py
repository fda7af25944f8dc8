"""The table of GPUs, and the names that lead to a card."""

import pytest

from getiaction_cli import gpus
from getiaction_cli.errors import UsageError


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("RTX 4090", "RTX 4090"),
        ("4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("nvidia h100 80GB HBM3", "H100"),
        ("H200", "H200"),
        ("A100", "A100 40GB"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB"),
        ("NVIDIA RTX A6000", "RTX A6000"),
        ("RTX 6000 Ada", "RTX 6000 Ada"),
        ("Tesla T4", "T4"),
        ("L4", "L4"),
        ("L40S", "L40S"),
    ],
)
def test_a_card_is_found_by_any_of_its_names(said: str, name: str) -> None:
    assert gpus.named(said).name == name


@pytest.mark.parametrize(("said", "gib"), [("24GB", 24), ("24 gb", 24), ("12.5GiB", 12.5), ("80g", 80)])
def test_an_amount_of_memory_is_a_card(said: str, gib: float) -> None:
    card = gpus.named(said)
    assert (card.memory, card.flops) == (int(gib * 2**30), None)


@pytest.mark.parametrize(
    "said", ["", "RTX", "RTX 9999", "0GB", "99999999GB", "nan GB", "RTX 4080 SUPER", "4090 Laptop"]
)
def test_another_card_is_a_usage_error_that_lists_the_table(said: str) -> None:
    with pytest.raises(UsageError, match="is not a known GPU") as error:
        gpus.named(said)
    assert "RTX 4090" in error.value.hint and "--gpu 24GB" in error.value.hint


@pytest.mark.parametrize("card", gpus.CARDS, ids=lambda card: card.name)
def test_every_card_is_found_by_its_own_name_and_names_its_datasheet(card: gpus.Card) -> None:
    assert gpus.named(card.name) == card
    assert card.source and card.flops and card.bandwidth
