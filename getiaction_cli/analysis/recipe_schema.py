"""The sections of a recipe with their allowed keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from getiaction.spec import facts
from getiaction.spec.output_arguments import OUTPUT_ARGUMENTS
from getiaction_cli.analysis.choices import words_of
from getiaction_cli.analysis.class_objects import intended_class, kind_of, object_routes
from getiaction_cli.analysis.image_transforms import (
    argument_words,
    is_built,
    is_class,
    transform_names,
    transform_routes,
    transform_signature,
)
from getiaction_cli.analysis.mixture_entries import DATASETS, dataset_routes
from getiaction_cli.environments import Environment, known_environments
from getiaction_cli.policies import (
    NOT_PARAMETERS,
    PolicyClass,
    Rejected,
    Unjudgeable,
    feature_kinds,
    normalization_modes,
    passthrough_values,
    plain,
)
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import (
    DATAMODULE,
    ENTRY,
    EVALUATION,
    MODEL_SECTIONS,
    WRAPPER,
    WRAPPER_ARGUMENTS,
)
from getiaction_cli.recipe.signatures import REQUIRED, Parameter, Signature, read_fields, read_signature
from getiaction_cli.recipe.types import Type, parse_type

TOP = {
    "seed": parse_type("int | None"),
    "output_dir": parse_type("str"),
    "model": parse_type("dict"),
    "data": parse_type("dict"),
    "trainer": parse_type("dict | None"),
    "evaluation": parse_type("dict | None"),
}
CLASS = {"class_path": parse_type("str"), "init_args": parse_type("dict | None")}

# Arguments of the data module that are sections (getiaction/spec/frame_loading.py, LeRobot's ImageTransformsConfig).
OPTIONS = {
    "frame_store": {"max_gb": parse_type("float | None"), "path": parse_type("str | None")},
    "image_transforms": {
        "enable": parse_type("bool"),
        "max_num_transforms": parse_type("int"),
        "random_order": parse_type("bool"),
        "tfs": parse_type("dict[str, dict]"),
    },
}
TRANSFORM = {"weight": parse_type("float"), "type": parse_type("str"), "kwargs": parse_type("dict")}
WRAPPER_TYPES = {name: parse_type(kind) for name, (kind, _) in WRAPPER_ARGUMENTS.items()}


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is allowed in a section.

    Args:
        type: the type of its value.
        required: whether it must be set.
        complaint: returns what is expected instead of a value, or None; for checks that the type does not cover.
        default: its default; None if unknown.
    """

    type: Type
    required: bool = False
    complaint: Callable[[Any], str | None] | None = None
    default: Any = None

    def wrong(self, value: Any) -> str | None:
        """What is expected instead of this value; None if it is valid."""
        if self.complaint is not None:
            return self.complaint(value)
        return None if self.type.accepts(value) else self.type.describe()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a recipe.

    Args:
        route: its route.
        name: its name in messages ("the trainer", "ACT").
        keys: the allowed keys.
        open: whether it also accepts other keys.
    """

    route: str
    name: str
    keys: dict[str, Key] = field(default_factory=dict)
    open: bool = False

    def at(self, key: str) -> str:
        """The route of one of its keys."""
        return f"{self.route}.{key}" if self.route else key


def sections(recipe: Recipe, policy: PolicyClass | None) -> Iterator[Section]:
    """Yield every section of the recipe whose keys are known."""
    yield Section("", "a recipe", {name: Key(kind, name in ("model", "data")) for name, kind in TOP.items()})
    for name in ("model", "data"):
        if isinstance(recipe.get(name), dict):
            yield Section(name, f"`{name}`", {key: Key(kind, key == "class_path") for key, kind in CLASS.items()})
    if recipe.get("model.class_path"):
        yield from _policy_sections(recipe, policy)
    for name, path in MODEL_SECTIONS.items():
        if isinstance(recipe.get(f"model.init_args.{name}"), dict) and (signature := read_signature(path)):
            yield _signed(f"model.init_args.{name}", signature, f"`{name}`")
    if (
        isinstance(recipe.get("data"), dict)
        and is_datamodule(recipe.get("data.class_path"))
        and (signature := read_signature(DATAMODULE))
    ):
        data = _signed("data.init_args", signature)
        if recipe.data("root") is None and recipe.get(DATASETS) is None:  # alternatives to repo_id
            data.keys["repo_id"] = replace(data.keys["repo_id"], required=True, type=parse_type("str"))
        if "image_transforms" in data.keys:  # in Python it may also be a function
            data.keys["image_transforms"] = Key(parse_type("dict | None"))
        if "frame_store" in data.keys:  # empty is auto
            data.keys["frame_store"] = replace(
                data.keys["frame_store"], type=Type("union", (data.keys["frame_store"].type, Type("none")))
            )
        yield data
        for route in dataset_routes(recipe) if isinstance(recipe.get(DATASETS), list) else ():
            if entry := read_signature(ENTRY):
                yield _signed(route, entry, "a dataset of `datasets`")
        for name, options in OPTIONS.items():
            if isinstance(recipe.get(f"data.init_args.{name}"), dict) and not (
                name == "image_transforms" and is_class(recipe)
            ):
                yield Section(f"data.init_args.{name}", f"`{name}`", {key: Key(kind) for key, kind in options.items()})
        yield from _transform_sections(recipe)
    if recipe.has("trainer") and (signature := read_signature("lightning.Trainer")):
        yield _signed("trainer", signature, "the trainer")
    yield from _object_sections(recipe)
    yield from _evaluation_sections(recipe)


def is_datamodule(class_path: Any) -> bool:
    """Whether a class path names or evidently means the data module; it is also the default."""
    if not isinstance(class_path, str):
        return class_path is None
    return class_path.rpartition(".")[2].lower() in ("lerobotdatamodule", "lerobotdataset")


def home_of(recipe: Recipe, policy: PolicyClass | None, key: str) -> list[str]:
    """The routes at which a key of this name is allowed, whether or not the sections exist."""
    homes = []
    own = {*WRAPPER_TYPES, "policy_name"} if recipe.uses_wrapper or policy is None else set(WRAPPER_TYPES)
    if key in own:
        homes.append(f"model.init_args.{key}")
    elif policy is not None and key in policy.parameter_names and key not in NOT_PARAMETERS:
        homes.append(recipe.param_route(key))
    if (signature := read_signature(DATAMODULE)) and key in signature.parameters:
        homes.append(f"data.init_args.{key}")
    if (signature := read_signature("lightning.Trainer")) and key in signature.parameters:
        homes.append(f"trainer.{key}")
    if key in ("seed", "output_dir"):
        homes.append(key)
    return homes


def policy_keys(policy: PolicyClass) -> dict[str, Key]:
    """The parameters of a policy's config as keys; LeRobot's own decoding checks their values."""

    def judge(name: str) -> Callable[[Any], str | None]:
        def complaint(value: Any) -> str | None:
            try:
                policy.read_value(name, value)
            except Rejected as rejected:
                return rejected.message.partition(" expects ")[2] or None if rejected.kind == "type" else None
            except Unjudgeable:
                return None
            return None

        return complaint

    return {
        name: Key(parse_type("Any"), complaint=judge(name), default=policy.fields[name].default)
        for name in policy.parameter_names
        if name not in NOT_PARAMETERS
    }


def _policy_sections(recipe: Recipe, policy: PolicyClass | None) -> Iterator[Section]:
    keys = {name: Key(kind) for name, kind in WRAPPER_TYPES.items()}
    if recipe.class_path == WRAPPER:
        keys["policy_name"] = Key(parse_type("str"), required=True)
    if policy is None:
        if recipe.class_path == WRAPPER:
            yield Section("model.init_args", "LeRobotPolicy", keys, open=True)
        return
    try:
        parameters = policy_keys(policy)
    except Unjudgeable:
        yield Section("model.init_args", policy.class_name, keys, open=True)
        return
    parts = list(_described_parts(recipe, policy))
    for name in ("normalization_mapping", *(part.route.rpartition("init_args.")[2] for part in parts)):
        if name in parameters and isinstance(recipe.get(recipe.param_route(name)), dict | None):
            parameters[name] = Key(parse_type("dict | None"))  # its content is checked as a section
    yield Section("model.init_args", policy.class_name, parameters | keys)
    if recipe.get("model.init_args.config_kwargs"):
        yield Section("model.init_args.config_kwargs", policy.class_name, parameters)
    yield from parts
    yield from _by_kind(recipe)


def described(class_path: str) -> Signature | None:
    """The arguments of a class that builds a part of a network, or the fields of a configuration class."""
    signature = read_signature(class_path)
    return signature if signature and signature.parameters else read_fields(class_path)


def _described_parts(recipe: Recipe, policy: PolicyClass) -> Iterator[Section]:
    """The mappings from which a policy builds a part of its network, and those of which it reads every key."""
    for name, class_path in facts.value(policy.name, "described_parts", {}).items():
        route = recipe.param_route(name)
        given = recipe.get(route)
        if isinstance(given, dict) and given and (signature := described(class_path)):
            section = _signed(route, signature, f"`{name.rpartition('.')[2]}`")
            for key in section.keys:
                if words := passthrough_values.words(policy.name, f"{name}.{key}"):
                    section.keys[key] = Key(Type("literal", values=words), default=section.keys[key].default)
            yield section
    for name in facts.value(policy.name, "whole_mappings", []):
        route, default = recipe.param_route(name), plain(policy.fields[name].default)
        if isinstance(recipe.get(route), dict) and isinstance(default, dict):
            kinds = {key: parse_type(type(value).__name__) for key, value in default.items()}
            yield Section(route, f"`{name}`", {key: Key(kind, default=default[key]) for key, kind in kinds.items()})


def _by_kind(recipe: Recipe) -> Iterator[Section]:
    """The sections with LeRobot's types of features: `normalization_mapping`, and explicit features."""
    mapping = recipe.param_route("normalization_mapping")
    if isinstance(recipe.get(mapping), dict):
        modes = Key(Type("literal", values=normalization_modes()))
        yield Section(mapping, "`normalization_mapping`", dict.fromkeys(feature_kinds(), modes))
    for name in ("input_features", "output_features"):
        features = recipe.get(f"model.init_args.{name}")
        for key, feature in features.items() if isinstance(features, dict) else ():
            # With a dtype, it is a raw feature as in a dataset.
            if isinstance(feature, dict) and "dtype" not in feature:
                kinds = Key(Type("literal", values=feature_kinds()), required=True)
                keys = {"type": kinds, "shape": Key(parse_type("list[int]"), required=True)}
                yield Section(f"model.init_args.{name}.{key}", f"`{key}`", keys)


