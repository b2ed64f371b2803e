"""The capture of a session: everything that was heard of the market, as text, to be replayed.

Gzip JSON lines. The first says the version; then, in the order in which things happened:

    ["line", at, number, {kind, symbol, ticks, contract…}]   a number was given to a line
    ["end", at, number]
    ["heard", at, field, field, …]                           one message, as it came
    ["act", at, name, argument…]                             what else the feeds were told: a loss, a session
    ["flush", at]                                            what was collected went on its way

`at` is the market's time (None before it is known), never this machine's: the same session gives the same
bytes.
"""

import gzip
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from adapters.ibkr.market.lines import Line

VERSION = 1
LEVEL = 4  # of compression: a busy session is 10 MB a minute as text


class CaptureWriter:
    """Writes one capture; the file is whole once it is closed, and readable up to its last flush before."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = path.open("wb")
        packed = gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=self._raw, mtime=0)
        self._file = io.BufferedWriter(packed, 1 << 16)
        self._packed = packed
        self._write({"capture": "ibkr-market", "version": VERSION})

    def line(self, at: datetime | None, number: int, line: Line) -> None:
        """A number was given to a line."""
        self._write(["line", at, number, line_fields(line)])

    def end(self, at: datetime | None, number: int) -> None:
        """A line is over."""
        self._write(["end", at, number])

    def heard(self, at: datetime | None, fields: Sequence[str]) -> None:
        """A message came."""
        self._write(["heard", at, *fields])

    def act(self, at: datetime | None, name: str, *arguments: object) -> None:
        """The feeds were told something else."""
        self._write(["act", at, name, *arguments])

    def flush(self, at: datetime | None) -> None:
        """What was collected went on its way."""
        self._write(["flush", at])

    def close(self) -> None:
        """Write what is left, and end the file."""
        if not self._raw.closed:
            self._file.flush()
            self._packed.close()
            self._raw.close()

    def _write(self, told: Any) -> None:
        self._file.write(orjson.dumps(told) + b"\n")


def line_fields(line: Line) -> dict[str, Any]:
    """A line as JSON."""
    contract, option = line.contract, line.contract.option
    return {
        "kind": line.kind.value,
        "symbol": line.symbol,
        "ticks": line.ticks,
        "conid": contract.conid,
        "of": contract.symbol,
        "sec_type": contract.sec_type,
        "exchange": contract.exchange,
        "instrument_id": contract.instrument_id,
        "option": None if option is None else {"occ": option.occ, "multiplier": option.multiplier},
    }
