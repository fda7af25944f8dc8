"""Features that the network reads, and those that LeRobot only normalizes: each is judged as training treats it."""

import json
from pathlib import Path

import make_dataset
import pytest
from verdict_helpers import HEALTHY

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import read


def judge(root: Path, policy: str = "ACT", more: str = "", data: str = "") -> dict[str, Severity]:
    text = f"""\
model:
  class_path: getiaction.policies.lerobot.{policy}
  init_args: {{chunk_size: 8, n_action_steps: 8{more}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: made/x, root: '{root}'{data}}}
trainer: {{max_steps: 10}}
"""
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=HEALTHY))
    return {d.code: d.severity for d in report.diagnostics}


def test_a_matrix_that_no_network_reads_is_a_note(tmp_path: Path) -> None:
    root = make_dataset.make(tmp_path / "tactile", storage="image", others={"observation.tactile": ("float32", (4, 6))})
    assert judge(root) == {"GA353": Severity.INFO}
    assert judge(root, more=", input_features: [observation.images.top, observation.state]") == {}


def test_statistics_are_missed_where_a_network_reads_them(tmp_path: Path) -> None:
    root = make_dataset.make(tmp_path / "effort", storage="image", extra={"observation.effort": 2})
    file = root / "meta/stats.json"
    stats = json.loads(file.read_text())
    file.write_text(json.dumps({key: entry for key, entry in stats.items() if key != "observation.effort"}))
    assert judge(root) == {"GA353": Severity.INFO, "GA432": Severity.INFO}
    file.write_text(json.dumps({key: entry for key, entry in stats.items() if key != "observation.state"}))
    assert judge(root)["GA432"] is Severity.ERROR
    # A feature without `std` stops LeRobot's normalizer, whoever reads it.
    stats["observation.effort"].pop("std")
    file.write_text(json.dumps(stats))
    assert judge(root)["GA432"] is Severity.ERROR


def test_whole_numbers_whose_spread_is_below_one_are_refused(tmp_path: Path) -> None:
    root = make_dataset.make(
        tmp_path / "whole", storage="image", state=None, others={"observation.state": ("int64", (2,))}
    )
    file = root / "meta/stats.json"
    stats = json.loads(file.read_text())
    assert judge(root)["GA354"] is Severity.WARNING
    stats["observation.state"] |= {"std": [0.4, 2.5], "min": [0, 0], "max": [1, 8], "mean": [0.3, 4.1]}
    file.write_text(json.dumps(stats))
    assert judge(root)["GA354"] is Severity.ERROR


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("videos/observation.images.top/chunk-000/file-002.mp4 missing", "GA423"),
        ("videos/observation.images.top/chunk-000/file-002.mp4 empty", "GA424"),
        ("videos/observation.images.top/chunk-000/file-002.mp4 short", "GA443"),
        ("data/chunk-000/file-002.parquet missing", "GA421"),
    ],
)
def test_a_damaged_file_matters_to_the_recipes_that_use_it(damage: str, code: str, tmp_path: Path) -> None:
    """Its episode can be left out, and training never opens the file."""
    root = make_dataset.make(
        tmp_path / "three", codec="h264", lengths=(8, 6, 12), data_files_size_in_mb=1e-4, video_files_size_in_mb=1e-4
    )
    name, _, how = damage.partition(" ")
    if how == "missing":
        (root / name).unlink()
    else:
        other = (root / name.replace("002", "001")).read_bytes()
        (root / name).write_bytes(other if how == "short" else b"")
    assert judge(root)[code] is Severity.ERROR
    assert judge(root, data=", episodes: [1, 2]")[code] is Severity.ERROR
    assert code not in judge(root, data=", episodes: [0, 1]")
    assert code not in judge(root, data=", exclude_episodes: [2]")
