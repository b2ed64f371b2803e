"""Every request of the API has its answer under its own id, or a real gateway's code; none meets silence.

A table over a raw socket, written by the client library: what is asked, and which messages come before the
gateway tells the time it was asked for next. `4:200` is error 200.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from gateway_client import RawClient, gateway, library, run, written
from scripted_session import ACCOUNT, SPY_CONID, opening_clock, real_broker

from simulation.tws.requests import READERS
from simulation.tws.versions import NEWEST

IB = library()
ID = 77
LATER = timedelta(minutes=40, seconds=30)  # after the clock's beginning: a bar of an hour has not ended
SHARE = IB.Stock("SPY", "SMART", "USD")
NOBODY = IB.Stock("NOSUCH", "SMART", "USD")
NOWHERE = IB.Stock("SPY", "NOWHERE", "USD")
INDEX = IB.Index("SPX", "CBOE", "USD")
PAIR = IB.Forex("EURUSD")
CHAIN = IB.Contract(symbol="SPY", secType="OPT", exchange="SMART", currency="USD")
SERIES = "option"  # stands for one series, which the test looks up
ISIN = "US78462F1030"
FROM, NINE_FORTY = "20261113 09:31:00 US/Eastern", "20261113 09:40:00"
GONE = "cancel of what does not run"
Case = tuple[str, tuple[object, ...], str]


def details(**named: Any) -> Case:
    """A question to the contract master."""
    expected = named.pop("answer")
    return ("reqContractDetails", (ID, IB.Contract(**named)), expected)


def bars(expected: str, what: str = "TRADES", **changed: object) -> Case:
    """A question for bars."""
    told = {"contract": SHARE, "end": "", "duration": "1 D", "size": "1 hour", "form": 1, "keep": False}
    told |= changed
    arguments = (ID, told["contract"], told["end"], told["duration"], told["size"], what, 1, told["form"])
    return ("reqHistoricalData", (*arguments, told["keep"], []), expected)


CONTRACTS: Sequence[Case] = [
    details(symbol="SPY", secType="STK", exchange="SMART", currency="USD", answer="10 52"),
    details(symbol="SPY", secType="STK", currency="USD", answer="10 52"),
    details(symbol="SPY", secType="STK", exchange="ARCA", currency="USD", answer="10 52"),
    details(symbol="SPY", secType="STK", exchange="NOWHERE", currency="USD", answer="4:200"),
    details(symbol="SPY", secType="STK", exchange="SMART", currency="EUR", answer="4:200"),
    details(symbol="NOSUCH", secType="STK", exchange="SMART", currency="USD", answer="4:200"),
    details(conId=SPY_CONID, answer="10 52"),
    details(conId=1, answer="4:200"),
    details(symbol="SPX", secType="IND", exchange="CBOE", currency="USD", answer="10 52"),
    details(symbol="SPX", secType="IND", exchange="SMART", currency="USD", answer="4:200"),
    details(symbol="EUR", secType="CASH", exchange="IDEALPRO", currency="USD", answer="10 52"),
    details(symbol="ES", secType="FUT", exchange="CME", currency="USD", answer="4:200"),
    details(secType="STK", secIdType="ISIN", secId=ISIN, exchange="SMART", answer="10 52"),
    details(secType="STK", secIdType="ISIN", secId="XX0000000000", exchange="SMART", answer="4:200"),
    details(symbol="SPY", secType="OPT", exchange="SMART", right="X", answer="4:200"),
    details(symbol="SPY", secType="STK", exchange="SMART", right="?", answer="10 52"),
    details(symbol="SPY", secType="STK", exchange="SMART", primaryExchange="ARCA", answer="10 52"),
    details(symbol="SPY", exchange="SMART", answer="4:321"),
    details(symbol="SPY", secType="XYZ", answer="4:321"),
    details(symbol="SPY", secType="BAG", exchange="SMART", currency="USD", answer="4:321"),
    details(secType="STK", answer="4:321"),
    ("reqSecDefOptParams", (ID, "SPY", "", "STK", SPY_CONID), "75 76"),
    ("reqSecDefOptParams", (ID, "SPY", "", "STK", 1), "4:321"),
    ("reqSecDefOptParams", (ID, "SPY", "CME", "STK", SPY_CONID), "4:321"),
    ("reqSecDefOptParams", (ID, "NOSUCH", "", "STK", SPY_CONID), "4:200"),
    ("reqMatchingSymbols", (ID, "SP"), "79"),
    ("reqMatchingSymbols", (ID, "QQXX"), "79"),
    ("reqMarketRule", (26,), "93"),
    ("reqMarketRule", (99_999,), "4:321"),
]
LINES: Sequence[Case] = [
    ("reqMktData", (ID, SHARE, "", False, False, []), "81 58 1 2 45"),
    ("reqMktData", (ID, SHARE, "", True, False, []), "81 58 1 2 45 57"),
    ("reqMktData", (ID, SHARE, "", False, True, []), "81 58 1 2 45 57"),
    ("reqMktData", (ID, SERIES, "100,101,104,106,233,236,258,456,588", False, False, []), "81 58 1 2 45 21"),
    ("reqMktData", (ID, SHARE, "mdoff,292:BRFG", False, False, []), "81 58 1 2 45"),
    ("reqMktData", (ID, SHARE, "233", True, False, []), "4:321"),
    ("reqMktData", (ID, SHARE, "9999", False, False, []), "4:321"),
    ("reqMktData", (ID, SHARE, "trades", False, False, []), "4:321"),
    ("reqMktData", (ID, NOBODY, "", False, False, []), "4:200"),
    ("reqMktData", (ID, NOWHERE, "", False, False, []), "4:200"),
    ("reqMktData", (ID, CHAIN, "", False, False, []), "4:200"),
    ("reqMarketDataType", (3,), ""),
    ("reqMarketDataType", (9,), "4:321"),
    ("reqTickByTickData", (ID, SHARE, "BidAsk", 0, True), "99"),
    ("reqTickByTickData", (ID, SHARE, "Last", 5, False), "98"),
    ("reqTickByTickData", (ID, SHARE, "BidAsk", 5, False), "97 99"),
    ("reqTickByTickData", (ID, SHARE, "MidPoint", 5, False), "96 99"),
    ("reqTickByTickData", (ID, SHARE, "Sometimes", 0, False), "4:321"),
    ("reqTickByTickData", (ID, SERIES, "Last", 0, False), "4:10189"),
    ("reqTickByTickData", (ID, INDEX, "Last", 0, False), "4:10189"),
    ("reqTickByTickData", (ID, NOBODY, "Last", 0, False), "4:200"),
    ("reqMktDepthExchanges", (), "80"),
    ("reqMktDepth", (ID, SHARE, 5, True, []), "13"),
    ("reqMktDepth", (ID, SHARE, 5, False, []), "4:10092"),
    ("reqMktDepth", (ID, INDEX, 5, False, []), "4:10092"),
    ("reqMktDepth", (ID, PAIR, 5, False, []), "4:10092"),
    ("reqMktDepth", (ID, NOBODY, 5, True, []), "4:200"),
    ("reqRealTimeBars", (ID, SHARE, 5, "MIDPOINT", True, []), ""),  # told when five seconds are over
    ("reqRealTimeBars", (ID, SHARE, 5, "VIBES", True, []), "4:321"),
    ("reqRealTimeBars", (ID, NOBODY, 5, "TRADES", True, []), "4:200"),
    ("calculateImpliedVolatility", (ID, SERIES, 3.0, 671.0, []), "21"),
    ("calculateOptionPrice", (ID, SERIES, 0.2, 671.0, []), "21"),
    ("calculateOptionPrice", (ID, SHARE, 0.2, 671.0, []), "4:321"),
    ("calculateOptionPrice", (ID, NOBODY, 0.2, 671.0, []), "4:200"),
]
PAST: Sequence[Case] = [
    *(bars("17", what) for what in ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST")),
    *(bars("4:162", what) for what in ("HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY", "FEE_RATE")),
    bars("106", "SCHEDULE", size="1 day"),
    bars("4:321", "SCHEDULE"),
    bars("4:321", "ADJUSTED_LAST", end=NINE_FORTY),
    bars("4:321", "VIBES"),
    *(bars("17", size=size, duration="1 M") for size in ("1 day", "1 week", "1 month")),
    *(
        bars("17", end=end, size="1 min", duration="300 S", form=2)
        for end in (
            NINE_FORTY,
            f"{NINE_FORTY} US/Eastern",
            "20261113 08:40:00 US/Central",
            "20261113 15:40:00 Europe/Berlin",
            "20261113 14:40:00 UTC",
            "20261113-14:40:00",
        )
    ),
    *(bars("4:10314", end=end) for end in ("20261113", "noon", "20261113 09:40:00 Mars/Olympus")),
    bars("4:162", end="20250102 12:00:00", duration="60 S", size="1 min"),
    *(bars("4:321", duration=duration) for duration in ("1D", "1 parsec", "3 H", "")),
    *(bars("4:321", size=size) for size in ("7 mins", "1 sec", "")),
    bars("17", keep=True, size="1 min", duration="300 S"),
    bars("4:321", keep=True, end=NINE_FORTY),
    bars("4:321", "BID_ASK", keep=True),
    bars("4:200", contract=NOBODY),
    bars("4:200", contract=CHAIN),
    bars("17", contract=INDEX),
    bars("4:162", contract=PAIR),
    ("reqHistoricalTicks", (ID, SHARE, FROM, "", 9, "TRADES", 1, True, []), "98"),
    ("reqHistoricalTicks", (ID, SHARE, "", FROM, 9, "BID_ASK", 1, True, []), "97"),
    ("reqHistoricalTicks", (ID, SHARE, FROM, "", 9, "MIDPOINT", 1, True, []), "96"),
    ("reqHistoricalTicks", (ID, SHARE, FROM, FROM, 9, "TRADES", 1, True, []), "4:321"),
    ("reqHistoricalTicks", (ID, SHARE, FROM, "", 5_000, "TRADES", 1, True, []), "4:321"),
    ("reqHistoricalTicks", (ID, SHARE, FROM, "", 9, "VIBES", 1, True, []), "4:321"),
    ("reqHistoricalTicks", (ID, SHARE, "noon", "", 9, "TRADES", 1, True, []), "4:10314"),
    ("reqHeadTimeStamp", (ID, SHARE, "TRADES", 1, 1), "88"),
    ("reqHeadTimeStamp", (ID, SHARE, "VIBES", 1, 1), "4:321"),
    ("reqHeadTimeStamp", (ID, NOBODY, "TRADES", 1, 1), "4:200"),
    ("reqHistogramData", (ID, SHARE, True, "1 day"), "89"),
    ("reqHistogramData", (ID, SHARE, True, "soon"), "4:321"),
    ("reqHistogramData", (ID, NOBODY, True, "1 day"), "4:200"),
]
SERVICES: Sequence[Case] = [
    ("reqSmartComponents", (ID, "9c0001"), "82"),
    ("reqNewsProviders", (), "85"),
    ("reqNewsArticle", (ID, "BRFG", "BRFG$1", []), "4:10276"),
    ("reqHistoricalNews", (ID, SPY_CONID, "BRFG", "", "", 10, []), "4:10276"),
    ("reqNewsBulletins", (True,), ""),  # there are none
    ("reqScannerParameters", (), "19"),
    ("reqScannerSubscription", (ID, IB.ScannerSubscription(), [], []), "4:162"),
    ("reqFundamentalData", (ID, SHARE, "ReportSnapshot", []), "4:430"),
    ("reqFamilyCodes", (), "78"),
    ("reqSoftDollarTiers", (ID,), "77"),
    ("requestFA", (1,), "4:321"),
    ("replaceFA", (ID, 1, "<none/>"), "4:321"),
    ("queryDisplayGroups", (ID,), "67"),
    ("subscribeToGroupEvents", (ID, 1), "4:321"),
    ("updateDisplayGroup", (ID, "8314@SMART"), "4:321"),
    ("exerciseOptions", (ID, SERIES, 1, 1, ACCOUNT, 0), "4:321"),
    ("verifyRequest", ("api", "1"), "4:321"),
    ("setServerLogLevel", (5,), ""),
    ("reqCurrentTime", (), "49"),
    ("reqIds", (1,), "9"),
    ("reqManagedAccts", (), "15"),
]
CANCELS: Sequence[Case] = [
    ("cancelMktData", (ID,), "4:300"),
    ("cancelMktDepth", (ID, True), "4:310"),
    ("cancelRealTimeBars", (ID,), "4:300"),
    ("cancelTickByTickData", (ID,), "4:300"),
    ("cancelHistoricalData", (ID,), "4:366"),
    ("cancelScannerSubscription", (ID,), "4:365"),
    ("cancelPnL", (ID,), "4:10185"),
    ("cancelPnLSingle", (ID,), "4:10186"),
    ("cancelHeadTimeStamp", (ID,), ""),
    ("cancelHistogramData", (ID,), ""),
    ("cancelFundamentalData", (ID,), ""),
    ("cancelCalculateImpliedVolatility", (ID,), ""),
    ("cancelCalculateOptionPrice", (ID,), ""),
    ("cancelAccountSummary", (ID,), ""),
]
TABLE = {"contracts": CONTRACTS, "lines": LINES, "past": PAST, "services": SERVICES, GONE: CANCELS}
WITHOUT_IDS = {"reqMarketDataType", "reqMarketRule", "requestFA", "replaceFA", "verifyRequest"}


@pytest.mark.parametrize("room", TABLE)
def test_every_request_is_answered_as_a_real_gateway_would(room: str) -> None:
    """With the messages of the table, errors under the request's own id, and the connection goes on."""

    async def scenario() -> None:
        clock = opening_clock()
        clock.advance(LATER)
        options = {"pump_s": 3_600, "messages_per_second": 100_000, "history_pacing": False}
        async with gateway(real_broker(), clock, accounts=[ACCOUNT], **options) as server:
            server.pump()
            raw = await RawClient.started(server.port)
            series = await one_series(raw)
            for name, arguments, expected in TABLE[room]:
                asked = tuple(series if each == SERIES else each for each in arguments)
                told = [await answers(raw, name, asked)]
                server.state.clients.by_id[9].subscriptions.drop(*ALL_FEEDS)
                assert told == [expected.split()], (name, arguments)
            raw.close()

    run(scenario())


