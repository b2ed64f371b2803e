"""Contracts, quotes, books, trades, bars and their limits, as the client library hears them."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from gateway_client import RawClient, connected, gateway, library, run, until
from scripted_session import SPY_CONID, opening_clock, real_broker
from small_broker import ACCOUNT, OPTION, SHARE, SmallBroker, hand_clock

from simulation.broker.questions import Day, Print
from simulation.tws.options import DataPermission
from simulation.tws.versions import SUPPORTED

ACCOUNTS = (ACCOUNT,)
IB = library()
MOMENT = timedelta(seconds=1)
SPX_CONID = 416904


def share(exchange: str = "SMART") -> Any:
    return IB.Contract(conId=SHARE.conid, symbol="SPY", secType="STK", exchange=exchange, currency="USD")


def option() -> Any:
    return IB.Contract(conId=OPTION.conid, symbol="SPY", secType="OPT", exchange="SMART", currency="USD")


def codes_of(ib: Any) -> list[tuple[int, int]]:
    """Request ids and codes a client hears."""
    heard: list[tuple[int, int]] = []
    ib.errorEvent += lambda request_id, code, *_: heard.append((request_id, code))
    return heard


def request_contract(conid: int = SHARE.conid, sec_type: str = "STK", exchange: str = "SMART") -> list[str]:
    """The twelve contract fields of a raw request."""
    return [str(conid), "SPY", sec_type, "", "0.0", "", "", exchange, "", "USD", "", ""]


@pytest.mark.parametrize("version", SUPPORTED)
def test_contracts_chains_symbols_and_rules_are_answered(version: int) -> None:
    """Details with their end, error 200 for none, a chain for each exchange, samples, increments."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, server_version=version) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)
            (details,) = await ib.reqContractDetailsAsync(IB.Option("SPY", "20261113", 670, "C", "SMART"))
            assert details.contract.conId == OPTION.conid
            assert (details.underConId, details.minTick, details.lastTradeTime) == (
                SHARE.conid,
                0.01,
                "16:15",
            )
            assert details.contract.lastTradeDateOrContractMonth == "20261113"
            assert await ib.reqContractDetailsAsync(IB.Contract(conId=1)) == []
            assert [code for _, code in heard] == [200]
            both = await ib.reqContractDetailsAsync(IB.Contract(symbol="SPY", secType="OPT"))
            assert [each.contract.conId for each in both] == [OPTION.conid]
            chains = await ib.reqSecDefOptParamsAsync("SPY", "", "STK", SHARE.conid)
            assert [chain.exchange for chain in chains] == ["SMART", "CBOE"]
            assert (chains[0].expirations, chains[0].strikes) == (["20261113", "20261116"], [669, 670, 670.5])
            samples = await ib.reqMatchingSymbolsAsync("SP")
            assert [each.contract.symbol for each in samples] == ["SPY"]
            rule = await ib.reqMarketRuleAsync(109)
            assert [(each.lowEdge, each.increment) for each in rule] == [(0.0, 0.01), (3.0, 0.05)]
            ib.disconnect()

    run(scenario())


def test_a_quote_is_told_once_and_then_only_what_changed() -> None:
    """Prices with their sizes at first; a changed bid is one price and one size; nothing new is silence."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.send("1", "11", "5", *request_contract(), "0", "", "0", "0", "")
            heard = [await raw.next() for _ in range(10)]
            assert [message[0] for message in heard] == ["81", "58", "1", "2", "1", "2", "1", "2", "2", "45"]
            assert heard[2] == ["1", "6", "5", "1", "1.2", "10", "1"]
            broker.bid = Decimal("1.21")
            clock.advance(MOMENT)
            assert await raw.next() == ["1", "6", "5", "1", "1.21", "10", "1"]
            assert await raw.next() == ["2", "6", "5", "0", "10"]
            clock.advance(MOMENT)
            server.faults.halted.add(SHARE.conid)
            assert await raw.next() == ["45", "6", "5", "49", "1.0"]
            raw.send("2", "2", "5")
            raw.send("49", "1")
            assert (await raw.next())[0] == "49"
            raw.close()

    run(scenario())


def test_an_option_has_greeks_open_interest_and_marks_where_none_could_be_computed() -> None:
    """The model's values, those at bid and ask by first order, open interest of its right."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            ticker = ib.reqMktData(option(), "101")
            await until(lambda: ticker.modelGreeks and ticker.callOpenInterest == 4321, "the greeks")
            assert (ticker.modelGreeks.impliedVol, ticker.modelGreeks.delta) == (0.15, 0.5)
            assert ticker.bidGreeks.impliedVol < 0.15 < ticker.askGreeks.impliedVol
            assert ticker.putOpenInterest == 0
            server.faults.withhold_greeks = True
            clock.advance(MOMENT)
            await until(lambda: ticker.modelGreeks.delta is None, "the marks")
            ib.disconnect()

    run(scenario())


