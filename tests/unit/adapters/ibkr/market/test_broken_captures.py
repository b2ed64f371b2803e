"""Captures that are not whole, not ours, or not to be written: said by name, and the market is heard on."""

import gzip
from pathlib import Path

import pytest
from ingest_desk import ingest_settings, market_settings, symbol_settings
from market_wire import TEN

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.replay import read_capture, replay_capture
from adapters.memory.market import MemoryMarket, MemoryMarketSink
from trading.errors import InvalidFieldError

HEAD = b'{"capture": "ibkr-market", "version": 1}'
FULL = Path("/dev/full")  # every write to it finds no room


def replayed(path: Path) -> int:
    """How many messages a capture has."""
    sink = MemoryMarketSink(MemoryMarket())
    return replay_capture(path, market_settings(SPY=symbol_settings()), ingest_settings(), sink).messages


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b'{"capture": "ibkr-market", "version": 2}'], "'version': 2"),
        ([b"[]"], "version 1"),
        ([HEAD, b"5"], "record 1: TypeError"),
        ([HEAD, b'["flush", null]', b'["heard"]'], "record 2: ValueError"),
        ([HEAD, b'["flush", "yesterday"]'], "record 1: ValueError"),
        ([HEAD, b'["end", null]'], "record 1: TypeError"),
        ([HEAD, b'["line", null, 1, {}]'], "record 1: KeyError"),
        ([HEAD, b'["surprise", null]'], "surprise"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_record(
    tmp_path: Path, lines: list[bytes], words: str
) -> None:
    """Another version, a record that was cut or changed, one of symbols that are not configured any more."""
    path = tmp_path / "capture.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    with pytest.raises(InvalidFieldError) as refused:
        replayed(path)
    assert words in str(refused.value)


def test_a_capture_that_breaks_off_anywhere_is_refused(tmp_path: Path) -> None:
    """At every byte."""
    path = tmp_path / "capture.gz"
    writer = CaptureWriter(path)
    for number in range(50):
        writer.heard(TEN, ("49", "1", str(number)))
    writer.close()
    whole = path.read_bytes()
    assert replayed(path) == 50
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(InvalidFieldError):
            list(read_capture(path))


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_capture_and_nothing_else() -> None:
    """The market is heard on; why nothing more is written stands in `failed`."""
    writer = CaptureWriter(FULL)
    for _ in range(20_000):
        writer.heard(TEN, ("1", "6", "9", "1", "110.01", "100", "1"))
    writer.close()
    assert "No space left" in writer.failed
    writer.heard(TEN, ("1",))
    writer.close()