def _evaluation_sections(recipe: Recipe) -> Iterator[Section]:
    """The `evaluation` section, and the fields of LeRobot's configuration of the environment."""
    if not isinstance(recipe.get("evaluation"), dict):
        return
    if signature := read_signature(EVALUATION):
        yield _signed("evaluation", signature, "`evaluation`")
    env = recipe.get("evaluation.env")
    if isinstance(env, dict):
        known = known_environments()
        environment = known.get(env["type"]) if isinstance(env.get("type"), str) else None
        kinds = Type("literal", values=tuple(known)) if known else parse_type("str")
        keys = {"type": Key(kinds, required=True)}
        if environment is not None:
            keys |= {name: _environment_key(environment, name) for name in environment.fields}
        name = f"the environment {environment.name}" if environment else "`env`"
        yield Section("evaluation.env", name, keys, open=environment is None)


def _environment_key(environment: Environment, name: str) -> Key:
    field = environment.fields[name]
    if field.choices:
        return Key(Type("literal", values=field.choices), default=field.default)

    def complaint(value: Any) -> str | None:
        try:
            environment.read_value(name, value)
        except Rejected as rejected:
            return rejected.message.partition(" expects ")[2] or None
        return None

    return Key(parse_type("Any"), complaint=complaint, default=field.default)