def test_a_snapshot_ends_and_takes_no_line() -> None:
    """reqTickers returns, because the end of the snapshot is told."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            (ticker,) = await ib.reqTickersAsync(share())
            assert (ticker.bid, ticker.ask, ticker.bidSize) == (1.2, 1.25, 10)
            assert server.state.clients.by_id[7].subscriptions.count("level1") == 0
            ib.disconnect()

    run(scenario())


def test_every_trade_is_told_by_the_volume_tick_when_asked_for() -> None:
    """Generic tick 233: price, size, total volume, and the trade's own time."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            ticker = ib.reqMktData(share(), "233")
            await until(lambda: ticker.bid == 1.2, "the quote")
            at = clock.now() + timedelta(milliseconds=300)
            broker.prints_told.append(Print(at=at, price=Decimal("1.23"), size=7, exchange="ARCA"))
            clock.advance(MOMENT)
            await until(lambda: ticker.rtVolume == 1241, "the trade")
            assert ticker.rtTime == at
            ib.disconnect()

    run(scenario())


def test_lines_and_permissions_have_their_codes() -> None:
    """101 beyond the lines, 321 for ticks that do not exist, 300 for a line that is not there."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, market_data_lines=2) as server:
            raw = await RawClient.started(server.port)
            for request_id in (1, 2, 3):
                raw.send("1", "11", request_id, *request_contract(), "0", "", "0", "0", "")
            assert (await raw.until(4))[-1][2:4] == ["3", "101"]
            raw.send("1", "11", 4, *request_contract(), "0", "233,9999", "0", "0", "")
            assert (await raw.next())[2:4] == ["4", "321"]
            raw.send("1", "11", 5, *request_contract(), "0", "233", "1", "0", "")
            assert (await raw.next())[2:4] == ["5", "321"]
            raw.send("2", "2", 77)
            assert (await raw.next())[2:4] == ["77", "300"]
            raw.close()

    run(scenario())


@pytest.mark.parametrize(
    ("permission", "data_type", "codes"),
    [
        (DataPermission.NONE, 1, [354]),
        (DataPermission.DELAYED, 1, [354]),
        (DataPermission.DELAYED, 3, [10167]),
        (DataPermission.LIVE, 1, []),
    ],
)
def test_without_permission_there_is_no_data_or_delayed_data(
    permission: DataPermission, data_type: int, codes: list[int]
) -> None:
    """354 where delayed data was not asked for, 10167 and delayed ticks where it was."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, permission=permission) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)
            ib.reqMarketDataType(data_type)
            ticker = ib.reqMktData(option())
            if codes == [354]:
                await until(lambda: heard, "the refusal")
                assert ticker.bid != 1.2
            else:
                await until(lambda: ticker.bid == 1.2 and ticker.modelGreeks, "the ticks")
                assert ticker.marketDataType == data_type
            assert [code for _, code in heard] == codes
            ib.disconnect()

    run(scenario())


