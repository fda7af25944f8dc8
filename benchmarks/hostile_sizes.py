"""What the largest inputs a stranger can send cost: CPU seconds and memory of the commands that read them.

    python benchmarks/hostile_sizes.py                        every input, at its full and at half its size
    python benchmarks/hostile_sizes.py --only keys tasks      inputs whose name contains one of these words
    python benchmarks/hostile_sizes.py --markdown             the table as docs/benchmarks.md has it

Every input is built in a temporary folder. Each line is one command in a process of its own: its CPU time and peak
memory, the CPU time of a bare parse of the same files (json, pyarrow's index columns, or yaml with C) in a process that
imports the same packages, their ratio, and how the CPU time grew from half the size, where 2 is linear. A line above
SECONDS or MEGABYTES is marked.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 5.0
MEGABYTES = 1_000
LIMIT = 30  # seconds of CPU time after which a command is ended
ROOT = Path(__file__).parents[1]
COLOURS = {"NO_COLOR": "1", "COLUMNS": "80", "HF_HUB_OFFLINE": "1"}

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-demo
trainer:
  max_steps: 10
"""


# -- recipes -----------------------------------------------------------------------------------------------------------


def _under(section: str, lines: list[str], indent: int = 4) -> str:
    """The recipe with lines added at the beginning of a section that is named by its last line."""
    head, found, tail = RECIPE.partition(section)
    assert found
    return head + found + "".join(f"{' ' * indent}{line}\n" for line in lines) + tail


_MODEL, _DATA, _TRAINER = "ACT\n  init_args:\n", "DataModule\n  init_args:\n", "trainer:\n"

