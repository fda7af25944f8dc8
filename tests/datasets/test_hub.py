"""Fetching from the Hub: only meta/, one clear error for whatever goes wrong, and no half a dataset found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import COMMIT, Fault, Hub, serve

ASK = """
import json, sys
from getiaction_cli.datasets import locate, read
from getiaction_cli.errors import CliError
try:
    place = locate(sys.argv[1], revision=sys.argv[2] if len(sys.argv) > 2 else None)
except CliError as error:
    print(json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint}))
else:
    dataset = read(place)
    print(json.dumps({
        "origin": place.origin, "root": str(place.root), "tagged": place.tagged, "revision": place.revision,
        "frames": dataset.total_frames, "findings": [f.message for _, f in dataset.findings],
    }))
"""


def ask(hub: Hub, home: Path, *words: str, **environment: str) -> dict:
    env = {**os.environ, **hub.environment(home), **environment}
    done = subprocess.run([sys.executable, "-c", ASK, *words], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def hub(pusht_root: Path):
    with serve({"lerobot/pusht": pusht_root, "lerobot/other": pusht_root}) as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(hub: Hub) -> None:
    hub.faults.clear()
    hub.tags.clear()
    hub.requests.clear()


def test_only_meta_is_fetched(hub: Hub, tmp_path: Path) -> None:
    found = ask(hub, tmp_path, "lerobot/pusht")
    assert (found["origin"], found["tagged"], found["revision"], found["findings"]) == ("hub", True, "v3.0", [])
    assert found["frames"] > 0
    resolved = [path for path in hub.requests if "/resolve/" in path]
    assert resolved and all("/meta/" in path for path in resolved)


def test_the_second_time_nothing_is_asked(hub: Hub, tmp_path: Path) -> None:
    ask(hub, tmp_path, "lerobot/pusht")
    hub.requests.clear()
    again = ask(hub, tmp_path, "lerobot/pusht", HF_HUB_OFFLINE="1")
    assert again["origin"] == "lerobot cache"
    assert hub.requests == []


def test_lerobot_uses_what_was_fetched(hub: Hub, tmp_path: Path) -> None:
    """The same cache, the same names: `snapshot_download` finds every file and downloads nothing."""
    ask(hub, tmp_path, "lerobot/pusht")
    hub.requests.clear()
    code = (
        "from huggingface_hub import snapshot_download\n"
        f"print(snapshot_download('lerobot/pusht', repo_type='dataset', revision='v3.0', allow_patterns='meta/', "
        f"cache_dir={str(tmp_path / 'lerobot' / 'hub')!r}))"
    )
    env = {**os.environ, **hub.environment(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip().endswith(COMMIT), done.stderr
    assert not [path for path in hub.requests if "/resolve/" in path]


def test_no_such_dataset_names_the_nearest(hub: Hub, tmp_path: Path) -> None:
    answer = ask(hub, tmp_path, "lerobot/psht")
    assert answer["error"] == "DatasetNotFound"
    assert "lerobot/pusht" in answer["hint"]
    for place in ("lerobot/lerobot/psht", "lerobot/hub", "huggingface/hub", hub.url):
        assert place in answer["message"]


def test_offline_is_obeyed(hub: Hub, tmp_path: Path) -> None:
    answer = ask(hub, tmp_path, "lerobot/pusht", HF_HUB_OFFLINE="1")
    assert answer["error"] == "DatasetNotFound"
    assert "HF_HUB_OFFLINE" in answer["message"]
    assert hub.requests == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("gated", "gated"),
        ("slow", "slow"),
        ("cut", "was interrupted"),
        ("wrong bytes", "wrong bytes"),
        ("down", "503"),
        ("silent", "slow"),
        ("no json", "does not answer like a Hub"),
    ],
)
def test_each_fault_is_one_error_and_is_recovered_from(hub: Hub, tmp_path: Path, fault: Fault, word: str) -> None:
    hub.faults["lerobot/pusht"] = fault
    answer = ask(hub, tmp_path, "lerobot/pusht", HF_HUB_DOWNLOAD_TIMEOUT="1", HF_HUB_ETAG_TIMEOUT="1")
    assert answer["error"] == "HubError"
    assert word in answer["message"]
    assert answer["hint"]
    assert not list(tmp_path.rglob("info.json"))
    hub.faults.clear()
    assert ask(hub, tmp_path, "lerobot/pusht")["origin"] == "hub"


def test_a_hub_that_is_busy_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    hub.faults["lerobot/pusht"] = "busy"
    assert ask(hub, tmp_path, "lerobot/pusht")["origin"] == "hub"


def test_a_fetch_that_was_killed_is_completed_and_checked(hub: Hub, tmp_path: Path) -> None:
    """It leaves files without meta/info.json, and one of them may be wrong: no dataset is found there until then."""
    ask(hub, tmp_path, "lerobot/pusht")
    snapshot = tmp_path / "lerobot/hub/datasets--lerobot--pusht/snapshots" / COMMIT
    (snapshot / "meta/info.json").unlink()
    stats = snapshot / "meta/stats.json"
    stats.resolve().write_bytes(b"x" * stats.stat().st_size)
    assert ask(hub, tmp_path, "lerobot/pusht", HF_HUB_OFFLINE="1")["error"] == "DatasetNotFound"
    assert "wrong bytes" in ask(hub, tmp_path, "lerobot/pusht")["message"]
    assert ask(hub, tmp_path, "lerobot/pusht")["origin"] == "hub"
    assert json.loads(stats.read_text())


@pytest.mark.parametrize(
    "address",
    ["https://huggingface.co/datasets/lerobot/pusht", "hf://datasets/lerobot/pusht", "datasets/lerobot/pusht"],
)
def test_an_address_is_no_id(hub: Hub, tmp_path: Path, address: str) -> None:
    answer = ask(hub, tmp_path, address)
    assert answer["hint"] == "did you mean lerobot/pusht?"
    assert hub.requests == []


def test_an_endpoint_that_is_no_address(hub: Hub, tmp_path: Path) -> None:
    answer = ask(hub, tmp_path, "lerobot/pusht", HF_ENDPOINT="localhost:8080")
    assert answer["error"] == "HubError"
    assert "HF_ENDPOINT" in answer["message"]


def test_a_private_dataset_looks_missing_without_a_token(hub: Hub, tmp_path: Path) -> None:
    hub.faults["lerobot/pusht"] = "private"
    assert ask(hub, tmp_path, "lerobot/pusht")["error"] == "DatasetNotFound"


@pytest.mark.parametrize("fault", ["gated", "private"])
def test_the_users_token_opens_it(hub: Hub, tmp_path: Path, fault: Fault) -> None:
    hub.faults["lerobot/pusht"] = fault
    assert ask(hub, tmp_path, "lerobot/pusht", HF_TOKEN=hub.token)["origin"] == "hub"


def test_nobody_at_the_endpoint(hub: Hub, tmp_path: Path) -> None:
    answer = ask(hub, tmp_path, "lerobot/pusht", HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["error"] == "HubError"
    assert "can't be reached" in answer["message"]


def test_revisions(hub: Hub, tmp_path: Path) -> None:
    assert ask(hub, tmp_path, "lerobot/pusht", "main")["revision"] == "main"
    missing = ask(hub, tmp_path, "lerobot/pusht", "v9.9")
    assert missing["error"] == "HubError"
    assert "no such revision" in missing["message"]


def test_an_untagged_dataset_is_found_and_marked(hub: Hub, tmp_path: Path) -> None:
    hub.tags["lerobot/pusht"] = []
    found = ask(hub, tmp_path, "lerobot/pusht")
    assert (found["revision"], found["tagged"]) == ("main", False)


def test_only_old_tags(hub: Hub, tmp_path: Path) -> None:
    hub.tags["lerobot/pusht"] = ["v1.6", "v2.1", "v2.0"]
    assert ask(hub, tmp_path, "lerobot/pusht")["revision"] == "v2.1"


def test_a_repository_without_meta(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("# a dataset of something else")
    hub.repos["owner/other"] = tmp_path / "other"
    answer = ask(hub, tmp_path / "home", "owner/other")
    assert answer["error"] == "HubError"
    assert "no meta/" in answer["message"]