@pytest.mark.parametrize(
    ("permission", "codes"),
    [
        (DataPermission.NONE, [354, 420, 162]),
        (DataPermission.DELAYED, [354, 420]),  # what is over may be seen
        (DataPermission.LIVE, []),
    ],
)
def test_without_permission_there_is_no_book_no_bar_of_now_and_no_history(
    permission: DataPermission, codes: list[int]
) -> None:
    """Nobody has a delayed book or a delayed bar of five seconds; each request is told why."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, permission=permission) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)
            ib.reqMktDepth(share(), isSmartDepth=True)
            ib.reqRealTimeBars(share(), 5, "TRADES", True)
            await ib.reqHistoricalDataAsync(share(), "", "1800 S", "1 min", "TRADES", True)
            await ib.reqCurrentTimeAsync()
            assert [code for _, code in heard] == codes
            ib.disconnect()

    run(scenario())


@pytest.mark.parametrize(("is_smart", "exchange"), [(True, "SMART"), (False, "ARCA"), (False, "CBOE")])
def test_a_book_is_told_by_position_and_follows_its_changes(is_smart: bool, exchange: str) -> None:
    """Inserts, updates and deletes leave the library with the broker's book; a reset starts it anew."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)
            ticker = ib.reqMktDepth(share(exchange), numRows=5, isSmartDepth=is_smart)

            def prices() -> list[float]:
                return [level.price for level in ticker.domBids]

            await until(lambda: prices() == [1.2, 1.19], "the book")
            assert {level.marketMaker for level in ticker.domBids} == (
                {""} if exchange == "CBOE" else {"CBOE"}
            )
            broker.rows, broker.bid = 4, Decimal("1.22")
            clock.advance(MOMENT)
            await until(lambda: prices() == [1.22, 1.21, 1.2, 1.19], "more levels")
            broker.rows = 1
            clock.advance(MOMENT)
            await until(lambda: prices() == [1.22] and len(ticker.domAsks) == 1, "fewer levels")
            server.reset_depth()
            await until(lambda: [code for _, code in heard] == [317], "the reset")
            clock.advance(MOMENT)
            await until(lambda: prices() == [1.22], "the new book")
            ib.cancelMktDepth(share(exchange), is_smart)
            ib.disconnect()

    run(scenario())


def test_a_fourth_book_is_refused() -> None:
    """309 names the limit; 310 answers the cancel of a book that is not there; 10092 where there is none."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            server.faults.silent_market = True
            for request_id in range(1, 5):
                raw.send("10", "5", request_id, *request_contract(), "5", "1", "")
            assert (await raw.next())[2:4] == ["4", "309"]
            raw.send("11", "1", 9, "1")
            assert (await raw.next())[2:4] == ["9", "310"]
            raw.send("10", "5", 10, *request_contract(), "5", "0", "")
            assert (await raw.next())[2:4] == ["10", "10092"]
            raw.close()

    run(scenario())


def test_tick_by_tick_is_told_for_shares_and_refused_for_options() -> None:
    """Trades, quotes and middles of the share; 10189 for the option, 10190 beyond the limit."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS, tick_by_tick_lines=4) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)
            heard_ticks: dict[tuple[str, int], Any] = {}

            def note(ticker: Any) -> None:
                for tick in ticker.tickByTicks:
                    heard_ticks[type(tick).__name__, getattr(tick, "tickType", 0)] = tick

            for kind in ("Last", "AllLast", "BidAsk", "MidPoint"):
                ib.reqTickByTickData(share(), kind).updateEvent += note
            feeds = server.state.clients.by_id[7].subscriptions
            await until(lambda: feeds.count("tick_by_tick") == 4, "the subscriptions")
            at = clock.now() + timedelta(milliseconds=300)
            broker.prints_told.append(Print(at=at, price=Decimal("1.23"), size=7, exchange="ARCA"))
            broker.bid = Decimal("1.21")
            clock.advance(MOMENT)
            await until(lambda: ("TickByTickAllLast", 2) in heard_ticks, "a tick of each kind")
            last = heard_ticks["TickByTickAllLast", 1]
            assert (last.price, last.size, last.exchange) == (1.23, 7, "ARCA")
            await until(lambda: heard_ticks["TickByTickBidAsk", 0].bidPrice == 1.21, "the bid")
            await until(lambda: heard_ticks["TickByTickMidPoint", 0].midPoint == 1.23, "the middle")
            ib.reqTickByTickData(option(), "Last")
            ib.reqTickByTickData(share(), "Last")
            await until(lambda: [code for _, code in heard] == [10189, 10190], "the refusals")
            ib.disconnect()

    run(scenario())


