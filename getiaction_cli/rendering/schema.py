"""A JSON Schema of recipes for editors, generated from the installed versions of LeRobot and Lightning.

It uses draft 7, which YAML editors support. It describes keys, types, choices and defaults; `validate-config` checks
how values fit together.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from getiaction_cli.analysis.image_transforms import argument_words, class_names
from getiaction_cli.analysis.recipe_schema import OPTIONS
from getiaction_cli.environments import known_environments
from getiaction_cli.policies import NOT_PARAMETERS, Field, PolicyClass, plain
from getiaction_cli.recipe.bases import BASE
from getiaction_cli.recipe.layout import (
    DATAMODULE,
    ENTRY,
    EVALUATION,
    MODEL_SECTIONS,
    TRANSFORMS_HOME,
    WRAPPER,
    WRAPPER_ARGUMENTS,
)
from getiaction_cli.recipe.signatures import REQUIRED, Parameter, read_signature
from getiaction_cli.recipe.types import Type, parse_type

Schema = dict[str, Any]

_SIMPLE: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    dict: {"type": "object"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    Any: {},
}
_OBJECT: Schema = {
    "type": "object",
    "properties": {"class_path": {"type": "string"}, "init_args": {"type": ["object", "null"]}},
    "required": ["class_path"],
    "additionalProperties": False,
}

_NAMED: Schema = {"anyOf": [{"required": [name]} for name in ("repo_id", "root", "datasets")]}
_NAMES_ONE: Schema = {"anyOf": [{"required": [name]} for name in ("repo_id", "root")]}
_FILE: Schema = {"type": "string", "pattern": r"^[^/~].*\.ya?ml$"}
_BASE: Schema = {"anyOf": [_FILE, {"type": "array", "items": _FILE}]}


def recipe_schema(policies: Sequence[PolicyClass]) -> Schema:
    """Return the schema of recipes for these policies."""
    own = [policy for policy in policies if policy.class_path != WRAPPER]
    names = [policy.name for policy in policies]
    definitions = {policy.name: _closed(_parameters(policy)) for policy in policies}
    wrapper = {
        "type": "object",
        "properties": {
            "policy_name": {"enum": names, "description": "The policy, by the name LeRobot registers it under."},
            **_wrapper_arguments(),
        },
        "required": ["policy_name"],
        "allOf": [_when("policy_name", name, {"config_kwargs": {"$ref": f"#/definitions/{name}"}}) for name in names],
    }
    model = {
        "type": "object",
        "description": "The policy: its class, and its parameters.",
        "additionalProperties": False,
        "properties": {
            "class_path": {"enum": [*(policy.class_path for policy in own), WRAPPER]},
            "init_args": {"type": ["object", "null"]},
        },
        "allOf": [
            *(_when("class_path", policy.class_path, {"init_args": _own(policy)}) for policy in own),
            _when("class_path", WRAPPER, {"init_args": wrapper}),
        ],
    }
    arguments = _signed(DATAMODULE)
    entries = {"type": ["array", "null"], "minItems": 1, "items": {**_signed(ENTRY), "type": "object", **_NAMES_ONE}}
    arguments["properties"]["datasets"] |= {"anyOf": [entries]}
    definitions["transform"] = _transform()
    fields = _closed({name: _type(kind) for name, kind in OPTIONS["image_transforms"].items()})
    transforms = arguments.get("properties", {}).get("image_transforms", {})
    transforms["anyOf"] = [fields, {"$ref": "#/definitions/transform"}, {"type": "null"}]
    data = {
        "type": "object",
        "description": "The demonstrations.",
        "additionalProperties": False,
        "properties": {"class_path": {"enum": [DATAMODULE]}, "init_args": arguments},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A getiaction recipe",
        "type": "object",
        "additionalProperties": False,
        "if": {"not": {"required": [BASE]}},
        "then": {
            "required": ["model", "data"],
            "properties": {
                "model": {"required": ["class_path"]},
                "data": {"required": ["class_path"], "properties": {"init_args": _NAMED}},
            },
        },
        "properties": {
            BASE: {**_BASE, "description": "Recipes that this one is laid over: paths relative to this file."},
            "seed": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "Two runs with one seed give the same losses.",
            },
            "output_dir": {"type": "string", "description": "Where the run goes; a new folder by default."},
            "model": model,
            "data": data,
            "trainer": {**_signed("lightning.Trainer"), "description": "What lightning.Trainer takes."},
            "evaluation": _evaluation(),
        },
        "definitions": definitions,
    }


def _transform() -> Schema:
    """Return the schema of a torchvision transform, whose arguments may contain further transforms."""

    def arguments(class_path: str) -> Schema:
        schema = _signed(class_path)
        for name, property in schema.get("properties", {}).items():
            if words := argument_words(class_path, name):
                schema["properties"][name] = {**property, "enum": list(words)}
                schema["properties"][name].pop("anyOf", None)
            elif name == "transforms":
                schema["properties"][name] = {"type": "array", "items": {"$ref": "#/definitions/transform"}}
        return schema

    paths = [f"{TRANSFORMS_HOME}.{name}" for name in class_names()]
    return {
        "type": "object",
        "description": "A class of torchvision's transforms v2, applied to each training picture.",
        "properties": {"class_path": {"enum": paths}, "init_args": {"type": ["object", "null"]}},
        "required": ["class_path"],
        "additionalProperties": False,
        "allOf": [_when("class_path", path, {"init_args": arguments(path)}) for path in paths],
    }


def _evaluation() -> Schema:
    """Return the schema of `evaluation`, with the fields of each environment type."""
    known = {name: each for name, each in known_environments().items() if not each.refused}
    env = {
        "type": "object",
        "description": "The simulated environment: its LeRobot type, and fields of that type's configuration.",
        "properties": {"type": {"enum": list(known), "description": "The type that LeRobot registers it under."}},
        "required": ["type"],
        "allOf": [
            _when("type", name, {field.name: _field(field) for field in environment.fields.values()})
            for name, environment in known.items()
        ],
    }
    section = _signed(EVALUATION)
    section["properties"]["env"] = env
    return {**section, "type": ["object", "null"], "description": "Rollouts in simulation while training and after it."}


def _when(key: str, value: str, then: dict[str, Schema]) -> Schema:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": {"properties": then}}


def _own(policy: PolicyClass) -> Schema:
    """Return the schema of the arguments of a policy's class: its parameters, and those that all policies share."""
    kwargs: Schema = {"anyOf": [{"$ref": f"#/definitions/{policy.name}"}, {"type": "null"}]}
    schema = _closed({**_parameters(policy), **_wrapper_arguments(), "config_kwargs": kwargs})
    return {**schema, "type": ["object", "null"]}


