"""Convert a plain (unquoted) scalar of a recipe to a value.

YAML 1.1, which PyYAML implements, has surprises: ``1e-4`` is text (its floats need a dot and a signed exponent),
``1:30`` is the number 90, ``010`` is 8, ``2024-01-01`` is a date, ``no`` is false, Python's ``None`` is text. A recipe
is read as its author intends it: numbers are numbers in any notation, ``None`` is null, times and dates stay text. Each
value that other YAML readers read differently gets a note, which a rule reports. ``yes/no/on/off`` are booleans, as in
YAML 1.1, with a note.
"""

from __future__ import annotations

import re
from enum import StrEnum

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_WORD_TRUE = frozenset({"yes", "Yes", "YES", "on", "On", "ON"})
_WORD_FALSE = frozenset({"no", "No", "NO", "off", "Off", "OFF"})

_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_OCTAL = re.compile(r"[-+]?0[0-9_]+")
_BASED = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|b[01_]+|o[0-7_]+)")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
_YAML_1_1_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)")
_INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})

# CPython raises a ValueError for very long integers; no recipe needs them.
_LONGEST_NUMBER = 400


class Note(StrEnum):
    """Why a value may be read differently by other YAML readers."""

    NUMBER_AS_TEXT = "other YAML readers take this number for text"
    LEADING_ZERO = "other YAML readers take this number for an octal one"
    WORD_BOOLEAN = "a word that YAML reads as true or false"
    PYTHON_NONE = "other YAML readers take Python's None for text"


def plain(word: str) -> tuple[object, Note | None]:
    """Read an unquoted word.

    Returns:
        The value (None, bool, int, float or str), and a note if other YAML readers read it differently.
    """
    if word in _NULL:
        return None, None
    if word == "None":
        return None, Note.PYTHON_NONE
    if word in _TRUE or word in _FALSE:
        return word in _TRUE, None
    if word in _WORD_TRUE or word in _WORD_FALSE:
        return word in _WORD_TRUE, Note.WORD_BOOLEAN
    if word[0] not in "+-.0123456789" or len(word) > _LONGEST_NUMBER:
        return word, None
    if _INT.fullmatch(word):
        return int(word.replace("_", "")), None
    if _OCTAL.fullmatch(word):
        digits = word.replace("_", "")
        return int(digits), (Note.LEADING_ZERO if digits.lstrip("+-0") else None)
    if _BASED.fullmatch(word):
        return int(word.replace("_", ""), 0), (Note.NUMBER_AS_TEXT if "o" in word else None)
    if _FLOAT.fullmatch(word):
        note = None if _YAML_1_1_FLOAT.fullmatch(word) else Note.NUMBER_AS_TEXT
        return float(word.replace("_", "")), note
    if match := _INFINITE.fullmatch(word):
        return float(match[1] + "inf"), None
    if word in _NAN:
        return float("nan"), None
    return word, None


def tagged(tag: str, word: str) -> object:
    """Read a scalar with one of YAML's own tags (``!!str 10``); if the tag does not fit, read it as plain."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "str":
        return word
    value = plain(word)[0]
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
