"""The inbox folder: what counts as a file, what is refused, what the archive keeps."""

import hashlib
import os
from pathlib import Path

import pytest

from adapters.inbox.folder import FolderInbox
from trading.ports.inbox import FileChangedError, FileRefusedError, InboxFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An inbox with one statement."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.xml").write_bytes(b"<x/>")
    return inbox


def _inbox(folder: Path, *, bytes_max: int = 1_000) -> FolderInbox:
    return FolderInbox(folder, folder.parent / "archive", file_bytes_max=bytes_max)


@pytest.mark.parametrize(
    "name", ["b.xml.part", ".b.xml", "b.tmp", "b.crdownload", "~b.xml", "b.xml~", "#b.xml#"]
)
def test_part_dot_and_temporary_files_do_not_count(folder: Path, name: str) -> None:
    """A file that is still being written under such a name is not seen."""
    (folder / name).write_bytes(b"half")
    assert set(_inbox(folder).stamps()) == {"a.xml"}


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Before the first `desk up` there is nothing to land."""
    assert _inbox(tmp_path / "none").stamps() == {}


def test_files_in_folders_count_by_their_relative_name(folder: Path) -> None:
    """A folder names an account, so it is part of the file's name."""
    (folder / "main").mkdir()
    (folder / "main" / "fills.json").write_bytes(b"{}")
    assert set(_inbox(folder).stamps()) == {"a.xml", "main/fills.json"}


def test_a_link_is_refused(folder: Path) -> None:
    """A link to a secret is never read."""
    secret = folder.parent / "secret"
    secret.write_text("key")
    (folder / "b.xml").symlink_to(secret)
    assert "b.xml" in _inbox(folder).stamps()
    with pytest.raises(FileRefusedError, match="a link"):
        _inbox(folder).identify("b.xml")


def test_a_linked_folder_is_not_walked(folder: Path) -> None:
    """A link to a folder is one refused name, not a way out."""
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "s.xml").write_text("x")
    (folder / "linked").symlink_to(outside)
    assert "linked/s.xml" not in _inbox(folder).stamps()
    with pytest.raises(FileRefusedError):
        _inbox(folder).identify("linked/s.xml")


@pytest.mark.parametrize("name", ["../secret", "x/../../secret", "/etc/passwd"])
def test_a_name_that_leads_out_is_refused(folder: Path, name: str) -> None:
    """No name reaches beyond the inbox."""
    (folder.parent / "secret").write_text("key")
    with pytest.raises(FileRefusedError, match="inside the inbox"):
        _inbox(folder).identify(name)


def test_a_pipe_is_refused_without_waiting(folder: Path) -> None:
    """A named pipe would block a tick for ever."""
    os.mkfifo(folder / "p.xml")
    with pytest.raises(FileRefusedError, match="regular file"):
        _inbox(folder).identify("p.xml")


def test_a_file_that_is_too_large_is_refused(folder: Path) -> None:
    """The bound is named."""
    with pytest.raises(FileRefusedError, match="at most 3 bytes, was 4"):
        _inbox(folder, bytes_max=3).identify("a.xml")


def test_the_archive_keeps_a_read_only_copy_and_the_original_stays(folder: Path) -> None:
    """The copy is named after its hash."""
    inbox = _inbox(folder)
    file = inbox.identify("a.xml")
    for _ in range(2):
        assert inbox.archive(file) == hashlib.sha256(b"<x/>").hexdigest()
    copy = folder.parent / "archive" / file.sha256
    assert copy.stat().st_mode & 0o777 == 0o444
    assert inbox.archived(file.sha256) == b"<x/>"
    assert (folder / "a.xml").read_bytes() == b"<x/>"


def test_a_file_that_changed_is_not_archived_under_the_old_hash(folder: Path) -> None:
    """What was asked for is not there any more."""
    inbox = _inbox(folder)
    file = inbox.identify("a.xml")
    (folder / "a.xml").write_bytes(b"<y/>")
    with pytest.raises(FileChangedError):
        inbox.archive(file)
    assert not list((folder.parent / "archive").iterdir())


def test_a_damaged_archive_is_refused(folder: Path) -> None:
    """A copy whose content does not match its name is not read."""
    inbox = _inbox(folder)
    file = inbox.identify("a.xml")
    inbox.archive(file)
    copy = folder.parent / "archive" / file.sha256
    copy.chmod(0o644)
    copy.write_bytes(b"<z/>")
    with pytest.raises(FileRefusedError, match="hash"):
        inbox.archived(file.sha256)


def test_an_archive_name_is_a_hash(folder: Path) -> None:
    """No path can be asked for through the archive."""
    with pytest.raises(FileRefusedError, match="64 hex digits"):
        _inbox(folder).archived("../inbox/a.xml")
    with pytest.raises(FileChangedError):
        _inbox(folder).archive(InboxFile(name="gone.xml", sha256="0" * 64, size_bytes=1))
