"""How much memory a training takes, beside the same training on a dataset of a few megabytes, in one run.

    python benchmarks/training_memory.py                  # 6 GB of decoded frames, many minutes
    python benchmarks/training_memory.py --frames 20000   # 18 GB

Resident memory is sampled from /proc every tenth of a second, shared and mapped pages included, so what the store's
mapping costs is counted in full. The dataset is smooth 480x640 video; the frames are decoded before the runs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
BIN = Path(sys.executable).parent
EPISODE = 200
FRAME_BYTES = 480 * 640 * 3


def make(root: Path, frames: int) -> Path:
    import make_dataset

    return make_dataset.make(
        root,
        cameras={"observation.images.top": (480, 640)},
        lengths=[min(frames, EPISODE)] * max(1, frames // EPISODE),
        codec="h264",
        true_quantiles=False,
    )


def recipe(root: Path, steps: int, store: Path) -> str:
    """A small ACT; JSON is YAML."""
    small = {"dim_model": 32, "n_heads": 2, "dim_feedforward": 32, "n_encoder_layers": 1, "n_vae_encoder_layers": 1}
    return json.dumps(
        {
            "seed": 1,
            "model": {
                "class_path": "getiaction.policies.lerobot.ACT",
                "init_args": {"chunk_size": 8, "n_action_steps": 8, "pretrained_backbone_weights": None, **small},
            },
            "data": {
                "class_path": "getiaction.data.lerobot.LeRobotDataModule",
                "init_args": {
                    "repo_id": "made/bench",
                    "root": str(root),
                    "train_batch_size": 8,
                    "frame_store": {"path": str(store)},
                },
            },
            "trainer": {"max_steps": steps, "accelerator": "cpu", "logger": False},
        }
    )


def most_resident(words: list[str]) -> dict[str, float]:
    """Run it; the largest resident set of the process in MB, and its parts at that moment."""
    most = {"VmRSS": 0.0}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        lines = [line.split() for line in status.read_text().splitlines() if line.startswith(("VmRSS", "Rss"))]
        now = {name.rstrip(":"): int(value) / 1024 for name, value, _ in lines}
        if now.get("VmRSS", 0.0) > most["VmRSS"]:
            most = now
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(process.stdout.read() if process.stdout else "")
    return most


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, default=6600)
    options.add_argument("--steps", type=int, default=150)
    given = options.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for frames in (20, given.frames):
            place = Path(folder, str(frames))
            root = make(place / "dataset", frames)
            for steps in (1, given.steps):  # the first decodes
                path = place / f"{steps}.yaml"
                path.write_text(recipe(root, steps, Path(folder, "store")))
                words = [str(BIN / "getiaction"), "train", str(path), "--output-dir", str(place / f"run{steps}")]
                found[frames] = most_resident(words)
    for frames, most in found.items():
        print(
            f"{most['VmRSS']:8.0f} MB  {given.steps} steps of 8 of {frames:,} frames "
            f"({frames * FRAME_BYTES / 1e9:.1f} GB decoded): anonymous {most['RssAnon']:.0f} MB, "
            f"mapped files {most['RssFile']:.0f} MB, shared {most['RssShmem']:.0f} MB"
        )
    small, large = (found[frames]["VmRSS"] for frames in (20, given.frames))
    print(f"{large - small:8.0f} MB  more for the large dataset ({large / small:.2f} times)")


if __name__ == "__main__":
    main()
