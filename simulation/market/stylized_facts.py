"""Typical figures of drawn and real markets: `python -m simulation.market.stylized_facts --data DIR`.

DIR holds folders of Lean files (share ticks, option minutes); without it only the drawn side is told. Nothing
here decides whether a figure is good: it shows both, and the tests say which must agree.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from simulation.market import lean_rows
from simulation.market.facts import ChainQuotes, Figures, ShareTape, chain_figures, share_figures
from simulation.market.lean import LeanFolder, RecordingError, midnight_ms, read_folder
from simulation.market.lean_names import Kind, Resolution
from simulation.market.parts import QuoteSource
from simulation.market.quotes import Quotes
from simulation.market.world import World, new_world
from simulation.sample_desk.contracts import UNDERLYINGS, Underlying
from trading.calendar import TradingCalendar

SEED, FIRST_SESSION, SESSIONS = 7, date(2026, 11, 13), 3
SHARES, CHAINS = ("AAPL", "MSFT"), ("AAPL",)
SCALE = 10_000.0  # Lean's prices
SAMPLE_EVERY_S = 1_800  # of chains
FOLDERS_MOST = 50


def drawn_share(quotes: Quotes, underlying: Underlying, session: date) -> ShareTape:
    """A share of the drawn world."""
    opens, closes = quotes.paths.bounds(session)
    prints = quotes.printed.shares(underlying, session)
    prints.between(opens, closes)
    bid, ask = quotes.pricing.share_touches(underlying, session, np.arange(opens, closes))
    changed = np.append([True], (np.diff(bid) != 0) | (np.diff(ask) != 0))
    return ShareTape(
        length_s=closes - opens,
        at=(prints.flow.second - opens).astype(np.float64),
        price=prints.cents / 100.0,
        size=prints.flow.size,
        quoted_at=np.nonzero(changed)[0].astype(np.float64),
        bid=bid[changed] / 100.0,
        ask=ask[changed] / 100.0,
    )


def drawn_chain(quotes: Quotes, underlying: Underlying, session: date) -> ChainQuotes:
    """A chain of the drawn world, looked at every half hour."""
    chain = quotes.chains.chain(underlying, session)
    if chain is None:
        raise ValueError(f"symbol: expected one with options, was {underlying.symbol}")
    opens, closes = quotes.paths.bounds(session)
    bids, asks, away = [], [], []
    for second in range(opens + SAMPLE_EVERY_S, closes, SAMPLE_EVERY_S):
        _, bid, ask = quotes.pricing.touches_at(chain, second)
        spot = quotes.paths.cents(underlying, second, session)
        bids.append(bid.ravel() / 100.0)
        asks.append(ask.ravel() / 100.0)
        away.append(np.broadcast_to(np.abs(chain.strikes - spot) / spot, bid.shape).ravel())
    days = np.array([(expiry - session).days for expiry in chain.expiries])
    flow = quotes.printed.options(chain).flow
    strikes, expiries = len(chain.strikes), len(chain.expiries)
    spot = quotes.paths.cents(underlying, opens, session)
    return ChainQuotes(
        bid=np.concatenate(bids),
        ask=np.concatenate(asks),
        away=np.concatenate(away),
        traded=flow.size,
        traded_away=np.abs(chain.strikes[flow.cell % strikes] - spot) / spot,
        traded_days=days[flow.cell // strikes % expiries],
    )


def recorded_share(folder: LeanFolder, symbol: str, session: date) -> ShareTape:
    """A share's ticks: the national best of each side carried forward, suspicious rows left out."""
    opens, length = _hours(session)
    trades = [
        row
        for row in folder.rows(Kind.TRADE, symbol, session, lean_rows.trade_tick)
        if not row.is_suspicious and 0 <= row.at_ms - opens < length * 1000
    ]
    ticks = [
        row for row in folder.rows(Kind.QUOTE, symbol, session, lean_rows.quote_tick) if not row.is_suspicious
    ]
    at = np.array([row.at_ms - opens for row in ticks]) / 1000.0
    bid, ask = (
        _carried(np.array(side) / SCALE) for side in zip(*((row.bid, row.ask) for row in ticks), strict=True)
    )
    known = (at >= 0) & (at < length) & (bid > 0) & (ask > 0)
    return ShareTape(
        length_s=length,
        at=np.array([row.at_ms - opens for row in trades]) / 1000.0,
        price=np.array([row.price for row in trades]) / SCALE,
        size=np.array([row.size for row in trades], dtype=np.int64),
        quoted_at=at[known],
        bid=bid[known],
        ask=ask[known],
    )


