"""`getiaction push` and `push_to_hub: true`, against a local server that speaks the Hub's API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hub_server
import made_evaluation
import pytest
import yaml

from getiaction.publishing import PublishingError, card_text, check, evaluation_of, files
from getiaction.spec.publishing import Upload, name_problem
from getiaction_cli.diagnostics import Report
from getiaction_cli.rendering import evaluation_json

RECIPE = {
    "seed": 1,
    "model": {
        "class_path": "getiaction.policies.lerobot.ACT",
        "init_args": {
            **{"chunk_size": 4, "n_action_steps": 4, "dim_model": 16, "n_heads": 2, "dim_feedforward": 16},
            **{"n_encoder_layers": 1, "n_decoder_layers": 1, "use_vae": False, "pretrained_backbone_weights": None},
        },
    },
    "data": {
        "class_path": "getiaction.data.lerobot.LeRobotDataModule",
        "init_args": {"repo_id": "getiaction/pusht-keypoints-demo", "train_batch_size": 4, "stride": 2},
    },
    "trainer": {"max_steps": 2, "accelerator": "cpu", "enable_checkpointing": False},
}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[hub_server.Hub]:
    with hub_server.serve({}) as hub:
        hub.uploads = tmp_path / "uploads"
        yield hub


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A folder as a run leaves it, with weights large enough for LFS, and things that are not to be uploaded."""
    run = tmp_path / "outputs" / "act" / "now"
    folder = run / "pretrained_model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"type": "act"}))
    (folder / "model.safetensors").write_bytes(b"w" * (hub_server.LFS_FROM + 1))
    (folder / "README.md").write_text(
        "---\ntags: [lerobot]\n---\n--policy.path=<hf_user>/<policy_repo_id>\n"
        "_No evaluation results have been provided for this policy yet._\n"
    )
    (folder / "secret.txt").write_text("not this")
    (folder / "elsewhere.json").symlink_to("/etc/passwd")
    (run / "recipe.yaml").write_text("data: {init_args: {root: /home/me}}")
    (run / "metrics.csv").write_text("step,eval/success_rate\n10,0.25\n20,0.5\n")
    return run


def call(
    hub: hub_server.Hub, home: Path, *words: object, token: str = "hf_test", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "getiaction_cli", *map(str, words)],
        env={**os.environ, **hub.environment(home), "HF_TOKEN": token, **more},
        capture_output=True,
        text=True,
        timeout=300,
        cwd=home,
        check=False,
    )


