"""Several datasets, read as one concatenated dataset.

The numbering of episodes, frames and tasks, the features and the statistics are those of the dataset that LeRobot's
`merge_datasets` would write. Each dataset has its own frame store, shared with runs on that dataset alone. Datasets
whose frames fit no store are read with LeRobotDataset: a mixture can't follow the order of block decoding.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from getiaction.data.layout import layout_of
from getiaction.data.pipeline import Pipeline
from getiaction.data.sampler import EpisodeSampler
from getiaction.data.windows import Batch, WindowDataset
from getiaction.errors import DataError
from getiaction.lerobot import datasets
from getiaction.lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from getiaction.spec import mixture
from getiaction.spec.fingerprint import fingerprint
from getiaction.spec.frame_loading import LOADING_METHODS, LoadingMethod, Plan, gigabytes
from getiaction.spec.mixture import DATASET_INDEX, Entry

type Opened = WindowDataset | LeRobotDataset | MixtureDataset


class MixtureMetadata(LeRobotDatasetMetadata):
    """LeRobot's metadata of several datasets that are read as one.

    Args:
        metas: the metadata of each dataset.
        entries: the recipe's entry of each.

    Attributes:
        parts: the metadata of each dataset, as it is stored.
        entries: as given.
        dataset_names: unique name of each dataset: its id, numbered if it occurs twice.
        first_episodes: `(datasets + 1,)` index of the first episode of each dataset, and the number of all episodes.
        first_frames: likewise for frames.
        task_numbers: for each dataset, `(tasks,)` the index of its tasks in the mixture.
        fps: steps per second: the first dataset's frames per second divided by its `stride`.

    Raises:
        DataError: features differ, or frame rates differ without a `stride`.
    """

    def __init__(self, metas: Sequence[LeRobotDatasetMetadata], entries: Sequence[Entry]) -> None:
        first = metas[0]
        self.__dict__.update(first.__dict__)
        self.parts, self.entries = list(metas), list(entries)
        self.dataset_names = _names([meta.repo_id for meta in metas])
        tables = [mixture.renamed(meta.features, entry.rename_map) for meta, entry in zip(metas, entries, strict=True)]
        for i in mixture.entries_with_other_rates([meta.fps for meta in metas], entries):
            if entries[i].stride is None:
                raise DataError(
                    f"datasets.{i}: {metas[i].repo_id} has {metas[i].fps} frames per second, "
                    f"{first.repo_id} has {first.fps}",
                    "set the stride of each dataset: 3 takes one of 30 frames per second as one of 10",
                )
        for i, (meta, table) in enumerate(zip(metas, tables, strict=True)):
            for key, difference in mixture.differences(tables[0], table).items():
                raise DataError(f"datasets.{i}: {key}: {meta.repo_id} {difference}", "rename keys with its rename_map")
        roots, counts = [Path(meta.root) for meta in metas], [meta.total_episodes for meta in metas]
        for i, other, episode in mixture.used_twice(roots, counts, entries):
            raise DataError(
                f"datasets.{i}: episode {episode} of {metas[i].repo_id} is in datasets.{other} as well",
                "name each episode once: episodes and exclude_episodes divide a dataset",
            )
        self.repo_id = " + ".join(dict.fromkeys(meta.repo_id for meta in metas))
        self.info = copy.copy(first.info)
        self.info.features = mixture.in_common(tables)
        self.info.fps = entries[0].rate(first.fps)
        self.info.total_episodes = sum(meta.total_episodes for meta in metas)
        self.info.total_frames = sum(meta.total_frames for meta in metas)
        self.tasks, self.task_numbers = datasets.merged_tasks(metas)
        self.info.total_tasks = len(self.tasks)
        # Two entries of one dataset count once, because statistics are those of the whole dataset.
        distinct = {
            (Path(meta.root).resolve(), tuple(sorted(entry.rename_map.items()))): (meta, entry)
            for meta, entry in zip(metas, entries, strict=True)
        }
        stats = [mixture.renamed(meta.stats or {}, entry.rename_map) for meta, entry in distinct.values()]
        # Those of some of the datasets would normalize the others by what they are not.
        known = [key for key in self.info.features if all(key in each for each in stats)]
        self.stats = datasets.merged_stats([{key: each[key] for key in known} for each in stats])
        self.first_episodes = np.cumsum([0, *(meta.total_episodes for meta in metas)])
        self.first_frames = np.cumsum([0, *(meta.total_frames for meta in metas)])
        self.episodes = datasets.merged_episodes(metas, self.first_frames.tolist())

    @property
    def fingerprint(self) -> str:
        """The fingerprints of all datasets, joined by `+`."""
        return "+".join(fingerprint(Path(meta.root)) for meta in self.parts)

    def of_part(self, part: int, episodes: Sequence[int] | None) -> list[int] | None:
        """Select the episodes of one dataset, as indices in that dataset; None for all."""
        if episodes is None:
            return None
        first, stop = self.first_episodes[part], self.first_episodes[part + 1]
        return [int(episode - first) for episode in episodes if first <= episode < stop]

    def from_part(self, part: int, episodes: Sequence[int] | None) -> list[int]:
        """Convert episode indices of one dataset (None: all) to indices in the mixture."""
        own = range(self.parts[part].total_episodes) if episodes is None else episodes
        return [int(self.first_episodes[part]) + episode for episode in own]


class MixturePipeline:
    """Opens the episodes of a mixture; see `Pipeline`.

    Args:
        meta: the mixture.
        pipelines: one for each dataset.
        collates: the collate function of each dataset, for samples of LeRobotDataset.
    """

    def __init__(
        self, meta: MixtureMetadata, pipelines: Sequence[Pipeline], collates: Sequence[Callable[[Any], Batch]]
    ) -> None:
        self.meta, self.place = meta, None
        self.pipelines, self._collates = list(pipelines), list(collates)
        self._without_blocks()

    @property
    def plan(self) -> Plan:
        """The slowest loading method of all datasets, and the total size of their stores."""
        plans = [pipeline.plan for pipeline in self.pipelines]
        slowest = max(plans, key=lambda plan: LOADING_METHODS.index(plan.method))
        size, missing = (sum(getattr(plan, name) for plan in plans) for name in ("bytes", "missing"))
        reason = f"{gigabytes(size)} of all datasets" if slowest.method == "store" and size else slowest.reason
        return replace(slowest, bytes=size, missing=missing, reason=reason)

    def open(
        self,
        episodes: Sequence[int] | None,
        delta_timestamps: Mapping[str, Sequence[float]] | None,
        image_transforms: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> MixtureDataset:
        """Open the samples of some episodes, given by their indices in the mixture."""
        parts = []
        for i, (pipeline, entry) in enumerate(zip(self.pipelines, self.meta.entries, strict=True)):
            stored = _stored(entry.rename_map)
            own = {stored.get(key, key): self._seconds(i, times) for key, times in (delta_timestamps or {}).items()}
            some = self.meta.of_part(i, episodes)
            dataset = pipeline.open(some, own or None, image_transforms) if some is None or some else None
            parts.append(_Part(i, dataset, some, entry.rename_map, self._collates[i]))
        return MixtureDataset(self.meta, parts, episodes)

    def _seconds(self, part: int, moments: Sequence[float]) -> list[float]:
        """Convert seconds of the mixture to seconds of one dataset; times between two steps are unchanged."""
        meta, entry = self.meta.parts[part], self.meta.entries[part]
        found = []
        for moment in moments:
            steps = moment * self.meta.fps
            whole = abs(steps - round(steps)) < 1e-3
            found.append(round(steps) * entry.frames_apart / meta.fps if whole else float(moment))
        return found

    def open_anywhere(self, episodes: Sequence[int] | None) -> MixtureDataset:
        """Open single frames of some episodes for reading in any order."""
        return self.open(episodes, None)

    def fall_back(self, method: LoadingMethod, reason: str) -> None:
        """Switch to a slower loading method, because another process of the training needs it."""
        for pipeline in self.pipelines:
            pipeline.fall_back(method, reason)
        self._without_blocks()

    def _without_blocks(self) -> None:
        for pipeline in self.pipelines:
            if pipeline.plan.method == "blocks":
                pipeline.fall_back("lerobot", f"{pipeline.plan.reason}; a mixture can't be decoded in blocks")


@dataclass(frozen=True)
class _Part:
    """The chosen episodes of one dataset; `dataset` is None if none of its episodes is chosen."""

    number: int
    dataset: WindowDataset | LeRobotDataset | None
    episodes: list[int] | None
    rename_map: Mapping[str, str]
    collate: Callable[[Any], Batch]

    def __len__(self) -> int:
        return 0 if self.dataset is None else len(self.dataset)

    def batch(self, rows: np.ndarray) -> Batch:
        assert self.dataset is not None
        found = rows_of(self.dataset, rows, self.collate)
        return {_renamed(key, self.rename_map): value for key, value in found.items()}


class MixtureDataset(Dataset[Batch]):
    """The samples of several datasets, gathered in batches.

    Args:
        meta: the mixture.
        parts: the opened datasets.
        episodes: indices of the chosen episodes in the mixture; None for all.
    """

    def __init__(self, meta: MixtureMetadata, parts: Sequence[_Part], episodes: Sequence[int] | None) -> None:
        self.meta, self.parts = meta, list(parts)
        self.episodes = None if episodes is None else list(episodes)
        self._firsts = np.cumsum([0, *map(len, self.parts)])
        layouts = [layout_of(part) for part in meta.parts]
        self.starts = np.concatenate([x.starts + first for x, first in zip(layouts, meta.first_frames, strict=False)])
        self.stops = np.concatenate([x.stops + first for x, first in zip(layouts, meta.first_frames, strict=False)])
        self._pads = {f"{key}_is_pad" for key in meta.features}
        # Frames from one step to the next, by episode.
        self.strides = np.repeat([entry.frames_apart for entry in meta.entries], np.diff(meta.first_episodes))

    @property
    def chosen(self) -> np.ndarray:
        """`(episodes,)` the chosen episodes, ascending."""
        return np.arange(len(self.starts)) if self.episodes is None else np.unique(np.asarray(self.episodes, np.int64))

    @property
    def features(self) -> dict[str, dict]:
        """The features common to all datasets."""
        return self.meta.features

    @property
    def num_frames(self) -> int:
        """Frames of the chosen episodes."""
        return len(self)

    @property
    def num_episodes(self) -> int:
        """Number of chosen episodes."""
        return len(self.chosen)

    @property
    def needs_workers(self) -> bool:
        """Whether samples are computed one by one, by LeRobotDataset or by image transforms."""
        opened = [part.dataset for part in self.parts if part.dataset is not None]
        return any(not isinstance(dataset, WindowDataset) or dataset.image_transforms is not None for dataset in opened)

    def column(self, key: str) -> np.ndarray:
        """The values of a numeric feature for all rows, `(rows, …)`.

        Raises:
            KeyError: the datasets have no such feature.
        """
        columns = []
        for part in self.parts:
            if part.dataset is not None:
                columns.append(column_of(part.dataset, _stored(part.rename_map).get(key, key)))
        return np.concatenate(columns)

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def __getitem__(self, row: int) -> Batch:
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return {key: values[0] for key, values in self.__getitems__([row % len(self)]).items()}

    def __getitems__(self, rows: Sequence[int] | np.ndarray) -> Batch:
        """The samples of some rows as one batch, `(len(rows), ...)` each, with the `dataset_index` of each sample."""
        wanted = np.asarray(rows, dtype=np.int64)
        whose = np.searchsorted(self._firsts, wanted, side="right") - 1
        found = []
        for i in np.unique(whose).tolist():
            places = np.flatnonzero(whose == i)
            found.append((places, self._numbered(self.parts[i], wanted[places] - self._firsts[i])))
        batch = found[0][1] if len(found) == 1 else _joined(found, len(wanted))
        batch[DATASET_INDEX] = torch.from_numpy(whose)
        return batch

    def _numbered(self, part: _Part, rows: np.ndarray) -> Batch:
        """A part's samples with the mixture's indices of frames, episodes and tasks, restricted to its features."""
        meta, batch = self.meta, part.batch(rows)
        batch["index"] = batch["index"] + int(meta.first_frames[part.number])
        batch["episode_index"] = batch["episode_index"] + int(meta.first_episodes[part.number])
        batch["task_index"] = torch.from_numpy(meta.task_numbers[part.number])[batch["task_index"]]
        return {key: v for key, v in batch.items() if key in meta.features or key in self._pads or key == "task"}

    def sampler(self, *, drop_n_last_frames: int = 0, **options: Any) -> MixtureSampler:
        """Make the sampler; arguments as for `EpisodeSampler`, with `drop_n_last_frames` in steps of the mixture."""
        options["drop_n_last_frames"] = drop_n_last_frames * self.strides
        weights = [entry.weight for entry in self.meta.entries]
        return MixtureSampler(
            self.starts, self.stops, episodes=self.episodes, firsts=self._firsts, weights=weights, **options
        )


class MixtureSampler(EpisodeSampler):
    """Samples frames of several datasets in proportion to their weights.

    An epoch has as many samples as all datasets together. Without weights, or with weights in proportion to the
    samples, it is LeRobot's order of the merged dataset. Otherwise each dataset contributes exactly its share to every
    epoch, and uses all its samples once before it repeats one, over as many epochs as that takes.

    Args:
        starts: see `EpisodeSampler`.
        stops: see `EpisodeSampler`.
        firsts: `(datasets + 1,)` the first row of each dataset, and the number of rows.
        weights: of each dataset.
        options: see `EpisodeSampler`.

    Raises:
        ValueError: a dataset has no usable frame.
    """

    def __init__(
        self,
        starts: np.ndarray,
        stops: np.ndarray,
        *,
        firsts: np.ndarray,
        weights: Sequence[float | None],
        **options: Any,
    ) -> None:
        super().__init__(starts, stops, **options)
        whose = np.searchsorted(firsts, self._rows, side="right") - 1
        kept = np.diff(self._ends, prepend=0)
        self._counts = [int(kept[whose == i].sum()) for i in range(len(weights))]
        for i, (count, rows) in enumerate(zip(self._counts, np.diff(firsts), strict=True)):
            if rows and not count:
                raise ValueError(f"no episode of datasets.{i} is longer than drop_n_last_frames")
        self.shares = mixture.shares(
            self._counts, [w if n else 0.0 for w, n in zip(weights, self._counts, strict=True)]
        )

    def order(self, epoch: int) -> np.ndarray:
        """`(samples,)` all ranks' samples of an epoch, as positions among the usable frames."""
        order = super().order(epoch)
        if not self.shuffle or self.shares == self._counts:
            return order
        starts = np.cumsum([0, *self._counts])
        drawn = [
            starts[i] + self._drawn(i, count, epoch * share, share)
            for i, (count, share) in enumerate(zip(self._counts, self.shares, strict=True))
            if share
        ]
        return np.concatenate(drawn)[order]

    def _drawn(self, dataset: int, count: int, done: int, share: int) -> np.ndarray:
        """The samples from `done` to `done + share` of a dataset's endless sequence of permutations."""
        first, last = done // count, (done + share - 1) // count
        rounds = [
            np.random.Generator(np.random.PCG64([self.seed, dataset, number])).permutation(count)
            for number in range(first, last + 1)
        ]
        return np.concatenate(rounds)[done - first * count :][:share]


