"""Training speed: `getiaction train` against `lerobot-train`, same policy, parameters, batch and steps, on the CPU.

    python benchmarks/train_vs_lerobot.py     # many minutes; prints the second table of docs/benchmarks.md
    python benchmarks/train_vs_lerobot.py --only act small --steps 30

Both are started as a user starts them, in turn. Samples per second are counted between the first and the last step
that they report, so start-up and the last checkpoint don't count; the time to the first step is from the start of the
process.

`small` stands for a fast accelerator: an ACT so small that one CPU trains it faster than any decoder delivers, because
it looks at the state alone. The pictures are loaded all the same, by both sides, as for a policy that a GPU runs.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "core")]
BIN = Path(sys.executable).parent


def cases() -> dict[str, tuple[str, dict[str, Any], int]]:
    """Policy, its parameters and the batch size of each case."""
    from tiny_policies import ACT, CONFIGS

    small = {**ACT, "chunk_size": 2, "n_action_steps": 2, "dim_model": 16, "use_vae": False}
    small["input_features"] = ["observation.state", "observation.environment_state"]
    return {name: (name, config, 8) for name, config in CONFIGS.items()} | {"small": ("act", small, 64)}


DATASET = {"cameras": {"observation.image": (96, 96)}, "lengths": [100] * 30, "true_quantiles": False}


def lerobot_words(root: Path, policy: str, config: dict[str, Any], batch: int, steps: int, out: Path) -> list[str]:
    config = dict(config)
    words = [f"--policy.type={policy}", "--policy.device=cpu", "--policy.push_to_hub=false"]
    if keys := config.pop("input_features", None):
        shapes = json.loads((root / "meta/info.json").read_text())["features"]
        types = {"observation.state": "STATE", "observation.environment_state": "ENV"}
        features = {key: {"type": types[key], "shape": shapes[key]["shape"]} for key in keys}
        words.append(f"--policy.input_features={json.dumps(features)}")
    words += [f"--policy.{key}={json.dumps(value)}" for key, value in config.items()]
    words += ["--dataset.repo_id=made/bench", f"--dataset.root={root}", f"--batch_size={batch}", f"--steps={steps}"]
    words += ["--log_freq=1", "--save_checkpoint=false", "--wandb.enable=false", "--seed=1", f"--output_dir={out}"]
    return [str(BIN / "lerobot-train"), *words]


def our_words(root: Path, policy: str, config: dict[str, Any], batch: int, steps: int, out: Path) -> list[str]:
    config = dict(config)
    arguments: dict[str, Any] = {"policy_name": policy, "config_kwargs": config}
    if keys := config.pop("input_features", None):
        arguments["input_features"] = keys
    recipe = {
        "seed": 1,
        "model": {"class_path": "getiaction.policies.lerobot.LeRobotPolicy", "init_args": arguments},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/bench", "root": str(root), "train_batch_size": batch},
        },
        "trainer": {"max_steps": steps, "accelerator": "cpu", "log_every_n_steps": 1},
    }
    path = out.with_suffix(".yaml")
    path.write_text(json.dumps(recipe))  # JSON is YAML
    return [str(BIN / "getiaction"), "train", str(path), "--output-dir", str(out)]


STEP = re.compile(r"(?:step:|\bstep )(\d+)\b")


def run(words: list[str], batch: int) -> tuple[float, float]:
    """Samples per second, and seconds from the start to the first step."""
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen: list[tuple[int, float]] = []
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if (found := STEP.search(line)) and (not seen or int(found[1]) > seen[-1][0]):
            seen.append((int(found[1]), time.perf_counter()))
    if process.wait() or len(seen) < 2:
        raise SystemExit("".join(said[-30:]))
    (first, at), (last, end) = seen[0], seen[-1]
    # What a first report after several steps took is start-up and steps: take the steps off at the later pace.
    pace = (end - at) / (last - first)
    return batch / pace, at - begun - pace * first


def main() -> None:
    import make_dataset

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", default=list(cases()))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--small-steps", type=int, default=40, help="steps of the small policy")
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"GETIACTION_CACHE": f"{folder}/cache", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        plain = make_dataset.make(Path(folder, "plain"), reward=True, **DATASET)
        # The small policy looks at this in the pictures' place.
        described = make_dataset.make(Path(folder, "described"), extra={"observation.environment_state": 4}, **DATASET)
        print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, medians of {options.turns} turns\n")
        print(
            "| policy | samples/s, getiaction | lerobot-train | ratio | first step after, getiaction | lerobot-train |"
        )
        print("|---|---|---|---|---|---|", flush=True)
        for name in options.only:
            policy, config, batch = cases()[name]
            steps, root = (options.small_steps, described) if name == "small" else (options.steps, plain)
            got: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
            for turn in range(options.turns):
                for side, words in (("ours", our_words), ("theirs", lerobot_words)):
                    out = Path(folder, f"{name}-{side}-{turn}")
                    got[side].append(run(words(root, policy, config, batch, steps, out), batch))
            ours, theirs = ([statistics.median(column) for column in zip(*got[side], strict=True)] for side in got)
            print(
                f"| {name}, batch {batch} | {ours[0]:,.1f} | {theirs[0]:,.1f} | {ours[0] / theirs[0]:.2f} "
                f"| {ours[1]:.1f} s | {theirs[1]:.1f} s |",
                flush=True,
            )


if __name__ == "__main__":
    main()
