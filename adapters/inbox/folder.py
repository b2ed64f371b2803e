"""The inbox as a folder on disk, with a read-only archive by content hash beside it.

What must not happen: a link or a `..` in a name leads out of the folder, a file is taken while it is
written, an original is changed. So names come from a walk that follows no link, files are opened without
following one, and the archive's copy is checked against the hash before anything reads it.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from trading.ports.inbox import FileChangedError, FileRefusedError, FileStamp, Inbox, InboxFile

FILES_MAX = 10_000  # in one look at the folder
DEPTH_MAX = 4  # folders below the inbox
COPY_BYTES = 1 << 20
IGNORED_ENDINGS = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".swp", "~")
ARCHIVE_MODE = 0o444


class FolderInbox(Inbox):
    """An inbox in `folder`, copies in `archive`."""

    def __init__(self, folder: Path, archive: Path, *, file_bytes_max: int) -> None:
        self._folder = folder
        self._archive = archive
        self._file_bytes_max = file_bytes_max

    def stamps(self) -> Mapping[str, FileStamp]:
        """Look at the folder; one that is not there yet is empty."""
        found: dict[str, FileStamp] = {}
        for path in self._walk():
            about = path.lstat()
            if stat.S_ISDIR(about.st_mode):
                continue
            if len(found) == FILES_MAX:
                break
            name = path.relative_to(self._folder).as_posix()
            found[name] = FileStamp(size_bytes=about.st_size, modified_ns=about.st_mtime_ns)
        return found

    def identify(self, name: str) -> InboxFile:
        """Hash a file through a descriptor that follows no link."""
        descriptor = self._opened(name)
        with os.fdopen(descriptor, "rb") as source:
            size = os.fstat(descriptor).st_size
            if size > self._file_bytes_max:
                raise FileRefusedError(f"size: expected at most {self._file_bytes_max} bytes, was {size}")
            return InboxFile(
                name=name, sha256=hashlib.file_digest(source, "sha256").hexdigest(), size_bytes=size
            )

    def archive(self, file: InboxFile) -> str:
        """Copy the file under its hash; a copy that is there and whole is left as it is."""
        target = self._archived_path(file.sha256)
        if target.exists() and _digest(target) == file.sha256:
            return target.name
        self._archive.mkdir(parents=True, exist_ok=True)
        part = self._archive / f".{file.sha256}.{os.getpid()}.part"
        try:
            self._copy(file, part)
            part.chmod(ARCHIVE_MODE)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target.name

    def archived(self, sha256: str) -> bytes:
        """Read the archive's copy; one that does not match its name is refused."""
        path = self._archived_path(sha256)
        try:
            content = path.read_bytes()
        except OSError as cause:
            raise FileRefusedError(f"archive: expected a copy {path.name}, was {cause.strerror}") from cause
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FileRefusedError(f"archive: expected content of hash {sha256}, was another")
        return content

    def _copy(self, file: InboxFile, part: Path) -> None:
        digest = hashlib.sha256()
        with os.fdopen(self._opened(file.name), "rb") as source, part.open("wb") as target:
            for _ in range(self._file_bytes_max // COPY_BYTES + 2):
                chunk = source.read(COPY_BYTES)
                if not chunk:
                    break
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != file.sha256:
            raise FileChangedError(f"{file.name}: expected content of hash {file.sha256}, was another")

    def _opened(self, name: str) -> int:
        path = self._folder / name
        inside = path.parent.resolve().is_relative_to(self._folder.resolve())
        if Path(name).is_absolute() or ".." in Path(name).parts or not inside:
            raise FileRefusedError(f"name: expected a file inside the inbox, was {name!r}")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as cause:
            raise FileChangedError(f"{name}: expected a file, was none") from cause
        except OSError as cause:
            reason = "a link" if path.is_symlink() else str(cause.strerror)
            raise FileRefusedError(
                f"{name}: expected a regular file that can be read, was {reason}"
            ) from cause
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileRefusedError(f"{name}: expected a regular file, was something else")
        return descriptor

    def _archived_path(self, sha256: str) -> Path:
        if len(sha256) != hashlib.sha256().digest_size * 2 or not sha256.isalnum():
            raise FileRefusedError(f"archive: expected a hash of 64 hex digits, was {sha256[:80]!r}")
        return self._archive / sha256

    def _walk(self) -> Iterator[Path]:
        for parent, folders, names in os.walk(self._folder, followlinks=False):
            depth = len(Path(parent).relative_to(self._folder).parts)
            linked = [name for name in folders if (Path(parent) / name).is_symlink()]
            folders[:] = sorted(
                name for name in folders if depth < DEPTH_MAX and _counts(name) and name not in linked
            )
            yield from (Path(parent) / name for name in sorted([*names, *linked]) if _counts(name))


def _counts(name: str) -> bool:
    return not name.startswith((".", "~", "#")) and not name.lower().endswith(IGNORED_ENDINGS)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