def rows_of(dataset: Opened, rows: np.ndarray, collate: Callable[[Any], Batch]) -> Batch:
    """Read the samples of some rows as one batch."""
    if isinstance(dataset, LeRobotDataset):
        return collate([dataset[int(row)] for row in rows])
    return collate(dataset.__getitems__(rows))


def column_of(dataset: Opened, key: str) -> np.ndarray:
    """Read the values of a numeric feature for all rows, `(rows, …)`.

    Raises:
        KeyError: the dataset has no such feature.
    """
    if isinstance(dataset, LeRobotDataset):
        return np.asarray(dataset.hf_dataset.with_format("numpy")[key][:])
    return dataset.column(key)


def _stored(rename_map: Mapping[str, str]) -> dict[str, str]:
    """Invert a rename_map: the mixture's key → the dataset's key."""
    return {new: old for old, new in rename_map.items()}


def _renamed(key: str, rename_map: Mapping[str, str]) -> str:
    name = key.removesuffix("_is_pad")
    return rename_map[name] + key[len(name) :] if name in rename_map else rename_map.get(key, key)


def _joined(found: Sequence[tuple[np.ndarray, Batch]], size: int) -> Batch:
    """Merge batches; each sample keeps its position."""
    joined: Batch = {}
    for key, first in found[0][1].items():
        if not isinstance(first, torch.Tensor):
            values: list[Any] = [None] * size
            for places, batch in found:
                for place, value in zip(places.tolist(), batch[key], strict=True):
                    values[place] = value
            joined[key] = values
            continue
        tensors = [batch[key] for _, batch in found]
        if len({tensor.dtype for tensor in tensors}) > 1:  # LeRobot returns images of parquet files as floats
            tensors = [t.to(torch.float32).div(255) if t.dtype == torch.uint8 else t for t in tensors]
        joined[key] = torch.empty((size, *first.shape[1:]), dtype=tensors[0].dtype)
        for (places, _), tensor in zip(found, tensors, strict=True):
            joined[key][torch.from_numpy(places)] = tensor
    return joined


def _names(ids: Sequence[str]) -> list[str]:
    """Make ids unique by numbering those that occur twice."""
    return [name if ids.count(name) == 1 else f"{name}#{ids[:i].count(name) + 1}" for i, name in enumerate(ids)]
