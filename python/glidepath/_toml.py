"""config.toml as runs write it, read and written: single values, and tables of them."""

from __future__ import annotations

import json
import math
import pathlib
import sys
from typing import Any

from glidepath._errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse_flat_toml(text: str, file: pathlib.Path) -> dict[str, Any]:
    """The values of a config.toml. Raises InputError naming the file for what is no TOML."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
        return values
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{file}: not valid TOML: {error}") from None


def toml_text(values: dict[str, Any]) -> str:
    """Lines of key = value. Raises InputError for a key or a value that a config.toml cannot hold."""
    return "".join(f"{_key(key)} = {_value(key, value)}\n" for key, value in values.items())


def _key(key: str) -> str:
    if not isinstance(key, str) or not key or not all((c.isalnum() and c.isascii()) or c in "_-" for c in key):
        raise InputError(f"config: the key {key!r} must be of letters, digits, _ and -")
    return key


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(key, item) for item in value) + "]"
    raise InputError(
        f"config: {key} is a {type(value).__name__}; give a text, a number, true or false, or a list of these"
    )
