"""`inspect-dataset` as a user runs it: what it shows, its JSON, its exit codes, and never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from corruptions import CORRUPTIONS
from hub_server import serve
from typer.testing import CliRunner, Result

from getiaction_cli.main import app

# Every way to break a dataset is tried on the rules and the rendering (tests/datasets); these on the whole command.
BROKEN = (
    *("info-missing", "info-cut", "fps-zero", "no-features", "image-flat", "image-names-null", "openpi-keys"),
    *("version-20", "episodes-cut", "tasks-missing", "no-episodes", "stats-missing", "table-cut", "data-nan"),
)


def run(*words: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["inspect-dataset", *words], env={"NO_COLOR": "1", "COLUMNS": "100", **env})


def as_json(*words: str) -> dict:
    return json.loads(run(*words, "--format", "json").stdout)


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def test_it_shows_what_is_in_the_dataset(pusht_root: Path) -> None:
    result = run(str(pusht_root))
    assert result.exit_code == 0
    for word in (
        "v3.0, 10 fps",
        "3 episodes",
        "96x96",
        "observation.state",
        "motor_0",
        "Push the T-shaped block",
        "nothing wrong",
        "Not checked",
        "can train as it is: ",
        "set chunk_size to 7 and n_action_steps to 7",  # of 30 frames: 100 would be mostly padding
        f"getiaction init {pusht_root} --policy act",
    ):
        assert word in result.stdout


def test_a_dataset_is_named_by_its_id(lerobot_home: Path) -> None:
    assert as_json("lerobot/pusht")["origin"] == "lerobot home"
    assert as_json("getiaction/pusht-demo")["origin"] == "demo"


def test_json_has_the_frozen_shape(pusht_root: Path) -> None:
    document = as_json(str(pusht_root))
    assert document["version"] == 1
    assert {
        "repo_id", "root", "format", "fps", "episodes", "frames", "tasks", "features", "episode_length", "size_bytes",
        "diagnostics", "policies", "fingerprint", "not_checked", "cameras", "deep", "verdict",
    } <= document.keys()  # fmt: skip
    assert {"key", "role", "dtype", "shape", "names", "stats"} <= document["features"][0].keys()
    assert {"min", "median", "mean", "max"} <= document["episode_length"].keys()
    assert {"name", "trainable", "reasons"} <= document["policies"][0].keys()
    assert document["episode_length"] == {"min": 28, "median": 30.0, "mean": 88 / 3, "max": 30, "outliers": []}
    state = next(f for f in document["features"] if f["key"] == "observation.state")
    assert (state["role"], state["shape"]) == ("state", [2])
    assert len(state["stats"]["q99"]) == 2
    assert {policy["name"] for policy in document["policies"] if policy["trainable"]} >= {"act", "diffusion"}
    assert all(policy["reasons"] for policy in document["policies"] if not policy["trainable"])


def test_exit_codes(damaged: Callable[[str], Path], tmp_path: Path) -> None:
    assert run(str(damaged("stats-nan"))).exit_code == 1
    assert run(str(damaged("task-count"))).exit_code == 0  # a warning
    assert process("inspect-dataset").returncode == 2
    assert process("inspect-dataset", "--frmat", "json", "x/y").returncode == 2
    missing = process("inspect-dataset", "lerobot/psht", COLUMNS="200")
    assert missing.returncode == 3
    assert missing.stdout == ""
    assert "searched" in missing.stderr


def test_a_near_name_is_offered(lerobot_home: Path) -> None:
    assert "did you mean lerobot/pusht?" in process("inspect-dataset", "lerobot/psht").stderr


def test_a_folder_above_the_dataset(pusht_root: Path) -> None:
    answer = process("inspect-dataset", str(pusht_root.parent))
    assert answer.returncode == 3
    assert "did you mean" in answer.stderr


@pytest.mark.parametrize("name", BROKEN)
def test_no_damage_ends_in_a_traceback(damaged: Callable[[str], Path], name: str) -> None:
    corruption = CORRUPTIONS[name]
    words = ["--deep"] if corruption.deep else []
    root = str(damaged(name))
    text = run(root, *words)
    assert text.exception is None or isinstance(text.exception, SystemExit), text.exception
    document = as_json(root, *words)
    assert corruption.code in {diagnostic["code"] for diagnostic in document["diagnostics"]}
    assert text.exit_code == (1 if document["verdict"] == "error" else 0)


def test_quiet_says_only_what_is_wrong(damaged: Callable[[str], Path]) -> None:
    answer = process("--quiet", "inspect-dataset", str(damaged("data-nan")), "--deep")
    assert answer.stderr == ""
    assert "error[GA471]" in answer.stdout
    assert "Features" not in answer.stdout


def test_a_pipe_gets_no_colours_and_may_close(toy_root: Path) -> None:
    assert "\x1b" not in process("inspect-dataset", str(toy_root)).stdout
    command = f"{sys.executable} -m getiaction_cli.main inspect-dataset {toy_root} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "toy"
    assert done.stderr == ""


def test_deep_reads_everything(toy_root: Path) -> None:
    document = as_json(str(toy_root), "--deep")
    assert document["deep"]["rows"] == 66
    assert document["deep"]["exact_quantiles"] is True
    assert document["not_run"] == []
    assert document["diagnostics"] == []
    assert [video["decoded"] for video in document["deep"]["videos"]] == [6]


def test_write_stats_mends_them_beside_a_backup(damaged: Callable[[str], Path]) -> None:
    root = damaged("quantiles-of-lerobot")
    before = (root / "meta/stats.json").read_text()
    result = run(str(root), "--deep", "--write-stats")
    assert result.exit_code == 0
    assert "nothing wrong" in result.stdout
    assert (root / "meta/stats.json.bak").read_text() == before
    after = json.loads((root / "meta/stats.json").read_text())
    assert after["observation.images.top"] == json.loads(before)["observation.images.top"]
    assert as_json(str(root), "--deep")["diagnostics"] == []


def test_backups_of_statistics_do_not_pile_up(damaged: Callable[[str], Path]) -> None:
    root = damaged("quantiles-of-lerobot")
    stats = root / "meta/stats.json"
    written = []
    for number in range(4):
        wrong = json.loads(stats.read_text())
        wrong["action"]["mean"][0] += 1 + number
        written.append(json.dumps(wrong))
        stats.write_text(written[-1])
        assert run(str(root), "--deep", "--write-stats").exit_code == 0
    backups = sorted(path.name for path in (root / "meta").iterdir() if path.name.startswith("stats.json."))
    assert backups == ["stats.json.bak", "stats.json.bak2"]
    assert (root / "meta/stats.json.bak").read_text() == written[0]
    assert (root / "meta/stats.json.bak2").read_text() == written[-1]


def test_true_statistics_are_not_written_again(damaged: Callable[[str], Path]) -> None:
    root = damaged("quantiles-of-lerobot")
    assert run(str(root), "--deep", "--write-stats").exit_code == 0
    files = {file: file.stat().st_mtime_ns for file in (root / "meta").iterdir()}
    answer = process("inspect-dataset", str(root), "--deep", "--write-stats", COLUMNS="200")
    assert "holds the true statistics already" in answer.stderr
    assert {file: file.stat().st_mtime_ns for file in (root / "meta").iterdir()} == files


@pytest.mark.parametrize("name", ["stats-camera-missing", "image-stats-255"])
def test_write_stats_computes_what_is_wrong_of_a_camera(
    damaged: Callable[[str], Path], toy_root: Path, name: str
) -> None:
    """From a sample of its pictures, as LeRobot does."""
    import numpy as np

    root = damaged(name)
    assert run(str(root), "--deep", "--write-stats").exit_code == 0
    written = json.loads((root / "meta/stats.json").read_text())["observation.images.top"]
    healthy = json.loads((toy_root / "meta/stats.json").read_text())["observation.images.top"]
    assert np.shape(written["mean"]) == (3, 1, 1)
    for statistic in ("mean", "std", "q50"):
        np.testing.assert_allclose(written[statistic], healthy[statistic], atol=0.03)


def test_write_stats_is_what_lerobot_computes(damaged: Callable[[str], Path], toy_root: Path) -> None:
    """All but the quantiles, which LeRobot 0.6.1 gets wrong."""
    import numpy as np

    root = damaged("stats-missing")
    assert run(str(root), "--deep", "--write-stats").exit_code == 0
    written = json.loads((root / "meta/stats.json").read_text())
    healthy = json.loads((toy_root / "meta/stats.json").read_text())
    for key in ("action", "observation.state"):
        for name in ("min", "max", "mean", "std", "count"):
            np.testing.assert_allclose(written[key][name], healthy[key][name], rtol=1e-5, atol=1e-6)


def test_write_stats_refuses_what_would_be_wrong(damaged: Callable[[str], Path]) -> None:
    for name in ("table-cut", "table-missing", "table-nobody-names", "data-nan"):
        root = damaged(name)
        before = (root / "meta/stats.json").read_bytes()
        answer = process("inspect-dataset", str(root), "--deep", "--write-stats")
        assert answer.returncode == 3
        assert (root / "meta/stats.json").read_bytes() == before
        assert not list((root / "meta").glob("stats.json.*"))


def test_from_the_hub_only_meta_and_deep_asks_first(pusht_root: Path, tmp_path: Path) -> None:
    with serve({"lerobot/pusht": pusht_root}) as hub:
        env = hub.environment(tmp_path)
        shallow = process("inspect-dataset", "lerobot/pusht", "--format", "json", **env)
        document = json.loads(shallow.stdout)
        assert document["origin"] == "hub"
        assert "fetching lerobot/pusht:" in shallow.stderr
        assert " in " in shallow.stderr and "kB" in shallow.stderr
        assert any("not downloaded" in words for words in document["not_checked"])

        asked = process("inspect-dataset", "lerobot/pusht", "--deep", "--format", "json", **env)
        assert "--deep needs the tables and videos" in asked.stderr
        assert any("--yes downloads them" in words for words in json.loads(asked.stdout)["not_checked"])
        assert not list(tmp_path.rglob("*.mp4"))

        deep = process("inspect-dataset", "lerobot/pusht", "--deep", "--yes", "--format", "json", **env)
        assert json.loads(deep.stdout)["deep"]["rows"] == 88


def test_a_frozen_stdout_keeps_the_report_apart_from_the_talk(toy_root: Path) -> None:
    answer = process("inspect-dataset", str(toy_root), "--deep", "--format", "json")
    json.loads(answer.stdout)
    assert "reading the tables: 66 frames" in answer.stderr


def test_nothing_is_written_into_the_dataset(toy_root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(toy_root, tmp_path / "toy"))
    before = {path: path.stat().st_mtime_ns for path in sorted(root.rglob("*"))}
    run(str(root), "--deep")
    assert {path: path.stat().st_mtime_ns for path in sorted(root.rglob("*"))} == before


def test_it_needs_neither_torch_nor_lerobot(toy_root: Path) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from getiaction_cli.main import app;"
        f"r = CliRunner().invoke(app, ['inspect-dataset', {str(toy_root)!r}, '--deep']); assert r.exit_code == 0;"
        "print(sorted({'torch', 'lightning', 'lerobot', 'getiaction.train', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
