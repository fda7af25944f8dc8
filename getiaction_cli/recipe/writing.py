"""Write plain values as YAML text that every YAML reader reads in the same way."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from getiaction_cli.control import escaped
from getiaction_cli.recipe.scalars import plain

_PLAIN_TEXT = re.compile(r"[A-Za-z_/][\w./+@ -]*(?<! )")


def write(value: Any) -> str:
    """Write a value as one line of YAML: a scalar, or lists and sections in brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write(str(key))}: {write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(write(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    simple = _PLAIN_TEXT.fullmatch(text) and isinstance(plain(text)[0], str)
    return text if simple else _quoted(text)


def _quoted(text: str) -> str:
    """Write a text in double quotes, with escapes for characters that YAML does not allow or reads as line breaks."""
    quoted = escaped(json.dumps(text, ensure_ascii=False))
    return "".join(char if _is_allowed(char) else f"\\u{ord(char):04x}" for char in quoted)


def _is_allowed(char: str) -> bool:
    return " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    # YAML 1.1 wants a dot, and its exponents a sign: 1e-05 is written 1.0e-5, 1e+16 is written 1.0e+16.
    text = repr(value)
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    sign, size = exponent[0] if exponent[0] in "+-" else "+", exponent.lstrip("+-").lstrip("0")
    return f"{digits}{'' if '.' in digits else '.0'}e{sign}{size}"


def write_block(keys: list[str], value: Any, indent: int, newline: str) -> str:
    """Write nested sections, one key per line, indented by two columns each; the last key has the value.

    A list of sections is written as a block list.
    """
    lines = [f"{' ' * (indent + 2 * depth)}{write(key)}:" for depth, key in enumerate(keys)]
    if isinstance(value, dict) and value:
        deeper = indent + 2 * len(keys)
        lines += [write_block([str(key)], item, deeper, newline) for key, item in value.items()]
    elif isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        deeper = indent + 2 * len(keys)
        for item in value:
            entry = newline.join(write_block([str(key)], part, deeper + 2, newline) for key, part in item.items())
            lines.append(f"{' ' * deeper}- {entry.lstrip(' ')}")
    else:
        lines[-1] += " " + write(value)
    return newline.join(lines)
