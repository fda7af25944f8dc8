"""Read the parameters of a class's constructor from its source: names, types, defaults, choices and help.

Nothing is imported: the file of a class path is found in the folder of its installed package, re-exports are followed
through ``__init__.py`` files, and only the constructor's lines are parsed (Lightning's trainer.py has 1,800 lines; its
constructor and the aliases in it take 10 ms this way, so no disk cache is needed).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from getiaction.spec.overridden import TRAINER_HELP
from getiaction_cli.installed import package_folder
from getiaction_cli.recipe.layout import PYTHON_ONLY
from getiaction_cli.recipe.types import ANY, Type, from_tree

_HOMES = ("getiaction", "lightning", "lerobot", "torchvision", "torch", "transformers")
_MAX_HOPS = 6
_MAX_BASES = 20
# Lightning's classes that pass further arguments to a class of torch → that class.
_FOR_ANOTHER = {
    "DDPStrategy": "torch.nn.parallel.DistributedDataParallel",
    "FSDPStrategy": "torch.distributed.fsdp.FullyShardedDataParallel",
    "PyTorchProfiler": "torch.profiler.profile",
}

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()
"""The default of a required parameter."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a constructor. ``default`` is `REQUIRED`, a plain value, or the source text of an expression."""

    name: str
    type: Type
    default: Any
    help: str = ""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The allowed values, if they are restricted."""
        return self.type.choices


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a class. ``open``: it also accepts any other keyword."""

    class_path: str
    parameters: dict[str, Parameter]
    open: bool = False
    summary: str = ""

    @property
    def required(self) -> list[str]:
        """The parameters without a default."""
        return [name for name, parameter in self.parameters.items() if parameter.default is REQUIRED]


@cache
def read_signature(class_path: str) -> Signature | None:
    """The signature of a class of a known package; None if the class or its source does not exist."""
    module, _, name = class_path.rpartition(".")
    found = _find(module, name)
    if found is None:
        return None
    file, name = found
    parameters: dict[str, Parameter] = {}
    summary, is_open = "", True
    for _ in range(_MAX_HOPS):  # a constructor that passes **kwargs to its base also has the base's parameters
        lines = _class_lines(file, name)
        if lines is None:
            break
        tree = _parse_constructor(lines)
        constructor = next((item for item in tree.body if isinstance(item, ast.FunctionDef)), None)
        summary = summary or (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
        if constructor is not None:
            help = _argument_help(ast.get_docstring(tree)) | _argument_help(ast.get_docstring(constructor))
            for parameter in _parameters(constructor, file, help):
                parameters.setdefault(parameter.name, parameter)
            is_open = constructor.args.kwarg is not None
            if not _passes_kwargs_to_base(constructor):
                break
        base = _base(tree, file)
        if base is None:
            is_open = constructor is not None and is_open
            break
        file, name = base
    if is_open and (other := read_signature(_FOR_ANOTHER.get(class_path.rpartition(".")[2], ""))):
        # Lightning passes the required parameter itself; the others have defaults.
        parameters |= {n: p for n, p in other.parameters.items() if p.default is not REQUIRED and n not in parameters}
        is_open = other.open
    for objects in PYTHON_ONLY.get(class_path, ()):
        parameters.pop(objects, None)
    if class_path == "lightning.Trainer":
        parameters |= {n: replace(parameters[n], help=text) for n, text in TRAINER_HELP.items() if n in parameters}
    return Signature(class_path, parameters, is_open, summary)


@cache
def read_fields(class_path: str) -> Signature | None:
    """The annotated fields of a configuration class of transformers, which also takes any other keyword."""
    module, _, name = class_path.rpartition(".")
    found = _find(module, name)
    tree = _whole_class(*found) if found else None
    if tree is None:
        return None
    fields = [item for item in tree.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)]
    parameters = {}
    for item in fields:
        assert isinstance(item.target, ast.Name)
        kind, default = from_tree(item.annotation, lambda _: None), _default(item.value)
        # transformers writes `int | None` where the network takes no None.
        given = [option for option in kind.options if option.kind != "none"] if default is not None else []
        kind = Type("union", tuple(given)) if kind.kind == "union" and given else kind
        parameters[item.target.id] = Parameter(item.target.id, kind, default)
    return Signature(class_path, parameters, open=True)


@cache
def exported(module: str) -> tuple[str, ...]:
    """The public classes of a module, as its ``__all__`` lists them."""
    file = _file(module)
    if file is None:
        return ()
    match = re.search(r"^__all__\s*=\s*(\[[^\]]*\])", _text(file), re.MULTILINE)
    try:
        names = ast.literal_eval(match[1]) if match else ()
        return tuple(name for name in names if name[:1].isupper())
    except (ValueError, SyntaxError):
        return ()


