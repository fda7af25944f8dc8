"""docs/cluster.md, run as it is printed: in front of a real SLURM with two nodes, which the test starts itself."""

import csv
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import slurm_cluster
import yaml
from hub_server import serve
from test_train import recipe, root  # noqa: F401

GUIDE = Path(__file__).parents[2] / "docs/cluster.md"
SECTION = re.compile(r"^## (.*)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
LIMIT_S = 300
STEPS = 200


def blocks() -> dict[str, list[str]]:
    """The code of each section of the guide."""
    found = {title: BLOCK.findall(text) for title, text in SECTION.findall("## \n" + GUIDE.read_text())}
    return {title: codes for title, codes in found.items() if codes}


def test_each_block_of_the_guide_is_run_here() -> None:
    assert {title: len(codes) for title, codes in blocks().items()} == {
        "": 1,
        "Check on the login node": 1,
        "Compute nodes without a network": 1,
        "Submit to SLURM": 2,
        "Time limits and preemption": 2,
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if reason := slurm_cluster.missing():
        pytest.skip(reason)
    with slurm_cluster.cluster(tmp_path_factory.mktemp("slurm")) as environment:
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", environment["PATH"]])
        yield {**environment, "OMP_NUM_THREADS": "1", "PATH": path}


class Shell:
    """A shell on the login node, in a folder with recipe.yaml."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, code: str, *, rc: int = 0) -> str:
        words = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == rc, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def facts(self, job: str) -> dict[str, str]:
        """What SLURM says about a job."""
        return dict(re.findall(r"(\w+)=(\S*)", self(f"scontrol show job -o {job}")))

    def wait(self, job: str, state: str, log: Path) -> dict[str, str]:
        """Wait until a job is in a state."""
        for _ in range(LIMIT_S * 5):
            facts = self.facts(job)
            if facts["JobState"] == state:
                return facts
            assert facts["JobState"] not in {"FAILED", "CANCELLED", "COMPLETED"}, log.read_text()
            time.sleep(0.2)
        raise AssertionError(facts)

    def wait_for(self, condition: Callable[[], bool], log: Path) -> None:
        for _ in range(LIMIT_S * 5):
            if condition():
                return
            time.sleep(0.2)
        raise AssertionError(log.read_text())

    def wait_for_steps(self, run: Path, log: Path) -> None:
        """Wait until a run has done some steps."""
        self.wait_for((run / "metrics.csv").is_file, log)


@pytest.fixture
def shell(recipe: Path, cluster: dict[str, str]) -> Shell:  # noqa: F811
    values = yaml.safe_load(recipe.read_text())
    values["trainer"] |= {"max_steps": STEPS, "log_every_n_steps": 1}
    Path("recipe.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    recipe.unlink()
    return Shell(cluster)


def assert_each_step_once(run: Path) -> None:
    with (run / "metrics.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(STEPS))


@pytest.mark.slow
def test_the_same_recipe_trains_as_one_job_from_every_launcher(shell: Shell) -> None:
    Path("recipe.yaml").write_text(Path("recipe.yaml").read_text().replace(f"max_steps: {STEPS}", "max_steps: 2"))
    said = shell(blocks()[""][0])
    assert re.findall(r"samples/s on (?:(\d) x )?cpu", said) == ["", "2", "2", "4"]
    assert {path.name for path in Path().iterdir()} == {"recipe.yaml", "outputs"}
    assert len(list(Path("outputs/recipe").iterdir())) == 4


@pytest.mark.slow
def test_a_login_node_fetches_and_judges_for_the_compute_node(shell: Shell, toy_root: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(Path("recipe.yaml").read_text())
    values["data"]["init_args"] = {"repo_id": "someone/toy", "train_batch_size": 4}
    values["trainer"]["max_steps"] = 2
    Path("recipe.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    with serve({"someone/toy": toy_root}) as hub:
        shell.environment |= hub.environment(tmp_path / "home")
        shell(blocks()["Compute nodes without a network"][0])
        asked = len(hub.requests)
        judged = shell(blocks()["Check on the login node"][0])
        assert "nothing wrong" in judged
        assert "trained     2 steps" in shell("HF_HUB_OFFLINE=1 srun getiaction train recipe.yaml")
        assert len(hub.requests) == asked


@pytest.mark.slow
def test_a_submitted_training_is_followed_cancelled_and_resumed(shell: Shell) -> None:
    dry, real = blocks()["Submit to SLURM"][0].splitlines()
    assert "#SBATCH --ntasks-per-node=2" in shell(dry)
    assert not Path("outputs").exists()
    said = shell(real)
    follow, state, cancel, resume = re.findall(r"^  ([a-z].*)", said, re.MULTILINE)
    (job,) = re.findall(r"submitted +job (\d+)", said)
    (run,) = Path("outputs/recipe").iterdir()
    log = run / f"slurm-{job}.txt"
    shell.wait_for_steps(run, log)
    assert job in shell(state)
    shell(cancel)
    shell.wait(job, "CANCELLED", log)
    assert log.read_text().endswith(shell(f"timeout 1 {follow}", rc=124))
    again = re.findall(r"\d+", shell(resume))[-1]
    log = run / f"slurm-{again}.txt"
    shell.wait(again, "COMPLETED", log)
    assert "4 x cpu, from step " in log.read_text()
    assert_each_step_once(run)


@pytest.mark.slow
def test_each_task_of_an_array_trains_in_its_folder_and_is_requeued_by_itself(shell: Shell) -> None:
    said = shell(blocks()["Submit to SLURM"][1])
    (job,) = re.findall(r"submitted +job (\d+), an array of 2 runs", said)
    (home,) = Path("outputs/recipe").iterdir()
    for task in (0, 1):
        log, run = home / f"slurm-{job}_{task}.txt", home / f"seed={task + 1}"
        shell.wait_for_steps(run, log)
        shell(f"scancel --signal=TERM {job}_{task}")
    for task in (0, 1):
        log, run = home / f"slurm-{job}_{task}.txt", home / f"seed={task + 1}"
        assert shell.wait(f"{job}_{task}", "COMPLETED", log)["Restarts"] == "1", log.read_text()
        assert f"seed: {task + 1}" in (run / "recipe.yaml").read_text()
        assert (run / "pretrained_model").is_dir()
        assert_each_step_once(run)


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["srun", "srun with torchrun"])
def test_a_preempted_job_is_requeued_once_and_resumes_in_its_folder(shell: Shell, number: int) -> None:
    Path("job.sh").write_text(blocks()["Time limits and preemption"][number])
    job = shell("sbatch --parsable job.sh").strip()
    run, log = Path(f"outputs/recipe/job-{job}"), Path(f"slurm-{job}.out")
    shell.wait_for_steps(run, log)
    shell(f"scancel --signal=USR1 {job}")
    facts = shell.wait(job, "COMPLETED", log)
    said = log.read_text()
    assert facts["Restarts"] == "1", said
    assert said.count("is requeued") == 1
    assert f"job {job} is requeued (1 of at most 20 times)" in said
    assert f"job-{job} was started again: resuming {run}" in said
    assert "2 x cpu, from step" in said
    assert_each_step_once(run)
    assert [path.name for path in run.parent.iterdir()] == [run.name]
    assert (run / "log.rank1.txt").is_file()
    assert {path.name for path in Path().iterdir()} == {"recipe.yaml", "job.sh", "outputs", log.name}


@pytest.mark.slow
def test_a_job_that_slurm_preempts_at_its_start_is_requeued_and_resumes(shell: Shell) -> None:
    Path("job.sh").write_text(blocks()["Time limits and preemption"][0])
    job = shell("sbatch --parsable --partition=spare --exclusive job.sh").strip()
    run, log = Path(f"outputs/recipe/job-{job}"), Path(f"slurm-{job}.out")
    shell.wait_for(lambda: log.is_file() and "starting…" in log.read_text(), log)
    shell("sbatch --nodes=2 --exclusive --output=/dev/null --wrap true")
    facts = shell.wait(job, "COMPLETED", log)
    said = log.read_text()
    assert facts["Restarts"] == "1", said
    assert f"SIGTERM before the first step: job {job} is requeued" in said or "SIGTERM: finishing this step" in said
    assert_each_step_once(run)


@pytest.mark.slow
@pytest.mark.parametrize("training", [True, False], ids=["training", "starting"])
def test_a_process_that_dies_ends_its_job_and_is_named(shell: Shell, training: bool) -> None:
    script = blocks()["Time limits and preemption"][0]
    Path("job.sh").write_text(script.replace("recipe.yaml", "recipe.yaml --trainer.max_steps=100000"))
    job = shell("sbatch --parsable job.sh").strip()
    run, log = Path(f"outputs/recipe/job-{job}"), Path(f"slurm-{job}.out")
    if training:
        shell.wait_for_steps(run, log)
    else:
        shell.wait_for(lambda: log.is_file() and "starting…" in log.read_text(), log)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"max_steps=100000" in words and {b"SLURM_PROCID=1", f"SLURM_JOB_ID={job}".encode()} <= set(variables):
            os.kill(int(process.name), signal.SIGKILL)
            break
    for _ in range(150):
        if (facts := shell.facts(job))["JobState"] not in {"RUNNING", "COMPLETING"}:
            break
        time.sleep(0.2)
    said = log.read_text()
    assert (facts["JobState"], facts["Restarts"]) == ("FAILED", "0"), said
    if training:
        assert f"error: rank 1 on {platform.node()} has ended\nhint: its log: {run}/log.rank1.txt" in said
    else:
        assert "task 1: Killed" in said
        assert f"job {job} is not requeued: another process has failed (srun names its task" in said
    assert "Traceback" not in said
