"""Facts about policies that their configuration does not show, for rules: `policy.facts.stacks_cameras`.

The facts are read from `getiaction/spec/facts.toml`. Reading one looks up its evidence in the files of the installed
LeRobot that the entry names. If the evidence is not found, the fact is `Unavailable` and the rule does not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, overload

from getiaction.spec import facts
from getiaction_cli.installed import versions
from getiaction_cli.policies.catalog import lerobot_folder


class Fact[T]:
    """One fact. Reading it from a policy's `Facts` returns its value, or ``default`` without an entry in the table."""

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Fact[T]: ...
    @overload
    def __get__(self, instance: Facts, owner: type) -> T: ...
    def __get__(self, instance: Facts | None, owner: type) -> Fact[T] | T:
        return self if instance is None else instance.value_of(self.name, self.default)


class Facts:
    """The facts about one policy with its configuration.

    Args:
        policy: LeRobot's name of the policy.
        known: False for a policy that is not in the table: a plugin's, or one that a later LeRobot has added.
        values: the policy's configuration; None for facts that do not depend on it.

    Raises:
        Unavailable: on reading any fact: the policy is unknown, or the installed LeRobot does not have the evidence.
    """

    # -- what it reads --
    needs_camera = Fact(False)
    """It can't be built without a camera."""
    environment_replaces_camera = Fact(False)
    """It can be built without a camera if it gets `observation.environment_state`."""
    max_cameras = Fact[int | None](None)
    """Maximum number of cameras."""
    world_model_cameras = Fact[int | None](None)
    """Number of cameras that its world model learns from; the policy itself uses all."""
    stacks_cameras = Fact(False)
    """It stacks the images of all its cameras into one tensor, so that they must have the same size."""
    square_cameras = Fact(False)
    """It only accepts square images."""
    any_channels = Fact(False)
    """Its first layer is built for the camera's number of channels."""
    channels = Fact[list[int]]([3])
    """The numbers of channels that an image may have; it converts others to three."""
    built_for_shape = Fact(False)
    """Its network or crop is built from the shape in the metadata; others use that of the images."""
    built_for_size = Fact(False)
    """Its network is built for the image size in the metadata, unless images are cropped or resized."""
    resnet_built_on_picture = Fact(False)
    """Its ResNet runs on one image when it is built: batch norm can't be computed over a single point."""
    image_convolutions = Fact("")
    """The file of its convolutions without padding, see `networks.convolutions`."""
    attends_to_every_pixel = Fact(False)
    """Every point of the feature map of an image, which is not resized, is a token."""
    pictures_as_they_come = Fact(False)
    """Its network reads images in their original size; others resize them."""
    joins_state = Fact(False)
    """It concatenates the state and image features, which converts integers to floats."""
    layer_on_actions = Fact(False)
    """It passes the recorded actions through a layer, which only accepts floats."""
    computes_relative_statistics = Fact(False)
    """With relative actions, it computes their statistics itself at the start of training."""
    needs_every_camera = Fact(False)
    """It raises an error if a configured camera is not in the batch; others use a blank image."""
    camera_names = Fact("")
    """The parameter that lists the cameras that it reads from a batch."""
    camera_prefix = Fact("")
    """The prefix of the names of cameras that it reads from a batch."""
    shifted_camera = Fact("")
    """The only camera whose images it shifts at random."""
    vision_encoder = Fact[dict[str, Any] | None](None)
    """The encoder for images of one size: its ``name`` or the ``parameter`` that names it, the ``family`` of names with
    this ``side`` (or ``side_in_name``), and the parameters that ``resize`` and ``crop``."""
    needs_state = Fact(False)
    """It requires `observation.state` as an input."""
    needs_state_in_dataset = Fact(False)
    """It requires `observation.state` in a batch, even if that is not an input."""
    reads_state_device = Fact(False)
    """It reads the device of the state in a batch, even if that is not an input."""
    reads_language = Fact(False)
    """It reads the task as text."""
    reads_reward = Fact(False)
    """It learns from the reward of every step."""
    reads_index = Fact(False)
    """It numbers samples by `index`."""
    state_in_prompt = Fact(False)
    """It writes the state into its prompt, in 256 bins from -1 to 1."""
    counts_its_inputs = Fact(False)
    """It locates tokens by the number of its inputs, and reads one camera and the state."""

    # -- how large it is --
    network = Fact("")
    """The kind of network, for which `size` computes the number of parameters from the configuration."""
    billions = Fact[float | None](None)
    """Billions of parameters of the checkpoint that it starts from."""

    # -- how wide it is --
    divided = Fact[list[dict[str, Any]]]([])
    """Divisibility of widths: a ``width`` (or the ``base_width`` of the model in the parameter ``of``, with
    ``not_parts``, the narrowest and widest refused part), the parameter that it is divided ``by``, a number that it
    must be a ``multiple`` of (the first of several; ``each`` of them) and the purpose ``for`` it; with
    ``in_pairs_for`` a parameter, each part must be even. With ``when``, only if that parameter is set."""
    action_spaces = Fact[dict[str, str] | None](None)
    """The ``parameter`` that names an action space, and the ``file`` of their widths, see `networks.action_spaces`."""
    exact_widths = Fact[dict[str, str]]({})
    """Parameter → the feature whose dimension it must equal."""
    base_widths = Fact[dict[str, Any] | None](None)
    """The parameter that names the ``base`` model, and parameter → the key of its configuration that has the width of
    its layers: a number, or numbers to be added."""
    action_channels = Fact[dict[str, str] | None](None)
    """The parameter that lists the channels ``used`` for the action, and the number ``of`` channels."""
    room = Fact[dict[str, str]]({})
    """Feature → the parameter that is its maximum dimension; smaller ones are padded."""
    new_robot_layers = Fact(False)
    """Layers with the robot's dimension are initialized randomly, even if weights are downloaded."""
    zero_width_trains = Fact[list[str]]([])
    """Widths for which 0 builds a trainable network."""
    odd_numbers = Fact[list[str]]([])
    """Parameters that must be odd."""
    least_numbers = Fact[dict[str, int]]({})
    """Parameter → the smallest value that its network can be built with, if larger than 1."""
    most_numbers = Fact[dict[str, int]]({})
    """Parameter → the largest value that its network accepts."""
    described_parts = Fact[dict[str, str]]({})
    """Parameter → the class whose arguments it holds and that builds a part of the network."""
    equal = Fact[list[dict[str, Any]]]([])
    """Numbers that must be equal: ``names`` of parameters, "a / b" for a quotient, or one name and its only ``value``;
    and ``why``."""
    whole_mappings = Fact[list[str]]([])
    """The mappings that must have all keys of LeRobot's default."""
    frames_beside_actions = Fact("")
    """The parameter of a window that has one frame more than there are actions."""
    prompt_limit = Fact("")
    """The parameter that limits the number of tokens of the task."""
    sequence_limit = Fact("")
    """The parameter that limits the number of tokens: for each observation its cameras and two more, plus actions."""

    # -- how it trains --
    horizon_includes_past = Fact(False)
    """Its `horizon` starts at the first of `n_obs_steps` observations."""
    drops_frames_for_horizon = Fact[int | None](None)
    """The horizon that LeRobot's default of `drop_n_last_frames` is for."""
    first_phase = Fact("")
    """The parameter for the number of batches that train its autoencoder before the policy itself."""
    picks_elites = Fact(False)
    """It plans with the best `n_elites` of `n_gaussian_samples` and `n_pi_samples`."""
    random_without_checkpoint = Fact(False)
    """All its billions of weights are random without a pretrained policy."""
    random_backbone = Fact(False)
    """Its backbone is random."""
    freezes_backbone = Fact[list[str]]([])
    """The parameters that freeze its backbone or a part of it."""
    backbone_described_by = Fact("")
    """The parameter that describes its backbone; empty by default."""
    trains_only_with = Fact[dict[str, Any]]({})
    """Parameter → the only value that supports training."""
    returns_quantiles = Fact(False)
    """It scales its actions to the dataset's quantiles, with any normalization."""
    needs_inference_mode = Fact(False)
    """It can be trained without an `inference_action_mode`, but then can't act."""
    passes_grippers_raw = Fact(False)
    """It does not normalize features called gripper, and rejects values outside of -1 to 1."""
    rounds_gripper = Fact[list[str]]([])
    """The parameters by which it rounds one action to two values."""
    codebook_in_float32 = Fact(False)
    """Its codebook is updated in float32 only."""
    weights_and_batches_convert = Fact[bool | str](False)
    """With weights of another precision it computes everything in that precision; "without cameras": only then."""
    mixes_types = Fact(False)
    """It mixes float32 and its `torch_dtype`, which only works with CUDA's autocast."""
    needs_cuda = Fact(False)
    """Its attention can't be trained on other accelerators."""
    needs_cuda_with = Fact[dict[str, list[Any]]]({})
    """Parameter → the values with which it can't be trained on other accelerators."""
    needs_package_with = Fact[dict[str, dict[str, str]]]({})
    """Parameter → value → the package that must be installed for it."""
    refuses_mps = Fact(False)
    """LeRobot raises an error when it is built on mps."""

    def __init__(self, policy: str, known: bool, values: Any = None) -> None:
        self.policy = policy
        self.known = known
        self._values = values

    def value_of(self, name: str, default: Any) -> Any:
        """The value of a fact, after looking up its evidence and checking its conditions."""
        if not self.known:
            _unavailable(f"this version of getiaction has no facts about the policy {self.policy}")
        entry = facts.of(self.policy).get(name)
        if entry is None:
            return default
        if gone := facts.missing_evidence(entry, lerobot_folder() or Path()):
            file, _, pattern = gone.partition(" : ")
            _unavailable(
                f"the installed LeRobot ({versions().get('lerobot', 'unknown version')}) differs in what is known of "
                f"{self.policy}: {file} no longer contains `{pattern}`",
                lerobot=True,
            )
        if isinstance(entry, list):
            return entry
        if "when" in entry and not self._parameter(entry["when"]):
            return default
        if "unless" in entry and self._parameter(entry["unless"]):
            return default
        return self._parameter(entry["parameter"]) if "parameter" in entry else entry.get("is", True)

    def parameter_of(self, name: str) -> str:
        """The parameter that a fact takes its value from; empty if it does not depend on the configuration."""
        entry = facts.of(self.policy).get(name) if self.known else None
        return str(entry.get("parameter", "")) if isinstance(entry, dict) else ""

    def _parameter(self, name: str) -> Any:
        if self._values is None:
            raise LookupError(f"a fact of {self.policy} depends on {name}: ask the configured policy for it")
        return getattr(self._values, name)


def _unavailable(reason: str, **more: bool) -> NoReturn:
    from getiaction_cli.diagnostics import Unavailable  # not needed to list policies; takes 10 ms

    raise Unavailable(reason, **more)
