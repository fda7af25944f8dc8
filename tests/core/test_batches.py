"""How many samples a step trains on, and how many steps an epoch has."""

import pytest

from getiaction.spec.batches import Batches
from getiaction.spec.launch import Launch


@pytest.mark.parametrize(
    ("step", "effective", "batches", "steps", "text"),
    [
        (Batches(4), 4, 870, 870, "4"),
        (Batches(4, processes=2), 8, 435, 435, "8 (4 × 2 processes)"),
        (Batches(8, processes=4), 32, 109, 109, "32 (8 × 4 processes)"),
        (Batches(4, accumulated=4), 16, 870, 218, "16 (4 × 4 accumulated)"),
        (Batches(4, 2, 2), 16, 435, 218, "16 (4 × 2 accumulated × 2 processes)"),
    ],
)
def test_a_step_counts_accumulation_and_processes(
    step: Batches, effective: int, batches: int, steps: int, text: str
) -> None:
    assert (step.effective, step.batches(3479), step.steps(3479), str(step)) == (effective, batches, steps, text)


@pytest.mark.parametrize(
    ("trainer", "gpus", "processes"),
    [
        ({}, None, 1),
        ({}, 4, 4),
        ({"devices": "auto"}, 2, 2),
        ({"devices": 2, "num_nodes": 3}, None, 6),
        ({"devices": [0, 2]}, 4, 2),
        ({"devices": "3"}, None, 3),
    ],
)
def test_processes_are_devices_times_nodes(trainer: dict[str, object], gpus: int | None, processes: int) -> None:
    assert Launch().processes(trainer, gpus) == processes
    assert Launch("torchrun", world_size=4, local_world_size=2, nodes=2).processes({}, gpus) == 4
