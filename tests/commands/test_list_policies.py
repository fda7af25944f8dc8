"""`getiaction list-policies` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from getiaction_cli import machine, policies
from getiaction_cli.errors import UsageError
from getiaction_cli.installed import install_command
from getiaction_cli.main import app
from getiaction_cli.policies import about


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["list-policies", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_all_are_there_and_fit_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = run()
        lines = [line for line in shown.splitlines() if "https://" not in line]
        assert max(map(len, lines)) <= columns
    for name in policies.names():
        assert f"\n  {name} " in shown
    assert shown.index("\n  act ") < shown.index("\n  smolvla ") < shown.index("Not trained from demonstrations")
    assert "\x1b" not in shown


def test_the_table_has_size_memory_weights_and_inputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(machine, "probe", machine.probe.__wrapped__)
    rows = {line.split()[0]: line.split()[1:] for line in run().splitlines() if line.startswith("  ")}
    # tests/policies/test_size.py compares the numbers of parameters with the models that LeRobot builds.
    assert rows["act"] == ["~51.6", "M", "~1.0", "GB", "to", "download", "cameras,", "state"]
    assert rows["tdmpc"][4:] == ["none", "1", "camera,", "state,", "reward"]
    assert rows["pi0"][:4] == ["3.3", "B", "66.0", "GB"]
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    (tmp_path / "hub/checkpoints/resnet18-f37072fd.pth").write_bytes(b"weights")
    rows = {line.split()[0]: line.split()[1:] for line in run().splitlines() if line.startswith("  ")}
    assert rows["act"][4:] == ["cached", "cameras,", "state"]
    said = json.loads(run("--format", "json"))["policies"]
    assert {policy["name"]: policy["weights_cached"] for policy in said}["act"] is True
    assert {policy["name"]: policy["parameter_count"] for policy in said}["pi0"] == 3_300_000_000


def test_the_least_memory_of_a_policy_of_known_size_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "training all of it takes at least 66.0 GB of GPU memory, adapters 13.2 GB" in run("pi0")
    assert "GPU memory" not in run("act")  # its size depends on the dataset


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in run()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run()


def test_a_default_is_shown_whole_on_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "VISUAL: IDENTITY, STATE: MEAN_STD, ACTION: MEAN_STD}" in " ".join(run("fastwam").split())


def test_what_is_downloaded_is_named_also_where_no_parameter_says_it() -> None:
    assert "GR00T N1.7 base model (nvidia/GR00T-N1.7-3B)" in run("groot")


def test_one_policy_with_timing_recipe_and_parameters() -> None:
    shown = run("diffusion")
    assert "observations   -1, 0" in shown
    assert "actions        -1, 0, …, 62 (64 steps)" in shown
    assert "the last 7 frames of an episode" in shown
    assert "class_path: getiaction.policies.lerobot.Diffusion" in shown
    assert "one of DDPM, DDIM" in shown
    assert "Diffusion model action prediction size" in shown


def test_a_class_name_or_path_is_understood_too() -> None:
    assert run("VQBeT") == run("getiaction.policies.lerobot.VQBeT") == run("vqbet")


def test_the_search_finds_names_and_words() -> None:
    shown = run("act", "--grep", "chunk")
    assert "chunk_size" in shown and "n_action_steps" in shown and "dropout" not in shown
    assert run("act", "--grep", "nonsense") == "no parameter of act matches 'nonsense'\n"
    parameters = json.loads(run("act", "--grep", "chunk", "--format", "json"))["policies"][0]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["chunk_size", "n_action_steps"]


@pytest.mark.parametrize("words", [("diffusoin",), ("--grep", "chunk"), ("act", "--for", "lerobot/pusht")])
def test_wrong_words(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        CliRunner().invoke(app, ["list-policies", *words], catch_exceptions=False)


def test_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "gaussian_actor" not in run("--trainable")
    assert run("gaussian_actor", "--trainable") == "no policies match\n"
    monkeypatch.setattr(about, "versions", lambda: {"diffusers": "0.38.0"})
    policies.load.cache_clear()
    try:
        shown = run("--installed")
        assert "  diffusion " in shown and "  smolvla " not in shown
        assert f"install with: {install_command('getiaction[smolvla]')}" in run()
    finally:
        policies.load.cache_clear()


def test_json_is_version_one() -> None:
    said = json.loads(run("--format", "json"))
    assert said["version"] == 1 and said["lerobot"]
    assert [policy["name"] for policy in said["policies"]] == policies.names()
    asked: set[str] = {
        "name",
        "class_path",
        "summary",
        "reads",
        "steps",
        "downloads",
        "extra",
        "installed",
        "trainable",
    }
    for policy in said["policies"]:
        assert asked | {"why_not", "parameters"} <= set(policy)
        for parameter in policy["parameters"]:
            assert {"name", "type", "default", "choices", "help"} <= set(parameter)
    act = said["policies"][0]
    assert act["steps"]["action"] == list(range(100))
    assert act["parameters"][0]["name"] == "n_obs_steps"


def test_which_suit_a_dataset(lerobot_home: Path) -> None:
    said: dict[str, Any] = json.loads(run("--for", "lerobot/pusht", "--format", "json"))
    suits = {policy["name"]: policy["for"] for policy in said["policies"]}
    assert "gaussian_actor" not in suits
    assert suits["diffusion"]["trainable"]
    assert {change["code"] for change in suits["smolvla"]["changes"]} >= {"GA233"}
    trainable = [suit["trainable"] for suit in suits.values()]
    assert trainable == sorted(trainable, reverse=True)
    shown = run("--for", "lerobot/pusht")
    assert "Can train on lerobot/pusht" in shown and "GA233: start from lerobot/smolvla_base" in shown


def test_nothing_heavy_is_imported_and_it_is_quick() -> None:
    code = (
        "import sys; from getiaction_cli.main import app; sys.argv = ['getiaction', 'list-policies']\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'lerobot', 'lightning', 'numpy', 'pyarrow', 'rich', 'pandas', 'transformers'}\n"
        "print(sorted(heavy & {m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stderr.splitlines()[-1] == "[]"
