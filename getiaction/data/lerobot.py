"""A Lightning data module for LeRobot datasets: finds them, splits by episode, and reads the policy's windows."""

import importlib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from torch.utils.data import DataLoader, Sampler, default_collate

from getiaction.data.blocks import BlockFrames
from getiaction.data.download_progress import DownloadProgress
from getiaction.data.frame_store import StoreProgress
from getiaction.data.layout import layout_of, missing_files
from getiaction.data.loader import BatchLoader, TimedLoader
from getiaction.data.metadata import data_errors, find
from getiaction.data.mixture import MixtureDataset, MixtureMetadata, MixturePipeline, Opened
from getiaction.data.moments import Moments
from getiaction.data.pipeline import Order, Pipeline, order_of, sampler_of
from getiaction.data.process_group import gather, this_host
from getiaction.data.sampler import EpisodeSampler, Part, Parts
from getiaction.data.timing import DeltaTimestamps, action_stride, frames_apart, reconcile
from getiaction.data.windows import WindowDataset
from getiaction.errors import DataError
from getiaction.lerobot import datasets as lerobot_datasets
from getiaction.lerobot.datasets import EpisodeAwareSampler, LeRobotDataset, LeRobotDatasetMetadata
from getiaction.lerobot.errors import first_line
from getiaction.lerobot.features import Stats
from getiaction.lerobot.image_transforms import image_transforms
from getiaction.spec import episode_split, mixture
from getiaction.spec.dataset_location import id_of
from getiaction.spec.fingerprint import fingerprint
from getiaction.spec.frame_loading import LOADING_METHODS, Plan
from getiaction.spec.mixture import Entry


