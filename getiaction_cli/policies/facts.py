"""What a policy can do and needs, where no configuration says it: `policy.facts.stacks_cameras`, for rules to ask.

The facts are read from `getiaction/spec/facts.toml`. Asking for one looks up its evidence in the installed LeRobot, in
the few files that the entry names: where LeRobot has changed there, the fact is `Unavailable` and the rule is not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, overload

from getiaction.spec import facts
from getiaction_cli.installed import versions
from getiaction_cli.policies.catalog import lerobot_folder


class Fact[T]:
    """One fact. Reading it from a policy's `Facts` gives its value; ``default`` where the table has no such entry."""

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Fact[T]: ...
    @overload
    def __get__(self, instance: Facts, owner: type) -> T: ...
    def __get__(self, instance: Facts | None, owner: type) -> Fact[T] | T:
        return self if instance is None else instance.ask(self.name, self.default)


class Facts:
    """What is known of one policy, as it is configured.

    Args:
        policy: LeRobot's name of the policy.
        known: False for a policy that the table does not speak of: a plugin's, or one that LeRobot has added since.
        values: the policy's configuration; None for what holds for any value.

    Raises:
        Unavailable: on reading any fact: the policy is not known, or the installed LeRobot no longer has the evidence.
    """

    # -- what it reads --
    needs_camera = Fact(False)
    """It can't be built without a camera."""
    environment_replaces_camera = Fact(False)
    """… unless it gets `observation.environment_state`."""
    max_cameras = Fact[int | None](None)
    """How many cameras it takes."""
    world_model_cameras = Fact[int | None](None)
    """How many cameras its world model learns from; the policy itself sees all."""
    stacks_cameras = Fact(False)
    """The pictures of all its cameras become one tensor: they must be of one size."""
    square_cameras = Fact(False)
    """It takes square pictures only."""
    any_channels = Fact(False)
    """Its first layer is built for as many channels as the camera has."""
    channels = Fact[list[int]]([3])
    """How many channels a picture may have: it makes three of others."""
    built_for_shape = Fact(False)
    """Its network or crop is built from the shape in the metadata; others look at the pictures only."""
    built_for_size = Fact(False)
    """Its network is built for the size of picture in the metadata, where nothing crops or resizes it."""
    resnet_built_on_picture = Fact(False)
    """Its ResNet is tried on one picture while it is built: batch norm can't be computed over a single point."""
    image_convolutions = Fact("")
    """The file of the convolutions without padding that its picture goes through, see `networks.convolutions`."""
    attends_to_every_pixel = Fact(False)
    """Every point of the feature map of an unresized picture is a token."""
    pictures_as_they_come = Fact(False)
    """Its network takes pictures of the size that they have; others bring them to a size of their own."""
    joins_state = Fact(False)
    """It joins the state to the numbers of the pictures, which makes fractions of whole numbers."""
    layer_on_actions = Fact(False)
    """It puts the recorded actions through a layer, which takes fractions only."""
    computes_relative_statistics = Fact(False)
    """With relative actions it computes their statistics itself when training starts."""
    needs_every_camera = Fact(False)
    """A camera of its configuration that is not in the batch stops it; others see a blank picture."""
    camera_names = Fact("")
    """The parameter that names the cameras it looks for in a batch."""
    camera_prefix = Fact("")
    """How the cameras are called that it looks for in a batch."""
    shifted_camera = Fact("")
    """The only camera whose pictures it shifts at random."""
    vision_encoder = Fact[dict[str, Any] | None](None)
    """The encoder that takes pictures of one size: its ``name`` or the ``parameter`` that names it, the ``family`` of
    names that means this ``side`` (or ``side_in_name``), and the parameters that ``resize`` and ``crop``."""
    needs_state = Fact(False)
    """It reads `observation.state` and stops without it."""
    needs_state_in_dataset = Fact(False)
    """It stops where a batch has no `observation.state`, be it an input or not."""
    reads_state_device = Fact(False)
    """It asks the state in a batch for its device, be it an input or not."""
    reads_language = Fact(False)
    """It reads the task as text."""
    reads_reward = Fact(False)
    """It learns from the reward of every step."""
    reads_index = Fact(False)
    """It counts its samples by `index`."""
    state_in_prompt = Fact(False)
    """It writes the state into its prompt, in 256 bins from -1 to 1."""
    counts_its_inputs = Fact(False)
    """It finds its tokens by the number of its inputs, and reads one camera and the state."""

    # -- how large it is --
    network = Fact("")
    """The kind of network whose parameters `size` counts from the configuration."""
    billions = Fact[float | None](None)
    """How many billions of parameters the checkpoint has that it starts from."""

    # -- how wide it is --
    divided = Fact[list[dict[str, Any]]]([])
    """Widths that must divide: each a ``width`` (or the ``base_width`` of the model that a parameter names, ``of``, and
    the widest and narrowest part that it can't have, ``not_parts``), the parameter it is divided ``by``, a number of
    which it must be a ``multiple`` (the first of several; ``each`` of them) and what that is ``for``; ``in_pairs_for``
    a parameter, each part must be even."""
    action_spaces = Fact[dict[str, str] | None](None)
    """The ``parameter`` that names an action space, and the ``file`` of their widths, see `networks.action_spaces`."""
    exact_widths = Fact[dict[str, str]]({})
    """Parameter → the feature that must have exactly so many numbers."""
    base_widths = Fact[dict[str, Any] | None](None)
    """The parameter that names the ``base`` model, and parameter → the key of its configuration that has the width of
    its layers: a number, or numbers to be added."""
    action_channels = Fact[dict[str, str] | None](None)
    """The parameter that lists the channels ``used`` for the action, and the one that says ``of`` how many."""
    room = Fact[dict[str, str]]({})
    """Feature → the parameter that says how many of its numbers fit; fewer are padded."""
    new_robot_layers = Fact(False)
    """The layers that are as wide as the robot are new, even where it downloads weights."""
    zero_width_trains = Fact[list[str]]([])
    """Widths of which 0 builds a network that trains."""
    odd_numbers = Fact[list[str]]([])
    """Parameters that must be odd."""
    least_numbers = Fact[dict[str, int]]({})
    """Parameter → the smallest number that its network can be built with, where that is more than 1."""
    most_numbers = Fact[dict[str, int]]({})
    """Parameter → the largest number that its network can read."""
    described_parts = Fact[dict[str, str]]({})
    """The parameters that hold the arguments of a class, and which: its network is built from them."""
    equal = Fact[list[dict[str, Any]]]([])
    """Numbers that must be equal: ``names`` of parameters, "a / b" for a quotient, or one name and its only ``value``,
    and ``why``."""
    whole_mappings = Fact[list[str]]([])
    """The mappings of which it reads every key that LeRobot's default has."""
    frames_beside_actions = Fact("")
    """The parameter that is a window of one frame more than there are actions."""
    prompt_limit = Fact("")
    """The parameter that says how many tokens of the task it reads."""
    sequence_limit = Fact("")
    """The parameter that says how many tokens fit: for each observation its cameras and two more, and the actions."""

    # -- how it trains --
    horizon_includes_past = Fact(False)
    """Its `horizon` begins with the first of `n_obs_steps` observations."""
    drops_frames_for_horizon = Fact[int | None](None)
    """The horizon for which LeRobot's default of `drop_n_last_frames` was made."""
    first_phase = Fact("")
    """The parameter that says how many batches train its autoencoder before the policy itself is trained."""
    picks_elites = Fact(False)
    """It plans with the best `n_elites` of `n_gaussian_samples` and `n_pi_samples`."""
    random_without_checkpoint = Fact(False)
    """All its billions of weights are random without a pretrained policy to start from."""
    random_backbone = Fact(False)
    """Its backbone is random."""
    freezes_backbone = Fact[list[str]]([])
    """The parameters that keep its backbone, or a part of it, from being trained."""
    backbone_described_by = Fact("")
    """The parameter that describes its backbone; empty by default."""
    trains_only_with = Fact[dict[str, Any]]({})
    """Parameter → the only value that can be trained with."""
    returns_quantiles = Fact(False)
    """It stretches its actions to the dataset's quantiles, with any normalization."""
    needs_inference_mode = Fact(False)
    """It trains without an `inference_action_mode`, and can't act."""
    passes_grippers_raw = Fact(False)
    """It does not normalize features called gripper, and refuses values beyond -1 and 1."""
    rounds_gripper = Fact[list[str]]([])
    """The parameters by which it rounds one action to two values."""
    codebook_in_float32 = Fact(False)
    """Its codebook is updated in float32 only."""
    weights_and_batches_convert = Fact[bool | str](False)
    """With weights of another precision all that it computes has that precision; "without cameras" only then."""
    mixes_types = Fact(False)
    """It computes in float32 beside its `torch_dtype`, which only CUDA's autocast joins."""
    needs_cuda = Fact(False)
    """Its attention can't be trained on other accelerators."""
    needs_cuda_with = Fact[dict[str, list[Any]]]({})
    """Parameter → the values with which it can't be trained on other accelerators."""
    needs_package_with = Fact[dict[str, dict[str, str]]]({})
    """Parameter → value → the package that must be installed for it."""
    refuses_mps = Fact(False)
    """LeRobot refuses to build it on mps."""

    def __init__(self, policy: str, known: bool, values: Any = None) -> None:
        self.policy = policy
        self.known = known
        self._values = values

    def ask(self, name: str, default: Any) -> Any:
        """The value of a fact, its evidence looked up and its conditions asked of the configuration."""
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
        """The parameter whose value a fact is; empty where it is the same for every configuration."""
        entry = facts.of(self.policy).get(name) if self.known else None
        return str(entry.get("parameter", "")) if isinstance(entry, dict) else ""

    def _parameter(self, name: str) -> Any:
        if self._values is None:
            raise LookupError(f"a fact of {self.policy} depends on {name}: ask the configured policy for it")
        return getattr(self._values, name)


def _unavailable(reason: str, **more: bool) -> NoReturn:
    from getiaction_cli.diagnostics import Unavailable  # 10 ms that listing policies does not need

    raise Unavailable(reason, **more)
