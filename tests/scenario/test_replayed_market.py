"""A recorded day behind the gateway: what a client hears at the end of each minute is what the files say.

GOOG's whole option chain on 24 December 2015, an early close. The files are read here a second time, by
another reader; the client is a bare socket. A part runs always, the whole chain and session as a soak.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from filed_market import MINUTE_MS, SCALE, Closing, Name, Traded, closings, members, trades
from stepped_client import Stepped, Told, stepped

from simulation.gateway import GatewayPlan
from simulation.tws.options import GatewayOptions

FOLDER = "lean-goog-options-20151224"
SESSION = date(2015, 12, 24)
NOBODY = Closing(-1.0, 0, -1.0, 0)
MIDNIGHT = datetime(2015, 12, 24, 5, tzinfo=UTC)  # New York
OPEN_MS, CLOSE_MS = 34_200_000, 46_800_000  # 09:30 and 13:00
PART_CONTRACTS, PART_MINUTES = 150, 20


@dataclass
class Filed:
    """What the files say of one contract."""

    quotes: Mapping[int, Closing] = field(default_factory=dict)
    trades: Mapping[int, Traded] = field(default_factory=dict)


def filed(folder: Path) -> dict[Name, Filed]:
    """Every series of the day's option files."""
    found: dict[Name, Filed] = defaultdict(Filed)
    for name, rows in members(folder / "option_minute" / "20151224_quote_american.zip"):
        found[Name.of(name)].quotes = closings(rows)
    for name, rows in members(folder / "option_minute" / "20151224_trade_american.zip"):
        found[Name.of(name)].trades = trades(rows)
    return found


def share(folder: Path) -> Filed:
    """The share's regular hours."""
    ((_, quotes),) = members(folder / "equity_minute" / "20151224_quote.zip")
    ((_, prints),) = members(folder / "equity_minute" / "20151224_trade.zip")
    return Filed(
        {at: row for at, row in closings(quotes).items() if OPEN_MS <= at < CLOSE_MS},
        {at: row for at, row in trades(prints).items() if OPEN_MS <= at < CLOSE_MS},
    )


def plan(folder: Path) -> GatewayPlan:
    """The day, with a clock that stands and lines enough for the chain."""
    options = GatewayOptions(market_data_lines=3_000, messages_per_second=100_000)
    return GatewayPlan(data=folder, session=SESSION, sessions=1, speed=None, options=options)


def option_fields(name: Name) -> list[object]:
    """The twelve fields of a contract, without an id: the gateway must find it."""
    strike = f"{name.strike:g}"
    return [0, name.symbol, "OPT", name.expiry, strike, name.right, "100", "SMART", "", "USD", "", ""]


async def compared(folder: Path, wanted: Mapping[Name, Filed], minutes: int, each_s: float) -> None:
    """Play the minutes and compare each of them."""
    share_filed = share(folder)
    async with stepped(plan(folder)) as client:
        lines = dict(enumerate(wanted.values(), start=1))
        for place, name in enumerate(wanted, start=1):
            client.subscribe(place, option_fields(name), "233")
        client.subscribe(0, [0, "GOOG", "STK", "", "0", "", "", "SMART", "", "USD", "", ""], "233")
        lines[0] = share_filed
        await client.step(60)  # from a minute before the opening to the opening
        for minute in range(minutes):
            at_ms = OPEN_MS + minute * MINUTE_MS
            await client.step(59 if minute == 0 else 60, each=each_s)
            differences = _differences(client, lines, at_ms)
            assert not differences, differences[:5]
        await _nothing_after(client, lines, OPEN_MS + minutes * MINUTE_MS)


def _differences(client: Stepped, lines: Mapping[int, Filed], at_ms: int) -> list[str]:
    """Lines whose last quote is not the file's, carried forward where a minute has no row."""
    now = client.gateway.clock.now()
    assert now == MIDNIGHT + timedelta(milliseconds=at_ms + 59_000)
    found = []
    for place, each in lines.items():
        rows = [at for at in each.quotes if at <= at_ms]
        expected = each.quotes[max(rows)] if rows else NOBODY
        told = _closing(client.lines[place])
        if told != expected:
            found.append(f"{place} at {at_ms}: expected {expected}, was {told}")
    return found


async def _nothing_after(client: Stepped, lines: Mapping[int, Filed], end_ms: int) -> None:
    """All trades of the minutes played, none besides; at the close the quotes are gone, then silence."""
    for place, each in lines.items():
        expected = {at: row for at, row in each.trades.items() if at < end_ms}
        told = client.lines[place].trades
        assert _bars(told) == expected, place
        assert [total for *_, total in told] == list(_running(told)), place
    if end_ms == CLOSE_MS:
        await client.step(1)
        assert {_closing(line) for line in client.lines.values()} == {NOBODY}
        heard = sum(line.heard for line in client.lines.values())
        await client.step(1_800, each=60)
        assert sum(line.heard for line in client.lines.values()) == heard


def _closing(line: Told) -> Closing:
    values = line.values
    sizes = int(values["bid_size"]), int(values["ask_size"])
    return Closing(values["bid"], sizes[0], values["ask"], sizes[1])


