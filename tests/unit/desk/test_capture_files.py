"""Each life of the process that hears the market has a capture of its own."""

from pathlib import Path

import pytest

from desk.residents import ingest
from desk.residents.ingest import unwritten
from trading.errors import ConfigurationError


def test_a_listener_that_starts_again_writes_over_nothing(tmp_path: Path) -> None:
    """The supervisor restarts what was killed: what it had heard until then is still there."""
    taken = []
    for _ in range(3):
        path = unwritten(tmp_path / "today.jsonl.gz")
        path.touch()
        taken.append(path.name)
    assert taken == ["today.jsonl.gz", "today-2.jsonl.gz", "today-3.jsonl.gz"]


def test_a_folder_full_of_captures_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is restarted for ever does not look for ever."""
    monkeypatch.setattr(ingest, "CAPTURES_MAX", 2)
    for name in ("today", "today-2"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigurationError, match=r"ingest\.capture"):
        unwritten(tmp_path / "today")