def test_five_second_bars_are_told_when_they_are_over() -> None:
    """One bar per five simulated seconds, none twice, also after the clock has jumped."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            bars = ib.reqRealTimeBars(share(), 5, "TRADES", False)
            await until(lambda: server.state.clients.by_id[7].subscriptions.count("bars"), "the subscription")
            for _ in range(3):
                clock.advance(timedelta(seconds=7))
                await ib.reqCurrentTimeAsync()
                server.pump()
            await until(lambda: len(bars) == 4, "the bars")
            start = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
            assert [bar.time for bar in bars] == [start + n * timedelta(seconds=5) for n in range(4)]
            ib.disconnect()

    run(scenario())


def test_history_is_told_and_kept_up_to_date() -> None:
    """Bars until now, then the bar of now: updated while it lasts, followed by the next."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            bars = await ib.reqHistoricalDataAsync(
                share(), "", "600 S", "1 min", "TRADES", False, 2, keepUpToDate=True
            )
            assert [bar.date for bar in bars][-1] == datetime(2026, 11, 13, 14, 59, tzinfo=UTC)
            assert (len(bars), bars[0].open, bars[0].barCount) == (10, 1.2, 7)
            clock.advance(timedelta(seconds=30))
            await until(lambda: bars[-1].date == datetime(2026, 11, 13, 15, 0, tzinfo=UTC), "the bar of now")
            days = await ib.reqHistoricalDataAsync(share(), "", "3 D", "1 day", "TRADES", True, 1)
            assert len(days) == 2
            texts = await ib.reqHistoricalDataAsync(
                share(), "20261113 09:45:00 US/Eastern", "300 S", "1 min", "BID", False, 1
            )
            assert len(texts) == 5
            assert texts[0].date == datetime(2026, 11, 13, 14, 40, tzinfo=UTC)
            ib.disconnect()

    run(scenario())


def test_history_too_fast_or_too_much_is_162() -> None:
    """The same request within 15 seconds, a sixth for one contract in 2 seconds, and too many bars."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)

            async def ask(request_id: int, duration: str, size: str = "5 secs") -> str:
                tail = ["0", "", size, duration, "1", "TRADES", "2", "0", ""]
                raw.send("20", request_id, *request_contract(), *tail)
                answer = await raw.next()
                return answer[3] if answer[0] == "4" else answer[0]

            assert await ask(1, "60 S") == "17"
            assert await ask(2, "60 S") == "162"
            answers = [await ask(3 + n, f"{100 + n} S") for n in range(5)]
            assert answers == ["17"] * 4 + ["162"]
            clock.advance(timedelta(seconds=20))
            assert await ask(9, "60 S") == "17"
            assert await ask(10, "1 Y") == "162"
            assert await ask(11, "60 parsecs") == "321"
            assert await ask(12, "60 S", "7 secs") == "321"
            raw.send("25", "1", 99)
            assert (await raw.next())[2:4] == ["99", "366"]
            raw.close()

    run(scenario())


def test_past_ticks_head_time_and_the_calculators_are_answered() -> None:
    """Trades, quotes and middles of the past, the first moment with data, price and volatility."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS, history_pacing=False) as server:
            ib = await connected(server.port)
            at = clock.now() - timedelta(seconds=30)
            broker.prints_told = [
                Print(at=at + n * MOMENT, price=Decimal("1.2"), size=n + 1, exchange="ARCA") for n in range(5)
            ]
            start = clock.now() - timedelta(minutes=1)
            trades = await ib.reqHistoricalTicksAsync(share(), start, "", 3, "TRADES", False)
            assert [tick.size for tick in trades] == [1, 2, 3]
            before = await ib.reqHistoricalTicksAsync(share(), "", clock.now(), 2, "TRADES", False)
            assert [tick.size for tick in before] == [4, 5]
            quotes = await ib.reqHistoricalTicksAsync(share(), start, "", 10, "BID_ASK", False)
            assert (len(quotes), quotes[0].priceBid) == (10, 1.2)
            mids = await ib.reqHistoricalTicksAsync(share(), start, "", 10, "MIDPOINT", False)
            assert mids[0].price == 1.225
            head = await ib.reqHeadTimeStampAsync(share(), "TRADES", False, 2)
            assert head < clock.now()
            priced = await ib.calculateOptionPriceAsync(option(), 0.16, 671.5)
            assert priced.optPrice == pytest.approx(1.22 + 0.3)
            implied = await ib.calculateImpliedVolatilityAsync(option(), 1.52, 671.5)
            assert implied.impliedVol == pytest.approx(0.16)
            absurd = await ib.calculateImpliedVolatilityAsync(option(), 1_000.0, 671.5)
            assert absurd.impliedVol is None, "no volatility gives that price"
            ib.disconnect()

    run(scenario())


