"""Executing configuration source without its libraries: what it imports, what it refuses to guess, plugins."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from getiaction_cli import policies
from getiaction_cli.installed import distributions, package_folder
from getiaction_cli.policies import catalog
from getiaction_cli.policies.sandbox import LightLeRobot
from getiaction_cli.policies.stubs import Unjudgeable, is_stand_in, stand_in

PLUGIN = '''
from dataclasses import dataclass, field
import torch
from lerobot.configs import NormalizationMode, PreTrainedConfig
from lerobot.optim import AdamWConfig


@PreTrainedConfig.register_subclass("careful")
@dataclass
class CarefulConfig(PreTrainedConfig):
    """A policy of somebody else.

    It has two sentences.
    """

    chunk_size: int = 8  # Steps ahead
    dtype: torch.dtype | None = None
    width: int = 64

    def __post_init__(self):
        super().__post_init__()
        if self.chunk_size > 100:
            raise ValueError("chunk_size is too large")
        if self.width == 7 and torch.cuda.get_device_capability() < (8, 0):
            raise ValueError("too old a GPU")

    observation_delta_indices = None
    reward_delta_indices = None

    @property
    def action_delta_indices(self):
        return list(range(self.chunk_size))

    def get_optimizer_preset(self):
        return AdamWConfig(lr=1e-4)

    def get_scheduler_preset(self):
        return None

    def validate_features(self):
        pass
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "lerobot_policy_careful"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('never imported')\n")
    (folder / "inner" / "configuration_careful.py").write_text(PLUGIN)
    (tmp_path / "lerobot_policy_careful-0.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    caches = (
        distributions,
        package_folder,
        catalog.plugin_folders,
        catalog.light_lerobot,
        catalog.entries,
        policies.load,
    )
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from getiaction_cli import policies\n"
        "for policy in map(policies.load, policies.names()): policy.configure({}); policy.fields; policy.installed\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('torch', 'lerobot', 'draccus', 'numpy', 'transformers', 'diffusers', 'huggingface_hub', 'rich', 'yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""  # LeRobot's warnings about the device are not the user's business


def test_a_plugin_is_a_policy(plugin: None) -> None:
    assert policies.names()[-1] == "careful"
    policy = policies.load("careful")
    assert policy.class_path == "getiaction.policies.lerobot.LeRobotPolicy"
    assert policy.summary == "A policy of somebody else."
    assert policy.fields["chunk_size"].help == "Steps ahead"
    assert policy.configure({"chunk_size": 4}).action_delta_indices == [0, 1, 2, 3]
    with pytest.raises(policies.Rejected, match="chunk_size is too large"):
        policy.configure({"chunk_size": 101})


def test_what_only_the_library_knows_is_never_guessed(plugin: None) -> None:
    with pytest.raises(Unjudgeable, match="torch"):
        policies.load("careful").configure({"width": 7})


def test_a_plugin_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "configuration_x.py").write_text("import torch\nif torch.version.cuda:\n    pass\n")
    with pytest.raises(Unjudgeable, match="torch"):
        LightLeRobot({"broken": tmp_path / "broken"}).module("broken.configuration_x")


def test_stand_ins_may_be_used_but_not_decided_upon() -> None:
    torch = stand_in("torch")

    class Child(torch.nn.Module):  # inherited from, annotated with, called, used as a decorator
        kind: torch.dtype | None = None

    assert is_stand_in(Child()) and is_stand_in(torch.zeros(3).shape)

    @torch.no_grad()
    def decorated() -> int:
        return 3

    assert decorated() == 3
    for decide in (
        lambda: bool(torch.cuda.is_available()),
        lambda: torch.zeros(1) > 0,
        lambda: len(torch.zeros(1)),
        lambda: torch.zeros(1) == 1,
        lambda: isinstance(3, torch.Tensor),
        lambda: list(torch.zeros(2)),
        lambda: torch.zeros(1) + 1,
    ):
        with pytest.raises(Unjudgeable):
            decide()
