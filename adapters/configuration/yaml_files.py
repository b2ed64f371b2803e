"""One YAML file as plain values. A key that stands twice is refused by name: the library takes the last one.

Belongs here: reading. Keep out: which file is which section, what its values mean.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trading.errors import ConfigurationError

FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same values ten times as fast, where it is


class _EachKeyOnce(FASTEST):  # type: ignore[misc]
    """The safe loader, which takes each key of a mapping once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that was there."""
        seen: set[str] = set()
        for key, _ in node.value:
            text = str(key.value)
            if text in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: expected each key once, was {text!r} again")
            seen.add(text)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Read a file's mapping; an empty file is an empty one. Raises ConfigurationError with the path."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_EachKeyOnce)  # noqa: S506 (a safe one)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not readable as YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected a mapping of settings, was {type(content).__name__}")
    return content
