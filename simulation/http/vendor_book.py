"""What a market-data vendor knows of a world, in its own shapes: option rows, minutes, articles.

A book answers for a symbol and a moment of the market; None means that it does not know the symbol, an empty
list that there is nothing. `ChainBook` reads recorded chains of a folder, `WorldBook` (in `world_book`) asks
any world. Keep out: HTTP, limits, refusals.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from simulation.http.articles import Article
from simulation.market.lean_universe import columns_and_lines, contract_of
from trading.model.symbols import occ_root, vendor_symbol
from trading.model.times import NEW_YORK

NOTHING = "0.00"
CHAINS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Minute:
    """Prices of one minute, in dollars; `at` is its beginning."""

    at: datetime
    high: float
    low: float
    close: float


Row = dict[str, str]


class VendorBook(Protocol):
    """Everything that can be asked."""

    def options(self, symbol: str, at: datetime) -> list[Row] | None:
        """The whole chain as it stands, in the vendor's row shape."""

    def minutes(self, symbol: str, at: datetime) -> Sequence[Minute] | None:
        """Whole minutes before `at`, oldest first."""

    def articles(self, symbol: str, since: datetime, at: datetime) -> list[Article] | None:
        """Articles about the symbol (about any where it is empty) after `since`, newest first."""


@dataclass(slots=True)
class ChainBook:
    """End-of-day chains recorded as `universe/YYYYMMDD.csv[.gz]` of one symbol; there is no touch in them."""

    folder: Path
    symbol: str

    def options(self, symbol: str, at: datetime) -> list[Row] | None:
        """The newest recorded chain up to the moment's day."""
        if symbol != self.symbol:
            return None
        day = f"{at.astimezone(NEW_YORK):%Y%m%d}"
        names = sorted(path.name for path in (self.folder / "universe").glob("*.csv*"))
        known = [name for name in names if name[:8] <= day]
        return [dict(row) for row in _recorded(self.folder / "universe" / known[-1], symbol)] if known else []

    def minutes(self, symbol: str, at: datetime) -> Sequence[Minute] | None:
        """None are recorded."""
        return [] if symbol == self.symbol else None

    def articles(self, symbol: str, since: datetime, at: datetime) -> list[Article] | None:
        """None are recorded."""
        return [] if symbol in ("", self.symbol) else None


@lru_cache(maxsize=CHAINS_KEPT)
def _recorded(path: Path, symbol: str) -> tuple[Mapping[str, str], ...]:
    data = path.read_bytes()
    columns, lines = columns_and_lines((gzip.decompress(data) if path.suffix == ".gz" else data).decode())
    told = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    day = date.fromisoformat(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}")
    rows = (_recorded_row(row, symbol, day) for row in told)
    return tuple(row for row in rows if row is not None)


def _recorded_row(row: Mapping[str, str], symbol: str, day: date) -> Row | None:
    """A contract's row; None for the underlying's."""
    expiry, strike, right = contract_of(row, symbol)
    if expiry is None:
        return None
    return {
        "contractID": f"{occ_root(symbol)}{expiry:%y%m%d}{right}{int(strike * 1000):08d}",
        "symbol": vendor_symbol(symbol),
        "expiration": expiry.isoformat(),
        "strike": f"{strike:.2f}",
        "type": "call" if right == "C" else "put",
        "last": f"{Decimal(row['close']):.2f}",
        "mark": f"{Decimal(row['close']):.2f}",
        "bid": NOTHING,
        "bid_size": "0",
        "ask": NOTHING,
        "ask_size": "0",
        "volume": row["volume"] or "0",
        "open_interest": row["open_interest"] or "0",
        "date": day.isoformat(),
        **{name: row[name] for name in ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")},
    }
