"""Evaluate a policy on recorded episodes: load it, choose episodes, predict, compare, probe."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from getiaction.data.download_progress import DownloadProgress
from getiaction.data.frame_store import StoreProgress
from getiaction.data.lerobot import Collate, LeRobotDataModule, split_episodes
from getiaction.data.metadata import data_errors
from getiaction.data.mixture import rows_of
from getiaction.data.moments import Moments, numbers
from getiaction.data.timing import action_stride
from getiaction.errors import DataError, MachineError, PolicyError
from getiaction.evaluation import baselines, measures, open_loop
from getiaction.evaluation.probes import Probes, chosen_rows
from getiaction.evaluation.result import HOLD_STATE, Comparison, Evaluation, Part, Trajectory
from getiaction.evaluation.source import Source
from getiaction.lerobot.configuration import pretrained_json
from getiaction.lerobot.datasets import ACTION, LeRobotDatasetMetadata
from getiaction.lerobot.features import FeatureType
from getiaction.policies.lerobot.policy import LeRobotPolicy, load_pretrained

# The maximum number of episodes to evaluate without --episodes; they are evenly spread.
MAX_EPISODES = 50
# The maximum number of training episodes to compare with held-out ones.
MAX_COMPARED = 10
TRAJECTORIES = 3
IMAGES_PER_TRAJECTORY = 6
STATE = "observation.state"

Watch = Callable[[str, int, int], None]


def evaluate(
    source: Source,
    data: Mapping[str, Any] | None,
    *,
    trained_on: Mapping[str, Any] | None = None,
    chosen: Sequence[int] | None = None,
    most_episodes: int | None = None,
    device: str = "auto",
    revision: str | None = None,
    watch: Watch | None = None,
    progress: Callable[[StoreProgress | DownloadProgress], None] | None = None,
    pictures: bool = False,
) -> Evaluation:
    """Compare a policy's predictions with recorded actions.

    Args:
        source: the place of the policy.
        data: arguments of `LeRobotDataModule`; None for the dataset that the policy was trained on.
        trained_on: likewise for the dataset that the policy was trained on; None to read it from the policy's folder.
        chosen: indices of the episodes to evaluate; None for the held-out ones, or without any for all.
        most_episodes: maximum number of these, evenly spread; None for MAX_EPISODES.
        device: `auto`, `cpu`, `cuda`, `mps` or `xpu`.
        revision: branch, tag or commit of a policy on the Hub.
        watch: called with the current activity, the frames done and the frames in total.
        progress: called with the progress of downloading a new dataset.
        pictures: whether to add images to the trajectories.

    Raises:
        getiaction.errors.TrainingError: the policy or the dataset can't be read, or they don't fit each other.
    """
    watch = watch or (lambda what, done, of: None)
    watch("loading the policy", 0, 0)
    policy = load(source, device, revision)
    trained_on = trained_on or _own_dataset(source, revision)
    data = data or trained_on
    if data is None:
        raise DataError(
            f"{source.place} does not record which dataset it was trained on",
            "name one to evaluate it on: --data.repo_id OWNER/NAME, with --data.root FOLDER where it is a folder",
        )
    data, trained_on = _of_mixture(data, trained_on)
    module = _module(data)
    module.progress = progress
    place, meta = module.find()
    require_fit(policy, meta)
    selection = _select(module, meta, data, trained_on, chosen, most_episodes or MAX_EPISODES)

    watch(f"reading {module.repo_id}", 0, 0)
    with data_errors(module.repo_id, [str(place or meta.root)]):
        pipeline = module.pipeline(meta, place, build=False)
        settings = trained_on or data
        stride = action_stride(settings.get("delta_timestamps"), meta.fps, int(settings.get("stride") or 1))
        moments = _moments(policy, pipeline, meta, selection.episodes, stride)
        others = _moments(policy, pipeline, meta, selection.compared, stride) if selection.compared else None

        watch("predicting", 0, len(moments.actions))
        begun = time.monotonic()
        found = open_loop.predict(policy, moments, lambda done, of: watch("predicting", done, of))
        seconds = time.monotonic() - begun
        theirs = others and open_loop.predict(policy, others, lambda done, of: watch("on training episodes", done, of))

    fps = float(meta.fps) / stride
    joints = _Joints.of(meta, found, theirs)
    scale = joints.scale
    simple, no_state = _baselines(found, moments, meta, joints)

    watch("measuring what it looks at", 0, 0)
    frame_bytes = sum(int(np.prod(meta.features[key]["shape"])) for key in meta.camera_keys)
    size = open_loop.batch_size(meta, policy.observations_per_prediction)
    probes = Probes(policy, moments, chosen_rows(moments, frame_bytes), scale, size)
    state_keys = [key for key, feature in policy.inputs.items() if feature.type in (FeatureType.STATE, FeatureType.ENV)]
    camera_keys = [key for key, feature in policy.inputs.items() if feature.type is FeatureType.VISUAL]
    episodes = measures.episodes(found, scale, [_task(meta, number) for number in found.numbers.tolist()])
    return Evaluation(
        model=source.place,
        policy=str(policy.policy_name),
        dataset=meta.repo_id,
        root=str(meta.root),
        fps=fps,
        part=selection.part,
        available=selection.available,
        steps=policy.steps_per_prediction if policy.predictions_are_independent else 1,
        observations=policy.observations_per_prediction,
        camera_inputs=tuple(camera_keys),
        state_inputs=tuple(state_keys),
        joints=measures.joints(found, simple, joints.names, joints.low, joints.high),
        episodes=episodes,
        tasks=measures.by_task(episodes),
        horizon=measures.horizon(found, found.actions, scale, moments.steps),
        baseline_horizon={k: measures.horizon(found, values, scale, moments.steps) for k, values in simple.items()},
        error=joints.error(found.actions, found),
        baselines={name: joints.error(values, found) for name, values in simple.items()},
        no_state=no_state,
        worst=measures.worst(found, scale, joints.names, fps),
        cameras=probes.exchange(camera_keys),
        state=probes.exchange(state_keys),
        trained=_comparison(theirs, others, meta, joints),
        borders=measures.borders(found, scale),
        latency=probes.latency(),
        frames=len(found.actions),
        seconds=seconds,
        trajectories=_trajectories(found, moments, meta, pictures=pictures),
    )


@dataclass(frozen=True)
class _Selection:
    """The selected episodes.

    Attributes:
        part: whether the policy was trained on them.
        available: number of such episodes in the dataset.
        episodes: the episodes to evaluate.
        compared: training episodes to compare held-out ones with.
    """

    part: Part
    available: int
    episodes: Sequence[int]
    compared: Sequence[int]


@dataclass(frozen=True)
class _Joints:
    """The dimensions of the action with their recorded range and mean, `(action,)` each."""

    names: Sequence[str]
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, meta: LeRobotDatasetMetadata, *predicted: measures.Predicted | None) -> _Joints:
        """The dimensions of all recorded actions."""
        recorded = np.concatenate([found.recorded for found in predicted if found])
        names = baselines.joint_names(meta.features[ACTION], recorded.shape[1])
        return cls(names, recorded.min(axis=0), recorded.max(axis=0), recorded.mean(axis=0))

    @property
    def scale(self) -> np.ndarray:
        """The recorded range."""
        return self.high - self.low

    def error(self, values: np.ndarray, found: measures.Predicted) -> float:
        """The error of predicted values as a share of the range."""
        return float(measures.share(np.abs(values - found.recorded), self.scale).mean())


def _select(
    module: LeRobotDataModule,
    meta: LeRobotDatasetMetadata,
    data: Mapping[str, Any],
    trained_on: Mapping[str, Any] | None,
    chosen: Sequence[int] | None,
    most: int,
) -> _Selection:
    """Choose at most `most` episodes, evenly spread, and restrict the data module to them."""
    part, candidates, training = _parts(meta, module, data, trained_on, chosen)
    episodes = measures.evenly(candidates, most)
    compared = measures.evenly(training, min(len(episodes), MAX_COMPARED)) if part == "held-out" else []
    usable, needed = module.used(meta), {*episodes, *compared}
    if usable is not None and not needed <= set(usable):
        module.episodes, module.exclude_episodes = sorted(needed), None
        for entry in module.entries:
            entry.episodes = entry.exclude_episodes = None
    return _Selection(part, len(candidates), episodes, compared)


def load(source: Source, device: str = "auto", revision: str | None = None) -> LeRobotPolicy:
    """Load the policy, ready to act.

    Raises:
        PolicyError: it can't be loaded.
        MachineError: this machine has no such device.
    """
    device = _device(device)
    if not source.is_checkpoint:
        return load_pretrained(source.place, revision=revision, device=device)
    try:
        return LeRobotPolicy.load_from_checkpoint(source.place, map_location=device)
    except (RuntimeError, OSError, EOFError, KeyError) as error:
        raise PolicyError(f"{source.place} can't be read: {error}", "name another checkpoint of the run") from error


def _device(wanted: str) -> str:
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "xpu", "mps", "cpu") if available[name])
    if not available.get(wanted.partition(":")[0], False):
        raise MachineError(f"this machine has no {wanted}", "leave --device out, or name cpu")
    return wanted


def _own_dataset(source: Source, revision: str | None) -> dict[str, Any] | None:
    """The dataset that lerobot-train records beside a policy."""
    if source.is_checkpoint:
        return None
    try:
        noted = pretrained_json(source.place, "train_config.json", revision).get("dataset")
    except PolicyError:
        return None
    if not isinstance(noted, dict) or not isinstance(noted.get("repo_id"), str):
        return None
    known = ("repo_id", "root", "revision", "episodes", "exclude_episodes")
    kept = {key: noted[key] for key in known if noted.get(key) is not None}
    split = noted.get("eval_split")
    return kept | ({"val_split": float(split)} if isinstance(split, int | float) and 0 < split < 1 else {})


def _of_mixture(
    data: Mapping[str, Any], trained_on: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """For a policy trained on a mixture, replace both arguments by the entries that `data` names by repo_id."""
    entries = (trained_on or {}).get("datasets")
    name = data.get("repo_id")
    if trained_on is None or not isinstance(entries, list) or not name:
        return data, trained_on
    named = [entry for entry in entries if isinstance(entry, Mapping) and entry.get("repo_id") == name]
    if not named or data.get("root") not in (None, *(entry.get("root") for entry in named)):
        return data, trained_on
    both = {**trained_on, "datasets": named}
    return both, both


def _module(data: Mapping[str, Any]) -> LeRobotDataModule:
    if not data.get("datasets") and not (isinstance(data.get("repo_id"), str) or isinstance(data.get("root"), str)):
        raise DataError("no dataset was named", "name one: --data.repo_id OWNER/NAME, or --data.root FOLDER")
    try:
        return LeRobotDataModule(**{**data, "delta_timestamps": None, "image_transforms": None})
    except TypeError as error:
        raise DataError(f"data: {error}") from error


def _parts(
    meta: LeRobotDatasetMetadata,
    module: LeRobotDataModule,
    data: Mapping[str, Any],
    trained_on: Mapping[str, Any] | None,
    chosen: Sequence[int] | None,
) -> tuple[Part, list[int], list[int]]:
    """Whether the policy was trained on the episodes, the candidates, and the training episodes to compare with."""
    everything = list(range(meta.total_episodes))
    if chosen is not None:
        split_episodes(meta, chosen, 0.0)  # raises for indices out of range
    trained, held_out = module.split(meta)  # raises for the recipe's indices out of range
    usable = module.used(meta)
    if trained_on is None:
        return "unknown", list(chosen or usable or everything), []
    same = all(data.get(key) == trained_on.get(key) for key in ("repo_id", "root", "revision", "datasets"))
    if not same:
        return "new", list(chosen or usable or everything), []
    if not module.entries:
        val_split = float(trained_on.get("val_split") or 0.0)
        lists = trained_on.get("episodes"), trained_on.get("exclude_episodes")
        trained, held_out = split_episodes(meta, lists[0], val_split, lists[1])
    training = everything if trained is None else trained
    candidates = list(chosen or held_out or training)
    seen = {module.identity(meta, episode) for episode in training}
    known = any(module.identity(meta, episode) in seen for episode in candidates)
    return ("training" if known else "held-out"), candidates, ([] if known else training)


def require_fit(policy: LeRobotPolicy, meta: LeRobotDatasetMetadata) -> None:
    """Check that the dataset has the policy's inputs, and actions of the size that it predicts.

    Raises:
        DataError: a feature is missing, or its size differs.
    """
    # Some policies fill cameras that a dataset lacks.
    missing = [key for key in policy.inputs if key not in meta.features and "empty_camera" not in key]
    if missing:
        raise DataError(
            f"{policy.policy_name} reads {', '.join(missing)}, which {meta.repo_id} does not have",
            f"it has {', '.join(key for key in meta.features if key.startswith('observation'))}",
        )
    sizes = [(key, f.shape) for key, f in policy.inputs.items() if f.type is FeatureType.STATE]
    assert policy.config is not None
    sizes += [(key, feature.shape) for key, feature in policy.config.output_features.items() if key == ACTION]
    for key, shape in sizes:
        if key in meta.features and tuple(meta.features[key]["shape"]) != tuple(shape):
            theirs = "×".join(map(str, meta.features[key]["shape"]))
            raise DataError(
                f"{policy.policy_name} was trained with {key} of {'×'.join(map(str, shape))} numbers, "
                f"{meta.repo_id} has {theirs}"
            )


def _moments(
    policy: LeRobotPolicy, pipeline: Any, meta: LeRobotDatasetMetadata, episodes: Sequence[int], stride: int
) -> Moments:
    return Moments(
        pipeline.open_anywhere(episodes),
        Collate(meta),
        steps=policy.steps_per_prediction,
        observations=policy.observations_per_prediction,
        independent=policy.predictions_are_independent,
        batch_size=open_loop.batch_size(meta, policy.observations_per_prediction),
        stride=stride,
    )


def _baselines(
    found: measures.Predicted,
    moments: Moments,
    meta: LeRobotDatasetMetadata,
    joints: _Joints,
) -> tuple[dict[str, np.ndarray], str]:
    """The baselines' predictions, and why holding the state is not among them (empty if it is)."""
    state, why = None, ""
    if STATE not in meta.features:
        why = f"{meta.repo_id} has no {STATE}"
    else:
        values = numbers(moments.dataset, STATE)[moments.frames].astype(np.float32)
        places = baselines.corresponding(joints.names, baselines.joint_names(meta.features[STATE], values.shape[1]))
        if places is None:
            why = f"the dimensions of {STATE} and {ACTION} don't correspond"
        elif not baselines.follows(found.recorded, values[:, places], joints.mean, joints.scale):
            why = f"{ACTION} is not a position like {STATE}"
        else:
            state = values[:, places]
    simple = baselines.predictions(
        found.recorded,
        state,
        rows=found.rows,
        starts=found.starts,
        firsts=found.first,
        mean=joints.mean,
        low=joints.low,
        high=joints.high,
    )
    assert why or HOLD_STATE in simple
    return simple, why


