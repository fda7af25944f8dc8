"""`getiaction fetch` from a server that speaks the Hub's API; afterwards training needs no network."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import make_dataset
import pytest
import tiny_hub
import yaml
from hub_server import Hub, serve

from getiaction.spec import torchvision_weights
from getiaction_cli.analysis.downloads import files_of
from getiaction_cli.analysis.weights import HubModel

TOY = "someone/toy"
ACT = """\
seed: 1
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
    train_batch_size: 2
trainer:
  max_steps: 1
  accelerator: cpu
"""
SMOLVLA = """\
seed: 1
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    chunk_size: 4
    n_action_steps: 4
    config_kwargs:
      vlm_model_name: someone/smolvlm
      num_vlm_layers: 2
      train_expert_only: false
      freeze_vision_encoder: false
      expert_width_multiplier: 0.5
      resize_imgs_with_padding: [64, 64]
      max_state_dim: 4
      max_action_dim: 4
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: someone/toy
    train_batch_size: 2
trainer:
  max_steps: 1
  accelerator: cpu
"""


class Fetch:
    """getiaction in an empty home, in front of a Hub."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder

    def __call__(self, *words: str, rc: int = 0, **variables: str) -> str:
        env = {**os.environ, **self.hub.environment(self.folder / "home"), "COLUMNS": "100", **variables}
        env["TORCH_HOME"] = str(self.folder / "home/torch")
        done = subprocess.run(
            [sys.executable, "-m", "getiaction_cli", *words],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == rc, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def trains_offline(self, recipe: str) -> None:
        """Train, and see that the server was not asked."""
        asked = len(self.hub.requests)
        assert "trained     1 step" in self("train", recipe, HF_HUB_OFFLINE="1")
        assert len(self.hub.requests) == asked


@pytest.fixture
def fetch(toy_root: Path, tmp_path: Path) -> Iterator[Fetch]:
    (tmp_path / "act.yaml").write_text(ACT)
    (tmp_path / "smolvla.yaml").write_text(SMOLVLA)
    with serve({TOY: toy_root}) as hub:
        yield Fetch(hub, tmp_path)


@pytest.mark.slow
def test_several_datasets_and_several_ranges_of_one_dataset_are_fetched(
    toy_root: Path, tmp_path: Path, fetch: Fetch
) -> None:
    other = make_dataset.make(
        tmp_path / "other", seed=1, lengths=(24, 20), data_files_size_in_mb=1e-6, video_files_size_in_mb=1e-6
    )
    mixed = yaml.safe_load(ACT)
    mixed["data"]["init_args"] = {"datasets": [{"repo_id": TOY}, {"repo_id": "someone/other", "episodes": [0]}]}
    last = yaml.safe_load(ACT)
    last["data"]["init_args"] |= {"repo_id": "someone/other", "episodes": [1]}
    for name, recipe in (("mixed", mixed), ("last", last)):
        recipe["data"]["init_args"]["train_batch_size"] = 2
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    with serve({TOY: toy_root, "someone/other": other}) as hub:
        fetch = Fetch(hub, tmp_path)
        said = fetch("fetch", "mixed.yaml", "last.yaml")
        assert said.count("someone/other (the dataset)\n") == 2
        fetch.trains_offline("mixed.yaml")
        fetch.trains_offline("last.yaml")


def test_a_dry_run_shows_sizes_and_fetches_metadata_only(fetch: Fetch) -> None:
    said = fetch("fetch", "act.yaml", "--dry-run")
    assert "someone/toy (the dataset)\n    2 files, " in said
    assert "into\n  " in said and " are free" in said
    assert "nothing was fetched" in said
    assert not [path for path in fetch.hub.requests if "/resolve/" in path and "/meta/" not in path]


def test_a_wrong_recipe_is_shown_and_nothing_is_fetched(fetch: Fetch) -> None:
    said = fetch("fetch", "act.yaml", "--model.n_action_steps=80", rc=1)
    assert "n_action_steps" in said and "nothing was fetched" in said
    assert not [path for path in fetch.hub.requests if "/data/" in path]


def test_offline_the_missing_files_are_named_with_the_command_for_the_login_node(fetch: Fetch) -> None:
    said = fetch("fetch", "act.yaml", rc=3, HF_HUB_OFFLINE="1")
    assert "error: act.yaml: no dataset 'someone/toy'" in said
    assert "such as the login node: HF_HUB_OFFLINE=0 getiaction fetch act.yaml" in said
    (fetch.folder / "wrong.yaml").write_text(ACT.replace("chunk_size", "chunk_sizes"))
    assert "nothing was fetched" in fetch("fetch", "wrong.yaml", rc=1, HF_HUB_OFFLINE="1")
    assert not fetch.hub.requests


def test_a_recipe_must_be_named(fetch: Fetch) -> None:
    assert "no recipe was named" in fetch("fetch", rc=2)


@pytest.mark.slow
def test_training_needs_no_network_afterwards(fetch: Fetch, tmp_path: Path) -> None:
    """The connection breaks in the middle of the video; the second try fetches that one, and training nothing."""
    video = "videos/observation.images.top/chunk-000/file-000.mp4"
    fetch.hub.models["someone/smolvlm"] = tiny_hub.smolvlm(tmp_path / "smolvlm")
    (tmp_path / "smolvlm" / "model.safetensors").write_bytes(b"not read by SmolVLA" * 1000)
    fetch.hub.faults[f"{TOY}/{video}"] = "cut"
    fetch("fetch", "act.yaml", "smolvla.yaml", rc=3)
    fetch.hub.faults.clear()
    said = fetch("fetch", "act.yaml", "smolvla.yaml")
    assert "someone/toy (the dataset)\n    1 file, " in said
    assert "someone/smolvlm (the configuration and processor of the vision-language model)" in said
    assert "act.yaml: loads without the network" in said and "smolvla.yaml: loads without the network" in said
    assert not [path for path in fetch.hub.requests if path.endswith("model.safetensors")]
    assert "nothing to fetch: everything is in the caches" in fetch("fetch", "act.yaml", HF_HUB_OFFLINE="1")
    fetch.trains_offline("act.yaml")
    fetch.trains_offline("smolvla.yaml")
    assert "nothing to fetch" in fetch("fetch", "act.yaml")


@pytest.mark.slow
def test_a_pretrained_policy_is_fetched(fetch: Fetch, toy_root: Path, tmp_path: Path) -> None:
    fetch("train", "act.yaml", "--output-dir=first", f"--data.root={toy_root}")
    fetch.hub.models["someone/act"] = tmp_path / "first" / "pretrained_model"
    tuned = ACT.replace("    chunk_size", "    pretrained_path: someone/act\n    chunk_size")
    (tmp_path / "tuned.yaml").write_text(tuned)
    said = fetch("fetch", "tuned.yaml")
    assert "someone/act (the pretrained policy)" in said
    fetch.trains_offline("tuned.yaml")


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        (HubModel("a/b", "the backbone", ""), ["config.json", "model.safetensors", "code.py", "vae/config.json"]),
        (HubModel("a/b", "the tokenizer", "", weights=False), ["config.json", "code.py", "vae/config.json"]),
        (HubModel("a/b", "the vae", "", folders=["vae"]), ["vae/config.json", "vae/pytorch_model.bin"]),
        (
            HubModel("a/b", "the pretrained policy", "model.init_args.pretrained_path"),
            ["config.json", "model.safetensors"],
        ),
    ],
)
def test_the_files_that_are_read(model: HubModel, kept: list[str]) -> None:
    paths = [
        "config.json",
        "model.safetensors",
        "pytorch_model.bin",
        "code.py",
        "onnx/model.onnx",
        "model.gguf",
        "vae/config.json",
        "vae/pytorch_model.bin",
    ]
    found = files_of(model, paths)
    assert [path for path in paths if path in found] == [
        path for path in paths if path in kept or (path == "vae/pytorch_model.bin" and model.what == "the backbone")
    ]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a server in torchvision's place serves."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GETIACTION_TORCH_MIRROR", f"http://127.0.0.1:{server.server_address[1]}/")
    yield folder
    server.shutdown()
    server.server_close()


