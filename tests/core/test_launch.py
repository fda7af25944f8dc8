"""How many processes a launcher has started, from its environment variables, and whether a recipe agrees."""

from dataclasses import replace

import pytest

from getiaction.spec.launch import Launch, read

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "mine",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_WORLD_SIZE": "2",
    "RANK": "3",
    "LOCAL_RANK": "1",
    "TORCHELASTIC_RESTART_COUNT": "1",
}
# Recorded from SLURM 22.05: a batch script, and the second task of `srun -N2 --ntasks-per-node=1`.
SBATCH = {
    "SLURM_JOB_ID": "2",
    "SLURM_JOB_NAME": "job.sh",
    "SLURM_NNODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_PROCID": "0",
    "SLURM_TASKS_PER_NODE": "1",
}
SRUN = {
    "SLURM_JOB_ID": "1",
    "SLURM_JOB_NAME": "getiaction",
    "SLURM_LOCALID": "0",
    "SLURM_NNODES": "2",
    "SLURM_NODEID": "1",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "1",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NODELIST": "n[1-2]",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
}
ONE_NODE = {**SRUN, "SLURM_STEP_NUM_NODES": "1", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_NODEID": "0"}


@pytest.mark.parametrize(
    ("env", "launch"),
    [
        ({}, Launch()),
        ({"LOCAL_RANK": "1"}, Launch(rank=1, local_rank=1)),
        (
            TORCHRUN,
            Launch(
                "torchrun",
                rank=3,
                local_rank=1,
                world_size=4,
                local_world_size=2,
                nodes=2,
                tasks=4,
                restarts=(0, 1),
                job="torchrun-mine",
            ),
        ),
        (SRUN | TORCHRUN, replace(read(TORCHRUN), job="job-1")),
        (SRUN, Launch("srun", rank=1, world_size=2, nodes=2, tasks=2, job="job-1")),
        (SRUN | {"SLURM_JOB_NAME": "bash"}, read(SRUN)),
        (ONE_NODE, Launch("srun", rank=1, world_size=2, local_world_size=2, tasks=2, job="job-1")),
        (SBATCH, Launch("sbatch", job="job-2")),
        (
            SBATCH | {"SLURM_NTASKS": "4", "SLURM_RESTART_COUNT": "2"},
            Launch("sbatch", tasks=4, restarts=(2, 0), job="job-2"),
        ),
        (
            SBATCH | {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "8", "SLURM_ARRAY_TASK_ID": "3"},
            Launch("sbatch", job="job-8_3"),
        ),
        # `srun --pty bash` gives the user a shell, in which Lightning may start processes.
        (ONE_NODE | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "bash"}, Launch()),
        # `salloc` leaves the user on the login node.
        ({"SLURM_JOB_ID": "3", "SLURM_JOB_NAME": "mine", "SLURM_NTASKS": "2"}, Launch()),
    ],
)
def test_a_launcher_describes_its_processes(env: dict[str, str], launch: Launch) -> None:
    assert read(env) == launch


@pytest.mark.parametrize(("env", "there"), [({}, False), (TORCHRUN, False), (SRUN, True), (SRUN | TORCHRUN, True)])
def test_a_torchrun_that_srun_has_started_is_in_slurm(env: dict[str, str], there: bool) -> None:
    assert read(env).in_slurm is there


def test_uneven_nodes_are_seen() -> None:
    launch = read(SRUN | {"SLURM_STEP_NUM_TASKS": "5", "SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "2"})
    assert (launch.local_world_size, launch.even) == (1, False)
    assert launch.contradiction({}) is not None


@pytest.mark.parametrize("trainer", [{}, {"devices": "auto"}, {"devices": -1}, {"devices": 2, "num_nodes": 2}])
def test_the_launcher_decides_what_the_recipe_leaves_open(trainer: dict[str, object]) -> None:
    launch = read(TORCHRUN)
    assert launch.contradiction(trainer) is None
    assert launch.settings(trainer) == {"devices": 2, "num_nodes": 2}
    assert Launch().settings(trainer) == trainer


@pytest.mark.parametrize(
    ("env", "trainer", "gpus", "key", "message"),
    [
        (
            TORCHRUN,
            {"devices": 3},
            None,
            "devices",
            "devices 3, and torchrun started 4 processes (2 on each of 2 nodes)",
        ),
        (TORCHRUN, {"devices": [0, 1, 2]}, None, "devices", "devices 3, and torchrun"),
        (
            TORCHRUN,
            {"num_nodes": 1},
            None,
            "num_nodes",
            "num_nodes 1, and torchrun started 4 processes (2 on each of 2 nodes)",
        ),
        (TORCHRUN, {}, 1, "devices", "torchrun started 4 processes, 2 of them on this machine, which has 1 GPU"),
        (ONE_NODE, {"devices": "4"}, None, "devices", "devices 4, and SLURM started 2 processes"),
        (SBATCH, {"devices": 2}, None, "devices", "devices 2, and this SLURM job has 1 task"),
        (SBATCH, {}, 4, "devices", "this SLURM job has 1 task and sees 4 GPUs, of which one process uses one"),
    ],
)
def test_a_contradiction_names_both_numbers(
    env: dict[str, str], trainer: dict[str, object], gpus: int | None, key: str, message: str
) -> None:
    found = read(env).contradiction(trainer, gpus)
    assert found is not None
    assert (found.key, found.message[: len(message)]) == (key, message)


def test_a_gpu_for_each_task_is_no_contradiction() -> None:
    assert read(ONE_NODE).contradiction({}, gpus=1) is None
    assert read(ONE_NODE).sees_one_each(1)
    assert read(SBATCH).contradiction({"devices": 1}, gpus=4) is None
    assert read(SBATCH | {"SLURM_NTASKS": "2"}).contradiction({"devices": 2}) is None  # srun may follow
