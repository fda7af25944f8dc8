"""Every fact in facts.toml is looked up in the installed LeRobot, so that an upgrade which changes one fails here.

What rules do where a fact is gone is tried on copies of the installed LeRobot.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from getiaction.spec import facts
from getiaction_cli import policies
from getiaction_cli.diagnostics import Unavailable
from getiaction_cli.installed import install_command
from getiaction_cli.policies import about
from getiaction_cli.policies.catalog import lerobot_folder
from getiaction_cli.policies.facts import Fact, Facts

ROOT = Path(__file__).parents[2]
# What the core asks the table for by itself, beside what rules ask and what `about` shows.
OTHER_FACTS = {"paper", "extra", "base", "words", "downloads", "learns_online", "state_replaces_camera"}
OF_THE_CORE = {
    "step_counter",
    "processors_from_configuration",
    "restarted_layers",
    "stacks_time",
    "loads_in_constructor",
}
OF_THE_CORE |= {"remembers_predictions"}
# String literals in code of rules/ and analysis/ that are also the name of a policy, and what they are.
NOT_A_POLICY = {"rules/dataset/foreign_keys.py": ["act"]}  # how some datasets call the feature `action`


@pytest.mark.parametrize(
    "place", [pytest.param(place, id=f"{policy}.{fact}: {place}") for policy, fact, place in facts.all_evidence()]
)
def test_evidence_is_there(place: str) -> None:
    assert facts.missing_evidence({"evidence": place}, lerobot_folder()) == ""


def test_each_policy_is_read_as_in_the_whole_file() -> None:
    text = (ROOT / "getiaction/spec/facts.toml").read_text(encoding="utf-8")
    assert facts.table() == tomllib.loads(text)


def test_every_entry_has_evidence() -> None:
    for policy, known in facts.table().items():
        for fact, entry in known.items():
            items = entry if isinstance(entry, list) else [entry]
            assert fact in facts.TEXT or all(map(facts.evidence, items)), f"{policy}.{fact}"


def test_every_entry_is_a_fact_that_somebody_asks_for() -> None:
    asked = {name for name, fact in vars(Facts).items() if isinstance(fact, Fact)}
    written = {fact for known in facts.table().values() for fact in known} - facts.TEXT
    assert written == asked | OTHER_FACTS | OF_THE_CORE


PARAMETERS = ("parameter", "when", "unless", "width", "by", "in_pairs_for")  # keys of an entry that name one
NAMES_ONE = (
    "prompt_limit",
    "camera_names",
    "first_phase",
    "sequence_limit",
    "backbone_described_by",
    "frames_beside_actions",
)
NAMES_SEVERAL = ("zero_width_trains", "odd_numbers", "least_numbers", "freezes_backbone", "rounds_gripper", "words")
NAMES_SEVERAL += ("exact_widths", "trains_only_with")


def test_parameters_in_the_table_are_those_of_the_policy() -> None:
    for name, known in facts.table().items():
        tables = [entry for fact, entry in known.items() if fact not in facts.TEXT]
        items = [item for entry in tables for item in (entry if isinstance(entry, list) else [entry])]
        named = {item[key] for item in items for key in PARAMETERS if key in item}
        named |= {known[fact]["is"] for fact in NAMES_ONE if fact in known}
        named |= {parameter for fact in NAMES_SEVERAL for parameter in facts.value(name, fact, ())}
        # "parameter.key" is a value of a parameter that is a mapping.
        assert {each.partition(".")[0] for each in named} <= set(policies.load(name).parameter_names), name


def test_what_fetches_weights_is_in_the_table_with_evidence() -> None:
    known = [entry for facts_of in facts.table().values() for entry in facts_of.values()]
    items = [item for entry in known for item in (entry if isinstance(entry, list) else [entry])]
    named = {item.get(key) for item in items if isinstance(item, dict) for key in ("parameter", "unless")}
    assert set(facts.FETCHES_WEIGHTS) <= named


def test_every_policy_of_lerobot_has_facts() -> None:
    assert set(facts.table()) == {name for name in policies.names() if policies.load(name).entry.plugin is None}


@pytest.mark.parametrize("name", policies.names())
def test_facts_are_whole(name: str) -> None:
    policy = policies.load(name)
    assert policy.title and policy.summary
    assert len(policy.summary) < 100
    assert policy.paper.startswith("https://")
    assert set(policy.reads) == {"cameras", "state", "language", "reward"}
    for download in policy.downloads:
        assert bool(download.parameter) != bool(download.repo_id)
        if download.parameter:
            assert download.parameter in policy.parameter_names


@pytest.mark.parametrize("name", policies.names())
def test_the_text_about_cameras_and_state_agrees_with_the_facts(name: str) -> None:
    policy = policies.load(name)
    cameras, state, known = policy.reads["cameras"], policy.reads["state"], policy.configure({}).facts
    assert ("same size" in cameras) == known.stacks_cameras
    assert ("square" in cameras) == known.square_cameras
    assert ("environment state instead" in cameras) == known.environment_replaces_camera
    assert ("any number" in cameras or "or a state" in cameras) == (not known.needs_camera)
    assert ("exactly one" in cameras or "square one" in cameras) == (known.max_cameras == 1)
    assert not known.camera_prefix or known.camera_prefix in cameras
    assert (state.split(",")[0] == "needed") == (known.needs_state or known.needs_state_in_dataset)


def test_the_dev_environment_has_every_extra() -> None:
    assert [name for name in policies.names() if not policies.load(name).installed] == []


def test_missing_packages_and_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "versions", lambda: {"transformers": "5.5.0"})
    smolvla = about.about("smolvla", policies.load("smolvla").entry)
    assert smolvla.missing == ("accelerate", "num2words")
    assert smolvla.install_command == install_command("getiaction[smolvla]")


def test_reward_is_needed_exactly_where_lerobot_asks_for_it() -> None:
    for name in policies.names():
        policy = policies.load(name)
        assert policy.reads["reward"] == (policy.configure({}).reward_delta_indices is not None), name


def test_conditions_ask_the_configuration() -> None:
    xvla = policies.load("xvla")
    assert xvla.configure({}).facts.needs_state and not xvla.configure({"use_proprio": False}).facts.needs_state
    assert xvla.configure({}).facts.stacks_cameras
    assert not xvla.configure({"resize_imgs_with_padding": [224, 224]}).facts.stacks_cameras
    assert policies.load("evo1").configure({"max_views": 2}).facts.max_cameras == 2


def test_nothing_is_guessed_about_a_policy_without_facts() -> None:
    with pytest.raises(Unavailable, match="no facts about the policy act_plus"):
        Facts("act_plus", known=False).stacks_cameras  # noqa: B018 - raises


def test_no_rule_asks_for_a_policy_by_name() -> None:
    names, found = set(policies.names()), {}
    for folder in ("rules", "analysis"):
        for file in sorted((ROOT / "getiaction_cli" / folder).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            literals = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            if named := [value for value in literals if isinstance(value, str) and value in names]:
                found[file.relative_to(ROOT / "getiaction_cli").as_posix()] = named
    assert found == NOT_A_POLICY


@pytest.fixture
def changed_lerobot(tmp_path: Path) -> Callable[[str, str, str], dict[str, str]]:
    """Makes a copy of LeRobot in which a text of one file is replaced; gives the environment that imports it."""

    def change(file: str, old: str, new: str) -> dict[str, str]:
        installed, copy = lerobot_folder(), tmp_path / "lerobot"
        copy.mkdir()
        for item in installed.iterdir():
            (copy / item.name).symlink_to(item)
        (copy / "policies").unlink()
        (copy / "policies").mkdir()
        for item in (installed / "policies").iterdir():
            (copy / "policies" / item.name).symlink_to(item)
        folder = copy / "policies" / Path(file).parent
        folder.unlink()
        folder.mkdir()
        for item in (installed / "policies" / Path(file).parent).iterdir():
            (folder / item.name).symlink_to(item)
        text = (copy / "policies" / file).read_text(encoding="utf-8")
        assert old in text
        (copy / "policies" / file).unlink()
        (copy / "policies" / file).write_text(text.replace(old, new), encoding="utf-8")
        return os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}

    return change


def test_a_rule_whose_behaviour_lerobot_has_changed_is_not_run(
    changed_lerobot: Callable[[str, str, str], dict[str, str]], lerobot_home: Path, tmp_path: Path
) -> None:
    """LeRobot repairs VQ-BeT's counting of tokens: the rule about them says that it can't judge, and no error."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "model:\n  class_path: getiaction.policies.lerobot.VQBeT\n  init_args: {gpt_block_size: 5}\n"
        "data:\n  class_path: getiaction.data.lerobot.LeRobotDataModule\n  init_args: {repo_id: lerobot/pusht}\n"
        "trainer: {max_steps: 40000}\n"
    )
    command = [sys.executable, "-m", "getiaction_cli.main", "validate-config", "recipe.yaml"]
    before = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert "GA222" in before.stdout
    environment = changed_lerobot("vqbet/vqbet_utils.py", "assert t <= self.config.gpt_block_size", "assert True")
    after = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    told = " ".join(after.stdout.split())
    assert "error GA222" not in told and "GA222" in told
    assert "vqbet/vqbet_utils.py no longer contains `assert t <= self.config.gpt_block_size`" in told
    listed = subprocess.run(
        [sys.executable, str(ROOT / "docs/evidence.py"), str(tmp_path / "lerobot")], capture_output=True, text=True
    )
    assert re.search(r"vqbet\.sequence_limit +vqbet/vqbet_utils.py : assert t <= ", listed.stdout)
    assert "1 of " in listed.stdout and listed.returncode == 1