def recorded_chain(folder: LeanFolder, symbol: str, session: date) -> ChainQuotes | None:
    """The chain's minutes, looked at every half hour; None where there are none of the session."""
    spots = _minute_closes(folder, symbol, session)
    series = {key: item for key, item in folder.series.items() if item.underlying == symbol}
    rows: list[tuple[float, float, float]] = []
    traded: list[tuple[int, float, int]] = []
    for key, item in series.items():
        days = (item.expiry - session).days
        for quote in folder.rows(Kind.QUOTE, key, session, lean_rows.quote_row):
            spot = spots.get(quote.at_ms)
            if spot and quote.at_ms % (SAMPLE_EVERY_S * 1000) == 0 and quote.ask[3]:
                distance = abs(float(item.strike) - spot) / spot
                rows.append((quote.bid[3] / SCALE, quote.ask[3] / SCALE, distance))
        for trade in folder.rows(Kind.TRADE, key, session, lean_rows.trade_row):
            spot = spots.get(trade.at_ms)
            if spot:
                traded.append((trade.volume, abs(float(item.strike) - spot) / spot, days))
    if not rows or not traded:
        return None
    bid, ask, away = (np.array(column) for column in zip(*rows, strict=True))
    size, traded_away, traded_days = (np.array(column) for column in zip(*traded, strict=True))
    return ChainQuotes(
        bid=bid,
        ask=ask,
        away=away,
        traded=size,
        traded_away=traded_away,
        traded_days=traded_days,
    )


def drawn_columns(world: World) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Figures of the drawn shares and chains by their name; shares are means over the sessions."""
    quotes = _drawn(world.quotes)
    by_symbol = {underlying.symbol: underlying for underlying in UNDERLYINGS}
    shares = {
        f"drawn {symbol}": _mean(
            [share_figures(drawn_share(quotes, by_symbol[symbol], day)) for day in world.sessions]
        )
        for symbol in SHARES
    }
    chains = {
        f"drawn {symbol}": chain_figures(drawn_chain(quotes, by_symbol[symbol], world.sessions[0]))
        for symbol in CHAINS
    }
    return shares, chains


def recorded_columns(data: Path) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Figures of all real share ticks and option minutes in the folders of a directory."""
    shares: dict[str, Figures] = {}
    chains: dict[str, Figures] = {}
    for folder in _folders(data):
        for symbol in sorted(folder.spots):
            days = [day for day in folder.sessions() if _has_ticks(folder, symbol, day)]
            if days:
                figures = [share_figures(recorded_share(folder, symbol, day)) for day in days]
                shares[f"real {symbol} {days[0].year}"] = _mean(figures)
            for day in folder.sessions():
                quotes = recorded_chain(folder, symbol, day)
                if quotes is not None and len(quotes.bid) > 1_000:
                    chains[f"real {symbol} {day:%Y-%m-%d}"] = chain_figures(quotes)
        folder.close()
    return shares, chains


def table(columns: dict[str, Figures]) -> Iterator[str]:
    """Figures by line, sources by column."""
    names = list(columns)
    width = max(16, *(len(name) + 2 for name in names))
    yield f"{'':54}" + "".join(f"{name:>{width}}" for name in names)
    for figure in columns[names[0]]:
        cells = "".join(f"{columns[name].get(figure, float('nan')):>{width}.2f}" for name in names)
        yield f"{figure:54}{cells}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m simulation.market.stylized_facts", description=__doc__)
    parser.add_argument("--data", type=Path, help="directory with folders of Lean files")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    world = new_world(options.seed, FIRST_SESSION, SESSIONS)
    shares, chains = drawn_columns(world)
    if options.data is not None:
        more = recorded_columns(options.data)
        shares, chains = {**shares, **more[0]}, {**chains, **more[1]}
    print("Shares, a session\n" + "\n".join(table(shares)))
    print("\nOption chains, a session\n" + "\n".join(table(chains)))
    return 0


def _hours(session: date) -> tuple[int, int]:
    """Milliseconds after midnight of the opening, and length in seconds."""
    calendar = TradingCalendar()
    opens, closes = calendar.session_open(session), calendar.session_close(session)
    begins = int(opens.timestamp() * 1000) - midnight_ms(session)
    return begins, int((closes - opens).total_seconds())


def _carried(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Zeros are replaced by the value before."""
    places = np.maximum.accumulate(np.where(values > 0, np.arange(len(values)), 0))
    return values[places]


def _minute_closes(folder: LeanFolder, symbol: str, session: date) -> dict[int, float]:
    if folder.resolution(Kind.TRADE, symbol, session) is not Resolution.MINUTE:
        return {}
    rows = folder.rows(Kind.TRADE, symbol, session, lean_rows.trade_row)
    return {row.at_ms: row.close / SCALE for row in rows}


def _has_ticks(folder: LeanFolder, symbol: str, session: date) -> bool:
    kinds = (Kind.TRADE, Kind.QUOTE)
    return all(folder.resolution(kind, symbol, session) is Resolution.TICK for kind in kinds)


def _folders(data: Path) -> Iterator[LeanFolder]:
    for path in sorted(path for path in data.iterdir() if path.is_dir())[:FOLDERS_MOST]:
        try:
            yield read_folder(path)
        except RecordingError:
            continue  # another kind of recording


def _mean(figures: Iterable[Figures]) -> Figures:
    told = list(figures)
    return {name: float(np.mean([each[name] for each in told])) for name in told[0]}


def _drawn(quotes: QuoteSource) -> Quotes:
    if not isinstance(quotes, Quotes):
        raise TypeError(f"world: expected a drawn one, was {type(quotes).__name__}")
    return quotes


if __name__ == "__main__":
    raise SystemExit(main())
