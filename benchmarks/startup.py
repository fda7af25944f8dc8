"""How long the light commands take beside what they are measured against, in one run.

    python benchmarks/startup.py                   seconds, beside what the commands are measured against
    python benchmarks/startup.py --against FOLDER  CPU time, beside that of another checkout of getiaction

Every line is the best of several turns, the sides taken in turn, with a warm file cache.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TURNS = 5
ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
BIN = Path(PYTHON).parent
RECIPE = str(ROOT / "recipes/quickstart_pictures.yaml")
COMMANDS = {
    "import typer": [PYTHON, "-c", "import typer"],
    "import typer, yaml, pyarrow.parquet": [PYTHON, "-c", "import typer, yaml, pyarrow.parquet"],
    "getiaction --help": [str(BIN / "getiaction"), "--help"],
    "getiaction list-policies": [str(BIN / "getiaction"), "list-policies"],
    "getiaction validate-config (1 recipe)": [str(BIN / "getiaction"), "validate-config", "-q", RECIPE],
    "getiaction inspect-dataset": [str(BIN / "getiaction"), "inspect-dataset", "getiaction/pusht-demo"],
    "a TAB on an override key": [str(BIN / "getiaction-complete"), "overrides", "--model.ch", "train", RECIPE],
    "lerobot-train --help": [str(BIN / "lerobot-train"), "--help"],
}
COMPARED = [
    ("getiaction --help", "import typer"),
    ("a TAB on an override key", "import typer"),
    ("getiaction list-policies", "getiaction --help"),
    ("getiaction validate-config (1 recipe)", "import typer, yaml, pyarrow.parquet"),
    ("getiaction validate-config (1 recipe)", "lerobot-train --help"),
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout to compare with")
    against = parser.parse_args().against
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    if against is not None:
        _compare(against, environment)
        return
    best: dict[str, float] = {}
    for turn in range(TURNS + 1):
        for name, command in COMMANDS.items():
            if name.startswith("lerobot") and turn > 2:
                continue
            start = time.perf_counter()
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if turn:  # the first turn fills the file cache
                best[name] = min(best.get(name, 1e9), time.perf_counter() - start)
    many = _many(environment)
    for name, seconds in best.items():
        print(f"{seconds:8.3f} s  {name}")
    print(f"{many:8.3f} s  getiaction validate-config (100 recipes on 20 datasets)\n")
    for ours, theirs in COMPARED:
        print(f"{best[ours] / best[theirs]:8.3f} x  {ours}, of {theirs}")
    one = best["getiaction validate-config (1 recipe)"]
    print(f"{many / one:8.3f} x  100 recipes on 20 datasets, of 1 recipe")


def _compare(other: Path, environment: dict[str, str]) -> None:
    """CPU time of the light commands here and in another checkout: least of several turns, which alternate."""
    trees = {"here": ROOT, "there": other}
    print("    here     there  here/there")
    for name, command in COMMANDS.items():
        if str(BIN / "getiaction") not in command[0]:
            continue
        best = dict.fromkeys(trees, 1e9)
        for turn in range(2 * TURNS + 1):
            for side, tree in trees.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run(command, env={**environment, "PYTHONPATH": str(tree)}, capture_output=True, check=False)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                best[side] = min(best[side], used if turn else 1e9)
        print(f"{best['here']:8.3f} s {best['there']:8.3f} s {best['here'] / best['there']:8.2f} x  {name}")


def _many(environment: dict[str, str]) -> float:
    """Seconds for 100 recipes that share 20 copies of the demonstrations."""
    text = Path(RECIPE).read_text()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(20):
            place = home / f"set{number}"
            place.symlink_to(ROOT / "getiaction/data/demo/pusht-demo", target_is_directory=True)
            for copy in range(5):
                changed = text.replace("repo_id: getiaction/pusht-demo", f"repo_id: lab/set{number}\n    root: {place}")
                (home / f"recipe_{number}_{copy}.yaml").write_text(changed)
        start = time.perf_counter()
        command = [str(BIN / "getiaction"), "validate-config", "-q", folder]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