@cache
def provided(module: str) -> tuple[str, ...]:
    """The public classes that a module defines or imports, whether or not they are in its ``__all__``."""
    file = _file(module)
    if file is None:
        return ()
    names = [*_imports(file), *re.findall(r"^class (\w+)\b", _text(file), re.MULTILINE)]
    return tuple(dict.fromkeys(name for name in names if name[0].isupper()))


@cache
def lineage(class_path: str) -> tuple[str, ...]:
    """The names of a class and of its bases in the known packages, the class first; empty if it does not exist."""
    return tuple(dict.fromkeys(name for _, name, _ in _hierarchy(class_path)))


@cache
def unfinished(class_path: str) -> str:
    """The method that a class does not implement, so that it can't be used itself; empty if it is complete.

    That is an abstract method, or one that only raises NotImplementedError and that the class calls in training.
    """
    tree = [(name, methods) for _, name, methods in _hierarchy(class_path)]
    concrete = {item.name for _, defined in tree for item in defined if not (_is_abstract(item) or _is_stub(item))}
    for _, defined in tree:
        for item in defined:
            if item.name in concrete:
                continue
            if _is_abstract(item) or (_is_stub(item) and _is_called(item.name, tree)):
                return item.name
    return ""


# -- finding the source ----------------------------------------------------------------------------------------------


def _file(module: str) -> Path | None:
    """The file of a module of a known package, found by its path without importing it."""
    package, *rest = module.split(".")
    if package not in _HOMES or not all(part.isidentifier() for part in rest):
        return None
    folder = package_folder(package)
    if folder is None:
        return None
    path = folder.joinpath(*rest)
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@cache
def _imports(file: Path) -> dict[str, tuple[str, str]]:
    """The names a file imports, each with the module and name it comes from."""
    text = _text(file)
    head = re.split(r"^(?:class|def|@)\b|^@", text, maxsplit=1, flags=re.MULTILINE)[0]
    try:
        tree = ast.parse(head)
    except SyntaxError:
        return {}
    here = _module_of(file)
    package = here if file.name == "__init__.py" else here.rpartition(".")[0]
    names: dict[str, tuple[str, str]] = {}
    for item in ast.walk(tree):
        if isinstance(item, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - item.level + 1] if item.level else []
            module = ".".join([*base, *([item.module] if item.module else [])])
            names |= {alias.asname or alias.name: (module, alias.name) for alias in item.names}
    return names


def _module_of(file: Path) -> str:
    for package in _HOMES:
        folder = package_folder(package)
        if folder is not None and file.is_relative_to(folder):
            parts = file.relative_to(folder).with_suffix("").parts
            return ".".join([package, *(part for part in parts if part != "__init__")])
    return ""


def _find(module: str, name: str) -> tuple[Path, str] | None:
    """The file in which a class is defined, following re-exports."""
    for _ in range(_MAX_HOPS):
        file = _file(module)
        if file is None or not name.isidentifier():
            return None
        if re.search(rf"^class {name}\b", _text(file), re.MULTILINE):
            return file, name
        if name in _imports(file):
            module, name = _imports(file)[name]
            continue
        return None
    return None


def _class_lines(file: Path, name: str) -> list[str] | None:
    """The lines of a class up to the end of its constructor, without other methods."""
    lines = _text(file).splitlines()
    start = next((i for i, line in enumerate(lines) if re.match(rf"class {name}\b", line)), None)
    if start is None:
        return None
    taken: list[str] = []
    in_other, head = False, True
    for line in lines[start:]:
        if taken and re.match(r"\S", line) and not line.startswith((")", "#")):
            break
        if re.match(r"    (?:async )?def |    @|    class ", line):
            if not head and not in_other and taken and any("def __init__" in t for t in taken):
                break
            head = False
            in_other = not line.startswith("    def __init__")
        if not in_other:
            taken.append(line)
    return taken


@cache
def _hierarchy(class_path: str) -> tuple[tuple[Path, str, tuple[ast.FunctionDef, ...]], ...]:
    """A class and those of its bases whose source is known, depth first: file, name and methods of each."""
    module, _, name = class_path.rpartition(".")
    start = _find(module, name)
    queue = [start] if start else []
    found: list[tuple[Path, str, tuple[ast.FunctionDef, ...]]] = []
    while queue and len(found) < _MAX_BASES:
        file, name = queue.pop(0)
        tree = _whole_class(file, name)
        if tree is None or any(known[:2] == (file, name) for known in found):
            continue
        found.append((file, name, tuple(item for item in tree.body if isinstance(item, ast.FunctionDef))))
        names = [getattr(base, "id", getattr(base, "attr", "")) for base in tree.bases]
        queue = [base for own in names if (base := _find(_module_of(file), own))] + queue
    return tuple(found)


def _methods(file: Path, name: str) -> list[ast.FunctionDef]:
    """The methods of a class and of its bases."""
    return [method for _, _, own in _hierarchy(f"{_module_of(file)}.{name}") for method in own]