RECIPES: dict[str, tuple[int, Callable[[int], str]]] = {
    "unknown keys of a model": (9_000, lambda n: _under(_MODEL, [f"chunk_size_{i}: {i}" for i in range(n)])),
    "unknown keys of data": (9_000, lambda n: _under(_DATA, [f"train_batch_{i}: {i}" for i in range(n)])),
    "unknown keys of the trainer": (9_000, lambda n: _under(_TRAINER, [f"max_step_{i}: {i}" for i in range(n)], 2)),
    "unknown sections": (9_000, lambda n: RECIPE + "".join(f"modle{i}: {i}\n" for i in range(n))),
    "one key many times": (9_000, lambda n: _under(_MODEL, [f"dropout: 0.{i}" for i in range(n)])),
    "delta_timestamps": (
        5_000,
        lambda n: _under(_DATA, ["delta_timestamps:", *(f"  observation.x{i}: [0.0]" for i in range(n))]),
    ),
    "time steps of one key": (18_000, lambda n: _under(_DATA, [f"delta_timestamps: {{action: {[0.1] * n}}}"])),
    "rename_map": (
        9_000,
        lambda n: _under(_DATA, ["rename_map:", *(f"  observation.x{i}: observation.y{i}" for i in range(n))]),
    ),
    "chosen episodes": (18_000, lambda n: _under(_DATA, [f"episodes: {list(range(n))}"])),
    "callbacks": (
        4_000,
        lambda n: _under(_TRAINER, ["callbacks:", *["- class_path: lightning.pytorch.callbacks.EarlyStopping"] * n], 2),
    ),
    "callbacks with arguments": (
        1_000,
        lambda n: _under(
            _TRAINER,
            [
                "callbacks:",
                *[
                    "- class_path: lightning.pytorch.callbacks.ModelCheckpoint\n"
                    "    init_args: {monitor: loss, save_topk: 1, mode: mni}"
                ]
                * n,
            ],
            2,
        ),
    ),
    "unknown callbacks": (4_000, lambda n: _under(_TRAINER, ["callbacks:", *["- class_path: a.b.Stop"] * n], 2)),
    "loggers": (
        4_000,
        lambda n: _under(_TRAINER, ["logger:", *["- class_path: lightning.pytorch.loggers.CSVLogger"] * n], 2),
    ),
    "transforms": (
        2_000,
        lambda n: _under(
            _DATA,
            [
                "image_transforms:",
                "  tfs:",
                *(f"    t{i}: {{type: ColorJitter, kwargs: {{hue: 0.{i}}}}}" for i in range(n)),
            ],
        ),
    ),
    "nested transforms with a wrong argument": (
        2_000,
        lambda n: _under(
            _DATA,
            [
                "image_transforms:",
                "  class_path: torchvision.transforms.v2.Compose",
                "  init_args:",
                "    transforms:",
                *["    - {class_path: torchvision.transforms.v2.Resize, init_args: {sise: 3}}"] * n,
            ],
        ),
    ),
    "misspelled transforms": (
        2_000,
        lambda n: _under(
            _DATA,
            ["image_transforms:", "  tfs:", *(f"    t{i}: {{type: Jiter, kwargs: {{hua: 0}}}}" for i in range(n))],
        ),
    ),
    "normalization_mapping": (9_000, lambda n: _under(_MODEL, [f"normalization_mapping: {{{_pairs(n)}}}"])),
    "down_dims": (18_000, lambda n: _under(_MODEL, [f"dim_model: {[8] * n}"])),
    "nested sections": (18_000, lambda n: _under(_MODEL, [_nest(n)])),
    "brackets": (900_000, lambda n: "model: " + "[" * n),
    "aliases": (19_000, lambda n: "x: &a [1]\nmodel: [" + "*a," * (n // 2) + "]\n"),
    "tags": (18_000, lambda n: RECIPE + "x: [" + "!t a, " * n + "]\n"),
    "invisible characters": (300_000, lambda n: RECIPE + "x: '" + "\x07" * n + "'\n"),
    "invisible characters, one a line": (100_000, lambda n: RECIPE + "x: |\n" + "  a\x07\n" * n),
    "syntax errors": (60_000, lambda n: RECIPE + "".join(f"k{i}: [\n" for i in range(n))),
    "a long word": (900_000, lambda n: _under(_MODEL, [f"feedforward_activation: {'a' * n}"])),
    "a long number": (900_000, lambda n: _under(_MODEL, [f"n_heads: {'9' * n}"])),
    "a long fraction": (900_000, lambda n: _under(_MODEL, [f"dropout: 0.{'9' * n}"])),
    "a long repo_id": (900_000, lambda n: RECIPE.replace("getiaction/pusht-demo", "me/" + "a" * n)),
    "a long key": (900_000, lambda n: _under(_MODEL, [f"? {'a' * n}\n    : 1"])),
    "a long dotted key": (900_000, lambda n: _under(_MODEL, [f"? {'a.' * (n // 2)}\n    : 1"])),
    "a long dotted section": (900_000, lambda n: RECIPE + f"? {'a.' * (n // 2)}\n: 1\n"),
    "a long dotted camera": (900_000, lambda n: _under(_DATA, [f"delta_timestamps: {{? {'a.' * (n // 2)} : [0]}}"])),
    "a long class_path": (900_000, lambda n: RECIPE.replace("lerobot.ACT", "a." * (n // 2) + "ACT")),
    "a long time": (900_000, lambda n: _under(_TRAINER, [f"max_time: {'00:' * (n // 3)}"], 2)),
    "a long output_dir": (900_000, lambda n: RECIPE + f"output_dir: {'a/' * (n // 2)}\n"),
    "variables": (900_000, lambda n: RECIPE + f"output_dir: {'${' * (n // 2)}\n"),
    "comments": (60_000, lambda n: "# getiaction: ignore\n" * (n // 2) + RECIPE),
    "blank lines": (900_000, lambda n: "\n" * n + RECIPE),
    "an evaluation": (
        9_000,
        lambda n: RECIPE + "evaluation:\n  env:\n    type: pusht\n" + "".join(f"    obs_{i}: {i}\n" for i in range(n)),
    ),
    "keys of a policy of lerobot-train": (
        9_000,
        lambda n: (
            "policy:\n  type: act\n"
            + "".join(f"  # a comment\n  k{i}: 1  # another\n" for i in range(n))
            + "dataset: {repo_id: lerobot/pusht}\n"
        ),
    ),
    "keys of the trainer of LightningCLI": (
        9_000,
        lambda n: "seed_everything: 1\n" + _under(_TRAINER, [f"max_step_{i}: {i}" for i in range(n)], 2),
    ),
}


def _pairs(count: int) -> str:
    return ", ".join(f"STATE{i}: MEAN_STD" for i in range(count))


def _nest(count: int) -> str:
    """Sections as deep as a recipe may be (40), over and over."""
    return "optimizer: [" + ", ".join("{a: " * 30 + "1" + "}" * 30 for _ in range(count // 32)) + "]"


# -- datasets ----------------------------------------------------------------------------------------------------------


def dataset(root: Path, change: Callable[[dict[str, Any]], None] = lambda info: None, episodes: int = 3) -> Path:
    """Write meta/ of a small dataset with a state, an action and no camera, changed before it is written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = 30
    vectors = ("observation.state", "action")
    info: dict[str, Any] = {
        "codebase_version": "v3.0", "robot_type": "made", "fps": 10,
        "features": {key: {"dtype": "float32", "shape": [2], "names": ["x", "y"]} for key in vectors}
        | {
            key: {"dtype": "float32" if key == "timestamp" else "int64", "shape": [1], "names": None}
            for key in ("timestamp", "frame_index", "episode_index", "index", "task_index")
        },
        "total_episodes": episodes, "total_frames": episodes * frames, "total_tasks": 1, "chunks_size": 1000,
        "data_files_size_in_mb": 100, "video_files_size_in_mb": 200,
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "splits": {"train": f"0:{episodes}"},
    }  # fmt: skip
    change(info)
    (root / "meta/episodes/chunk-000").mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(info))
    pq.write_table(pa.table({"task_index": [0], "task": ["Push."]}), root / "meta/tasks.parquet")
    index = range(episodes)
    columns: dict[str, Any] = {
        "episode_index": index, "tasks": [["Push."]] * episodes, "length": [frames] * episodes,
        "dataset_from_index": [i * frames for i in index], "dataset_to_index": [i * frames + frames for i in index],
        "data/chunk_index": [0] * episodes, "data/file_index": [0] * episodes,
    }  # fmt: skip
    for key, feature in info["features"].items():
        if feature.get("dtype") == "video":
            columns |= {
                f"videos/{key}/chunk_index": [0] * episodes, f"videos/{key}/file_index": [0] * episodes,
                f"videos/{key}/from_timestamp": [float(i * 3) for i in index],
                f"videos/{key}/to_timestamp": [float(i * 3 + 3) for i in index],
            }  # fmt: skip
    pq.write_table(pa.table(columns), root / "meta/episodes/chunk-000/file-000.parquet")
    stats = {}
    for key, feature in info["features"].items():
        size = feature["shape"][0] if feature.get("dtype") == "float32" and len(feature["shape"]) == 1 else 1
        size = 3 if feature.get("dtype") == "video" else size
        numbers = {"min": [-1.0] * size, "max": [1.0] * size, "mean": [0.0] * size, "std": [0.5] * size}
        numbers |= {f"q{q:02}": [q / 50 - 1] * size for q in (1, 10, 50, 90, 99)}
        stats[key] = {**numbers, "count": [episodes * frames]}
    (root / "meta/stats.json").write_text(json.dumps(stats))
    return root


def _feature(shape: list[int], **more: object) -> dict[str, object]:
    return {"dtype": "float32", "shape": shape, "names": None, **more}


def _with(count: int, make: Callable[[int], dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
    return lambda info: info["features"].update(make(count))


def _in_info(**values: object) -> Callable[[Path, int], Path]:
    """A dataset whose info.json holds long values; ``values`` are texts that are repeated up to the size."""
    return lambda root, n: dataset(
        root, lambda info: info.update({k: str(v) * (n // len(str(v))) for k, v in values.items()})
    )


def _episodes(root: Path, count: int, **columns: object) -> Path:
    """A million episodes of which columns are replaced."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    dataset(root, lambda info: info.update(total_episodes=count, total_frames=count * 30))
    path = root / "meta/episodes/chunk-000/file-000.parquet"
    index = pa.array(range(count))
    made: dict[str, Any] = {
        "episode_index": index, "tasks": [["Push."]] * count, "length": [30] * count,
        "dataset_from_index": [i * 30 for i in range(count)], "dataset_to_index": [i * 30 + 30 for i in range(count)],
        "data/chunk_index": [0] * count, "data/file_index": [0] * count,
    }  # fmt: skip
    made |= {key: value(count) if callable(value) else value for key, value in columns.items()}
    pq.write_table(pa.table(made), path)
    return root


def _tasks(root: Path, count: int, task_index: int | None = None) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    dataset(root, lambda info: info.update(total_tasks=count))
    texts = [f"Push the thing number {i}." for i in range(count)]
    pq.write_table(
        pa.table({"task_index": range(count) if task_index is None else [task_index] * count, "task": texts}),
        root / "meta/tasks.parquet",
    )
    return root


def _one_file(root: Path, count: int) -> Path:
    """Every episode names a file of its own, and data_path has room for none of the numbers."""
    _episodes(root, count, **{"data/file_index": lambda n: list(range(n))})
    info = json.loads((root / "meta/info.json").read_text())
    info["data_path"] = "data/all.parquet"
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


def _old(root: Path, count: int, data_path: str) -> Path:
    """Version 2.1: one line of text per episode."""
    dataset(root, lambda info: info.update(codebase_version="v2.1", total_episodes=count, data_path=data_path))
    shutil.rmtree(root / "meta/episodes")
    (root / "meta/tasks.parquet").unlink()
    (root / "meta/tasks.jsonl").write_text('{"task_index": 0, "task": "Push."}\n')
    with (root / "meta/episodes.jsonl").open("w") as file:
        file.writelines(f'{{"episode_index": {i}, "tasks": ["Push."], "length": 30}}\n' for i in range(count))
    return root


def _stats(root: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    dataset(root)
    stats = json.loads((root / "meta/stats.json").read_text())
    change(stats)
    (root / "meta/stats.json").write_text(json.dumps(stats))
    return root


def _many_files(root: Path, count: int) -> Path:
    dataset(root)
    (root / "data/chunk-000").mkdir(parents=True)
    for i in range(count):
        (root / f"data/chunk-000/file-{i:03}.parquet").touch()
    return root


OLD = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
_CAMERA = {"dtype": "video", "shape": [48, 64, 3], "names": ["height", "width", "channels"],
           "info": {"video.fps": 10, "video.codec": "av1"}}  # fmt: skip
_NAMED = [f"joint_{i}" for i in range(1_000_000)]

DATASETS: dict[str, tuple[int, Callable[[Path, int], Path]]] = {
    "keys in info.json": (
        300_000,
        lambda root, n: dataset(root, lambda i: i.update({f"key_{k}": "x" * 40 for k in range(n)})),
    ),
    "keys in one feature": (
        300_000,
        lambda root, n: dataset(root, lambda i: i["features"]["action"].update({f"k{k}": "x" * 40 for k in range(n)})),
    ),
    "features": (
        5_000,
        lambda root, n: dataset(root, _with(n, lambda n: {f"observation.x{i}": _feature([3]) for i in range(n)})),
    ),
    "features without a role": (
        20_000,
        lambda root, n: dataset(root, _with(n, lambda n: {f"x{i}": _feature([3]) for i in range(n)})),
    ),
    "broken features": (
        50_000,
        lambda root, n: dataset(
            root, _with(n, lambda n: {f"observation.x{i}": {"dtype": 3, "shape": []} for i in range(n)})
        ),
    ),
    "cameras": (
        2_000,
        lambda root, n: dataset(root, _with(n, lambda n: {f"observation.images.x{i}": _CAMERA for i in range(n)})),
    ),
    "dimensions of the state": (
        100_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"observation.state": _feature([n])})),
    ),
    "dimensions with names": (
        100_000,
        lambda root, n: dataset(
            root, _with(n, lambda n: {k: _feature([n], names=_NAMED[:n]) for k in ("observation.state", "action")})
        ),
    ),
    "nested names": (
        1_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"action": _feature([2], names={"motors": _NAMED[:n]})})),
    ),
    "axes of a shape": (
        1_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"observation.x": {**_feature([1]), "shape": [9] * n}})),
    ),
    "a long data_path": (5_000_000, _in_info(data_path="a/")),
    "a data_path of braces": (5_000_000, _in_info(data_path="{")),
    "a data_path of fields": (5_000_000, _in_info(data_path="{file_index}")),
    "a long video_path": (5_000_000, _in_info(video_path="{video_key}")),
    "a long robot_type": (5_000_000, _in_info(robot_type="a")),
    "a long codebase_version": (5_000_000, _in_info(codebase_version="v3")),
    "a long fps": (4_000, lambda root, n: dataset(root, lambda info: info.update(fps=int("9" * n)))),
    "a long feature name": (
        5_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"observation." + "a" * n: _feature([2])})),
    ),
    "a long dotted feature name": (
        5_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"observation." + "a." * (n // 2): _feature([2])})),
    ),
    "a long dtype": (
        5_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"observation.x": {**_feature([2]), "dtype": "f" * n}})),
    ),
    "a long dimension name": (
        5_000_000,
        lambda root, n: dataset(root, _with(n, lambda n: {"action": _feature([2], names=["a" * n, "b"])})),
    ),
    "splits": (300_000, lambda root, n: dataset(root, lambda i: i.update(splits={f"s{k}": "0:3" for k in range(n)}))),
    "keys in stats.json": (
        300_000,
        lambda root, n: _stats(root, lambda s: s.update({f"k{i}": {"min": [0]} for i in range(n)})),
    ),
    "numbers in stats.json": (
        1_000_000,
        lambda root, n: _stats(root, lambda s: s["action"].update({"min": [0.5] * n, "max": ["a"] * n})),
    ),
    "nested stats.json": (
        900,
        lambda root, n: _stats(root, lambda s: s["action"].update(min=json.loads("[" * n + "]" * n))),
    ),
    "tasks": (1_000_000, _tasks),
    "tasks with one number": (1_000_000, lambda root, n: _tasks(root, n, task_index=7)),
    "a long task": (
        20_000_000,
        lambda root, n: _episodes(root, 3, tasks=[["a" * n]] * 3),
    ),
    "episodes": (1_000_000, _episodes),
    "episodes out of order": (
        1_000_000,
        lambda root, n: _episodes(root, n, episode_index=lambda n: list(range(n))[::-1]),
    ),
    "episodes with one number": (1_000_000, lambda root, n: _episodes(root, n, episode_index=lambda n: [7] * n)),
    "empty episodes": (1_000_000, lambda root, n: _episodes(root, n, length=lambda n: [0] * n)),
    "a task per episode": (
        500_000,
        lambda root, n: _episodes(root, n, tasks=lambda n: [[f"Push the thing number {i}."] for i in range(n)]),
    ),
    "a table per episode": (
        300_000,
        lambda root, n: _episodes(root, n, **{"data/file_index": lambda n: list(range(n))}),
    ),
    "a table per episode under one name": (300_000, _one_file),
    "episodes of version 2.1": (200_000, lambda root, n: _old(root, n, OLD)),
    "episodes of version 2.1 under one name": (200_000, lambda root, n: _old(root, n, "data/all.parquet")),
    "empty tables": (50_000, _many_files),
}

