"""A market written as Lean's data files, in Lean's own folders: others can read it and we can replay it.

A minute of quotes is made of four looks: its first second, its 20th, its 40th and its last; the row's close
is the touch of the last second. A minute in which no look differs from what stood is not written, as in the
real files. Trades are the tape's bars of a minute. The universe file has the model values of the last second.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from simulation.broker.questions import Bar
from simulation.market.lean import midnight_ms
from simulation.market.lean_names import SCALE
from simulation.market.parts import Touch
from simulation.market.paths import epoch
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract, Underlying, plain, share_of
from trading.model.symbols import lean_symbol

LOOKS_S = (0, 20, 40, 59)
MINUTE_S = 60
PER_CENT = SCALE // 100
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)  # of every member, so that the same market is the same bytes
INTEREST_AT_MS = 23_400_000  # half past six
NOBODY = Touch(0, 0, 0, 0)
UNIVERSE_HEAD = (
    "#expiry,strike,right,open,high,low,close,volume,open_interest,"
    "implied_volatility,delta,gamma,vega,theta,rho"
)


@dataclass(frozen=True, slots=True)
class Class:
    """The series of one class on one session."""

    root: str
    underlying: Underlying
    series: Sequence[Contract]

    @property
    def style(self) -> str:
        """Index options are exercised at their end only."""
        return "european" if self.underlying.is_index else "american"

    @property
    def folder(self) -> str:
        """Where Lean keeps such options."""
        return "indexoption" if self.underlying.is_index else "option"


def write_market(world: World, symbols: Sequence[str], out: Path) -> list[Path]:
    """Files of all sessions of the world for some underlyings."""
    known = {
        contract.underlying.symbol: contract.underlying
        for contract in world.listings.by_conid.values()
        if contract.underlying is not None and contract.asset == "STK"
    }
    unknown = set(symbols) - set(known)
    if unknown or not symbols:
        raise ValueError(f"symbols: expected some of {', '.join(known)}, was {', '.join(sorted(unknown))}")
    paths: list[Path] = []
    for session in world.sessions:
        for symbol in symbols:
            paths += _write_spot(world, session, known[symbol], out)
            for each in _classes(world, session, symbol):
                paths += _write_class(world, session, each, out)
    return paths


def _classes(world: World, session: date, symbol: str) -> Iterator[Class]:
    """Classes of an underlying with the series that are alive on the session."""
    by_root: dict[str, list[Contract]] = {}
    for contract in world.listings.by_conid.values():
        underlying, expiry = contract.underlying, contract.expiry
        if (
            underlying is not None
            and expiry is not None
            and underlying.symbol == symbol
            and expiry >= session
        ):
            by_root.setdefault(underlying.option_root, []).append(contract)
    for root, series in sorted(by_root.items()):
        if series[0].underlying is not None:
            yield Class(root, series[0].underlying, sorted(series, key=lambda each: each.symbol))


def _write_spot(world: World, session: date, underlying: Underlying, out: Path) -> Iterator[Path]:
    symbol, day, contract = lean_symbol(underlying.symbol), f"{session:%Y%m%d}", share_of(underlying)
    if underlying.is_index:
        folder = out / "index" / "usa" / "minute" / symbol
        values = _value_rows(world, session, contract)
        yield _archive(folder / f"{day}_trade.zip", {f"{day}_{symbol}_minute_trade.csv": values})
        return
    folder = out / "equity" / "usa" / "minute" / symbol
    rows = {
        "quote": _quote_rows(world, session, [contract])[0],
        "trade": _trade_rows(world, session, contract),
    }
    for kind, text in rows.items():
        yield _archive(folder / f"{day}_{kind}.zip", {f"{day}_{symbol}_minute_{kind}.csv": text})


def _write_class(world: World, session: date, each: Class, out: Path) -> Iterator[Path]:
    root, day = each.root.lower(), f"{session:%Y%m%d}"
    folder = out / each.folder / "usa" / "minute" / root
    rows = {
        "quote": _quote_rows(world, session, each.series),
        "trade": [_trade_rows(world, session, contract) for contract in each.series],
        "openinterest": [_interest_row(world, session, contract) for contract in each.series],
    }
    for kind, texts in rows.items():
        members = {
            f"{day}_{root}_minute_{kind}_{each.style}_{_series(contract)}.csv": text
            for contract, text in zip(each.series, texts, strict=True)
            if text
        }
        yield _archive(folder / f"{day}_{kind}_{each.style}.zip", members)
    path = out / each.folder / "usa" / "universes" / root / f"{day}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([UNIVERSE_HEAD, *_universe_rows(world, session, each)]) + "\n")
    yield path


def _series(contract: Contract) -> str:
    right = "call" if contract.right == "C" else "put"
    return f"{right}_{int((contract.strike or Decimal(0)) * SCALE)}_{contract.expiry:%Y%m%d}"


def _quote_rows(world: World, session: date, contracts: Sequence[Contract]) -> list[str]:
    """The rows of each contract; second by second over all of them, since a chain is priced as one."""
    spans = [_seconds(world, session, contract) for contract in contracts]
    rows: list[list[str]] = [[] for _ in contracts]
    stood = [NOBODY] * len(contracts)
    zero = midnight_ms(session) // 1000
    for start in range(min(span[0] for span in spans), max(span[1] for span in spans), MINUTE_S):
        looks = [
            [world.quotes.touch(contract, start + look) or NOBODY for contract in contracts]
            for look in LOOKS_S
        ]
        for place, (first, last) in enumerate(spans):
            told = [look[place] for look in looks]
            if first <= start < last and any(look != stood[place] for look in told):
                rows[place].append(f"{(start - zero) * 1000},{_bid_texts(told)},{_ask_texts(told)}")
            stood[place] = told[-1]
    return [_text(each) for each in rows]


def _bid_texts(looks: Sequence[Touch]) -> str:
    return _side_texts([look.bid for look in looks], looks[-1].bid_size)


def _ask_texts(looks: Sequence[Touch]) -> str:
    return _side_texts([look.ask for look in looks], looks[-1].ask_size)


def _side_texts(cents: Sequence[int], size: int) -> str:
    """Open, high, low, close and size; nothing where nobody was at the end."""
    if not cents[-1]:
        return ",,,,0"
    seen = [each for each in cents if each]
    return ",".join(str(each * PER_CENT) for each in (seen[0], max(seen), min(seen), seen[-1])) + f",{size}"


def _trade_rows(world: World, session: date, contract: Contract) -> str:
    zero = midnight_ms(session)
    return _text(
        [f"{_bar_ms(bar, zero)},{_scaled(bar)},{bar.volume}" for bar in _bars(world, session, contract)]
    )


def _value_rows(world: World, session: date, contract: Contract) -> str:
    """An index by its own clock, values not scaled, with the minute's ticks where trades have a volume."""
    zero = midnight_ms(session, contract.symbol)
    return _text(
        [
            f"{_bar_ms(bar, zero)},{bar.open},{bar.high},{bar.low},{bar.close},{MINUTE_S}"
            for bar in _bars(world, session, contract)
        ]
    )


