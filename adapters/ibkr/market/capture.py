"""The capture of a session: everything that was heard of the market, as text, to be replayed.

Gzip JSON lines. The first says the version; then, in the order in which things happened, `[name, at, …]`:

    line number {kind, symbol, ticks, contract…}   a number was given to a line
    heard field field …                            one message, as it came
    resume {symbol: time} {symbol: [minute]}
    end number | session day | chain symbol options listed | quiet reason
    refill number symbol since until | refill_over number words settled
    lose reason | still contract reason
    error number words final | empty number words | crossed number words | delayed number
    undecodable fields error
    flush                                          what was collected went on its way

`at` is the market's time (null before it is known), never this machine's: the same session gives the same
bytes. Numbers of requests are part of it, since messages carry them.
"""

import gzip
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from trading.model.instruments import Option, Right

VERSION = 1
LEVEL = 4  # of compression: a busy session is 10 MB a minute as text


class CaptureWriter:
    """Writes one capture; the file is whole once it is closed, and readable up to its last flush before.

    A disk that is full ends the capture and nothing else: `failed` says why, and the market is heard on.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = path.open("wb")
        packed = gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=self._raw, mtime=0)
        self._file = io.BufferedWriter(packed, 1 << 16)
        self._packed = packed
        self.failed = ""
        self._write({"capture": "ibkr-market", "version": VERSION})

    def line(self, at: datetime | None, number: int, line: Line) -> None:
        """A number was given to a line."""
        self._write(["line", at, number, line_fields(line)])

    def chain(self, at: datetime | None, symbol: str, options: Sequence[Option], listed: int) -> None:
        """A chain is to be made of these."""
        self._write(["chain", at, symbol, [option_fields(option) for option in options], listed])

    def heard(self, at: datetime | None, fields: Sequence[str]) -> None:
        """A message came."""
        self._write(["heard", at, *fields])

    def act(self, name: str, at: datetime | None, *arguments: object) -> None:
        """The feeds were told something else."""
        self._write([name, at, *arguments])

    def close(self) -> None:
        """Write what is left, and end the file."""
        if self._raw.closed:
            return
        try:
            self._file.flush()
            self._packed.close()
            self._raw.close()
        except OSError as error:
            self._fail(error)

    def _write(self, told: Any) -> None:
        if self.failed:
            return
        try:
            self._file.write(orjson.dumps(told) + b"\n")
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failed = self.failed or f"{type(error).__name__}: {error}"
        with suppress(OSError):
            self._raw.close()


def line_fields(line: Line) -> dict[str, Any]:
    """A line as JSON."""
    contract = line.contract
    return {
        "kind": line.kind.value,
        "symbol": line.symbol,
        "ticks": line.ticks,
        "conid": contract.conid,
        "of": contract.symbol,
        "sec_type": contract.sec_type,
        "exchange": contract.exchange,
        "instrument_id": contract.instrument_id,
        "option": None if contract.option is None else option_fields(contract.option),
    }


def option_fields(option: Option) -> list[Any]:
    """An option as JSON: its fields, in the order of `read_option`."""
    return [
        option.symbol,
        option.expiry,
        option.right.value,
        str(option.strike),
        option.multiplier,
        option.exchange,
        option.currency,
        option.trading_class,
        option.conid,
    ]


def read_option(fields: Sequence[Any]) -> Option:
    """The option of `option_fields`."""
    symbol, expiry, right, strike, multiplier, exchange, currency, trading_class, conid = fields
    return Option(
        symbol=symbol,
        expiry=date.fromisoformat(expiry),
        right=Right(right),
        strike=Decimal(strike),
        multiplier=multiplier,
        exchange=exchange,
        currency=currency,
        trading_class=trading_class,
        conid=conid,
    )


def read_line(fields: Mapping[str, Any]) -> Line:
    """The line of `line_fields`."""
    option = fields["option"]
    contract = KnownContract(
        conid=fields["conid"],
        symbol=fields["of"],
        sec_type=fields["sec_type"],
        exchange=fields["exchange"],
        instrument_id=fields["instrument_id"],
        option=None if option is None else read_option(option),
    )
    return Line(
        kind=LineKind(fields["kind"]), symbol=fields["symbol"], ticks=fields["ticks"], contract=contract
    )