def test_a_share_has_its_day_and_the_close_before() -> None:
    """Open, high, low, close, in the delayed ticks; a new high is told when it is there."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        prices = [Decimal(text) for text in ("1.21", "1.30", "1.15", "1.18")]
        names = ("open", "high", "low", "close")
        midnight = clock.now() + timedelta(hours=12)
        broker.told_day = Day(**dict(zip(names, prices, strict=True)), until=midnight)
        async with gateway(broker, clock, accounts=ACCOUNTS, permission=DataPermission.DELAYED) as server:
            ib = await connected(server.port)
            ib.reqMarketDataType(3)
            ticker = ib.reqMktData(share())
            await until(lambda: ticker.close == 1.18, "the close")
            assert (ticker.open, ticker.high, ticker.low) == (1.21, 1.3, 1.15)
            broker.last = Decimal("1.31")
            clock.advance(timedelta(seconds=1))
            await until(lambda: ticker.high == 1.31, "the new high")
            assert ticker.low == 1.15
            ib.disconnect()

    run(scenario())


def test_the_day_that_is_told_is_the_day_of_the_prints() -> None:
    """At any moment: the first price, the highest and lowest so far; the close is yesterday's last."""
    broker, clock = real_broker(), opening_clock()
    second_day = clock.now() + timedelta(days=3, hours=3)
    opens = second_day.replace(hour=14, minute=30, second=0)
    for conid in (SPY_CONID, SPX_CONID):
        day = broker.day(conid, second_day)
        friday = broker.bars(conid, clock.now() + timedelta(hours=12), 86_400, 86_400, "TRADES")
        assert day.close == friday[-1].close
        minutes = broker.bars(conid, second_day, int((second_day - opens).total_seconds()), 60, "TRADES")
        assert day.open == minutes[0].open
        if conid == SPY_CONID:
            assert day.high == max(bar.high for bar in minutes)
            assert day.low == min(bar.low for bar in minutes)
    early = broker.day(SPY_CONID, opens - timedelta(hours=1))
    assert (early.open, early.until) == (None, opens)


def test_a_combination_is_quoted_by_its_legs() -> None:
    """Bought at the asks of what it buys less the bids of what it sells; a leg nobody knows is error 200."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            heard = codes_of(ib)

            def bag(second: int) -> Any:
                legs = [
                    IB.ComboLeg(conId=OPTION.conid, ratio=2, action="BUY", exchange="SMART"),
                    IB.ComboLeg(conId=second, ratio=1, action="SELL", exchange="SMART"),
                ]
                return IB.Bag(symbol="SPY", exchange="SMART", currency="USD", comboLegs=legs)

            ticker = ib.reqMktData(bag(SHARE.conid))
            await until(lambda: ticker.bid == ticker.bid, "the quote")
            assert (ticker.bid, ticker.ask) == (2 * 1.2 - 1.25, 2 * 1.25 - 1.2)
            assert (ticker.bidSize, ticker.askSize) == (5, 5)
            ib.reqMktData(bag(1))
            await until(lambda: [code for _, code in heard] == [200], "the refusal")
            ib.disconnect()

    run(scenario())


def test_a_ticker_id_in_use_is_refused_and_the_first_line_goes_on() -> None:
    """Code 322 names the duplicate."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            for _ in range(2):
                raw.send("1", "11", 5, *request_contract(), "0", "", "0", "0", "")
            assert (await raw.until(4))[-1][2:4] == ["5", "322"]
            assert server.state.clients.by_id[9].subscriptions.count("level1") == 1
            raw.close()

    run(scenario())