# -- running -----------------------------------------------------------------------------------------------------------

BARE_RECIPE = """
import sys, yaml, typer
try:
    for event in yaml.parse(open(sys.argv[1]), Loader=yaml.CBaseLoader): pass
except yaml.YAMLError: pass
"""
BARE_DATASET = """
import sys, json, pathlib, typer, yaml, numpy, pyarrow.parquet as pq
root = pathlib.Path(sys.argv[1])
for path in (*root.glob("meta/*.json"), *root.glob("meta/*.jsonl")):
    try: json.loads(path.read_text()) if path.suffix == ".json" else [json.loads(line) for line in path.open()]
    except (ValueError, RecursionError): pass
for path in root.glob("meta/**/*.parquet"): pq.read_table(path)
"""


@dataclass(frozen=True)
class Cost:
    """What a process took. ``ended`` when it ran past LIMIT; then ``seconds`` is LIMIT."""

    seconds: float
    megabytes: float
    ended: bool = False
    failed: str = ""


def cost(command: list[str], folder: Path) -> Cost:
    """CPU seconds and peak memory of one command; codes above 3 and tracebacks are failures."""
    measured = (
        "import resource, subprocess, sys\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({LIMIT}, {LIMIT}))\n"
        "r = subprocess.run(sys.argv[1:], capture_output=True, stdin=subprocess.DEVNULL)\n"
        "if r.returncode == -9: print(0, 0, 'late'); sys.exit()\n"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "said = r.stdout + r.stderr\n"
        "bad = r.returncode not in (0, 1, 2, 3) or b'Traceback' in said or b'getiaction itself' in said\n"
        "print(u.ru_utime + u.ru_stime, u.ru_maxrss / 1024, len(r.stdout) + len(r.stderr))\n"
        "if bad: print(r.returncode, r.stderr[-600:].decode(errors='replace'))\n"
    )
    environment = {**os.environ, **COLOURS, "HF_LEROBOT_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", measured, *command]
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True)
    first, _, rest = done.stdout.partition("\n")
    if "late" in first:
        return Cost(LIMIT, 0, ended=True)
    seconds, megabytes, written = map(float, first.split())
    failed = rest.strip() or (f"wrote {written / 1e6:.1f} MB" if written > 2e6 else "")
    return Cost(seconds, megabytes, failed=failed)


