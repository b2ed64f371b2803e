"""A setting that nothing reads is a promise that nobody keeps."""

import dataclasses
import re
import typing
from functools import cache
from pathlib import Path

import pytest

from trading.settings import Settings

ROOT = Path(__file__).parents[4]
READERS = ("trading", "adapters", "assets", "sensors", "orchestration", "desk")
WRITTEN_BY = ("trading/settings.py", "adapters/configuration/")
SECTIONS = ("services", "stack", "books", "reconciliation", "inbox", "flex", "venues")


@cache
def code() -> str:
    """Everything that may read a setting."""
    files = (path for folder in READERS for path in sorted((ROOT / folder).rglob("*.py")))
    kept = (path for path in files if not path.relative_to(ROOT).as_posix().startswith(WRITTEN_BY))
    return "\n".join(path.read_text() for path in kept)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_read_somewhere(section: str) -> None:
    """Each name of a section stands behind a dot in some module."""
    kind = typing.get_type_hints(Settings)[section]
    unread = [item.name for item in dataclasses.fields(kind) if not re.search(rf"\.{item.name}\b", code())]
    assert unread == []