def test_services_the_login_does_not_have_are_answered_all_the_same() -> None:
    """No request is left without an answer: a code, or the empty answer of an account without the service."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            for texts, answer in (
                (("52", "2", "8", "1", "SPY"), ("4", "430")),
                (("22", "8", "10"), ("4", "162")),
                (("86", "8", "1", ""), ("4", "10276")),
                (("18", "1", "1"), ("4", "321")),
                (("85",), ("85", "0")),
                (("80",), ("78", ACCOUNT)),
                (("104", "8"), ("107", "8")),
            ):
                raw.send(*texts)
                heard = await raw.next()
                assert heard[0] == answer[0]
                assert answer[1] in heard
            raw.close()

    run(scenario())


def test_the_ticks_are_of_the_recorded_kinds(shared_data: Path) -> None:
    """The tick types are those a real account recorded, and sizes change more often than prices."""
    path = shared_data / "ibkr-ticks" / "tick_data.json.gz"
    with gzip.open(path, "rt") as file:
        recorded = Counter(row["tickType"] for row in json.load(file))

    async def scenario() -> None:
        clock = opening_clock()
        async with gateway(real_broker(), clock, accounts=ACCOUNTS, pump_s=3_600) as server:
            raw = await RawClient.started(server.port)
            raw.send("1", "11", 5, *request_contract(), "0", "", "0", "0", "")
            told = Counter(int(m[3]) for m in await raw.until(45) if m[0] in ("1", "2"))
            for _ in range(240):
                clock.advance(timedelta(milliseconds=250))
                server.pump()
            raw.send("49", "1")
            told += Counter(int(m[3]) for m in await raw.until(49) if m[0] in ("1", "2"))
            marks_of_the_day = {6, 7, 9, 14}  # told at a line's beginning; the recording begins later
            assert set(told) == set(recorded) | marks_of_the_day
            for prices, sizes in (((1,), (0,)), ((2,), (3,))):
                for counted in (told, recorded):
                    assert sum(counted[t] for t in sizes) > sum(counted[t] for t in prices)
            raw.close()

    run(scenario())


def test_five_second_bars_the_bar_of_now_and_history_tell_the_same_minute() -> None:
    """Twelve short bars add up to the minute, whose last update is what history says afterwards."""

    async def scenario() -> None:
        clock = opening_clock()
        options = {"pump_s": 3_600, "history_pacing": False, "messages_per_second": 10_000}
        async with gateway(real_broker(), clock, accounts=ACCOUNTS, **options) as server:
            ib = await connected(server.port)
            short = ib.reqRealTimeBars(share(), 5, "TRADES", False)
            live = await ib.reqHistoricalDataAsync(
                share(), "", "300 S", "1 min", "TRADES", False, 2, keepUpToDate=True
            )
            assert len(live) == 5
            for _ in range(16):
                clock.advance(timedelta(seconds=5))
                server.pump()
                await ib.reqCurrentTimeAsync()
            past = await ib.reqHistoricalDataAsync(share(), "", "120 S", "1 min", "TRADES", False, 2)
            minute = next(bar for bar in past if bar.date == live[5].date)
            assert [bar.time for bar in short] == [live[5].date + n * timedelta(seconds=5) for n in range(16)]
            within = short[:12]
            told = [minute.open, minute.high, minute.low, minute.close, minute.volume, minute.barCount]
            last = live[5]
            assert [last.open, last.high, last.low, last.close, last.volume, last.barCount] == told
            assert (sum(bar.volume for bar in within), within[-1].close) == (minute.volume, minute.close)
            assert max(bar.high for bar in within if bar.volume) == minute.high
            assert len(live) == 7
            ib.disconnect()

    run(scenario())


def test_a_bar_of_both_sides_spans_from_bid_to_ask() -> None:
    """Opens at the bid and closes at the ask; low and high are the extremes of each side."""

    async def scenario() -> None:
        async with gateway(real_broker(), opening_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            bars = await ib.reqHistoricalDataAsync(share(), "", "240 S", "1 min", "BID_ASK", False, 2)
            assert len(bars) == 4
            assert all(bar.low <= bar.open and bar.close <= bar.high and bar.low < bar.high for bar in bars)
            year = await ib.reqHistoricalDataAsync(share(), "", "1 Y", "1 day", "TRADES", True, 1)
            assert len(year) < 60
            ib.disconnect()

    run(scenario())