def recipe_commands(recipe: Path) -> dict[str, list[str]]:
    """The commands that read a recipe, by what the table calls them."""
    cli = [sys.executable, "-m", "getiaction_cli.main"]
    tab = [sys.executable, "-m", "getiaction_cli.completion.answer"]
    return {
        "validate-config": [*cli, "validate-config", str(recipe)],
        "validate-config --diff": [*cli, "validate-config", "--diff", "--unsafe-fixes", str(recipe)],
        "migrate": [*cli, "migrate", str(recipe), "-o", "-"],
        "TAB": [*tab, "overrides", "--model.ch", "train", str(recipe)],
    }


def dataset_commands(root: Path) -> dict[str, list[str]]:
    """The commands that read a dataset, by what the table calls them."""
    cli = [sys.executable, "-m", "getiaction_cli.main"]
    recipe = root.parent / "recipe.yaml"
    recipe.write_text(RECIPE.replace("getiaction/pusht-demo", f"made/x\n    root: {root}"))
    return {
        "inspect-dataset": [*cli, "inspect-dataset", str(root)],
        "list-policies --for": [*cli, "list-policies", "--for", str(root)],
        "init": [*cli, "init", str(root), "--policy", "act", "-o", "-"],
        "validate-config": [*cli, "validate-config", str(recipe)],
    }