def _interest_row(world: World, session: date, contract: Contract) -> str:
    return f"{INTEREST_AT_MS},{world.quotes.open_interest(contract, session)}\n"


def _universe_rows(world: World, session: date, each: Class) -> Iterator[str]:
    opens, closes = world.calendar.session_open(session), world.calendar.session_close(session)
    spots = [Decimal(world.quotes.spot_cents(each.underlying, epoch(at))) / 100 for at in (opens, closes)]
    opened, closed = spots
    yield f",,,{opened},{max(spots)},{min(spots)},{closed},0,,,,,,,"
    last = datetime.fromtimestamp(epoch(closes) - 1, UTC)
    for contract in each.series:
        quote, greeks = world.tape.quote(contract, last), world.quotes.greeks(contract, last)
        values = (
            (greeks.implied_volatility, greeks.delta, greeks.gamma, greeks.vega, greeks.theta, 0.0)
            if greeks is not None
            else (0.0,) * 6
        )
        price = Decimal(0) if greeks is None else Decimal(str(round(greeks.price, 4)))
        named = f"{contract.expiry:%Y%m%d},{plain(contract.strike or 0)},{contract.right}"
        interest = world.quotes.open_interest(contract, session)
        model = ",".join(f"{value:.7f}" for value in values)
        yield f"{named},{price},{price},{price},{price},{quote.volume},{interest},{model}"


def _bars(world: World, session: date, contract: Contract) -> Sequence[Bar]:
    first, last = _seconds(world, session, contract)
    return world.tape.bars(contract, datetime.fromtimestamp(last, UTC), last - first, MINUTE_S, "TRADES")


def _seconds(world: World, session: date, contract: Contract) -> tuple[int, int]:
    hours = world.hours.of(contract, session)
    return epoch(hours.opens), epoch(hours.closes)


def _bar_ms(bar: Bar, zero_ms: int) -> int:
    return epoch(bar.at) * 1000 - zero_ms


def _scaled(bar: Bar) -> str:
    return ",".join(str(int(price * SCALE)) for price in (bar.open, bar.high, bar.low, bar.close))


def _text(rows: Sequence[str]) -> str:
    return "\n".join(rows) + "\n" if rows else ""


def _archive(path: Path, members: dict[str, str]) -> Path:
    """One archive, the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)
    path.write_bytes(buffer.getvalue())
    return path
