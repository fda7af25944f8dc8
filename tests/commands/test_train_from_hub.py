"""Training on a dataset that is on the Hub alone: it arrives under the user's eyes, whole, and once."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hub_server import serve

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    dim_model: 32
    n_heads: 2
    dim_feedforward: 32
    n_encoder_layers: 1
    n_vae_encoder_layers: 1
    pretrained_backbone_weights: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: someone/toy
trainer:
  max_steps: 2
"""
VIDEO = "someone/toy/videos/observation.images.top/chunk-000/file-000.mp4"


@pytest.mark.slow
def test_a_dataset_arrives_from_the_hub(toy_root: Path, tmp_path: Path) -> None:
    """The connection breaks in the middle of a video; the second try is slow, and shown; the third asks nobody."""
    recipe = tmp_path / "toy.yaml"
    recipe.write_text(RECIPE)

    def train(**variables: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **hub.environment(tmp_path / "home"), **variables}
        words = ["getiaction", "train", "toy.yaml"]
        return subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)

    with serve({"someone/toy": toy_root}) as hub:
        hub.faults[VIDEO] = "cut"
        broken = train()
        assert broken.returncode == 3
        assert "the download was interrupted" in broken.stderr and "complete files are kept" in broken.stderr
        assert "Traceback" not in broken.stderr
        assert not (tmp_path / "outputs").exists() or not any((tmp_path / "outputs").rglob("*.ckpt"))
        assert not list((tmp_path / "home/lerobot").rglob("*.incomplete"))

        hub.faults[VIDEO] = "trickle"
        asked = len(hub.requests)
        slow = train()
        assert slow.returncode == 0, slow.stderr
        assert re.search(r"downloading someone/toy \(1 file\): [\d.]+ MB so far, \d s", slow.stderr)
        assert not [path for path in hub.requests[asked:] if path.endswith("data/chunk-000/file-000.parquet")]

        asked = len(hub.requests)
        again = train(HF_HUB_OFFLINE="1")
        assert again.returncode == 0, again.stderr
        assert len(hub.requests) == asked
        assert "downloading" not in again.stderr