def _comparison(
    theirs: measures.Predicted | None,
    others: Moments | None,
    meta: LeRobotDatasetMetadata,
    joints: _Joints,
) -> Comparison | None:
    if theirs is None or others is None:
        return None
    simple, _ = _baselines(theirs, others, meta, joints)
    return Comparison(
        episodes=tuple(theirs.numbers.tolist()),
        frames=len(theirs.actions),
        error=joints.error(theirs.actions, theirs),
        baselines={name: joints.error(values, theirs) for name, values in simple.items()},
    )


def _task(meta: LeRobotDatasetMetadata, episode: int) -> str:
    tasks = meta.episodes["tasks"][episode]
    return str(tasks[0]) if tasks else ""


def _trajectories(
    found: measures.Predicted, moments: Moments, meta: LeRobotDatasetMetadata, *, pictures: bool
) -> tuple[Trajectory, ...]:
    """Some episodes, evenly spread, for charts."""
    made = []
    for place in measures.evenly(list(range(len(found.numbers))), TRAJECTORIES):
        rows = found.slices[place]
        first = int(found.firsts[place])
        made.append(
            Trajectory(
                episode=int(found.numbers[place]),
                recorded=found.recorded[rows],
                predicted=found.actions[rows],
                starts=np.unique(found.starts[rows]) - first,
                pictures=_pictures(moments, meta, first, int(found.lengths[place])) if pictures else (),
            )
        )
    return tuple(made)


def _pictures(
    moments: Moments, meta: LeRobotDatasetMetadata, first: int, length: int
) -> tuple[tuple[str, int, bytes], ...]:
    """Small images of an episode's colour cameras at some moments."""
    frames = measures.evenly(list(range(length)), IMAGES_PER_TRAJECTORY)
    batch = rows_of(moments.dataset, moments.frames[first + np.array(frames)], moments.collate)
    cameras = [key for key in meta.camera_keys if key not in meta.depth_keys]
    return tuple(
        (key, frame, _jpeg(picture)) for key in cameras for frame, picture in zip(frames, batch[key], strict=True)
    )


def _jpeg(picture: torch.Tensor) -> bytes:
    from PIL import Image

    if picture.dtype != torch.uint8:
        picture = (picture * 255).round().clamp(0, 255).to(torch.uint8)
    image = Image.fromarray(picture.permute(1, 2, 0).numpy())
    image.thumbnail((320, 320))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return file.getvalue()
