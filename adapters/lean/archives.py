"""Members of a zip archive as lines of text, one member after another, within limits.

A file that cannot be read is a refusal with its name, never the end of the others; nor is a line that is no
text: it comes with escapes in the place of its bytes, cut where it is absurdly long, so that whoever reads
its fields refuses it alone. Nothing is extracted to disk, and no more than a line of a member is held.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from trading.errors import InvalidFieldError

MEMBERS_MAX = 200_000  # all series of an index over a year are a tenth of it
MEMBER_BYTES_MAX = 2 * 1024**3  # a day of quotes of the busiest share is a tenth of it
LINE_CHARS_MAX = 1_000
LINES_MAX = 50_000_000
CUT = "…"  # in no field
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BUFFER_BYTES = 64 * 1024
UNREADABLE = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # encrypted, or compressed in a way that Python does not know
)
NumberedLine = tuple[int, str]
GZIP_MARK = b"\x1f\x8b"
QUOTE_SIGN = '"'


def member_names(path: Path) -> tuple[str, ...]:
    """The CSV members in their order by name; raises InvalidFieldError that names the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(item.filename for item in archive.infolist() if not item.is_dir())
    except UNREADABLE as error:
        raise InvalidFieldError("file", "a readable zip archive", f"{path.name}: {error}") from error
    if len(names) > MEMBERS_MAX:
        raise InvalidFieldError("file", f"at most {MEMBERS_MAX} members", f"{path.name}: {len(names)}")
    return tuple(names)


class OpenArchive:
    """An archive held open while its members are read; a context."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise InvalidFieldError("file", "a readable zip archive", f"{path.name}: {error}") from error

    def __enter__(self) -> "OpenArchive":
        """Stay open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._archive.close()

    def lines(self, member: str) -> Iterator[NumberedLine]:
        """Lines of a member with their numbers from 1; raises InvalidFieldError where it breaks off."""
        size = self._archive.getinfo(member).file_size
        if size > MEMBER_BYTES_MAX:
            raise InvalidFieldError("member", f"at most {MEMBER_BYTES_MAX} bytes", size)
        try:
            # A zip member's own `readline` is in Python and takes a third of the time of reading a session.
            with io.BufferedReader(self._archive.open(member), BUFFER_BYTES) as stream:  # type: ignore[type-var]
                yield from _numbered(stream.readline)
        except UNREADABLE as error:
            raise InvalidFieldError("member", "readable text", str(error)) from error


def text_lines(path: Path) -> Iterator[NumberedLine]:
    """Lines of a text file, compressed with gzip or not; raises InvalidFieldError where it breaks off."""
    try:
        with path.open("rb") as stream:
            is_packed = stream.peek(len(GZIP_MARK)).startswith(GZIP_MARK)  # whatever the name says
            with gzip.open(stream) if is_packed else stream as told:
                yield from _numbered(told.readline)
    except UNREADABLE as error:
        raise InvalidFieldError("file", "readable text", str(error)) from error


def _numbered(read_line: Callable[[int], bytes]) -> Iterator[NumberedLine]:
    number = 0
    while raw := read_line(LINE_CHARS_MAX + 1):
        number += 1
        if number > LINES_MAX:
            raise InvalidFieldError("line", f"at most {LINES_MAX} lines", number)
        is_cut = len(raw) > LINE_CHARS_MAX
        if number == 1:
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        text = raw.decode("ascii", errors="backslashreplace").strip()
        if QUOTE_SIGN in text:  # a spreadsheet's way to write fields; none of Lean's has one of its own
            text = text.replace(QUOTE_SIGN, "")
        if is_cut:
            _skip_rest(read_line, raw)
            text += CUT
        if text:
            yield number, text


def _skip_rest(read_line: Callable[[int], bytes], raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = read_line(LINE_CHARS_MAX)
