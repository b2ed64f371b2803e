"""One call for any file of the broker, told apart by what is in it."""

from pathlib import Path

import pytest
from flex_documents import activity, execution, export, trade

from adapters.ibkr import read_file
from adapters.ibkr.read_file import read
from adapters.ibkr.refusal import FlexRefusedError


def test_a_statement_is_known_by_its_first_sign(tmp_path: Path) -> None:
    """Whatever the name says, and with blanks or a byte order mark before it."""
    path = tmp_path / "statement.txt"
    path.write_bytes(b"\xef\xbb\xbf" + activity(trade()))
    told = read(path)
    assert (len(told.statements), len(told.batches)) == (1, 1)
    assert told.batches[0].origin == "statement.txt"
    assert read(b"\n  " + activity(trade())).statements[0].batch.fills == told.batches[0].fills


def test_a_statement_may_be_in_utf_16() -> None:
    """XML declares its own encoding."""
    text = '<?xml version="1.0" encoding="utf-16"?>' + activity(trade()).decode()
    assert len(read(text.encode("utf-16")).batches[0].fills) == 1


def test_an_export_has_a_batch_and_no_statement() -> None:
    """Messages say nothing about positions or cash."""
    told = read(export(execution()), "fills.jsonl")
    assert (told.statements, len(told.batches), len(told.batches[0].fills)) == ((), 1, 1)
    assert told.batches[0].origin == "fills.jsonl"


@pytest.mark.parametrize("data", [b"", b"   ", b"[1, 2]", b"PK\x03\x04", b"Date,Symbol\n", b"\x00" * 64])
def test_anything_else_is_refused(data: bytes) -> None:
    """The refusal names the file."""
    with pytest.raises(FlexRefusedError, match="inbox/strange"):
        read(data, "inbox/strange")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A folder or a file that is gone has a reason, too."""
    with pytest.raises(FlexRefusedError, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(FlexRefusedError, match="cannot be read"):
        read(tmp_path / "gone.xml")


def test_a_file_that_is_too_long_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is checked before a byte is read."""
    monkeypatch.setattr(read_file, "FILE_BYTES_MAX", 10)
    path = tmp_path / "long.xml"
    path.write_bytes(activity(trade()))
    with pytest.raises(FlexRefusedError, match="at most 10 bytes"):
        read(path)