def _bars(told: list[tuple[float, int, int, int]]) -> dict[int, Traded]:
    """The trades heard, minute by minute."""
    by_minute: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for price, size, at_ms, _ in told:
        since = at_ms - int(MIDNIGHT.timestamp() * 1000)
        by_minute[since // MINUTE_MS * MINUTE_MS].append((price, size))
    return {
        at: Traded(
            rows[0][0], max(p for p, _ in rows), min(p for p, _ in rows), rows[-1][0], sum(s for _, s in rows)
        )
        for at, rows in by_minute.items()
    }


def _running(told: list[tuple[float, int, int, int]]) -> list[int]:
    total, sums = 0, []
    for _, size, _, _ in told:
        total += size
        sums.append(total)
    return sums


def test_each_minute_ends_with_the_files_quotes_and_all_trades_are_told(shared_data: Path) -> None:
    """A part of the chain, those that trade first: last quotes, sizes, every trade, and the share beside."""
    found = filed(shared_data / FOLDER)
    busy = sorted(found, key=lambda name: (-len(found[name].trades), name.expiry, name.strike, name.right))
    wanted = {name: found[name] for name in busy[:PART_CONTRACTS]}
    asyncio.run(compared(shared_data / FOLDER, wanted, PART_MINUTES, 15))


@pytest.mark.soak
def test_the_whole_chain_through_the_whole_session(shared_data: Path) -> None:
    """2,192 contracts from the opening to the early close at one o'clock, and nothing after it."""
    found = filed(shared_data / FOLDER)
    assert len(found) == 2_192
    assert sum(len(each.quotes) for each in found.values()) == 275_552
    minutes = (CLOSE_MS - OPEN_MS) // MINUTE_MS
    asyncio.run(compared(shared_data / FOLDER, found, minutes, 60))


def test_every_trade_of_a_tick_tape_is_told_to_the_millisecond(shared_data: Path) -> None:
    """IBM on 7 October 2013: price, size, time and order of all that are not suspicious; then the close."""
    folder, session = shared_data / "lean-equity-ticks-201310", date(2013, 10, 7)
    ((_, rows),) = members(folder / "ibm" / "20131007_trade.zip")
    midnight = int(datetime(2013, 10, 7, 4, tzinfo=UTC).timestamp() * 1000)
    expected = [
        (int(row[1]) / SCALE, int(row[2]), midnight + int(row[0]))
        for row in rows
        if row[5] == "0" and OPEN_MS <= int(row[0]) < 57_600_000
    ]

    async def scenario() -> None:
        async with stepped(replace(plan(folder), session=session)) as client:
            client.subscribe(1, [0, "IBM", "STK", "", "0", "", "", "SMART", "", "USD", "", ""], "233")
            await client.barrier()
            await client.step(60 + 6.5 * 3_600, each=300)
            assert [trade[:3] for trade in client.lines[1].trades] == expected
            assert len(expected) > 20_000
            assert _closing(client.lines[1]) == NOBODY

    asyncio.run(scenario())


def test_apples_hours_after_its_split(shared_data: Path) -> None:
    """Where there are only hours of quotes each ends with its row's close; strikes are those of after it."""
    folder, session = shared_data / "lean-aapl-options-201406", date(2014, 6, 9)
    quotes: dict[Name, dict[int, Closing]] = {}
    for name, rows in members(folder / "option_hour" / "aapl_2014_quote_american.zip"):
        kept = [[_hour_ms(row[0]), *row[1:]] for row in rows if row[0].startswith("20140609")]
        if kept:
            quotes[Name.of(name, symbol_at=0)] = closings(kept)
    wanted = dict(
        sorted(quotes.items(), key=lambda item: (item[0].expiry, item[0].strike, item[0].right))[::20]
    )

    async def scenario() -> None:
        async with stepped(replace(plan(folder), session=session)) as client:
            for place, name in enumerate(wanted):
                client.subscribe(place, option_fields(name), "")
            await client.step(60)
            for hour in range(9, 16):
                await client.step(1_799 if hour == 9 else 3_600)
                for place, rows in enumerate(wanted.values()):
                    known = [rows[at] for at in rows if at <= hour * 3_600_000]
                    assert _closing(client.lines[place]) == (known[-1] if known else NOBODY)
            assert len(wanted) > 100 and not any(name.strike == 650 for name in quotes)

    asyncio.run(scenario())


def test_index_options_end_with_their_minutes_and_the_index_with_its_own(shared_data: Path) -> None:
    """SPXW on its day of expiry, SPX beside it, and the index out of Chicago's clock."""
    folder, session = shared_data / "lean-spx-options-202101", date(2021, 1, 4)
    quotes: dict[Name, dict[int, Closing]] = {}
    for root in ("spx", "spxw"):
        for name, rows in members(folder / "option_minute" / f"{root}_20210104_quote_european.zip"):
            quotes[Name.of(name)] = closings(rows)
    ((_, index),) = members(folder / "index_minute" / "20210104_trade.zip")
    values = {int(row[0]) + 3_600_000: float(row[4]) for row in index}

    async def scenario() -> None:
        async with stepped(replace(plan(folder), session=session)) as client:
            client.subscribe(0, [0, "SPX", "IND", "", "0", "", "", "CBOE", "", "USD", "", ""], "")
            for place, name in enumerate(quotes, start=1):
                client.subscribe(place, _index_option_fields(name), "")
            await client.step(60)
            for minute in range(390):
                at_ms = OPEN_MS + minute * MINUTE_MS
                await client.step(59 if minute == 0 else 60)
                assert client.lines[0].values["last"] == values[at_ms], minute
                for place, rows in enumerate(quotes.values(), start=1):
                    known = [rows[at] for at in rows if at <= at_ms]
                    assert _closing(client.lines[place]) == (known[-1] if known else NOBODY)

    asyncio.run(scenario())


def _hour_ms(text: str) -> str:
    return str(int(text[9:11]) * 3_600_000)


def _index_option_fields(name: Name) -> list[object]:
    strike = f"{name.strike:g}"
    return [0, "SPX", "OPT", name.expiry, strike, name.right, "100", "SMART", "", "USD", "", name.symbol]