ALL_FEEDS = ("level1", "depth", "tick_by_tick", "bars", "history")


async def one_series(raw: RawClient) -> Any:
    """A call of the nearest expiry."""
    raw.send(*await texts("reqContractDetails", (ID, CHAIN)))
    rows = await raw.until(52)
    conid = int(rows[len(rows) // 2][12])
    return IB.Contract(conId=conid, exchange="SMART")


async def answers(raw: RawClient, name: str, arguments: tuple[object, ...]) -> list[str]:
    """The kinds of messages that come before the time that is asked for next, each once, in their order."""
    raw.send(*await texts(name, arguments))
    raw.send("49", "1")
    messages = (await raw.until(49))[:-1] if name != "reqCurrentTime" else (await raw.until(49))
    if name == "reqCurrentTime":
        await raw.until(49)
    kinds = list(dict.fromkeys(_kind(message) for message in messages))
    if name not in WITHOUT_IDS:
        assert {message[2] for message in messages if message[0] == "4"} <= {str(ID)}, (name, messages)
    return kinds


async def texts(name: str, arguments: tuple[object, ...]) -> list[str]:
    """What the library writes; it wants a loop of its own."""
    return await asyncio.to_thread(written, NEWEST, name, *arguments)


def _kind(message: list[str]) -> str:
    return f"4:{message[3]}" if message[0] == "4" else message[0]


def test_the_table_leaves_no_request_for_market_data_out() -> None:
    """Every message number that a client may send about data is in the table, the older ones beside."""
    asked = set(_numbers())
    orders_and_accounts = {3, 4, 5, 6, 7, 15, 16, 58, 61, 62, 63, 64, 71, 74, 75, 76, 77, 92, 94, 99}
    older = {13, 66, 70, 72, 73, 79, 100, 101, 102, 103, 104}
    assert set(READERS) - asked - orders_and_accounts - older == set()


def _numbers() -> Iterator[int]:
    series = IB.Contract(conId=1)
    for cases in TABLE.values():
        for name, arguments, _ in cases:
            told = tuple(series if each == SERIES else each for each in arguments)
            yield int(written(NEWEST, name, *told)[0])