def _wrapper_arguments() -> dict[str, Schema]:
    """Return the schemas of the arguments that all policy classes share."""
    schemas = {name: _type(parse_type(kind)) for name, (kind, _) in WRAPPER_ARGUMENTS.items()}
    for name, path in MODEL_SECTIONS.items():
        others = " | ".join(kind for kind in WRAPPER_ARGUMENTS[name][0].split(" | ") if kind != "dict")
        schemas[name] = {"anyOf": [_type(parse_type(others)), _signed(path)]}
    return {name: {**schema, "description": WRAPPER_ARGUMENTS[name][1]} for name, schema in schemas.items()}


def _closed(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _parameters(policy: PolicyClass) -> dict[str, Schema]:
    return {name: _field(field) for name, field in policy.fields.items() if name not in NOT_PARAMETERS}


def _field(field: Field) -> Schema:
    schema = dict(_hint(field.hint))
    if field.choices:
        nothing = [None] if isinstance(field.hint, types.UnionType) and field.hint.__args__[-1] is type(None) else []
        schema = {"enum": list(dict.fromkeys([*field.choices, *nothing]))}
    return {**schema, "default": field.default, **({"description": field.help} if field.help else {})}


def _hint(hint: Any) -> Schema:
    """Convert a Python type to a schema; an empty schema, which accepts anything, for unknown types."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_hint(argument) for argument in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    kind = origin or hint
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        items = {"items": _hint(arguments[0])} if len(set(arguments)) == 1 else {}
        return {"type": "array", **items, "minItems": len(arguments), "maxItems": len(arguments)}
    if kind in (list, tuple, set) and arguments:
        return {"type": "array", "items": _hint(arguments[0])}
    if kind is dict and arguments:
        return {"type": "object", "additionalProperties": _hint(arguments[1])}
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.name for member in kind]}
    if isinstance(kind, type) and issubclass(kind, Path):
        return {"type": "string"}
    if dataclasses.is_dataclass(kind):
        inner = typing.get_type_hints(kind)
        return _closed({field.name: _hint(inner[field.name]) for field in dataclasses.fields(kind)})
    return {}


def _signed(class_path: str) -> Schema:
    """Return the schema of a constructor's arguments, read from its source."""
    signature = read_signature(class_path)
    if signature is None:
        return {"type": ["object", "null"]}
    schema = {
        "type": ["object", "null"],
        "properties": {name: _argument(parameter) for name, parameter in signature.parameters.items()},
        "additionalProperties": signature.open,
    }
    required = [name for name, parameter in signature.parameters.items() if parameter.default is REQUIRED]
    return {**schema, **({"required": required, "type": "object"} if required else {})}


def _argument(parameter: Parameter) -> Schema:
    schema = _type(parameter.type)
    if parameter.default is None and schema:
        schema = {"anyOf": [schema, {"type": "null"}]}
    default = {} if parameter.default is REQUIRED else {"default": plain(parameter.default)}
    return {**schema, **default, **({"description": parameter.help} if parameter.help else {})}


def _type(kind: Type) -> Schema:
    """Convert a type annotation, read from the source, to a schema."""
    match kind.kind:
        case "union":
            inner = [_type(option) for option in kind.options]
            if all(option.keys() == {"type"} for option in inner):
                return {"type": [option["type"] for option in inner]}
            return {} if {} in inner else {"anyOf": inner}
        case "literal":
            return {"enum": list(kind.values)}
        case "list":
            items = {"items": _type(kind.options[0])} if kind.options else {}
            count = {} if kind.length is None else {"minItems": kind.length, "maxItems": kind.length}
            return {"type": "array", **items, **count}
        case "dict":
            return {"type": "object", **({"additionalProperties": _type(kind.options[0])} if kind.options else {})}
        case "class":  # class_path and init_args, or a name that Lightning knows
            return {"anyOf": [_OBJECT, {"type": "string"}]}
        case "any":
            return {}
    names = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "none": "null"}
    return {"type": names[kind.kind]}
