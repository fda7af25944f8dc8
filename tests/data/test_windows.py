"""Every sample is LeRobotDataset's, bit for bit."""

import pickle
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_cache import once
from windows_cases import KINDS, assert_same, build, lerobot_batch

from getiaction.data.pipeline import Pipeline
from getiaction.lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from getiaction.lerobot.image_transforms import image_transforms

CALM = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@lru_cache
def dataset(kind: str) -> Path:
    return once(f"made/windows-{kind.replace(' ', '-')}", lambda root: build(root, kind))


@lru_cache
def pipeline(kind: str, way: str = "auto") -> Pipeline:
    root = dataset(kind)
    opened = Pipeline(LeRobotDatasetMetadata("made/toy", root=root), root, frame_store=way)
    assert opened.plan.method == ("store" if way == "auto" else "blocks"), opened.plan
    return opened


def lerobot(kind: str, episodes: Any, seconds: Any, transforms: Any = None) -> LeRobotDataset:
    return LeRobotDataset(
        "made/toy",
        root=dataset(kind),
        episodes=episodes,
        delta_timestamps=seconds,
        return_uint8=True,
        video_backend="pyav",
        image_transforms=transforms,
    )


@st.composite
def windows(draw: Callable[..., Any], kind: str) -> tuple[list[int] | None, dict[str, list[float]] | None]:
    """Some episodes and some deltas of some features."""
    meta = pipeline(kind).meta
    total = meta.total_episodes
    episodes = draw(st.none() | st.lists(st.integers(0, total - 1), min_size=1, max_size=total, unique=True))
    keys = [key for key in meta.features if key.startswith(("observation.", "action", "next.", "frame_index"))]
    chosen = draw(st.lists(st.sampled_from(keys), unique=True))
    deltas = {key: draw(st.lists(st.integers(-12, 12), min_size=1, max_size=4)) for key in chosen}
    return episodes, {key: [i / meta.fps for i in delta] for key, delta in deltas.items()} or None


@pytest.mark.parametrize("kind", KINDS)
def test_random_windows_are_lerobots(kind: str) -> None:
    @CALM
    @given(asked=windows(kind), data=st.data())
    def check(asked: Any, data: Any) -> None:
        episodes, seconds = asked
        theirs = lerobot(kind, episodes, seconds)
        ours = pipeline(kind).open(episodes, seconds)
        assert len(ours) == len(theirs)
        rows = data.draw(st.lists(st.integers(0, len(theirs) - 1), min_size=1, max_size=4))
        assert_same(ours.__getitems__(rows), lerobot_batch(theirs, rows))

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_without_deltas(kind: str) -> None:
    theirs, ours = lerobot(kind, None, None), pipeline(kind).open(None, None)
    rows = list(range(len(theirs)))
    assert_same(ours.__getitems__(rows), lerobot_batch(theirs, rows))


def test_the_deltas_of_every_policy() -> None:
    from getiaction_cli import policies

    kind = "two cameras of two sizes, several files"
    meta = pipeline(kind).meta
    inputs, outputs = policies.to_policy_features(meta.features)
    seen = set()
    for name in policies.names():
        try:
            config = policies.load(name).configure({}, inputs, outputs)
        except Exception:  # not for this test to judge
            continue
        deltas = {}
        for key in meta.features:
            wanted = (
                config.action_delta_indices
                if key == "action"
                else config.observation_delta_indices
                if key.startswith("observation.")
                else None
            )
            if wanted is not None:
                deltas[key] = [i / meta.fps for i in wanted]
        if (mark := repr(deltas)) in seen:
            continue
        seen.add(mark)
        theirs, ours = lerobot(kind, [1, 3], deltas), pipeline(kind).open([1, 3], deltas)
        rows = [0, 5, len(theirs) - 1]
        assert_same(ours.__getitems__(rows), lerobot_batch(theirs, rows))
    assert len(seen) > 5


def test_one_sample_has_no_batch_dimension() -> None:
    kind = "one camera"
    ours, theirs = pipeline(kind).open(None, {"action": [0.0, 0.1]}), lerobot(kind, None, {"action": [0.0, 0.1]})
    assert_same(ours[3], theirs[3])
    assert_same(ours[-1], theirs[len(theirs) - 1])
    with pytest.raises(IndexError):
        ours[len(ours)]