class LeRobotDataModule(L.LightningDataModule):
    """A LeRobot dataset, split by whole episodes into training and validation data.

    The dataset is searched in `root`, in the package (`getiaction/pusht-demo`, `getiaction/pusht-keypoints-demo`), in
    LeRobot's home folder, on the Hub and in its caches, in this order. Keys missing from `delta_timestamps` are derived
    from the trainer's policy.

    Args:
        repo_id: the dataset's Hub id. It may be omitted if root is given: then nothing is downloaded.
        root: its folder; with a repo_id, a missing folder is downloaded from the Hub.
        revision: branch, tag or commit on the Hub; None for the tag of LeRobot's format version.
        episodes: indices of the episodes to use; None uses all.
        exclude_episodes: indices of episodes to exclude from these.
        datasets: several datasets instead of repo_id, root, revision, episodes and exclude_episodes: a section each,
            with these keys, `weight`, `rename_map` and `stride` (`getiaction.spec.mixture.Entry`).
        train_batch_size: samples per training batch; with `getiaction train` also `auto`, which fits it to the memory.
        val_batch_size: samples per validation batch; None for train_batch_size.
        val_split: fraction of the episodes to hold out: the last ones of each task, never all of them.
        delta_timestamps: seconds around each frame, by feature key; missing keys are derived.
        stride: frames from one step of the policy to the next: 5 learns to act at 10 Hz from data of 50 fps. Every
            frame still begins a sample.
        num_workers: DataLoader workers; only used with image_transforms or if LeRobotDataset reads the frames.
        video_backend: `torchcodec` or `pyav`; None uses torchcodec if it can be loaded.
        tolerance_s: largest difference in seconds between a decoded frame's time and the requested time.
        image_transforms: for training images only: fields of LeRobot's `ImageTransformsConfig`, or `class_path` and
            `init_args` of a transform of `torchvision.transforms.v2`; in Python also such a transform, or a function.
        use_imagenet_stats: normalize images by ImageNet's mean and standard deviation instead of the dataset's.
        frame_store: where decoded frames are kept: `auto`, `off` or `{max_gb, path}`.
        seed: seed of the order of samples; None for that of `lightning.seed_everything`, or 0.
        dataset: a LeRobotDataset in place of repo_id and root (in Python only). Its episodes, delta_timestamps,
            image_transforms, tolerance and video backend are used unless the arguments above set them.

    Attributes:
        repo_id: the dataset's id; without a repo_id, the id derived from root.
        meta: LeRobot's metadata, after `setup`.
        stats: the statistics used for normalization, after `setup`.
        plan: how frames are loaded and why, after `setup`.
        order: the kind of order of the training samples, after `train_dataloader`.
        progress: called with the progress of downloading and decoding a new dataset; set it before `setup`.
        train_dataset: the episodes to train on, after `setup`.
        val_dataset: the held-out episodes; None if no episode is held out.

    Raises:
        getiaction.errors.DataError: an argument is invalid; or, from `setup`, the dataset can't be found or read, or
            contradicts the recipe.
    """

    def __init__(
        self,
        repo_id: str | None = None,
        *,
        root: str | Path | None = None,
        revision: str | None = None,
        episodes: Sequence[int] | None = None,
        exclude_episodes: Sequence[int] | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        train_batch_size: int | Literal["auto"] = 8,
        val_batch_size: int | None = None,
        val_split: float = 0.0,
        delta_timestamps: Mapping[str, Sequence[float]] | None = None,
        stride: int = 1,
        num_workers: int = 4,
        video_backend: Literal["torchcodec", "pyav"] | None = None,
        tolerance_s: float = 1e-4,
        image_transforms: Mapping[str, Any] | Callable[..., Any] | None = None,
        use_imagenet_stats: bool = True,
        frame_store: Literal["auto", "off"] | bool | Mapping[str, Any] = "auto",
        seed: int | None = None,
        dataset: LeRobotDataset | None = None,
    ) -> None:
        super().__init__()
        self.entries = _entries(datasets, dataset, repo_id, root, revision, episodes, exclude_episodes)
        opened = None if self.entries else _opened(dataset, repo_id, root)
        if opened is not None:
            repo_id, root = opened.repo_id, opened.root
            revision = revision or opened.revision
            episodes = opened.episodes if episodes is None else episodes
            delta_timestamps = opened.delta_timestamps if delta_timestamps is None else delta_timestamps
            image_transforms = opened.image_transforms if image_transforms is None else image_transforms
            video_backend = video_backend or opened._video_backend
            tolerance_s = opened.tolerance_s if tolerance_s == 1e-4 else tolerance_s
        if not 0.0 <= val_split < 1.0:
            raise DataError(f"val_split is a fraction from 0 up to, not including, 1; got {val_split}")
        if isinstance(stride, bool) or not isinstance(stride, int) or stride < 1:
            raise DataError(f"stride is a number of frames, at least 1; got {stride!r}")
        if train_batch_size == "auto":
            train_batch_size = 0  # replaced before training, see `setup`
        self.root = Path(root).expanduser() if root is not None else None
        self._fetched = bool(repo_id)
        self.repo_id = repo_id or id_of(self.root or Path())
        if self.entries:
            self.repo_id = " + ".join(entry.repo_id or str(entry.root) for entry in self.entries)
        self._own_stats = opened.meta.stats if opened is not None else None
        self.revision = revision
        self.episodes = list(episodes) if episodes is not None else None
        self.exclude_episodes = list(exclude_episodes) if exclude_episodes is not None else None
        self.train_batch_size = train_batch_size
        self.val_batch_size = val_batch_size or train_batch_size
        self.val_split = val_split
        self.delta_timestamps = dict(delta_timestamps) if delta_timestamps is not None else None
        self.stride = stride
        self.num_workers = num_workers
        self.video_backend = video_backend
        self.tolerance_s = tolerance_s
        self.image_transforms = image_transforms
        self.use_imagenet_stats = use_imagenet_stats
        self.frame_store = frame_store
        self.seed = seed
        self.meta: LeRobotDatasetMetadata | None = None
        self.stats: Stats = {}
        self.plan: Plan | None = None
        self.progress: Callable[[StoreProgress | DownloadProgress], None] | None = None
        self.train_dataset: Opened | None = None
        self.val_dataset: Opened | None = None
        self._pipeline: Pipeline | MixturePipeline | None = None
        self._held_out: list[int] = []
        self._trained: list[int] | None = None
        self._delta_timestamps: DeltaTimestamps | None = None
        self._drop_n_last_frames = 0
        self._resume_at: dict[str, Any] | None = None
        self._resumed = False
        self._begun = _StartPosition()
        self.order: Order | None = None

    def setup(self, stage: str | None = None) -> None:
        """Find the dataset, derive the windows from the trainer's policy, and open both splits."""
        if self.train_dataset is not None:
            return
        if self.train_batch_size == 0:
            raise DataError("train_batch_size: auto is chosen by `getiaction train`", "set a number here")
        # A dataset that one process can't read ends all of them. All processes use the same loading method, because the
        # order of the samples depends on it.
        while not self._opened_alike():
            pass

    def _opened_alike(self) -> bool:
        """Open the dataset, and exchange the outcome with the other processes; False if all must open it again.

        Raises:
            DataError: the dataset can't be read, here or by another process.
        """
        error: Exception | None = None
        try:
            self._open()
        except Exception as raised:
            error = raised
        outcome = _Outcome(this_host(), first_line(error) if error else "", self.plan)
        outcomes = gather(outcome)
        if error is not None:
            raise error
        for rank, other in enumerate(outcomes):
            if other.failure:
                raise DataError(f"rank {rank} on {other.host} can't read the dataset: {other.failure}")
        assert self.plan is not None and self._pipeline is not None
        plans = [other.plan for other in outcomes if other.plan is not None]
        slowest = max(plans, key=lambda plan: LOADING_METHODS.index(plan.method))
        if all(plan.method == slowest.method for plan in plans):
            return True
        if self.plan.method != slowest.method:
            rank = plans.index(slowest)
            self._pipeline.fall_back(
                slowest.method, f"rank {rank} on {outcomes[rank].host} has no faster way ({slowest.reason})"
            )
        return False

    def _open(self) -> None:
        """Open the episodes of both splits; reuse the pipeline of an earlier attempt."""
        if self._pipeline is None:
            place, self.meta = self.find()
            self.stats = lerobot_datasets.training_stats(self.meta, self.use_imagenet_stats)
            self._delta_timestamps = self._timing(self.meta)
            self._trained, self._held_out = self.split(self.meta)
            with data_errors(self.repo_id, [str(place or self.meta.root)]):
                self._pipeline = self.pipeline(self.meta, place, build=not self._is_trial)
        transforms = image_transforms(self.image_transforms)
        pipeline, held_out, timing = self._pipeline, self._held_out, self._delta_timestamps
        with data_errors(self.repo_id, [str(pipeline.place or pipeline.meta.root)]):
            self.train_dataset = pipeline.open(self._trained, timing, transforms)
            self.val_dataset = pipeline.open(held_out, timing) if held_out else None
            self.plan = pipeline.plan

    def find(self) -> tuple[Path | None, LeRobotDatasetMetadata]:
        """The dataset's folder (None for a mixture) and metadata; see `getiaction.data.metadata.find`."""
        if self.entries:
            found = [find(entry.repo_id, _path(entry.root), entry.revision) for entry in self.entries]
            return None, MixtureMetadata([meta for _, meta in found], self.entries)
        place, meta = find(self.repo_id if self._fetched else None, self.root, self.revision)
        if self._own_stats is not None:  # the user may have changed them; those of depth maps have the dataset's unit
            own = {key: stats for key, stats in self._own_stats.items() if key not in meta.depth_keys}
            meta.stats = {**(meta.stats or {}), **own}
        return place, meta

    def identity(self, meta: LeRobotDatasetMetadata, episode: int) -> tuple[str, int]:
        """The folder that stores an episode, and its index there: equal for two mixture entries of one dataset."""
        if not isinstance(meta, MixtureMetadata):
            return str(meta.root), episode
        part = int(meta.first_episodes.searchsorted(episode, side="right")) - 1
        return str(Path(meta.parts[part].root).resolve()), episode - int(meta.first_episodes[part])

    def used(self, meta: LeRobotDatasetMetadata) -> list[int] | None:
        """The episodes of both splits; None for all of the dataset."""
        if not isinstance(meta, MixtureMetadata):
            return episode_split.used(meta.total_episodes, self.episodes, self.exclude_episodes)
        found = list[int]()
        for i, (part, entry) in enumerate(zip(meta.parts, meta.entries, strict=True)):
            some = episode_split.used(part.total_episodes, entry.episodes, entry.exclude_episodes)
            found += meta.from_part(i, some)
        return found

    def split(self, meta: LeRobotDatasetMetadata) -> tuple[list[int] | None, list[int]]:
        """The episodes to train on and to hold out; see `split_episodes`. Each dataset of a mixture is split."""
        if not isinstance(meta, MixtureMetadata):
            return split_episodes(meta, self.episodes, self.val_split, self.exclude_episodes)
        train, held_out = list[int](), list[int]()
        for i, (part, entry) in enumerate(zip(meta.parts, meta.entries, strict=True)):
            used = episode_split.used(part.total_episodes, entry.episodes, entry.exclude_episodes)
            spare = part.total_episodes if used is None else len(used)
            # A dataset with one episode is only used for training; the other datasets hold out episodes.
            val_split = self.val_split if spare > 1 else 0.0
            some, others = split_episodes(part, entry.episodes, val_split, entry.exclude_episodes)
            train += meta.from_part(i, some)
            held_out += meta.from_part(i, others)
        if self.val_split and not held_out:
            raise DataError(
                f"val_split: {self.val_split} can't hold out an episode of {len(train)}", "set val_split: 0"
            )
        return train, held_out

    def pipeline(
        self, meta: LeRobotDatasetMetadata, place: Path | None, *, build: bool = True
    ) -> Pipeline | MixturePipeline:
        """Make the pipeline with this data module's settings; arguments as for `Pipeline`.

        Raises:
            getiaction.errors.DataError: see `Pipeline`; or a dataset without repo_id lacks a file.
        """
        if isinstance(meta, MixtureMetadata):
            pipelines = [
                self._pipeline_of(part, _path(entry.root), entry, bool(entry.repo_id), build)
                for part, entry in zip(meta.parts, meta.entries, strict=True)
            ]
            return MixturePipeline(meta, pipelines, [Collate(part) for part in meta.parts])
        return self._pipeline_of(meta, place, self, self._fetched, build)

    def _pipeline_of(
        self,
        meta: LeRobotDatasetMetadata,
        place: Path | None,
        options: "LeRobotDataModule | Entry",
        fetched: bool,
        build: bool,
    ) -> Pipeline:
        episodes = episode_split.used(meta.total_episodes, options.episodes, options.exclude_episodes)
        if not fetched and (lacking := missing_files(layout_of(meta), episodes)):
            raise DataError(
                f"{meta.root} lacks files that its metadata names ({len(lacking)}), for example {lacking[0]}",
                "restore the folder, or name the repo_id to fetch them from the Hub",
            )
        return Pipeline(
            meta,
            place,
            episodes=episodes,
            revision=options.revision,
            tolerance_s=self.tolerance_s,
            video_backend=self.video_backend or working_video_backend(),
            frame_store=self.frame_store,
            progress=self.progress,
            build=build,
        )

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the dataset's metadata, after `setup`; for a mixture those of all datasets."""
        assert self.meta is not None
        return self.meta.fingerprint if isinstance(self.meta, MixtureMetadata) else fingerprint(Path(self.meta.root))

    @property
    def _is_trial(self) -> bool:
        """Whether `fast_dev_run` is set: only the frames of its batches are decoded, and none are stored."""
        return self.trainer is not None and bool(self.trainer.fast_dev_run)

    def _timing(self, meta: LeRobotDatasetMetadata) -> DeltaTimestamps | None:
        """Seconds around each frame: those of the recipe, checked and completed by the policy's."""
        policy = self.trainer.lightning_module if self.trainer is not None else None
        if policy is None or not hasattr(policy, "configure_for"):
            return reconcile(self.delta_timestamps, None, meta.features, meta.fps, "")
        config = policy.configure_for(meta)
        wanted = lerobot_datasets.resolve_delta_timestamps(config, meta) or {}
        timing = reconcile(self.delta_timestamps, wanted, meta.features, meta.fps, config.type, self.stride)
        apart = frames_apart((timing or {}).get(lerobot_datasets.ACTION), meta.fps)
        self._drop_n_last_frames = getattr(config, "drop_n_last_frames", 0) * apart
        return timing

    @property
    def frames_apart(self) -> int:
        """Frames from one action of the policy to the next: as in `delta_timestamps`, else `stride`."""
        if self.meta is None:
            return self.stride
        return action_stride(self._delta_timestamps or self.delta_timestamps, self.meta.fps, self.stride)

    def train_dataloader(self) -> DataLoader:
        """Batches in LeRobot's order, a function of seed and epoch, without the frames that the policy drops."""
        self.setup()
        dataset = self.train_dataset
        assert dataset is not None
        try:
            sampler = self._sampler(dataset)
        except ValueError as error:
            raise DataError(
                f"no sample is left of {self.repo_id}: {error}",
                f"the policy leaves out the last {self._drop_n_last_frames} frames of an episode (drop_n_last_frames)",
            ) from error
        return self._loader(dataset, self.train_batch_size, sampler)

    def _sampler(self, dataset: Opened) -> EpisodeSampler | EpisodeAwareSampler:
        """The sampler of an epoch, positioned where a resumed run continues."""
        seed = self.seed if self.seed is not None else int(os.environ.get("PL_GLOBAL_SEED", 0))
        order = _read_order(self._resume_at)
        epoch, parts = self._position()
        self.order = order_of(dataset)
        if isinstance(dataset, WindowDataset | MixtureDataset):
            if order and order["kind"] == "blocks" and isinstance(dataset, WindowDataset):
                self.order = order
            sampler = _sampler_of(
                dataset,
                order=order,
                shuffle=True,
                seed=seed,
                drop_n_last_frames=self._drop_n_last_frames,
                batch_size=self.train_batch_size,
                rank=self.trainer.global_rank if self.trainer is not None else 0,
                world_size=self.trainer.world_size if self.trainer is not None else 1,
            )
            sampler.begin(epoch, parts)
            self._begun = replace(self._begun, within=self._batches(len(sampler)) - sampler.batches_left(epoch, parts))
            return sampler
        sampler = _SelfCountingSampler(
            dataset.meta.episodes["dataset_from_index"],
            dataset.meta.episodes["dataset_to_index"],
            episode_indices_to_use=dataset.episodes,
            drop_n_last_frames=self._drop_n_last_frames,
            shuffle=True,
            seed=seed,
            absolute_to_relative_idx=dataset.absolute_to_relative_idx,
        )
        used = min(sum(part.samples for part in parts), len(sampler))
        sampler.load_state_dict({"epoch": epoch, "start_index": used})
        share = self.trainer.world_size if self.trainer is not None else 1
        whole, left = (self._batches(-(-count // share)) for count in (len(sampler), len(sampler) - used))
        self._begun = replace(self._begun, within=whole - left)
        return sampler

    def _batches(self, samples: int) -> int:
        return -(-samples // self.train_batch_size)

    def val_dataloader(self) -> DataLoader | list[Any]:
        """Every frame of the held-out episodes, in order; an empty list when there are none."""
        self.setup()
        if self.val_dataset is None:
            # Lightning accepts an empty list as "no validation", but warns.
            warnings.filterwarnings("ignore", "Total length of `list` across ranks is zero")
            return []
        sampler = None
        if isinstance(self.val_dataset, WindowDataset | MixtureDataset):
            sampler = _sampler_of(
                self.val_dataset,
                shuffle=False,
                batch_size=self.val_batch_size,
                rank=self.trainer.global_rank if self.trainer is not None else 0,
                world_size=self.trainer.world_size if self.trainer is not None else 1,
            )
        return self._loader(self.val_dataset, self.val_batch_size, sampler)

    def test_dataloader(self) -> DataLoader:
        """The moments at which the policy predicts in the held-out episodes; see `Moments`.

        If no episode is held out, those of the training episodes, with a warning.
        """
        policy: Any = self.trainer.lightning_module if self.trainer is not None else None
        if not hasattr(policy, "predict_chunk"):
            raise DataError("only the trainer of a LeRobotPolicy can ask for the moments at which it predicts")
        if not self._held_out:
            warnings.warn(
                f"no episode of {self.repo_id} is held out (val_split is 0): these are episodes that it was trained on",
                stacklevel=2,
            )
        assert self._pipeline is not None and self.meta is not None
        moments = Moments(
            self._pipeline.open_anywhere(self._held_out or self._trained),
            Collate(self.meta),
            steps=policy.steps_per_prediction,
            observations=policy.observations_per_prediction,
            independent=policy.predictions_are_independent,
            batch_size=self.val_batch_size,
            stride=self.frames_apart,
        )
        return DataLoader(moments, batch_size=None)

    def predict_dataloader(self) -> DataLoader:
        """As `test_dataloader`."""
        return self.test_dataloader()

    def _loader(self, dataset: Opened, batch_size: int, sampler: Sampler[int] | None) -> DataLoader:
        # Batches are gathered in a thread, so that a GPU does not wait; workers would copy each batch once more. On the
        # CPU the thread competes with training: prefetching made a policy with 2 ms per step nine times slower. Image
        # transforms run Python code for each sample, so they need workers; but blocks are decoded for one process.
        plain = isinstance(dataset, WindowDataset) and dataset.image_transforms is None
        plain = plain or (isinstance(dataset, MixtureDataset) and not dataset.needs_workers)
        alone = plain or (isinstance(dataset, WindowDataset) and isinstance(dataset.frames, BlockFrames))
        workers = 0 if alone or self._is_trial else self.num_workers
        ahead = plain and self.trainer is not None and self.trainer.strategy.root_device.type != "cpu"
        return (BatchLoader if ahead else TimedLoader)(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=Collate(dataset.meta),
        )

    # Resuming: Lightning restores a data module before it requests its loaders, and loop counters only after. --------

    def state_dict(self) -> dict[str, Any]:
        """The epoch, the shares of it that were used, and the order of its samples."""
        if self.trainer is None or self.trainer.num_training_batches in (0, float("inf")):
            return {}
        begun, total = self._begun, self._total_batches()
        epochs, within = divmod(begun.within + total - begun.total, int(self.trainer.num_training_batches))
        parts = begun.parts if epochs == 0 else ()
        batches = within - (begun.within if epochs == 0 else 0)
        parts = (*parts, Part(self.trainer.world_size, self.train_batch_size, batches))
        state = {
            "batches": total,
            "epoch": begun.epoch + epochs,
            "parts": [list(part) for part in parts if part.batches],
        }
        return {**state, "order": dict(self.order)} if self.order else state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue with the batch after the last one used."""
        # This data module resumes inside an epoch, which Lightning does not detect.
        warnings.filterwarnings("ignore", "You're resuming from a checkpoint that ended before the epoch ended")
        self._resume_at = dict(state_dict)

    def recount_batches(self) -> None:
        """Set Lightning's batch counters of a resumed epoch for the current number of processes.

        Call it after Lightning has restored its counters, before the first batch.
        """
        if self.trainer is None or not self._resumed:
            return
        current = self.trainer.fit_loop.epoch_loop.batch_progress.current
        if not current.processed:
            return
        used = self._begun.within or int(self.trainer.num_training_batches)  # 0: Lightning is at the end of an epoch
        shift = min(used, int(self.trainer.num_training_batches)) - current.processed
        for counter in ("ready", "started", "processed", "completed"):
            setattr(current, counter, getattr(current, counter) + shift)

    def _total_batches(self) -> int:
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.processed if self.trainer is not None else 0

    def _position(self) -> tuple[int, Parts]:
        """The epoch to start with, and the shares of it that were used already."""
        state, self._resume_at = self._resume_at, None
        if state:
            parts = tuple(Part(*map(int, part)) for part in state["parts"])
            self._resumed, self._begun = True, _StartPosition(int(state["epoch"]), parts, int(state["batches"]))
        else:
            epoch = self.trainer.current_epoch if self.trainer is not None else 0
            self._begun = _StartPosition(epoch, (), self._total_batches())
        return self._begun.epoch, self._begun.parts


def _opened(dataset: Any, repo_id: str | None, root: str | Path | None) -> LeRobotDataset | None:
    """Check the user's dataset object.

    Raises:
        DataError: it is not a plain LeRobotDataset, or is given together with repo_id or root.
    """
    if isinstance(repo_id, LeRobotDataset):
        raise DataError("repo_id takes the id of a dataset as text", "write LeRobotDataModule(dataset=…)")
    if dataset is None:
        if not repo_id and root is None:
            raise DataError("no dataset was named", "give repo_id or root, or in Python dataset=LeRobotDataset(…)")
        return None
    if not isinstance(dataset, LeRobotDataset):
        raise DataError(
            f"dataset takes a LeRobotDataset, not {type(dataset).__name__}",
            "name a dataset by its repo_id or its root",
        )
    if type(dataset).__getitem__ is not LeRobotDataset.__getitem__:
        raise DataError(
            f"{type(dataset).__name__} reads its samples in a way of its own (__getitem__)",
            "a LeRobotDataModule reads the files of a dataset itself; give it a plain LeRobotDataset",
        )
    if repo_id or root is not None:
        raise DataError("a dataset was given and named as well", "give either dataset, or repo_id and root")
    return dataset


@dataclass(frozen=True)
class _StartPosition:
    """The position at which this part of a run started.

    Attributes:
        epoch: The epoch.
        parts: The shares of it that earlier parts used.
        total: Batches that each process had used before, over all epochs.
        within: The used share of the epoch, in batches of the current division.
    """

    epoch: int = 0
    parts: Parts = ()
    total: int = 0
    within: int = 0


@dataclass(frozen=True)
class _Outcome:
    """The result of opening the dataset in one process."""

    host: str
    failure: str
    plan: Plan | None


def _read_order(state: Mapping[str, Any] | None) -> Order | None:
    """The order stored in a checkpoint; None if it is missing or invalid."""
    order = (state or {}).get("order")
    if not isinstance(order, Mapping) or order.get("kind") not in ("shuffled", "blocks"):
        return None
    if order["kind"] == "shuffled":
        return {"kind": "shuffled"}
    length, opened = order.get("length"), order.get("opened")
    if type(length) is not int or type(opened) is not int or length < 1 or opened < 1:
        return None
    return {"kind": "blocks", "length": length, "opened": opened}


class _SelfCountingSampler(EpisodeAwareSampler):
    """LeRobot's sampler, which counts its epochs itself; see `EpisodeSampler.set_epoch`."""

    def set_epoch(self, epoch: int) -> None:
        """No-op: the sampler counts epochs itself."""


class Collate:
    """Stack samples as LeRobot does (unless they are a batch already), and restore the dimension of scalars.

    Args:
        meta: the dataset's metadata.
    """

    def __init__(self, meta: LeRobotDatasetMetadata) -> None:
        self._collate = lerobot_datasets.lerobot_collate_fn if meta.has_language_columns else default_collate
        # LeRobot stores a feature of shape (1,) as a scalar, but policies expect a dimension.
        self._scalars = [
            key
            for key, feature in meta.features.items()
            if tuple(feature["shape"]) == (1,)
            and key.startswith((lerobot_datasets.OBS_PREFIX, lerobot_datasets.ACTION))
        ]

    def __call__(self, samples: list[dict[str, Any]] | dict[str, Any]) -> dict[str, Any]:
        """Return a batch: tensors of shape (batch, [moments,] …), and lists of strings."""
        batch = samples if isinstance(samples, dict) else self._collate(samples)
        for key in self._scalars:
            moments = f"{key}_is_pad" in batch
            if batch[key].ndim == 1 + moments:
                batch[key] = batch[key].unsqueeze(-1)
        return batch


def _entries(datasets: Sequence[Mapping[str, Any]] | None, *beside: Any) -> list[Entry]:
    """Read the entries of a mixture; empty if `datasets` is None.

    Raises:
        DataError: an entry is invalid, or `datasets` is combined with arguments of a single dataset.
    """
    if datasets is None:
        return []
    if any(value is not None for value in beside):
        raise DataError(
            "datasets is given beside dataset, repo_id, root, revision, episodes or exclude_episodes",
            "set these for each dataset, inside the list",
        )
    try:
        entries = mixture.read(datasets)
    except (ValueError, TypeError) as error:
        raise DataError(
            str(error), "for example datasets: [{repo_id: a/b, weight: 2}, {repo_id: c/d, weight: 1}]"
        ) from error
    for number, entry in enumerate(entries):
        if not entry.repo_id and not entry.root:
            raise DataError(f"datasets.{number} names no dataset", "give it a repo_id or a root")
    return entries


def _path(root: str | None) -> Path | None:
    return None if root is None else Path(root).expanduser()


def _sampler_of(
    dataset: WindowDataset | MixtureDataset, *, order: Order | None = None, **options: Any
) -> EpisodeSampler:
    if isinstance(dataset, MixtureDataset):
        return dataset.sampler(**options)
    return sampler_of(dataset, order=order, **options)


def split_episodes(
    meta: LeRobotDatasetMetadata,
    episodes: Sequence[int] | None,
    val_split: float,
    exclude_episodes: Sequence[int] | None = None,
) -> tuple[list[int] | None, list[int]]:
    """Return the episodes to train on (None: all of the dataset) and to hold out.

    As in LeRobot, the last ones of each task are held out; unlike there, never all episodes of a task.

    Raises:
        DataError: an index is out of range, no episode is left, or too few episodes to hold one out.
    """
    total = meta.total_episodes
    for asked, given in (("asks for", episodes), ("excludes", exclude_episodes)):
        wrong = sorted(e for e in set(given or ()) if not 0 <= e < total)
        if wrong or given == []:
            stated = f"episodes {', '.join(map(str, wrong))}" if wrong else "an empty list of episodes"
            raise DataError(f"the recipe {asked} {stated}, the dataset has 0 to {total - 1}")
        if len(set(given or ())) != len(given or ()):
            raise DataError("the recipe names an episode twice", "name each one once")
    chosen = episode_split.used(total, episodes, exclude_episodes)
    if chosen == []:
        raise DataError("exclude_episodes leaves no episode to train on", "exclude fewer of them")
    if not val_split:
        return chosen, []
    base = list(range(total)) if chosen is None else chosen
    tasks = meta.episodes["tasks"][:]  # one read of the column instead of one per row
    positions = episode_split.held_out(((tasks[episode] or [""])[0] or "" for episode in base), val_split)
    if not positions:
        raise DataError(f"val_split: {val_split} can't hold out an episode of {len(base)}", "set val_split: 0")
    held = set(positions)
    return [e for position, e in enumerate(base) if position not in held], [base[position] for position in positions]


def working_video_backend() -> str:
    """Return `torchcodec` if it can be loaded, else `pyav`.

    LeRobot decides in the same way, but prints torchcodec's whole traceback if it can't be loaded.
    """
    try:
        importlib.import_module("torchcodec")
    except (ImportError, OSError, RuntimeError):
        return "pyav"
    return "torchcodec"
