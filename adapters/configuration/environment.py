"""The environment as layers of NAME=value, and `${NAME}` placeholders filled from it.

Keep out what a name means.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from trading.errors import ConfigurationError

PLACEHOLDER = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}")
ENVIRONMENT_FILE_BYTES_MAX = 64 * 1024  # a file of names and values; anything larger is not one


def process_environment() -> Mapping[str, str]:
    """The environment this process was started with."""
    return dict(os.environ)


def read_environment_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines (`#` comments, optional quotes and `export`); an absent file has no names."""
    if not path.is_file():
        return {}
    if path.stat().st_size > ENVIRONMENT_FILE_BYTES_MAX:
        raise ConfigurationError(f"{path}: expected at most {ENVIRONMENT_FILE_BYTES_MAX} bytes")
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip().removeprefix("export ").strip()
        if text and not text.startswith("#"):
            name, value = _parse_assignment(text, f"{path}:{number}")
            values[name] = value
    return values


def fill_placeholders(text: str, names: Mapping[str, str], key: str) -> str | None:
    """Replace `${NAME}` and `${NAME:-default}`; None when nothing but an empty placeholder remains.

    Raises ConfigurationError naming the key and the variable when a variable without default is not set.
    """

    def replace(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        value = names.get(name) or default
        if value is None:
            raise ConfigurationError(f"{key}: needs the environment variable {name}, which is not set")
        return value

    filled = PLACEHOLDER.sub(replace, text)
    return None if filled == "" and text != "" else filled


def _parse_assignment(text: str, where: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip().isidentifier():
        raise ConfigurationError(f"{where}: expected NAME=value, was {text[:20]!r}")
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return name.strip(), value
