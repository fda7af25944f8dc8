"""The words that settings take, against the libraries that take them."""

import pytest

from getiaction_cli.analysis.choices import ACCELERATORS, CHOICES, STRATEGIES


@pytest.mark.slow
def test_lightning_knows_the_same_words() -> None:
    from lightning.pytorch.accelerators import AcceleratorRegistry
    from lightning.pytorch.strategies import StrategyRegistry

    assert set(ACCELERATORS) == {*AcceleratorRegistry.available_accelerators(), "gpu", "auto"}
    # What a plugin or an optional package registers is not in every installation.
    missing = set(StrategyRegistry.available_strategies()) - set(STRATEGIES)
    assert not missing
    assert {"auto", "ddp", "fsdp", "single_device"} <= set(STRATEGIES)


@pytest.mark.slow
def test_lerobot_knows_the_same_devices() -> None:
    from lerobot.utils.device_utils import is_torch_device_available

    for device in CHOICES["model.init_args", "device"]:
        is_torch_device_available(device)
    with pytest.raises(ValueError):
        is_torch_device_available("gpu")