def _object_sections(recipe: Recipe) -> Iterator[Section]:
    """The sections of callbacks, loggers and other objects, with the arguments of the intended class."""
    for route in object_routes(recipe):
        class_path = recipe.get(f"{route}.class_path")
        keys = {key: Key(kind, key == "class_path") for key, kind in CLASS.items()}
        # Without a class path, any key may be intended.
        yield Section(route, f"`{route}`", keys, open=not recipe.has(f"{route}.class_path"))
        meant = intended_class(kind_of(route), class_path)[0] if isinstance(class_path, str) else ""
        if meant and (signature := read_signature(meant)):
            section = _signed(f"{route}.init_args", signature)
            if kind_of(route) == "image_transforms":
                _name_words(section, meant)
            # Training sets the output folder; Lightning's loggers set `root_dir` themselves.
            for name in (OUTPUT_ARGUMENTS.get(meant.rpartition(".")[2], ("",))[0], "root_dir"):
                if name in section.keys:
                    section.keys[name] = replace(section.keys[name], required=False)
            for name in recipe.keys(section.route):
                if (name in section.keys or section.open) and (words := words_of(meant, name)):
                    section.keys[name] = Key(Type("literal", values=words))
            yield section


def _transform_sections(recipe: Recipe) -> Iterator[Section]:
    """The sections of LeRobot's image transforms, with the arguments of their classes."""
    for route in transform_routes(recipe):
        names = transform_names() if is_built(recipe, route) else ()
        keys = {name: Key(kind) for name, kind in TRANSFORM.items()}
        if names:
            keys["type"] = Key(Type("literal", values=names))
        yield Section(route, f"`{route.removeprefix('data.init_args.')}`", keys)
        name = recipe.get(f"{route}.type", "Identity")
        if name in names and (signature := transform_signature(name)):
            section = _signed(f"{route}.kwargs", signature)
            _name_words(section, signature.class_path)
            yield section


