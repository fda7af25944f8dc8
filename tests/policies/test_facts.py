"""Every fact in facts.toml is looked up in the installed LeRobot, so that an upgrade which changes one fails here."""

from __future__ import annotations

import re

import pytest

from getiaction_cli import policies
from getiaction_cli.installed import install_command
from getiaction_cli.policies import facts
from getiaction_cli.policies.catalog import lerobot_folder


def _sources():
    for name, known in facts.table().items():
        places = [*known.get("sources", []), *(item["source"] for item in known.get("downloads", []))]
        if "base_source" in known:
            places.append(known["base_source"])
        for place in places:
            yield pytest.param(place, id=f"{name}: {place}")


@pytest.mark.parametrize("place", _sources())
def test_source_says_so(place: str) -> None:
    file, _, pattern = place.partition(" : ")
    text = (lerobot_folder() / "policies" / file).read_text(encoding="utf-8")
    assert re.search(pattern, text), f"{file} no longer says {pattern}"


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


def test_the_dev_environment_has_every_extra() -> None:
    assert [name for name in policies.names() if not policies.load(name).installed] == []


def test_missing_packages_and_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "versions", lambda: {"transformers": "5.5.0"})
    about = facts.about("smolvla", policies.load("smolvla").entry)
    assert about.missing == ("accelerate", "num2words")
    assert about.install_command == install_command("getiaction[smolvla]")


def test_reward_is_needed_exactly_where_lerobot_asks_for_it() -> None:
    for name in policies.names():
        policy = policies.load(name)
        assert policy.reads["reward"] == (policy.configure({}).reward_delta_indices is not None), name