def test_a_policy_is_uploaded_with_its_card_and_nothing_else(hub: hub_server.Hub, policy: Path, tmp_path: Path) -> None:
    done = call(hub, tmp_path, "push", policy, "me/act", "--private")
    assert done.returncode == 0, done.stderr
    assert "lerobot-eval --policy.path=me/act" in done.stderr
    uploaded = hub.models["me/act"]
    assert sorted(path.name for path in uploaded.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    source = policy / "pretrained_model"
    assert (uploaded / "model.safetensors").read_bytes() == (source / "model.safetensors").read_bytes()
    card = (uploaded / "README.md").read_text()
    assert "--policy.path=me/act" in card
    assert "| eval/success_rate | 0.5 | 20 |" in card
    assert hub.private["me/act"] is True
    again = call(hub, tmp_path, "push", policy, "me/act")
    assert again.returncode == 0, again.stderr
    assert "exists: a new commit is added" in again.stderr


def test_a_dry_run_checks_and_writes_nothing(hub: hub_server.Hub, policy: Path, tmp_path: Path) -> None:
    done = call(hub, tmp_path, "push", policy, "lab/act", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "public, unless your account's default is private" in done.stderr
    assert "model.safetensors" in done.stderr
    assert "secret.txt" not in done.stderr
    assert hub.models == {}
    assert not [path for path in hub.requests if "create" in path or "commit" in path]


@pytest.mark.parametrize(
    ("repo", "token", "role", "env", "code", "words"),
    [
        ("me/act", "", "write", {}, 3, "there is no Hugging Face token"),
        ("me/act", "hf_other", "write", {}, 3, "does not accept this machine's token"),
        ("me/act", "hf_test", "read", {}, 3, "may only read"),
        ("you/act", "hf_test", "write", {}, 3, "you is neither the user of this machine's token (me)"),
        ("me/act", "hf_test", "write", {"HF_HUB_OFFLINE": "1"}, 3, "HF_HUB_OFFLINE is set"),
        ("act", "hf_test", "write", {}, 2, "written user/name"),
    ],
)
def test_what_can_not_be_uploaded_is_refused_before_anything_is_written(
    hub: hub_server.Hub,
    policy: Path,
    tmp_path: Path,
    repo: str,
    token: str,
    role: str,
    env: dict[str, str],
    code: int,
    words: str,
) -> None:
    hub.role = role
    done = call(hub, tmp_path, "push", policy, repo, token=token, **env)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert hub.models == {}


def test_only_lerobots_kinds_of_files_go_and_no_links(policy: Path) -> None:
    names = [path.name for path in files(policy / "pretrained_model")]
    assert names == ["README.md", "config.json", "model.safetensors"]


def test_a_run_that_measured_nothing_leaves_the_card_as_it_is(tmp_path: Path, policy: Path) -> None:
    assert evaluation_of(tmp_path) == ""
    assert "No evaluation results" in card_text(policy / "pretrained_model", "me/act")


def test_a_policy_without_a_card_is_uploaded_without_one(hub: hub_server.Hub, policy: Path, tmp_path: Path) -> None:
    """A later LeRobot may move what writes the card."""
    script = (
        "import sys, lerobot.policies.pretrained as p; del p._build_card_context\n"
        "from getiaction_cli.main import main; sys.argv[0] = 'getiaction'; main()"
    )
    (policy / "pretrained_model" / "README.md").unlink()
    values = {"type": "act", "chunk_size": 4, "n_action_steps": 4}
    (policy / "pretrained_model" / "config.json").write_text(json.dumps(values))
    environment = {**os.environ, **hub.environment(tmp_path), "HF_TOKEN": "hf_test"}
    command = [sys.executable, "-c", script, "push", str(policy), "me/act"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in hub.models["me/act"].iterdir()) == ["config.json", "model.safetensors"]


def test_the_card_has_the_evaluation_that_the_run_keeps(policy: Path) -> None:
    kept = evaluation_json.dump(made_evaluation.evaluation(), Report("run"), 40)
    (policy / "evaluation.json").write_text(kept)
    (policy / "checkpoints").mkdir()
    (policy / "checkpoints" / "best.json").write_text('{"of": "val/loss", "loss": 0.123456, "step": 30}')
    card = card_text(policy / "pretrained_model", "me/act", evaluation_of(policy))
    assert "| lowest val/loss | 0.1235 | 30 |" in card
    assert "| action error on 3 held-out episodes, share of range | 2.00% | 40 |" in card
    assert "| the same for holding still | 7.00% | 40 |" in card


def test_numbers_that_are_too_large_or_on_several_lines_do_no_harm_to_the_card(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/best.json").write_text(f'{{"of": "val/loss", "loss": 1{"0" * 400}, "step": 3}}')
    (tmp_path / "metrics.csv").write_text('step,eval/success_rate\n10,"0.5\n\n"\n')
    assert evaluation_of(tmp_path).splitlines()[2:] == ["| eval/success_rate | 0.5 | 10 |"]


def test_a_damaged_run_adds_nothing_to_the_card(policy: Path) -> None:
    (policy / "metrics.csv").write_bytes(b"step,eval/\xff,eval/success_rate\n10,1,| <b>\n11,nan,\xff\n")
    (policy / "evaluation.json").write_text('{"part": "held-out", "error": "| <b>"}')
    (policy / "checkpoints").mkdir()
    (policy / "checkpoints" / "best.json").write_text('{"of": "| <b>", "loss": 1, "step": 3}')
    assert evaluation_of(policy) == ""
    for file in (policy / "checkpoints" / "best.json", policy / "metrics.csv"):
        file.unlink()
        os.mkfifo(file)  # reading it would never end
    assert evaluation_of(policy) == ""


def test_metrics_that_are_not_utf_8_cost_only_their_own_values(policy: Path) -> None:
    (policy / "metrics.csv").write_bytes(b"step,note,eval/success_rate\n10,\xff\xfe,0.25\n")
    assert "| eval/success_rate | 0.25 | 10 |" in evaluation_of(policy)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_nothing_is_uploaded_offline(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "yes")
    with pytest.raises(PublishingError, match="HF_HUB_OFFLINE is set"):
        check(Upload("me/act", None))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("me/act", True),
        ("me/act-1.0_b", True),
        ("me", False),
        ("a/b/c", False),
        ("me/a b", False),
        ("me/", False),
        ("me/x--y", False),
        ("me/-x", False),
        ("me/x.git", False),
        ("me/" + "x" * 97, False),
        ("../x", False),
    ],
)
def test_names_are_judged_as_the_hub_judges_them(name: str, right: bool) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    assert (name_problem(name) == "") == right
    if right:
        validate_repo_id(name)
    elif "/" in name:
        with pytest.raises(HFValidationError):
            validate_repo_id(name)


@pytest.mark.slow
def test_training_uploads_what_lerobot_loads(hub: hub_server.Hub, tmp_path: Path) -> None:
    recipe = {**RECIPE, "model": {**RECIPE["model"], "init_args": dict(RECIPE["model"]["init_args"])}}  # type: ignore[dict-item]
    recipe["model"]["init_args"] |= {"push_to_hub": True, "repo_id": "me/act", "private": False}  # type: ignore[index]
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    refused = call(hub, tmp_path, "train", "recipe.yaml", token="")
    assert refused.returncode == 1
    assert "error[GA164]" in refused.stderr
    hub.role = "read"
    refused = call(hub, tmp_path, "train", "recipe.yaml")
    assert refused.returncode == 3
    assert "may only read" in refused.stderr
    assert not (tmp_path / "outputs").exists()
    hub.role = "write"
    done = call(hub, tmp_path, "train", "recipe.yaml", "--output-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert f"uploaded    {hub.url}/me/act" in done.stdout
    card = (hub.models["me/act"] / "README.md").read_text()
    assert "[getiaction/pusht-keypoints-demo]" in card
    assert "of which the policy takes 5 a second" in card
    assert "--fps=5 " in card
    assert "| Training steps | 2 |" in card
    assert "lowest train/loss" not in card  # without checkpoints there is no best one
    loads = (
        "from lerobot.configs.policies import PreTrainedConfig\n"
        "from lerobot.policies.act.modeling_act import ACTPolicy\n"
        "PreTrainedConfig.from_pretrained('me/act')\n"
        "print(type(ACTPolicy.from_pretrained('me/act')).__name__)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", loads],
        env={**os.environ, **hub.environment(tmp_path / "other"), "HF_TOKEN": "hf_test"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert loaded.stdout.strip() == "ACTPolicy", loaded.stderr[-2000:]