def _name_words(section: Section, class_path: str) -> None:
    """Set the allowed values of a transform's arguments that are objects in Python, and of its nested transforms."""
    for name in section.keys:
        if words := argument_words(class_path, name):
            section.keys[name] = _word_key(Type("literal", values=words))
    if "transforms" in section.keys:
        section.keys["transforms"] = replace(section.keys["transforms"], complaint=_not_transforms)


def _word_key(kind: Type) -> Key:
    """A key that accepts the values of a type, also in capitals, as LightningCLI writes members of an enum."""

    def complaint(value: Any) -> str | None:
        plain = value.lower().replace("_", "-") if isinstance(value, str) and value.isupper() else value
        return None if kind.accepts(plain) else kind.describe()

    return Key(kind, complaint=complaint)


def _not_transforms(value: Any) -> str | None:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return None
    return "a list of sections with a `class_path` each"


def _signed(route: str, signature: Signature, name: str = "") -> Section:
    keys = {name: _parameter_key(parameter) for name, parameter in signature.parameters.items()}
    return Section(route, name or signature.class_path.rsplit(".", 1)[-1], keys, signature.open)


def _parameter_key(parameter: Parameter) -> Key:
    kind = parameter.type
    if parameter.default is None and not kind.accepts(None):  # `x: int = None` accepts None despite its annotation
        kind = Type("union", (kind, Type("none")))
    if parameter.default is REQUIRED:
        return Key(kind, required=True)
    return Key(kind, default=parameter.default)
