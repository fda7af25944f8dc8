"""Serialization of all JSON documents that commands print and write."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from getiaction_cli.control import escaped

VERSION = 1


def json_text(document: Mapping[str, Any], indent: int | None = 2) -> str:
    """Return the document as JSON, its ``version`` first.

    A number that is not finite is null, and control characters are escaped. Within a version, keys may be added, but
    not changed or removed.

    Args:
        document: plain values; others, such as the dates of YAML, are written as text.
        indent: spaces per level; None for a single line.
    """
    versioned = {"version": VERSION, **document}
    return (
        escaped(json.dumps(_finite(versioned), indent=indent, ensure_ascii=False, allow_nan=False, default=str)) + "\n"
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
