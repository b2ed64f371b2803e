"""A file that we put into the inbox is there whole or not at all."""

import os
from pathlib import Path

import pytest

from adapters.inbox.drop import FolderDrop
from adapters.inbox.folder import FolderInbox
from trading.errors import InvalidFieldError


def test_a_file_appears_whole_under_its_name(tmp_path: Path) -> None:
    """The folder is made, the bytes are those that were given, and nothing else is left behind."""
    inbox = tmp_path / "desk" / "inbox"
    FolderDrop(inbox).put("a.xml", b"whole")
    assert {path.name: path.read_bytes() for path in inbox.iterdir()} == {"a.xml": b"whole"}


def test_a_kill_before_the_rename_leaves_nothing_that_is_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there until then is a part file, which a look at the folder passes over."""
    seen: list[list[str]] = []

    def watched(self: Path, target: Path) -> Path:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        seen.append(sorted(FolderInbox(tmp_path, tmp_path / "archive", file_bytes_max=99).stamps()))
        raise OSError("killed")

    monkeypatch.setattr(Path, "replace", watched)
    with pytest.raises(OSError, match="killed"):
        FolderDrop(tmp_path).put("a.xml", b"whole")
    assert seen == [[f".a.xml.{os.getpid()}.part"], []]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../a.xml", "/tmp/a.xml", "b/a.xml", ".a.xml", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing outside of the folder is written, and nothing that would never be landed."""
    with pytest.raises(InvalidFieldError, match="name"):
        FolderDrop(tmp_path).put(name, b"x")
    assert list(tmp_path.iterdir()) == []
