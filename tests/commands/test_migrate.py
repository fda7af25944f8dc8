"""`getiaction migrate`: the file it writes, the table, the exit codes, and the guide."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = """\
steps: 10
policy: {type: act, chunk_size: 10, n_action_steps: 10, push_to_hub: false, pretrained_backbone_weights: null}
dataset: {repo_id: getiaction/pusht-demo}
"""


def getiaction(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    env = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, input=stdin, check=False, env=env, timeout=120
    )


def test_a_file_becomes_a_recipe_that_validates(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(SOURCE)
    done = getiaction("migrate", "theirs.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrote act_pusht_demo.yaml" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    command = done.stderr.strip().removeprefix("next: ")
    assert command == "getiaction train act_pusht_demo.yaml"
    assert getiaction("validate-config", "act_pusht_demo.yaml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "theirs.yaml").read_text() == SOURCE


def test_an_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(SOURCE)
    (tmp_path / "mine.yaml").write_text("# mine\n")
    done = getiaction("migrate", "theirs.yaml", "-o", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "mine.yaml already exists" in done.stderr
    assert (tmp_path / "mine.yaml").read_text() == "# mine\n"
    assert getiaction("migrate", "theirs.yaml", "-o", "mine.yaml", "--force", cwd=tmp_path).returncode == 0
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["trainer"]["max_steps"] == 10


def test_what_is_lost_is_in_the_table_at_the_head_of_the_recipe_and_in_the_exit_code(tmp_path: Path) -> None:
    done = getiaction("migrate", "-", "-o", "-", cwd=tmp_path, stdin=SOURCE + "sample_weighting: {type: rabc}\n")
    assert done.returncode == 1
    assert "#   sample_weighting: {type: rabc}\n#     every frame has the same weight\n" in done.stdout
    assert "cannot be expressed\n  sample_weighting: {type: rabc}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_json_has_every_key(tmp_path: Path) -> None:
    done = getiaction("migrate", "-", "--format", "json", "-o", "r.yaml", cwd=tmp_path, stdin=SOURCE)
    document = json.loads(done.stdout)
    assert document["source"] == {"file": "<stdin>", "kind": "lerobot-train"}
    assert document["recipe"] == {"file": "r.yaml", "text": (tmp_path / "r.yaml").read_text()}
    keys = {entry["key"]: (entry["outcome"], entry["to"]) for entry in document["keys"]}
    assert keys["steps"] == ("carried", "trainer.max_steps")
    assert keys["policy.push_to_hub"] == ("nothing", None)
    assert keys["log_freq"] == ("added", "trainer.log_every_n_steps")


@pytest.mark.slow
def test_a_checkpoint_a_script_and_a_command_are_read(tmp_path: Path) -> None:
    inside = tmp_path / "run" / "checkpoints" / "last" / "pretrained_model"
    inside.mkdir(parents=True)
    (inside / "train_config.json").write_text(json.dumps(yaml.safe_load(SOURCE)))
    (tmp_path / "train.sh").write_text("#!/bin/sh\nlerobot-train \\\n  --config_path=theirs.yaml \\\n  --steps=7\n")
    (tmp_path / "theirs.yaml").write_text(SOURCE)
    sources = {
        10: ["run"],
        7: ["train.sh"],
        8: ["--", *shlex.split("python -m lerobot.scripts.lerobot_train --config_path theirs.yaml --steps 8")],
        9: ["lerobot-train --config_path theirs.yaml --steps=9"],
    }
    for steps, words in sources.items():
        done = getiaction("migrate", "-o", f"{steps}.yaml", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert yaml.safe_load((tmp_path / f"{steps}.yaml").read_text())["trainer"]["max_steps"] == steps


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: act\nn_obs_steps: 1\n", "train_config.json"),
        ("a: 1\n", "neither `policy:`"),
        ("policy: {type: act\ndataset: {repo_id: a/b}\n", "never closed"),
        ("- 1\n", "not a recipe"),
    ],
)
def test_what_is_no_configuration_is_an_error_and_writes_nothing(text: str, words: str, tmp_path: Path) -> None:
    done = getiaction("migrate", "-", "-o", "r.yaml", cwd=tmp_path, stdin=text)
    assert done.returncode == 3 and words in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_an_error_with_the_way_to_get_it(tmp_path: Path) -> None:
    done = getiaction("migrate", "--", "lerobot-train", "--config_path=user/repo", cwd=tmp_path)
    assert done.returncode == 3 and "hf download user/repo train_config.json" in done.stderr


@pytest.mark.slow
def test_the_guide_is_what_the_command_does(tmp_path: Path) -> None:
    """Its files are written, its commands run, and their output has what the guide shows."""
    text = (DOCS / "migrate.md").read_text()
    for name, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(content)
    shown = ""
    for command in re.findall(r"```console\n\$ getiaction (.*?)\n```", text, re.DOTALL):
        words = shlex.split(command)
        if words[0] == "train":
            continue
        done = getiaction(*words, cwd=tmp_path)
        assert done.returncode == (1 if "saved.yaml" in words else 0), done.stdout + done.stderr
        shown += done.stdout
    for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL):
        assert block in shown or block.startswith("getiaction migrate outputs/")
    assert {"act.yaml", "diffusion.yaml", "lightning.yaml"} <= {file.name for file in tmp_path.iterdir()}
