"""Several datasets as one, as training reads them: what rules about a recipe and its dataset judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from getiaction.spec import episode_split, mixture
from getiaction.spec.mixture import Entry
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.datasets.episodes import Episodes, joined_tasks
from getiaction_cli.datasets.features import make_feature
from getiaction_cli.datasets.files import Listing, Rows
from getiaction_cli.datasets.stats import aggregate
from getiaction_cli.diagnostics import Span, Unavailable

_RENAME = "rename the features so that the datasets have the same ones, or train on one dataset"
_ONCE = "name each episode once: `episodes` and `exclude_episodes` divide a dataset"


@dataclass(frozen=True, kw_only=True)
class Mixture(Dataset):
    """Several datasets as one; see `getiaction.data.mixture`.

    Args:
        datasets: the datasets as they are stored.
        entries: what the recipe says of each.
    """

    datasets: tuple[Dataset, ...] = ()
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def parts(self) -> tuple[Dataset, ...]:
        """The datasets as they are stored."""
        return self.datasets

    @cached_property
    def chosen(self) -> list[npt.NDArray[np.int64]]:
        """For each dataset the rows of the episodes that are used, counted over all datasets."""
        first, found = 0, []
        for dataset, entry in zip(self.datasets, self.entries, strict=True):
            there = len(dataset.episodes)
            some = episode_split.used(there, entry.episodes, entry.exclude_episodes)
            rows = [row for row in (range(there) if some is None else some) if 0 <= row < there]
            found.append(np.array(rows, dtype=np.int64) + first)
            first += there
        return found

    @cached_property
    def strides(self) -> npt.NDArray[np.int64]:
        """For each episode, the frames from one step of the mixture to the next."""
        counts = [len(dataset.episodes) for dataset in self.datasets]
        return np.repeat([entry.frames_apart for entry in self.entries], counts)

    @cached_property
    def listing(self) -> Listing:
        """Every file of all datasets."""
        return Listing({f"{d.root}/{name}": size for d in self.datasets for name, size in d.listing.sizes.items()})

    @property
    def has_data(self) -> bool:
        """False when of one of them only ``meta/`` is here."""
        return all(dataset.has_data for dataset in self.datasets)

    @cached_property
    def data_files(self) -> dict[str, Rows]:
        """Not known of several datasets together; each is judged by itself."""
        return {}

    @cached_property
    def video_files(self) -> dict[str, dict[str, Rows]]:
        """Camera → the video files of all datasets."""
        found: dict[str, dict[str, Rows]] = {key: {} for key in self.video_keys}
        for dataset, entry in zip(self.datasets, self.entries, strict=True):
            for key, files in dataset.video_files.items():
                named = found.get(entry.rename_map.get(key, key), {})
                named.update({f"{dataset.root}/{name}": rows for name, rows in files.items()})
        return found

    @property
    def frame_times(self) -> None:  # type: ignore[override]
        """Unavailable for several datasets together."""
        raise Unavailable("the times of frames are compared when training opens the datasets", is_reported=False)

    @cached_property
    def fingerprint(self) -> str:
        """As run.json has it."""
        return "+".join(dataset.fingerprint for dataset in self.datasets)

    def _find_frame(self, file: str, key: str) -> tuple[tuple[str, ...], Span | None]:
        for dataset in self.datasets:
            name = file.removeprefix(f"{dataset.root}/")
            if name != file or dataset.text(file):
                return dataset.frame(name, key)
        return (), None


def mix(datasets: Sequence[Dataset], entries: Sequence[Entry]) -> Mixture:
    """Put datasets together that `problems` has nothing against."""
    first = datasets[0]
    tables = [_raw(dataset, entry) for dataset, entry in zip(datasets, entries, strict=True)]
    features = {key: make_feature(key, dict(raw)) for key, raw in mixture.in_common(tables).items()}
    distinct = {(d.root, tuple(e.rename_map.items())): (d, e) for d, e in zip(datasets, entries, strict=True)}
    stats = [mixture.renamed(dataset.stats or {}, entry.rename_map) for dataset, entry in distinct.values()]
    tasks = list(dict.fromkeys(task for dataset in datasets for task in dataset.tasks))
    return Mixture(
        place=replace(first.place, repo_id=" + ".join(dict.fromkeys(dataset.repo_id for dataset in datasets))),
        version=first.version,
        fps=None if first.fps is None else entries[0].rate(first.fps),
        total_episodes=sum(len(dataset.episodes) for dataset in datasets),
        total_frames=sum(int(dataset.episodes.length.sum()) for dataset in datasets),
        total_tasks=len(tasks),
        robot_type=first.robot_type,
        info={**first.info, "features": {key: feature.raw for key, feature in features.items()}},
        features=features,
        stats=(stats[0] if len(stats) == 1 else aggregate(stats, quantiles=True)) or None,
        tasks=tasks,
        task_indices=list(range(len(tasks))),
        episodes=_episodes([dataset.episodes for dataset in datasets]),
        datasets=tuple(datasets),
        entries=tuple(entries),
    )


def problems(datasets: Sequence[Dataset], entries: Sequence[Entry]) -> Iterator[tuple[int, str, str, str]]:
    """What keeps datasets from being mixed: number of the entry, its key that decides, the reason, and the help."""
    first = _raw(datasets[0], entries[0])
    rates = [dataset.fps for dataset in datasets if dataset.fps]
    others = mixture.entries_with_other_rates(rates, entries) if len(rates) == len(datasets) else []
    for number, (dataset, entry) in enumerate(zip(datasets, entries, strict=True)):
        if number in others and entry.stride is None:
            said = f"{dataset.repo_id} has {dataset.fps:g} frames per second, {datasets[0].repo_id} has "
            yield number, "repo_id", f"{said}{datasets[0].fps:g}", _equal_steps(rates)
        for key, what in mixture.differences(first, _raw(dataset, entry)).items():
            yield number, "rename_map" if entry.rename_map else "repo_id", f"`{key}`: {dataset.repo_id} {what}", _RENAME
        for old in entry.rename_map:
            if old not in dataset.features:
                yield (
                    number,
                    f"rename_map.{old}",
                    f"{dataset.repo_id} has no `{old}` to rename",
                    f"it has {', '.join(dataset.features)}",
                )
    episodes = [len(dataset.episodes) for dataset in datasets]
    for number, other, episode in mixture.used_twice([dataset.root for dataset in datasets], episodes, entries):
        yield (
            number,
            "episodes",
            f"episode {episode} of {datasets[number].repo_id} is in datasets.{other} as well",
            _ONCE,
        )


def _equal_steps(rates: Sequence[float]) -> str:
    """The strides with which all datasets have steps of one length."""
    strides = mixture.equal_strides(rates)
    if strides is None:
        return "set the `stride` of this dataset to train on steps that differ in length"
    wanted = [f"`stride: {stride}` in datasets.{i}" for i, stride in enumerate(strides) if stride > 1]
    return f"set {' and '.join(wanted)}: then all have {rates[0] / strides[0]:g} steps a second"


def _raw(dataset: Dataset, entry: Entry) -> dict[str, dict[str, object]]:
    return mixture.renamed({key: feature.raw for key, feature in dataset.features.items()}, entry.rename_map)


def _episodes(several: Sequence[Episodes]) -> Episodes:
    lengths = np.concatenate([episodes.length for episodes in several])
    stops = np.cumsum(lengths)
    names, codes, offsets = joined_tasks(several)
    return Episodes(
        index=np.arange(len(lengths)),
        length=lengths,
        from_index=stops - lengths,
        to_index=stops,
        task_names=names,
        task_codes=codes,
        task_offsets=offsets,
    )
