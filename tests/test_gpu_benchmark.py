"""The parts of benchmarks/gpu.py that need no GPU."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_every_part_runs_on_a_cpu_or_says_what_it_needs() -> None:
    parts = ["machine", "parity", "memory"]
    words = [sys.executable, str(SCRIPT), "--device", "cpu", "--policies", "act", "--only", *parts]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout
    assert "failed" not in said and "stopped" not in said
    losses = next(line for line in said.splitlines() if line.startswith("| act |"))
    assert losses.endswith("| 0.0e+00 |")  # the CPU against itself
    assert said.count("| needs a GPU |") == 3  # three batch sizes
