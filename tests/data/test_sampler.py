"""LeRobot's order, accelerate's shares, and the exact sample after a resume."""

import itertools
from typing import Any

import numpy as np
import pytest
from accelerate.data_loader import BatchSamplerShard
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler

from getiaction.data.blocks import BlockSampler, Buffer, divide
from getiaction.data.loader import ahead
from getiaction.data.sampler import EpisodeSampler, Part
from getiaction.lerobot.datasets import EpisodeAwareSampler

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def bounds(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    stops = np.cumsum(lengths)
    return stops - np.array(lengths), stops


def theirs(lengths: list[int], episodes: list[int] | None, **facts: Any) -> EpisodeAwareSampler:
    starts, stops = bounds(lengths)
    rows = None
    if episodes is not None:
        kept = itertools.chain.from_iterable(range(starts[e], stops[e]) for e in sorted(set(episodes)))
        rows = {int(frame): row for row, frame in enumerate(kept)}
    return EpisodeAwareSampler(
        starts.tolist(), stops.tolist(), episode_indices_to_use=episodes, absolute_to_relative_idx=rows, **facts
    )


@settings(deadline=None)
@given(lengths=LENGTHS, data=st.data(), drop=st.integers(0, 4), seed=st.integers(0, 99), shuffle=st.booleans())
def test_lerobots_order(lengths: list[int], data: Any, drop: int, seed: int, shuffle: bool) -> None:
    episodes = data.draw(st.none() | st.lists(st.integers(0, len(lengths) - 1), min_size=1))
    facts = {"drop_n_last_frames": drop, "shuffle": shuffle, "seed": seed}
    try:
        expected = theirs(lengths, episodes, **facts)
    except ValueError:
        with pytest.raises(ValueError, match="drop_n_last_frames"):
            EpisodeSampler(*bounds(lengths), episodes=episodes, **facts)
        return
    ours = EpisodeSampler(*bounds(lengths), episodes=episodes, **facts)
    assert len(ours) == len(expected)
    for _ in range(3):  # epochs
        assert list(ours) == list(expected)


@settings(deadline=None)
@given(lengths=LENGTHS, size=st.integers(1, 5), world=st.integers(1, 4), seed=st.integers(0, 9))
def test_ranks_have_accelerates_batches(lengths: list[int], size: int, world: int, seed: int) -> None:
    for rank in range(world):
        order = list(theirs(lengths, None, shuffle=True, seed=seed))
        batches: Any = BatchSampler(order, size, drop_last=False)
        if world > 1:
            batches = BatchSamplerShard(batches, num_processes=world, process_index=rank)
        ours = EpisodeSampler(*bounds(lengths), seed=seed, batch_size=size, rank=rank, world_size=world)
        assert list(BatchSampler(ours, size, drop_last=False)) == list(batches)


SAMPLERS = {
    "lerobot": lambda lengths, **facts: EpisodeSampler(*bounds(lengths), **facts),
    "blocks": lambda lengths, **facts: BlockSampler(
        *bounds(lengths), buffer=Buffer(length=3, opened=4, ahead=2), announce=lambda rows, owners: None, **facts
    ),
}


@settings(deadline=None)
@given(
    lengths=LENGTHS,
    size=st.integers(1, 4),
    world=st.integers(1, 3),
    kind=st.sampled_from(sorted(SAMPLERS)),
    data=st.data(),
)
def test_resumes_at_the_exact_sample(lengths: list[int], size: int, world: int, kind: str, data: Any) -> None:
    make = SAMPLERS[kind]
    facts: dict[str, Any] = {"batch_size": size, "world_size": world, "rank": world - 1, "seed": 3}
    whole = make(lengths, **facts)
    epochs = [list(whole), list(whole)]
    assert len(epochs[0]) == len(whole)
    batches = data.draw(st.integers(0, len(whole) // size))
    resumed = make(lengths, **facts)
    resumed.begin(1, (Part(world, size, batches),))
    assert len(resumed) == len(whole)
    assert list(resumed) == epochs[1][batches * size :]
    third = list(resumed)
    assert third == list(whole)


@settings(deadline=None)
@given(
    lengths=LENGTHS,
    divided=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=2, max_size=4),
    kind=st.sampled_from(sorted(SAMPLERS)),
    data=st.data(),
)
def test_every_frame_comes_once_whatever_number_of_ranks_a_run_is_resumed_on(
    lengths: list[int], divided: list[tuple[int, int]], kind: str, data: Any
) -> None:
    came: list[int] = []
    parts: tuple[Part, ...] = ()
    for number, (world, size) in enumerate(divided):
        ranks = []
        for rank in range(world):
            sampler = SAMPLERS[kind](lengths, batch_size=size, world_size=world, rank=rank, seed=3)
            left = sampler.batches_left(2, parts)
            sampler.begin(2, parts)
            ranks.append(list(sampler))
            assert -(-len(ranks[-1]) // size) == left
        last = number == len(divided) - 1
        batches = left if last else data.draw(st.integers(0, max(left - 1, 0)))
        came += [row for rows in ranks for row in rows[: batches * size]]
        parts = (*parts, Part(world, size, batches))
    # Only the last round of batches is filled up with frames that came before.
    assert set(came) == set(range(sum(lengths)))
    assert len(came) - sum(lengths) < max(world * size for world, size in divided)


@settings(deadline=None)
@given(lengths=LENGTHS, opened=st.integers(1, 6), length=st.integers(1, 5), world=st.integers(1, 3))
def test_blocks_cover_each_frame_once(lengths: list[int], opened: int, length: int, world: int) -> None:
    came: list[int] = []
    starts, _ = bounds(lengths)
    for rank in range(world):
        told: list[Any] = []
        sampler = BlockSampler(
            *bounds(lengths),
            buffer=Buffer(length, opened, 1),
            announce=lambda rows, owners, told=told: told.append((rows, owners)),
            rank=rank,
            world_size=world,
        )
        places, owners = sampler.schedule(0)
        came += places.tolist()
        for owner in np.unique(owners):
            mine = np.sort(places[owners == owner])
            assert len(mine) <= length and (np.diff(mine) == 1).all(), "consecutive frames"
            assert len(set(np.searchsorted(starts, mine, side="right"))) == 1, "of one episode"
        # Never more blocks under way than the buffer has room for.
        first = {owner: i for i, owner in reversed(list(enumerate(owners.tolist())))}
        last = {owner: i for i, owner in enumerate(owners.tolist())}
        assert max(sum(first[o] <= i <= last[o] for o in first) for i in range(len(owners))) <= 2 * opened
    if sum(lengths) >= world:
        assert sorted(came) == list(range(sum(lengths)))


@settings(deadline=None)
@given(lengths=LENGTHS, world=st.integers(2, 4), batch=st.integers(1, 4), shuffle=st.booleans())
def test_ranks_together_see_every_frame_of_all_blocks(
    lengths: list[int], world: int, batch: int, shuffle: bool
) -> None:
    facts = {"buffer": Buffer(4, 3, 1), "announce": lambda rows, owners: None, "world_size": world}
    ranks = [
        BlockSampler(*bounds(lengths), **facts, rank=rank, batch_size=batch, shuffle=shuffle) for rank in range(world)
    ]
    rows = [list(sampler) for sampler in ranks]
    assert {row for some in rows for row in some} == set(range(sum(lengths)))
    assert {len(some) for some in rows} == {len(ranks[0])}


def test_a_large_frame_gets_short_blocks_and_a_small_one_long_ones() -> None:
    large, small = divide(480 * 640 * 3, 0, cores=2), divide(96 * 96 * 3, 1, cores=2)
    assert large.length == 8 and large.opened >= 16
    assert small.length == 32 and small.opened >= 100


def test_the_order_of_blocks_does_not_depend_on_the_machine() -> None:
    for frame_bytes, halo in ((480 * 640 * 9, 0), (96 * 96 * 3, 1), (224 * 224 * 6, 7)):
        few, many = divide(frame_bytes, halo, cores=1), divide(frame_bytes, halo, cores=64)
        assert (few.length, few.opened) == (many.length, many.opened)


def test_reading_ahead_changes_nothing() -> None:
    batches = [{"index": i} for i in range(20)]
    assert list(ahead(iter(batches))) == batches


def test_an_error_ahead_comes_where_it_belongs() -> None:
    def broken() -> Any:
        yield {"index": 0}
        raise RuntimeError("no more")

    made = ahead(broken())
    assert next(made) == {"index": 0}
    with pytest.raises(RuntimeError, match="no more"):
        next(made)


def test_reading_ahead_can_be_left() -> None:
    import threading

    made = ahead({"index": i} for i in itertools.count())
    next(made)
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "batches"]
