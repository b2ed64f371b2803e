"""Builds frozen dataclasses from plain YAML values by their type hints; every refusal names the key.

Belongs here: the few types a setting may have. Keep out: names of settings, files, the environment.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from trading.errors import ConfigurationError, shown

T = TypeVar("T")
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def build(kind: type[T], values: object, key: str) -> T:
    """Build a dataclass of type `kind` from a mapping; unknown, missing and malformed keys are named."""
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{key}: expected a mapping, was {shown(values)}")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise ConfigurationError(f"{_join(key, name)}: unknown setting{_nearest(str(name), fields)}")
    hints = typing.get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            arguments[name] = convert(hints[name], values[name], _join(key, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigurationError(f"{_join(key, name)}: missing")
    return kind(**arguments)


def convert(kind: Any, value: object, key: str) -> Any:
    """Convert one plain value to the type a setting has."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [part for part in typing.get_args(kind) if part is not type(None)]
        return None if value is None else convert(inner[0], value, key)
    if origin is not None and issubclass(origin, Mapping):
        return _convert_mapping(kind, value, key)
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type[Any], kind), value, key)
    if value is None:
        raise ConfigurationError(f"{key}: expected a value, was empty")
    return _convert_scalar(kind, value, key)


def _convert_mapping(kind: Any, value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{key}: expected a mapping, was {shown(value)}")
    inner = typing.get_args(kind)[1]
    return types.MappingProxyType(
        {str(name): convert(inner, item, _join(key, name)) for name, item in value.items()}
    )


def _convert_scalar(kind: Any, value: object, key: str) -> Any:
    if kind is bool:
        return _truth(value, key)
    if kind is int:
        return _whole_number(value, key)
    if kind is Decimal:
        return _exact_number(value, key)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(kind, value, key)
    if kind is time:
        return _time_of_day(value, key)
    if kind is date:
        return _day(value, key)
    if kind is Path:
        return Path(str(value)).expanduser()
    if kind is str and isinstance(value, str):
        return value
    raise ConfigurationError(f"{key}: expected text, was {shown(value)}")


def _truth(value: object, key: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in TRUTHS:  # the environment knows only text
        return TRUTHS[value]
    raise ConfigurationError(f"{key}: expected true or false, was {shown(value)}")


def _whole_number(value: object, key: str) -> int:
    text = str(value)
    if (
        isinstance(value, bool)
        or not text.removeprefix("-").isascii()
        or not text.removeprefix("-").isdigit()
    ):
        raise ConfigurationError(f"{key}: expected a whole number, was {shown(value)}")
    return int(text)


def _exact_number(value: object, key: str) -> Decimal:
    if isinstance(value, float | bool):  # YAML has already rounded a float: money is written in quotes
        raise ConfigurationError(f'{key}: expected a decimal number in quotes ("0.005"), was {shown(value)}')
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ConfigurationError(f"{key}: expected a decimal number, was {shown(value)}") from error
    if not number.is_finite():
        raise ConfigurationError(f"{key}: expected a finite number, was {shown(value)}")
    return number


def _member(kind: type[Enum], value: object, key: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        names = ", ".join(str(member.value) for member in kind)
        raise ConfigurationError(f"{key}: expected one of {names}, was {shown(value)}") from error


def _time_of_day(value: object, key: str) -> time:
    try:
        return time.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ConfigurationError(f'{key}: expected a time in quotes ("06:30"), was {shown(value)}') from error


def _day(value: object, key: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ConfigurationError(f"{key}: expected a day (2026-11-13), was {shown(value)}") from error


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _join(key: str, name: object) -> str:
    return f"{key}.{name}"
