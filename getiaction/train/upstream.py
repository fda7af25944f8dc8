"""Everything getiaction asks of LeRobot: the only file of the core that imports it.

Written for lerobot 0.6; what an upgrade renames is mended here and nowhere else. The functions are thin: where
LeRobot's own code can do a thing (building a policy, its processors, its dataset), it does it.
"""

import contextlib
import copy
import difflib
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import draccus
import lerobot.policies  # noqa: F401  (importing it registers every config class)
import numpy as np
import torch
from draccus.utils import DecodingError, ParsingError
from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.configs.video import DEFAULT_DEPTH_UNIT, DEPTH_METER_UNIT, DepthEncoderConfig
from lerobot.datasets.dataset_metadata import CODEBASE_VERSION, LeRobotDatasetMetadata
from lerobot.datasets.depth_utils import MM_PER_METRE, dequantize_depth
from lerobot.datasets.factory import resolve_delta_timestamps
from lerobot.datasets.feature_utils import check_delta_timestamps, get_delta_indices
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.sampler import EpisodeAwareSampler
from lerobot.datasets.video_utils import decode_video_frames
from lerobot.policies.factory import (
    _reconnect_relative_absolute_steps,
    get_policy_class,
    make_policy,
    make_pre_post_processors,
)
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.processor import (
    DeviceProcessorStep,
    PolicyProcessorPipeline,
    RenameObservationsProcessorStep,
    batch_to_transition,
    policy_action_to_transition,
    rename_stats,
    transition_to_batch,
    transition_to_policy_action,
)
from lerobot.transforms import ImageTransforms, ImageTransformsConfig
from lerobot.utils.collate import lerobot_collate_fn
from lerobot.utils.constants import ACTION, HF_LEROBOT_HOME, HF_LEROBOT_HUB_CACHE, IMAGENET_STATS, OBS_PREFIX
from lerobot.utils.feature_utils import dataset_to_policy_features
from lerobot.utils.import_utils import register_third_party_plugins

from getiaction.errors import DataError, PolicyError, TrainingError
from getiaction.installing import install_command

__all__ = [
    "ACTION",
    "CODEBASE_VERSION",
    "HF_LEROBOT_HOME",
    "HF_LEROBOT_HUB_CACHE",
    "OBS_PREFIX",
    "EpisodeAwareSampler",
    "FeatureType",
    "LeRobotDataset",
    "LeRobotDatasetMetadata",
    "PolicyFeature",
    "PreTrainedConfig",
    "PreTrainedPolicy",
    "dataset_to_policy_features",
    "get_policy_class",
    "lerobot_collate_fn",
    "resolve_delta_timestamps",
]

log = logging.getLogger(__name__)

Features = dict[str, PolicyFeature]
Stats = dict[str, dict[str, Any]]
Processors = tuple[PolicyProcessorPipeline, PolicyProcessorPipeline]

# What FastWAM starts again where the robot has other numbers than the checkpoint's, and says so in its log.
_MADE_FOR_THE_ROBOT = {
    "fastwam": (
        "model.mot.mixtures.action.action_encoder.",
        "model.mot.mixtures.action.head.",
        "model.proprio_encoder.",
    )
}

# Their saved steps don't take what lerobot-train puts into them, or lose by it: MolmoAct2's normalizers have names of
# their own, and LingBot-VA's unnormalizer works otherwise than its normalization_mapping says.
_PROCESSORS_BY_CONFIG = ("molmoact2", "lingbot_va")

# Weights that a constructor fetches and that a checkpoint then overwrites.
_FETCHED_BY_CONSTRUCTOR = {"pretrained_backbone_weights": None, "load_vlm_weights": False}


# Names ---------------------------------------------------------------------------------------------------------------


def policy_names() -> list[str]:
    """Every policy that LeRobot and the installed plugins register, sorted."""
    return sorted(PreTrainedConfig.get_known_choices())