def _whole_class(file: Path, name: str) -> ast.ClassDef | None:
    match = re.search(rf"^class {name}\b.*?(?=^(?![ \t\n#)])|\Z)", _text(file), re.MULTILINE | re.DOTALL)
    try:
        tree = ast.parse(match[0]) if match else None
    except SyntaxError:
        return None
    return next((item for item in tree.body if isinstance(item, ast.ClassDef)), None) if tree else None


def _is_abstract(method: ast.FunctionDef) -> bool:
    return any("abstract" in ast.unparse(decorator) for decorator in method.decorator_list)


def _is_stub(method: ast.FunctionDef) -> bool:
    """Whether a method only raises NotImplementedError."""
    body = [item for item in method.body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def _is_called(name: str, tree: list[tuple[str, tuple[ast.FunctionDef, ...]]]) -> bool:
    """Whether a hook that runs in training calls this method of its own class unconditionally."""
    return any(
        isinstance(call, ast.Call) and ast.unparse(call.func) == f"self.{name}"
        for _, defined in tree
        for method in defined
        if not method.name.startswith(("on_predict", "on_test"))
        for statement in method.body
        if not isinstance(statement, ast.If)
        for call in ast.walk(statement)
    )


def _parse_constructor(lines: list[str]) -> ast.ClassDef:
    try:
        tree = ast.parse("\n".join([*lines, "    pass"]))
    except SyntaxError:
        tree = ast.parse("class Unreadable: pass")
    return next(item for item in tree.body if isinstance(item, ast.ClassDef))


def _base(tree: ast.ClassDef, file: Path) -> tuple[Path, str] | None:
    """The base whose constructor a class inherits, or the first base."""
    known = []
    for base in tree.bases:
        name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        if name in ("object", "ABC", "Generic", "LightningModule", "LightningDataModule", "Callback", "Logger"):
            continue
        if found := _find(_module_of(file), name):
            known.append(found)
    if len(known) < 2:
        return known[0] if known else None
    built = [base for base in known if any(m.name == "__init__" for m in _methods(*base))]
    return built[0] if built else known[0]


# -- reading the constructor -----------------------------------------------------------------------------------------


def _passes_kwargs_to_base(constructor: ast.FunctionDef) -> bool:
    """Whether a constructor passes its ``**kwargs`` to its base, so that it also has the base's parameters.

    Strategies like Lightning's DDPStrategy pass them to torch instead.
    """
    kwargs = constructor.args.kwarg
    return kwargs is not None and any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "__init__"
        and any(k.arg is None and isinstance(k.value, ast.Name) and k.value.id == kwargs.arg for k in call.keywords)
        for call in ast.walk(constructor)
    )


def _parameters(constructor: ast.FunctionDef, file: Path, help: dict[str, str]) -> list[Parameter]:
    arguments = constructor.args
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    both = [*zip(positional, defaults[-len(positional) :] if positional else [], strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]  # fmt: skip
    return [
        Parameter(
            argument.arg,
            from_tree(argument.annotation, lambda name: _alias(file, name)) if argument.annotation else ANY,
            _default(default),
            help.get(argument.arg, ""),
        )
        for argument, default in both
    ]


def _default(tree: ast.expr | None) -> Any:
    if tree is None:
        return REQUIRED
    try:
        return ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError):
        return ast.unparse(tree)


@cache
def _alias(file: Path, name: str) -> Type | None:
    """The type of an alias that is defined in this file or imported."""
    for _ in range(_MAX_HOPS):
        match = re.search(rf"^{name}(?::[^=\n]+)?\s*=\s*", _text(file), re.MULTILINE)
        if match:
            tree = _expression(_text(file)[match.end() :])
            return from_tree(tree, partial(_alias, file)) if tree is not None else None
        origin = _imports(file).get(name)
        target = _file(origin[0]) if origin else None
        if origin is None or target is None:
            return None
        file, name = target, origin[1]
    return None


def _expression(text: str) -> ast.expr | None:
    """Parse the expression at the start of a text, which may span several lines."""
    lines = text.splitlines()
    for count in range(1, min(len(lines), 30) + 1):
        try:
            return ast.parse("\n".join(lines[:count]).strip(), mode="eval").body
        except SyntaxError:
            continue
    return None


_ARGUMENT = re.compile(r"^(\s+)\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


def _argument_help(docstring: str | None) -> dict[str, str]:
    """The ``Args:`` of a Google-style docstring, one line each."""
    help: dict[str, str] = {}
    lines = (docstring or "").splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() in ("Args:", "Arguments:", "Parameters:")), None)
    if start is None:
        return help
    name, indent = "", -1
    for line in lines[start + 1 :]:
        if line.strip() and not line[0].isspace():
            break
        match = _ARGUMENT.match(line)
        if match and (indent < 0 or len(match[1]) == indent):
            name, indent = match[2], len(match[1])
            help[name] = match[3].strip()
        elif name and line.strip():
            help[name] = f"{help[name]} {line.strip()}".strip()
    return help
