"""What Lean's files say, read here by themselves: the other side of every comparison with a replay.

Shares nothing with the simulation's reader: names by slicing, rows by splitting.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SCALE = 10_000
MINUTE_MS = 60_000
GONE = -1.0


@dataclass(frozen=True)
class Closing:
    """What stood at the end of a minute; -1 and 0 where there was nobody."""

    bid: float
    bid_size: int
    ask: float
    ask_size: int


@dataclass(frozen=True)
class Traded:
    """One minute of trades."""

    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True)
class Name:
    """A series as a member's name spells it."""

    symbol: str
    right: str
    strike: float
    expiry: str

    @classmethod
    def of(cls, member: str, symbol_at: int = 1) -> "Name":
        """From `20151224_goog_minute_quote_american_call_7350000_20151231.csv`; hours have no day."""
        parts = member.removesuffix(".csv").split("_")
        return cls(parts[symbol_at].upper(), parts[-3][0].upper(), int(parts[-2]) / SCALE, parts[-1])


def members(archive: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Name and rows of every file of an archive."""
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            lines = opened.read(name).decode().splitlines()
            yield name, [line.split(",") for line in lines if line]


def closings(rows: list[list[str]]) -> dict[int, Closing]:
    """By minute of the day (ms): the close of its row."""
    return {int(row[0]): Closing(*_side(row[4], row[5]), *_side(row[9], row[10])) for row in rows}


def trades(rows: list[list[str]]) -> dict[int, Traded]:
    """By minute of the day (ms): its row."""
    return {int(row[0]): Traded(*(int(each) / SCALE for each in row[1:5]), int(row[5])) for row in rows}


def _side(price: str, size: str) -> tuple[float, int]:
    return (int(price) / SCALE, int(size)) if price and int(price) else (GONE, 0)