def weights_at(mirror: Path, content: bytes) -> str:
    name = f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (mirror / name).write_bytes(content)
    return f"https://download.pytorch.org/models/{name}"


def test_backbone_weights_come_from_a_mirror_and_are_compared_with_their_hash(mirror: Path, tmp_path: Path) -> None:
    url = weights_at(mirror, b"weights" * 1_000_000)
    shown: list[tuple[int, int]] = []
    file = torchvision_weights.fetch(url, tmp_path / "hub", lambda done, total: shown.append((done, total)))
    assert file.read_bytes() == b"weights" * 1_000_000
    assert torchvision_weights.size(url) == file.stat().st_size
    assert shown[-1] == (7_000_000, 7_000_000) and len(shown) > 2
    file.unlink()
    (mirror / file.name).write_bytes(b"something else")
    with pytest.raises(OSError, match="wrong length or hash"):
        torchvision_weights.fetch(url, tmp_path / "hub")
    assert not list((tmp_path / "hub").iterdir())


@pytest.mark.slow
def test_the_policy_starts_from_the_weights_of_the_mirror(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    import torch
    from lerobot.policies.act.configuration_act import ACTConfig
    from torchvision.models import ResNet18_Weights, resnet18

    from getiaction.lerobot.weights import ensure_backbone_weights

    network, stream = resnet18(), io.BytesIO()
    torch.save(network.state_dict(), stream)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = ResNet18_Weights.IMAGENET1K_V1
    monkeypatch.setattr(weights.value, "url", weights_at(mirror, stream.getvalue()))
    ensure_backbone_weights(ACTConfig(pretrained_backbone_weights="ResNet18_Weights.IMAGENET1K_V1", device="cpu"))
    loaded = resnet18(weights=weights)
    assert torch.equal(loaded.conv1.weight, network.conv1.weight)
