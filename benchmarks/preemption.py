"""Preempt SLURM jobs at random moments and compare them with an uninterrupted one: python benchmarks/preemption.py

Runs in front of any SLURM; `python tests/slurm_cluster.py python benchmarks/preemption.py` brings one of its own.

Every job trains the same recipe. It gets SIGUSR1, SIGTERM or `scontrol requeue` at a moment drawn from its whole life,
start, training, validation, saving and end included, until it has had its preemptions or is done. Then each step must
be in metrics.csv exactly once, and every loss, validation losses included, must equal that of the uninterrupted run.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

RECIPE = """\
seed: 1
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 4
    n_action_steps: 4
    dim_model: 32
    n_heads: 2
    dim_feedforward: 64
    n_encoder_layers: 1
    normalization_mapping: {{STATE: MEAN_STD, ENV: MEAN_STD, ACTION: MEAN_STD}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-keypoints-demo
    episodes: [0, 1, 2, 3, 4, 5, 6, 7]
    val_split: 0.25
    train_batch_size: {batch}
trainer:
  max_steps: {steps}
  val_check_interval: 40
  check_val_every_n_epoch: null
  log_every_n_steps: 1
  accelerator: cpu
"""
SCRIPT = """\
#!/bin/bash
#SBATCH --requeue --open-mode=append --output=%j.out --nodes={nodes} --ntasks-per-node=1
export OMP_NUM_THREADS=1 GETIACTION_MAX_REQUEUES=1000
srun --kill-on-bad-exit=1 {python} -m getiaction_cli train recipe.yaml
"""
KINDS = "USR1", "TERM", "requeue"
DONE = "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"
LIMIT_S = 1800


@dataclass
class Job:
    """A job under way.

    Attributes:
        number: SLURM's.
        preempted: the kind of each preemption, the second of its part of the job, and what it was doing then.
        ended: its final state; empty until then.
    """

    number: str
    preempted: list[str] = field(default_factory=list)
    ended: str = ""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--preemptions", type=int, default=50, help="in all (default: %(default)s)")
    words.add_argument("--nodes", type=int, default=1, help="nodes of each job (default: %(default)s)")
    words.add_argument("--steps", type=int, default=300, help="steps of each job (default: %(default)s)")
    words.add_argument("--seed", type=int, default=0)
    given = words.parse_args()
    chance = random.Random(given.seed)
    folder = Path(tempfile.mkdtemp(prefix="preemption-", dir=os.environ.get("SLURM_SHARED")))
    os.chdir(folder)
    Path("recipe.yaml").write_text(RECIPE.format(steps=given.steps, batch=8 // given.nodes))
    Path("job.sh").write_text(SCRIPT.format(nodes=given.nodes, python=sys.executable))
    began = time.monotonic()
    whole = follow(submit(), ())
    seconds = time.monotonic() - began
    expected = rows(whole)
    print(f"uninterrupted: {whole.ended}, {len(expected)} steps, {seconds:.0f} s, in {folder}", flush=True)
    done, right, phases = 0, 0, Counter[str]()
    while done < given.preemptions:
        job = follow(submit(), draw(chance, seconds))
        if not job.preempted:
            continue
        done += len(job.preempted)
        phases.update(word.rpartition(" ")[2] for word in job.preempted)
        wrong = compare(job, expected)
        right += not wrong
        print(f"{done:3}  job {job.number}  {', '.join(job.preempted)}: {wrong or 'equal'}", flush=True)
        if wrong:
            print(f"     look at {folder}/{job.number}.out", flush=True)
    print(f"{done} preemptions ({', '.join(f'{count} {name}' for name, count in sorted(phases.items()))})")
    print(f"jobs that equal the uninterrupted one: {right}" + ("" if right else " of none"))


def draw(chance: random.Random, seconds: float) -> Iterator[tuple[str, float]]:
    """The kind of each preemption and its second, counted from the start of a part of the job."""
    for _ in range(chance.randint(1, 3)):
        yield chance.choice(KINDS), chance.uniform(0, seconds)


def submit() -> Job:
    """Hand the job to SLURM."""
    return Job(run("sbatch", "--parsable", "job.sh").strip())


def follow(job: Job, preemptions: Iterator[tuple[str, float]] | tuple[()]) -> Job:
    """Preempt the job until it has ended."""
    began, part, coming = time.monotonic(), -1, iter(preemptions)
    due: tuple[str, float] | None = None
    since = 0.0
    while not job.ended:
        if time.monotonic() - began > LIMIT_S:
            run("scancel", job.number)
            job.ended = "STUCK"
            break
        facts = dict(re.findall(r"(\w+)=(\S*)", run("scontrol", "show", "job", "-o", job.number)))
        if facts["JobState"] == "RUNNING" and int(facts["Restarts"]) > part:
            part, since, due = int(facts["Restarts"]), time.monotonic(), next(coming, None)
        elif facts["JobState"] in DONE:
            job.ended = facts["JobState"]
        if due and facts["JobState"] == "RUNNING" and time.monotonic() - since >= due[1]:
            kind, second = due
            job.preempted.append(f"{kind} at {second:.1f} s while {phase(job)}")
            if kind == "requeue":
                run("scontrol", "requeue", job.number)
            else:
                run("scancel", f"--signal={kind}", job.number)
            due = None
        time.sleep(0.1)
    return job


def phase(job: Job) -> str:
    """What the job is doing, from its folder."""
    home = run_folder(job)
    if not (home / "metrics.csv").is_file():
        return "starting"
    if (home / "pretrained_model").is_dir():
        return "ending"
    return "training"


def run_folder(job: Job) -> Path:
    return Path("outputs/recipe") / f"job-{job.number}"


def rows(job: Job) -> list[tuple[str, str, str]]:
    """Step, training loss and validation loss of each row of metrics.csv."""
    with (run_folder(job) / "metrics.csv").open() as file:
        return [(row["step"], row["train/loss"], row.get("val/loss", "")) for row in csv.DictReader(file)]


def compare(job: Job, expected: list[tuple[str, str, str]]) -> str:
    """How the job differs from the uninterrupted one; empty where it does not."""
    if job.ended != "COMPLETED":
        return f"ended {job.ended}"
    others = [path.name for path in Path("outputs/recipe").glob(f"job-{job.number}.*")]
    if others:
        return f"other folders: {others}"
    found = rows(job)
    steps = [row[0] for row in found]
    if steps != [row[0] for row in expected]:
        repeated = [step for step, times in Counter(steps).items() if times > 1]
        return f"{len(steps)} rows for {len(expected)}, repeated {repeated[:5]}"
    different = [mine[0] for mine, theirs in zip(found, expected, strict=True) if mine != theirs]
    return f"losses differ from step {different[0]} on" if different else ""


def run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


if __name__ == "__main__":
    main()