def build(name: str, size: int, folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Write one input of a size; the commands that read it, and the bare reading of it."""
    if name in RECIPES:
        recipe = folder / "recipe.yaml"
        recipe.write_text(RECIPES[name][1](size), encoding="utf-8")
        return recipe_commands(recipe), [sys.executable, "-c", BARE_RECIPE, str(recipe)]
    root = DATASETS[name][1](folder / "dataset", size)
    return dataset_commands(root), [sys.executable, "-c", BARE_DATASET, str(root)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], metavar="WORD")
    parser.add_argument("--commands", nargs="*", default=[""], metavar="WORD", help="commands that contain a word")
    parser.add_argument("--once", action="store_true", help="only the full size: no growth")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    heads = ("input", "command", "CPU", "memory", "bare", "ratio", "growth", "")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads) if given.markdown else "")
    for name, (size, _) in (RECIPES | DATASETS).items():
        if not any(word in name for word in given.only):
            continue
        costs: list[dict[str, Cost]] = []
        for part in [size // 2] * (not given.once) + [size]:
            with tempfile.TemporaryDirectory() as folder:
                commands, bare = build(name, part, Path(folder))
                chosen = {k: v for k, v in commands.items() if any(word in k for word in given.commands)}
                costs.append({"": cost(bare, Path(folder))})
                costs[-1] |= {what: cost(command, Path(folder)) for what, command in chosen.items()}
        half, full = costs[0], costs[-1]
        for what, took in full.items():
            if what:
                print(line(f"{size:,} {name}", what, took, half[what], full[""], given.markdown), flush=True)


def line(name: str, what: str, took: Cost, half: Cost, bare: Cost, markdown: bool) -> str:
    """One row of the table."""
    over = took.ended or took.seconds > SECONDS or took.megabytes > MEGABYTES
    cells = [
        name, what, f"> {LIMIT} s" if took.ended else f"{took.seconds:.2f} s", f"{took.megabytes:,.0f} MB",
        f"{bare.seconds:.2f} s", f"{took.seconds / bare.seconds:.1f}", f"{took.seconds / half.seconds:.1f}",
        " ".join(["over"] * over + [took.failed] * bool(took.failed)),
    ]  # fmt: skip
    if markdown:
        return "| " + " | ".join(cells) + " |"
    widths = (45, 23, 10, 9, 8, 6, 4, 0)
    return " ".join(
        cell.ljust(width) if i < 2 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


if __name__ == "__main__":
    main()