@pytest.mark.parametrize("kind", ["one camera", "pictures", "depth"])
def test_image_transforms_draw_as_lerobots(kind: str) -> None:
    transforms = image_transforms({"max_num_transforms": 2})
    camera = next(key for key in pipeline(kind).meta.camera_keys)
    seconds = {camera: [-0.1, 0.0]}
    theirs, ours = lerobot(kind, None, seconds, transforms), pipeline(kind).open(None, seconds, transforms)
    rows = [0, 3, 5]
    torch.manual_seed(1)
    their = lerobot_batch(theirs, rows)
    torch.manual_seed(1)
    assert_same(ours.__getitems__(rows), their)


def test_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        pipeline("one camera").open(None, {"observation.nothing": [0.0]})


def test_a_moment_between_frames_is_refused_as_lerobot_does() -> None:
    with pytest.raises(ValueError, match="delta_timestamps"):
        pipeline("one camera").open(None, {"action": [0.03]})


def test_a_worker_process_opens_the_store_itself() -> None:
    kind = "two cameras of two sizes, several files"
    ours = pipeline(kind).open([0, 2], {"action": [0.0]})
    again = pickle.loads(pickle.dumps(ours))
    assert len(pickle.dumps(ours)) < 500_000
    assert_same(again.__getitems__([0, 3]), ours.__getitems__([0, 3]))


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = pipeline("one camera").open(None, None)
        ours.__getitems__([0, 1])


@pytest.mark.parametrize("kind", ["one camera", "two cameras of two sizes, several files", "depth"])
def test_blocks_give_the_same_samples(kind: str) -> None:
    from torch.utils.data import DataLoader

    from getiaction.data.pipeline import sampler_of
    from getiaction.data.windows import no_collate

    @CALM
    @given(asked=windows(kind), batch_size=st.integers(1, 9), drop=st.integers(0, 3), seed=st.integers(0, 9))
    def check(asked: Any, batch_size: int, drop: int, seed: int) -> None:
        episodes, seconds = asked
        ours, store = pipeline(kind, "off").open(episodes, seconds), pipeline(kind).open(episodes, seconds)
        sampler = sampler_of(ours, shuffle=True, seed=seed, drop_n_last_frames=drop, batch_size=batch_size)
        got = list(DataLoader(ours, batch_size=batch_size, sampler=sampler, collate_fn=no_collate))
        rows = [row for row in range(len(store)) if store[row]["index"] < _end(store, row) - drop]
        came = [row for batch in got for row in _rows(store, batch)]
        assert sorted(came) == rows
        for batch in got:
            assert_same(batch, store.__getitems__(_rows(store, batch)))
        # A sample that nobody announced is decoded alone.
        assert_same(ours.__getitems__([0]), store.__getitems__([0]))

    check()


def _rows(dataset: Any, batch: Any) -> list[int]:
    order = dataset.absolute_to_relative_idx
    return [int(i) if order is None else order[int(i)] for i in batch["index"]]


def _end(dataset: Any, row: int) -> int:
    return int(dataset.layout.stops[int(dataset[row]["episode_index"])])


def test_torchcodec_where_it_can_be_loaded() -> None:
    try:
        import torchcodec  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        pytest.skip("torchcodec finds no FFmpeg here")
    kind = "two cameras of two sizes, several files"
    root = dataset(kind)
    meta = LeRobotDatasetMetadata("made/toy", root=root)
    seconds = {key: [-2 / meta.fps, 0.0, 3 / meta.fps] for key in meta.camera_keys}
    theirs = LeRobotDataset(
        "made/toy", root=root, delta_timestamps=seconds, return_uint8=True, video_backend="torchcodec"
    )
    rows = list(range(0, len(theirs), 3))
    for way in ("auto", "off"):
        opened = Pipeline(meta, root, frame_store=way, video_backend="torchcodec")
        assert opened.plan.method == ("store" if way == "auto" else "blocks")
        assert_same(opened.open(None, seconds).__getitems__(rows), lerobot_batch(theirs, rows))
