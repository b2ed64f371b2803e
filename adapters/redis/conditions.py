"""Conditions as the live state has them: one hash, a field for each code. Keep out: how they move, words.

Beside the codes stand the numbers under which residents write (`fencing:` and the component): no objects, and
so no conditions.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import asked


def all_conditions(client: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every condition as the live state has it; a key of another type holds none.

    Raises LiveStateUnavailableError.
    """
    key = keys.ALERTS_CONDITIONS.at()
    if asked(lambda: client.type(key)) == b"hash":
        yield from read_conditions(asked(lambda: client.hgetall(key)))


def read_conditions(stored: Mapping[bytes, bytes]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those that can be read; the script replaces the others."""
    for code, text in stored.items():
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield code.decode("utf-8", "replace"), told


def open_conditions(client: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Those that go on."""
    return [(code, told) for code, told in all_conditions(client) if told.get("is_open") is True]