def config_class(policy: str) -> type[PreTrainedConfig]:
    """The configuration class of a policy.

    Raises:
        PolicyError: LeRobot and its installed plugins know no policy of that name.
    """
    if policy not in PreTrainedConfig.get_known_choices():
        register_third_party_plugins()
    if policy not in PreTrainedConfig.get_known_choices():
        close = difflib.get_close_matches(policy, policy_names(), n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"Known policies: {', '.join(policy_names())}."
        raise PolicyError(f"LeRobot has no policy `{policy}`", hint)
    return PreTrainedConfig.get_choice_class(policy)


# Configurations ------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """The same value in lists, dictionaries, strings and numbers, which any reader can load without running code."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):  # tensors and arrays
        return value.tolist()
    return draccus.encode(value)


def config_to_plain(config: PreTrainedConfig) -> dict[str, Any]:
    """Every field of a configuration, with the policy's name under `type`, as LeRobot writes config.json."""
    return plain(draccus.encode(config, PreTrainedConfig))


def make_config(policy: str, values: Mapping[str, Any], device: str) -> PreTrainedConfig:
    """Build a configuration from plain values, with LeRobot's own decoding and checks.

    Args:
        policy: the policy's registered name.
        values: fields of its configuration class; what is left out keeps its default.
        device: `cpu`, `cuda`, `mps` or `xpu`; given always, because LeRobot would choose (and warn) otherwise.

    Raises:
        PolicyError: an unknown field, a value of the wrong type, or one that the policy's own checks refuse.
    """
    cls = config_class(policy)
    known = {each.name for each in fields(cls) if each.init}
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{close[0]}`?" if close else f"It takes: {', '.join(sorted(known))}."
            raise PolicyError(f"{policy} has no parameter `{name}`", hint)
    with policy_errors(policy):
        return draccus.decode(cls, {**plain(values), "device": device})


def pretrained_config_values(policy: str, path: str, revision: str | None) -> dict[str, Any]:
    """The fields in the config.json of a `pretrained_model` folder or Hub repository, without `type` and `device`.

    Raises:
        PolicyError: the folder or repository has none, or it is that of another policy.
    """
    try:
        if Path(path).is_dir():
            file = Path(path) / "config.json"
        else:
            from huggingface_hub import hf_hub_download

            file = Path(hf_hub_download(path, "config.json", revision=revision))
        values = json.loads(file.read_text())
    except (OSError, ValueError) as error:  # what the Hub raises is an OSError or a ValueError too
        where = "in the folder" if Path(path).is_dir() else "as a folder or on the Hub"
        raise PolicyError(
            f"no readable config.json of pretrained_path {path} {where}: {first_line(error)}",
            "Give a folder that LeRobot or getiaction saved (…/pretrained_model), or a Hub id (lerobot/smolvla_base).",
        ) from error
    found = values.pop("type", None)
    if found != policy:
        raise PolicyError(f"pretrained_path {path} holds a {found} policy, the model is {policy}")
    values.pop("device", None)
    return values


# Policies ------------------------------------------------------------------------------------------------------------


class DatasetView:
    """What LeRobot reads of a dataset while building a policy: chosen features, their statistics, and the rest of it.

    Args:
        features: raw LeRobot features (dtype, shape, names) by key.
        stats: statistics by key.
        meta: the dataset's metadata, for the few policies that look further (root, fps); None when there is no dataset.
    """

    def __init__(self, features: Mapping[str, Any], stats: Stats | None, meta: LeRobotDatasetMetadata | None) -> None:
        self.features = dict(features)
        self.stats = stats
        self._meta = meta

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__dict__.get("_meta") is None:
            raise AttributeError(name)
        return getattr(self._meta, name)


def split_features(features: Mapping[str, PolicyFeature]) -> tuple[Features, Features]:
    """Inputs and outputs of a policy among all features: actions go out, everything else comes in."""
    outputs = {key: ft for key, ft in features.items() if ft.type is FeatureType.ACTION}
    return {key: ft for key, ft in features.items() if key not in outputs}, outputs


def as_policy_features(features: Mapping[str, Any]) -> Features:
    """Features given as LeRobot's `PolicyFeature`, as `{type, shape}` or as a dataset has them, in LeRobot's form."""
    raw = {key: ft for key, ft in features.items() if isinstance(ft, Mapping) and "dtype" in ft}
    found = dataset_to_policy_features({key: {"names": None, **ft} for key, ft in raw.items()})
    for key, ft in features.items():
        if isinstance(ft, PolicyFeature):
            found[key] = ft
        elif key not in raw:
            found[key] = PolicyFeature(type=FeatureType(ft["type"]), shape=tuple(ft["shape"]))
    return {key: found[key] for key in features if key in found}


def as_raw_features(features: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The same features as a dataset would declare them; those that already are stay as they are."""
    raw = {}
    for key, ft in features.items():
        if isinstance(ft, Mapping) and "dtype" in ft:
            raw[key] = dict(ft)
            continue
        feature = as_policy_features({key: ft})[key]
        visual = feature.type is FeatureType.VISUAL
        names = ["channels", "height", "width"] if visual else None
        raw[key] = {"dtype": "image" if visual else "float32", "shape": tuple(feature.shape), "names": names}
    return raw


def build_policy(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> PreTrainedPolicy:
    """A policy with fresh weights, or with those of `config.pretrained_path`, in training mode.

    Raises:
        PolicyError: the policy refuses the features, an extra is missing, or weights can't be fetched or loaded whole.
    """
    with policy_errors(config.type), quiet_prints():
        if not config.pretrained_path:
            cameras = (feature.get("dtype") in ("image", "video") for feature in view.features.values())
            if config.image_features if config.input_features else any(cameras):
                ensure_backbone_weights(config)
            return make_policy(config, ds_meta=view, rename_map=dict(rename_map)).train()
        with without_fetched_weights(config), observed_loads() as loads:
            policy = make_policy(config, ds_meta=view, rename_map=dict(rename_map))
        _require_whole_load(policy, loads)
    return policy.train()


def build_empty_policy(config: PreTrainedConfig, weights: Mapping[str, torch.Tensor]) -> PreTrainedPolicy:
    """The policy of a finished configuration, of the types of these weights, which are about to be loaded into it."""
    given = config.pretrained_path
    # Some constructors fetch a base model unless the configuration says that a checkpoint will follow.
    config.pretrained_path = given or Path("checkpoint")
    try:
        with policy_errors(config.type), quiet_prints(), without_fetched_weights(config):
            policy = get_policy_class(config.type)(config)
    finally:
        config.pretrained_path = given
    for name, tensor in policy.state_dict(keep_vars=True).items():
        if name in weights and tensor.dtype != weights[name].dtype:
            tensor.data = tensor.data.to(weights[name].dtype)
    return policy.to(config.device)


@contextlib.contextmanager
def without_fetched_weights(config: PreTrainedConfig) -> Iterator[None]:
    """While it lasts, the constructor of this configuration's policy fetches no weights."""
    kept = {name: getattr(config, name) for name in _FETCHED_BY_CONSTRUCTOR if hasattr(config, name)}
    for name in kept:
        setattr(config, name, _FETCHED_BY_CONSTRUCTOR[name])
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(config, name, value)


def ensure_backbone_weights(config: PreTrainedConfig) -> None:
    """Fetch the ResNet weights a configuration names, unless torch's cache has them.

    Raises:
        PolicyError: torchvision has no such weights, or they are neither cached nor to be had.
    """
    name = getattr(config, "pretrained_backbone_weights", None)
    if name is None:
        return
    import torchvision

    if "." not in name:  # "IMAGENET1K_V1": torchvision's networks take it for the one of their own
        name = f"{config.vision_backbone.replace('resnet', 'ResNet')}_Weights.{name}"
    way_out = "Train without them: --model.init_args.pretrained_backbone_weights null"
    if config.type not in ("act",):
        way_out = "Train without them: --model.init_args.config_kwargs.pretrained_backbone_weights null"
    try:
        weights = torchvision.models.get_weight(name)
    except (ValueError, KeyError, AttributeError) as error:
        raise PolicyError(f"torchvision has no weights named {name} (pretrained_backbone_weights)", way_out) from error
    backbone = config.vision_backbone
    if type(weights).__name__.lower() != f"{backbone}_weights":
        raise PolicyError(
            f"pretrained_backbone_weights {name} are not those of vision_backbone {backbone}",
            f"Name weights of {backbone}, or none: pretrained_backbone_weights: null",
        )
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / weights.url.rsplit("/", 1)[1]
    if file.exists():
        return
    import urllib.request

    try:
        # Asked first, with a limit: torch's own download waits for as long as the network keeps silent.
        with urllib.request.urlopen(weights.url, timeout=10):
            pass
        torch.hub.load_state_dict_from_url(weights.url, progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise PolicyError(
            f"the backbone weights {name} are not in {folder} and can't be downloaded: {first_line(error)}",
            f"{way_out}\nOr put {file.name} from {weights.url} into that folder.",
        ) from error


@dataclass
class Load:
    """What one `load_state_dict` did."""

    module: torch.nn.Module
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    error: str = ""


@contextlib.contextmanager
def observed_loads() -> Iterator[list[Load]]:
    """Every `load_state_dict` while it lasts, also those whose outcome the caller throws away."""
    original = torch.nn.Module.load_state_dict
    loads: list[Load] = []

    def observed(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        try:
            result = original(module, *args, **kwargs)
        except Exception as error:
            loads.append(Load(module, error=first_line(error)))
            raise
        loads.append(Load(module, list(result.missing_keys), list(result.unexpected_keys)))
        return result

    torch.nn.Module.load_state_dict = observed  # type: ignore[method-assign]
    try:
        yield loads
    finally:
        torch.nn.Module.load_state_dict = original  # type: ignore[method-assign]


def _require_whole_load(policy: PreTrainedPolicy, loads: list[Load]) -> None:
    """Make sure that every tensor of a checkpoint is in the policy, and every tensor of the policy is from it.

    LeRobot loads without strictness, and the pi0 family swallows every error while loading and returns random weights.

    Raises:
        PolicyError: a tensor is missing on either side, has another shape, or nothing was loaded at all.
    """
    config = policy.config
    start = f"{config.pretrained_path} does not fill this {config.type} policy"
    hint = "Leave out the parameters that change the network, or start without pretrained_path."
    mine = [load for load in loads if load.module is policy]
    if not mine:
        if config.type == "groot":  # NVIDIA's own checkpoint, which the constructor reads
            return
        raise PolicyError(f"{start}: its model.safetensors can't be fetched or read", hint)
    load = mine[-1]
    held = policy.state_dict()
    storages = {held[name].data_ptr() for name in held if name not in load.missing}  # tied tensors are stored once
    started_again = (*(getattr(config, "reinit_modules", None) or ()), *_MADE_FOR_THE_ROBOT.get(config.type, ()))
    wrong = [load.error] if load.error else [f"{name} has no place in the policy" for name in load.unexpected]
    wrong += [
        f"{name} is not in the checkpoint"
        for name in load.missing
        if held[name].numel() and held[name].data_ptr() not in storages and not name.startswith(started_again or "\0")
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise PolicyError(f"{start}: {', '.join(wrong[:3])}{more}", hint)


# Processors ----------------------------------------------------------------------------------------------------------


def make_processors(config: PreTrainedConfig, view: DatasetView, rename_map: Mapping[str, str]) -> Processors:
    """The steps before and after a policy, as lerobot-train makes them.

    Fresh ones come from the policy; with `config.pretrained_path` they come from there, with this dataset's statistics
    (except where the configuration alone says what they are).
    Unlike lerobot-train, statistics follow `rename_map`; under their old names LeRobot would skip normalizing.
    """
    stats = rename_stats(view.stats or {}, dict(rename_map))
    with policy_errors(config.type), quiet_prints():
        if not config.pretrained_path or config.type in _PROCESSORS_BY_CONFIG:
            made = make_pre_post_processors(config, dataset_stats=stats, dataset_meta=view)
            for step in made[0].steps:
                if isinstance(step, RenameObservationsProcessorStep):
                    step.rename_map = dict(rename_map)
            return made
        features = {**config.input_features, **config.output_features}
        norm_map = config.normalization_mapping
        before: dict[str, Any] = {
            "device_processor": {"device": config.device},
            "normalizer_processor": {"features": features, "norm_map": norm_map, "stats": stats},
            "rename_observations_processor": {"rename_map": dict(rename_map)},
        }
        after: dict[str, Any] = {
            "unnormalizer_processor": {"features": config.output_features, "norm_map": norm_map, "stats": stats}
        }
        if getattr(config, "use_relative_actions", False):
            before["relative_actions_processor"] = {
                "enabled": True,
                "exclude_joints": getattr(config, "relative_exclude_joints", []),
                "action_names": getattr(config, "action_feature_names", None),
            }
            after["absolute_actions_processor"] = {"enabled": True}
        return make_pre_post_processors(
            config,
            pretrained_path=str(config.pretrained_path),
            pretrained_revision=config.pretrained_revision,
            dataset_stats=stats,
            preprocessor_overrides=before,
            postprocessor_overrides=after,
        )


def processors_to_plain(
    preprocessor: PolicyProcessorPipeline, postprocessor: PolicyProcessorPipeline
) -> dict[str, Any]:
    """Both pipelines as plain values and tensors, enough to make them again."""
    return {
        name: {"config": plain(pipeline.get_config()), "state": pipeline.state_dict()}
        for name, pipeline in (("preprocessor", preprocessor), ("postprocessor", postprocessor))
    }


def processors_from_plain(saved: Mapping[str, Any], config: PreTrainedConfig) -> Processors:
    """The inverse of `processors_to_plain`, on the configuration's device.

    Raises:
        PolicyError: a step is a class that is neither LeRobot's nor of one of its plugins.
    """
    converters = {
        "preprocessor": (batch_to_transition, transition_to_batch),
        "postprocessor": (policy_action_to_transition, transition_to_policy_action),
    }
    made = []
    for name, (to_transition, to_output) in converters.items():
        part = saved[name]
        for step in part["config"]["steps"]:
            # A checkpoint names classes; only those that processors are made of may be imported for it.
            if not re.match(r"lerobot(_policy_\w+)?\.", step.get("class", "lerobot.")):
                raise PolicyError(f"the checkpoint's {name} asks for the class {step['class']}, which is not LeRobot's")
            if step.get("config", {}).get("trust_remote_code") and config.type != "pi0_fast":
                raise PolicyError(
                    f"the checkpoint's {name} asks for code from elsewhere, which {config.type} never needs"
                )
        with policy_errors(config.type), quiet_prints():
            made.append(
                PolicyProcessorPipeline.from_config(
                    copy.deepcopy(part["config"]),
                    state_dict=part["state"],
                    to_transition=to_transition,
                    to_output=to_output,
                )
            )
    preprocessor, postprocessor = made
    _reconnect_relative_absolute_steps(preprocessor, postprocessor)
    send_to(preprocessor, config.device)
    return preprocessor, postprocessor


def send_to(preprocessor: PolicyProcessorPipeline, device: str) -> None:
    """Make a preprocessor put its batches on another device."""
    for step in preprocessor.steps:
        if isinstance(step, DeviceProcessorStep):
            step.device = device
            step.__post_init__()


# Datasets ------------------------------------------------------------------------------------------------------------


def training_stats(meta: LeRobotDatasetMetadata, use_imagenet_stats: bool) -> Stats:
    """The dataset's statistics as lerobot-train uses them: ImageNet's for its colour cameras, if asked."""
    meta = copy.copy(meta)
    meta.stats = copy.deepcopy(meta.stats) or {}
    meta.rescale_depth_stats(DEFAULT_DEPTH_UNIT)
    if use_imagenet_stats:
        for key in meta.camera_keys:
            if key not in meta.depth_keys:
                imagenet = {name: torch.tensor(value, dtype=torch.float32) for name, value in IMAGENET_STATS.items()}
                meta.stats[key] = {**meta.stats.get(key, {}), **imagenet}
    return meta.stats


def image_transforms(given: Mapping[str, Any] | Callable[..., Any] | None) -> Callable[..., Any] | None:
    """LeRobot's random image transforms, from the fields of its `ImageTransformsConfig` or a callable.

    Raises:
        DataError: LeRobot refuses the fields.
    """
    if given is None or callable(given):
        return given
    try:
        config = draccus.decode(ImageTransformsConfig, {"enable": True, **plain(given)})
    except ParsingError as error:
        raise DataError(f"image_transforms: {first_line(error)}") from error
    return ImageTransforms(config) if config.enable else None


def delta_indices(
    delta_timestamps: Mapping[str, Sequence[float]] | None, fps: int, tolerance_s: float
) -> dict[str, list[int]]:
    """Frames around each frame, as LeRobotDataset counts them.

    Raises:
        ValueError: a moment that is no multiple of a frame.
    """
    seconds = {key: list(moments) for key, moments in (delta_timestamps or {}).items()}
    check_delta_timestamps(seconds, fps, tolerance_s)
    return get_delta_indices(seconds, fps)


def decoded_frame(path: Path, second: float, tolerance_s: float, backend: str, is_depth: bool) -> torch.Tensor:
    """One frame of a video as LeRobotDataset decodes it, `(channels, height, width)`."""
    frames = decode_video_frames(path, [second], tolerance_s, backend, return_uint8=True, is_depth=is_depth)
    return frames[0]


def distances(meta: LeRobotDatasetMetadata) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """For each depth camera what makes LeRobot's distances, `(n, 1, height, width)` float32, of its stored numbers."""
    return {key: _distances(meta.features[key]) for key in meta.depth_keys}


def _distances(feature: Mapping[str, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    info = feature.get("info") or {}
    if feature["dtype"] == "video":
        encoder = DepthEncoderConfig.from_video_info(feature.get("info"))
        # All 16-bit numbers once: reading a table is cheaper than LeRobot's exponential of every pixel.
        table = (
            dequantize_depth(
                torch.arange(2**16, dtype=torch.int32).reshape(1, 1, 256, 256),
                depth_min=encoder.depth_min,
                depth_max=encoder.depth_max,
                shift=encoder.shift,
                use_log=encoder.use_log,
                output_unit=DEFAULT_DEPTH_UNIT,
            )
            .numpy()
            .reshape(-1)
        )
        return lambda stored: torch.from_numpy(table[stored.numpy()])
    unit = info.get("depth_unit")
    if unit is None or unit == DEFAULT_DEPTH_UNIT:
        return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32))
    if unit == DEPTH_METER_UNIT:
        return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32)) * MM_PER_METRE
    return lambda stored: torch.from_numpy(stored.numpy().astype(np.float32)) / MM_PER_METRE


# Talk and errors -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet_prints() -> Iterator[None]:
    """Turn what LeRobot prints while it builds into debug log lines."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            yield
    finally:
        for line in filter(None, said.getvalue().splitlines()):
            log.debug(line)


@contextlib.contextmanager
def policy_errors(policy: str) -> Iterator[None]:
    """Turn what LeRobot raises while it builds into a `PolicyError` that names the policy."""
    try:
        yield
    except TrainingError:
        raise
    except ImportError as error:
        extra = re.search(r"lerobot\[([\w-]+)\]", str(error))
        hint = install_command(f"getiaction[{extra[1]}]") if extra else ""
        raise PolicyError(f"{policy} needs a package that is not installed: {first_line(error)}", hint) from error
    except OSError as error:
        raise PolicyError(
            f"{policy} needs a file that is neither on this machine nor to be had: {first_line(error)}",
            "Connect to the network once, log in when the repository is gated (hf auth login), or name a local folder.",
        ) from error
    except Exception as error:
        # What the configuration's own checks said; draccus wraps it, and says better itself what it couldn't decode.
        wraps = isinstance(error, ParsingError) and not isinstance(error, DecodingError)
        cause = error.__cause__ if wraps and error.__cause__ else error
        raise PolicyError(f"{policy}: {first_line(cause)}") from error


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else text[:399] + "…"
