"""Plugins as they are found in the wild: what is odd in one, or broken, is told there and stops nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CONFIGURATION = '''
from dataclasses import dataclass, field
from typing import Any, Literal, TYPE_CHECKING
import somewhere
from lerobot.configs.policies import PreTrainedConfig
from lerobot.optim.optimizers import AdamConfig
if TYPE_CHECKING:
    from somewhere import Kernel


@PreTrainedConfig.register_subclass("odd")
@dataclass
class OddConfig(PreTrainedConfig):
    """Learns what nobody expects."""

    chunk_size: int = 4
    kernel: "Kernel | None" = None  # known to type checkers alone
    backend: Any = somewhere.backends.fast
    limit: float = float("inf")
    table: dict[int, Any] = field(default_factory=somewhere.make_table)
    mode: Literal["slow", 3, None] = None

    action_delta_indices = property(lambda self: list(range(self.chunk_size)))
    observation_delta_indices = reward_delta_indices = None

    def get_optimizer_preset(self):
        return AdamConfig()

    def get_scheduler_preset(self):
        return None

    def validate_features(self):
        pass
'''
BROKEN = {
    "a_typo": "@PreTrainedConfig.register_subclass('a_typo')\nclass TypoConfig(PreTrainedConfig)\n    x: int\n",
    "a_library": (
        "import somewhere\nSIZE = somewhere.sizes['large'] + 1\n"
        "@PreTrainedConfig.register_subclass('a_library')\nclass LibraryConfig:\n    size: int = SIZE\n"
    ),
}


def install(site: Path, name: str, files: dict[str, str], called: str = "") -> None:
    """Lay a plugin out as an installer does."""
    folder = site / f"lerobot_policy_{name}"
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    metadata = site / f"lerobot_policy_{name}-0.1.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {called or folder.name}\nVersion: 0.1\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    install(site, "odd", {"__init__.py": "", "odd_policy.py": CONFIGURATION})
    for name, text in BROKEN.items():
        install(site, name, {"__init__.py": "raise RuntimeError", f"configuration_{name}.py": text})
    install(site, "hyphens", {"__init__.py": CONFIGURATION.replace("odd", "hyphens")}, "lerobot-policy-hyphens")
    (site / "lerobot_policy_leftover-0.1.dist-info").mkdir()
    return site


def getiaction(site: Path, *words: str) -> str:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=site.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def strictly(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_plugin_of_odd_types_is_served_like_any_other(site: Path) -> None:
    listed = strictly(getiaction(site, "list-policies", "odd", "--format", "json"))["policies"][0]
    assert listed["summary"] == "Learns what nobody expects." and listed["steps"]["action"] == [0, 1, 2, 3]
    own = {parameter["name"]: parameter for parameter in listed["parameters"]}
    assert own["kernel"]["type"] == "Any" and own["kernel"]["help"] == "known to type checkers alone"
    assert own["backend"]["default"] == "fast" and own["limit"]["default"] == ".inf"
    assert own["mode"]["choices"] == ["slow", 3, None]
    assert "downloads" not in getiaction(site, "list-policies", "odd")  # nobody knows


def test_a_broken_plugin_is_listed_with_the_reason_and_breaks_nothing(site: Path) -> None:
    listed = getiaction(site, "list-policies")
    assert "configuration_a_typo.py can't be read" in " ".join(listed.split())
    known = {
        policy["name"]: policy for policy in strictly(getiaction(site, "list-policies", "--format=json"))["policies"]
    }
    assert known["a_library"]["unreadable"] and known["a_library"]["parameters"] == []
    assert known["act"]["unreadable"] == "" and known["act"]["parameters"]
    strictly(getiaction(site, "schema"))
    suits = getiaction(site, "list-policies", "--for", "getiaction/pusht-demo")
    assert suits.index("\n  act ") < suits.index("May train on") < suits.index("\n  a_typo ")
    assert (
        getiaction(site, "init", "getiaction/pusht-demo", "--policy", "a_library", "-o", "r.yaml") == "wrote r.yaml\n"
    )
    assert "not run" in getiaction(site, "validate-config", "r.yaml")


def test_plugins_are_completed(site: Path) -> None:
    """The index of what can be named in a recipe is built anew when something was installed."""
    code = "import sys; from getiaction_cli.completion.answer import main; sys.argv[0] = ''; main()"
    environment = os.environ | {"XDG_CACHE_HOME": str(site)}

    def answers(*words: str, path: str) -> list[str]:
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, env=environment | {"PYTHONPATH": path}, capture_output=True, text=True)
        return [line.partition("\t")[0] for line in done.stdout.splitlines()]

    assert answers("policies", "od", path="") == []
    assert answers("policies", "od", path=str(site)) == ["odd"]
    line = ("getiaction", "train", "--model.init_args.policy_name=odd")
    assert answers("overrides", "--model.kern", *line, path=str(site)) == ["--model.kernel"]
    assert answers("policies", "a_", path=str(site)) == ["a_library", "a_typo"]


def test_what_lerobot_would_not_import_is_no_plugin(site: Path) -> None:
    assert "hyphens" not in getiaction(site, "list-policies")


def test_a_plugin_is_named_on_the_command_line_and_migrated(site: Path) -> None:
    words = ("--model", "odd", "--dataset", "getiaction/pusht-demo", "--model.chunk_size", "6")
    shown = yaml.safe_load(getiaction(site, "train", *words, "--print-config"))["model"]
    assert shown["class_path"] == "getiaction.policies.lerobot.LeRobotPolicy"
    assert shown["init_args"]["policy_name"] == "odd" and shown["init_args"]["config_kwargs"]["chunk_size"] == 6
    source = "lerobot-train --policy.type=odd --policy.chunk_size=6 --dataset.repo_id=getiaction/pusht-demo"
    recipe = yaml.safe_load(getiaction(site, "migrate", "-o", "-", "--", *source.split()))
    assert recipe["model"]["init_args"] == {"policy_name": "odd", "config_kwargs": {"chunk_size": 6}}
