"""Each check of market data passes on a clean session, and names the row that is planted in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import market_rows as rows
import pytest
from market_desk import ToldClock

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_audit import ClickHouseMarketAudit
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from trading.model.contract_master import Split
from trading.model.instruments import Right
from trading.model.market import MarketBlock, MarketEntry, MarketKind, MarketRow
from trading.ports.market_history import MarketHistory
from trading.ports.model_runner import SessionRange
from trading.ports.quality import QualityResult
from trading.services.check_market import MARKET_RULES, MarketCheckTools, check_market

DAY = SessionRange(first=rows.SESSION, last=rows.SESSION)
FUND = "OPT:SPY   260303C00500000"
OLD, NEW = rows.option("700"), rows.option("100")


@dataclass
class KnownSplits(MarketHistory):
    """A source that knows splits, and no rows."""

    known: Sequence[Split] = ()
    name: str = field(default="known", init=False)  # type: ignore[misc]

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """None."""
        return ()

    def rows(self, kind: MarketKind, session: date) -> None:
        """None."""
        return

    def splits(self) -> Sequence[Split]:
        """What was given."""
        return self.known


def _split(effective: date = rows.SESSION) -> Split:
    return Split(symbol="AAPL", effective=effective, numerator=7)


def _check(warehouse: Warehouse, name: str, *splits: Split) -> QualityResult:
    tools = MarketCheckTools(
        audit=ClickHouseMarketAudit(warehouse),
        histories=[KnownSplits(splits)],
        history=ClickHouseQualityHistory(warehouse),
        clock=ToldClock(),
    )
    (result,) = check_market([rule for rule in MARKET_RULES if rule.name == name], DAY, tools)
    return result


def _load(warehouse: Warehouse, kind: MarketKind, *told: MarketRow, source: str = "lean") -> None:
    report = ClickHouseMarketStore(warehouse).load(kind, rows.SESSION, source, told)
    assert report.refused == 0


MOMENT = timedelta(microseconds=1)
CLEAN: dict[str, tuple[MarketKind, tuple[MarketRow, ...]]] = {
    "quotes_lie_in_the_session": (
        MarketKind.QUOTE,
        (
            rows.quote(rows.OPEN),
            rows.quote(),
            rows.quote(rows.CLOSE + timedelta(minutes=14), name=FUND, symbol="SPY"),
        ),
    ),
    "quotes_are_not_crossed": (
        MarketKind.QUOTE,
        (rows.quote(), rows.quote(bid=None), rows.quote(ask=None), rows.quote(bid="9", ask="9")),
    ),
    "quotes_are_not_stale": (
        MarketKind.QUOTE,
        (rows.quote(rows.OPEN), rows.quote(rows.CLOSE - timedelta(minutes=59))),
    ),
    "trades_lie_in_the_session": (MarketKind.TRADE, (rows.trade(rows.OPEN), rows.trade(rows.LAST))),
    "trades_are_told_once": (MarketKind.TRADE, (rows.trade(), rows.trade(ordinal=1))),
    "prints_have_one_source": (MarketKind.TRADE, (rows.trade(),)),
    "bars_lie_in_the_session": (
        MarketKind.BAR,
        (
            rows.bar(rows.OPEN),
            rows.bar(rows.CLOSE - timedelta(minutes=1)),
            rows.bar(rows.OPEN - timedelta(minutes=30), seconds=3600),
        ),
    ),
    "bars_have_no_gaps": (
        MarketKind.BAR,
        (*rows.minutes(), rows.bar(rows.NOON, name=rows.option().instrument_id)),
    ),
    "bars_cover_every_session": (MarketKind.BAR, (rows.bar(rows.NOON),)),
    "volatility_covers_every_session": (MarketKind.VOLATILITY, (rows.volatility(rows.NOON),)),
    "sentiment_is_in_range": (
        MarketKind.SENTIMENT,
        (rows.sentiment(-1.0), rows.sentiment(1.0), rows.sentiment(None, articles=0), rows.sentiment(None)),
    ),
    "technicals_are_in_range": (
        MarketKind.TECHNICAL,
        (
            rows.technical("RSI", rsi=0.0),
            rows.technical("ATR", atr=0.0),
            rows.technical("MACD", macd=-3.0, signal=-2.0, histogram=-1.0),
            rows.technical("BBANDS", lower=-1.0, middle=2.0, upper=2.0),
        ),
    ),
    "chain_is_complete": (
        MarketKind.CHAIN,
        (
            rows.chain(rows.contract(), rows.contract(rows.option("105"), bid=None), listed=2),
            rows.chain(rows.contract(bid=None, ask=None), at=rows.CLOSE + MOMENT, listed=2),
        ),
    ),
    "greeks_are_in_range": (
        MarketKind.CHAIN,
        (
            rows.chain(
                rows.contract(greeks=rows.greeks()),
                rows.contract(rows.option("100", Right.PUT), greeks=rows.greeks(delta=-0.5)),
                rows.contract(rows.option("105")),
            ),
        ),
    ),
    "put_call_parity_holds": (
        MarketKind.CHAIN,
        (rows.chain(*rows.call_and_put(("3", "3.2"), ("2.9", "3.1"))),),
    ),
    "contracts_have_not_expired": (
        MarketKind.CHAIN,
        (rows.chain(rows.contract(rows.option(expiry=rows.SESSION))),),
    ),
    "series_are_listed_once": (
        MarketKind.CHAIN,
        (rows.chain(rows.contract(OLD), rows.contract(rows.option("105"))),),
    ),
    "open_interest_is_of_the_new_series": (
        MarketKind.CHAIN,
        (
            rows.chain(
                rows.contract(OLD, bid=None, ask=None, open_interest=0), rows.contract(NEW, open_interest=7)
            ),
        ),
    ),
}
OF_THEIR_OWN = {"prints_have_one_source", "bars_cover_every_session", "volatility_covers_every_session"}
HOUR_OLD = rows.CLOSE - timedelta(minutes=61)
PLANTED: list[tuple[str, tuple[MarketRow, ...], str, int]] = [
    ("quotes_lie_in_the_session", (rows.quote(rows.OPEN - timedelta(milliseconds=1)),), "14:29:59.999", 1),
    ("quotes_lie_in_the_session", (rows.quote(rows.CLOSE),), "STK:AAPL 2026-03-03 21:00:00", 1),
    (
        "quotes_lie_in_the_session",
        (rows.quote(rows.CLOSE + timedelta(minutes=15), name=FUND, symbol="SPY"),),
        FUND,
        1,
    ),
    ("quotes_are_not_crossed", (rows.quote(bid="10.01"),), "10.01 over 10", 1),
    ("quotes_are_not_stale", (rows.quote(HOUR_OLD),), "STK:AAPL 2026-03-03: last quoted at 19:59:00", 1),
    ("trades_lie_in_the_session", (rows.trade(rows.CLOSE),), "STK:AAPL 2026-03-03 21:00:00", 1),
    ("trades_are_told_once", (rows.trade(), rows.trade()), "number 0: 2 times", 1),
    ("bars_lie_in_the_session", (rows.bar(rows.CLOSE),), "21:00:00", 1),
    ("bars_lie_in_the_session", (rows.bar(rows.OPEN - timedelta(minutes=1)),), "14:29:00", 1),
    ("bars_have_no_gaps", tuple(rows.minutes(388)), "2 minutes without a bar, the first at 20:58", 2),
    ("sentiment_is_in_range", (rows.sentiment(1.01),), "1.01 of 3 articles", 1),
    ("sentiment_is_in_range", (rows.sentiment(0.0, articles=0),), "0 of 0 articles", 1),
    ("technicals_are_in_range", (rows.technical("RSI", rsi=100.5),), "RSI 100.5", 1),
    ("technicals_are_in_range", (rows.technical("ATR", atr=-0.5),), "ATR -0.5", 1),
    ("technicals_are_in_range", (rows.technical("MACD", macd=float("nan")),), "no number", 1),
    (
        "technicals_are_in_range",
        (rows.technical("BBANDS", lower=3.0, middle=2.0, upper=4.0),),
        "bands out of order",
        1,
    ),
    ("chain_is_complete", (rows.chain(rows.contract(bid=None, ask=None)),), "not quoted: OPT:AAPL", 1),
    (
        "chain_is_complete",
        (rows.chain(rows.contract(bid=None, ask=None), at=rows.CLOSE + MOMENT),),
        "0 quoted of 1",
        1,
    ),
    (
        "chain_is_complete",
        (rows.chain(rows.contract(), listed=5),),
        "1 quoted of 1 in the chain, 5 listed",
        4,
    ),
    (
        "greeks_are_in_range",
        (rows.chain(rows.contract(greeks=rows.greeks(implied_volatility=0.0))),),
        "volatility 0",
        1,
    ),
    (
        "greeks_are_in_range",
        (rows.chain(rows.contract(greeks=rows.greeks(implied_volatility=5.1))),),
        "volatility 5.1",
        1,
    ),
    ("greeks_are_in_range", (rows.chain(rows.contract(greeks=rows.greeks(delta=-0.5))),), "delta -0.5", 1),
    ("greeks_are_in_range", (rows.chain(rows.contract(greeks=rows.greeks(delta=1.01))),), "delta 1.01", 1),
    ("greeks_are_in_range", (rows.chain(rows.contract(greeks=rows.greeks(gamma=-0.01))),), "gamma -0.01", 1),
    ("greeks_are_in_range", (rows.chain(rows.contract(greeks=rows.greeks(vega=-0.01))),), "vega -0.01", 1),
    (
        "put_call_parity_holds",
        (rows.chain(*rows.call_and_put(("8", "8.2"), ("2.9", "3.1"))),),
        "AAPL AAPL 2026-04-02 100",
        1,
    ),
    ("put_call_parity_holds", (rows.chain(*rows.call_and_put(("3", "3.2"), ("8", "8.2"))),), "off by 4", 1),
    (
        "contracts_have_not_expired",
        (rows.chain(rows.contract(rows.option(expiry=date(2026, 3, 2)), open_interest=5)),),
        "open interest 5",
        1,
    ),
    (
        "series_are_listed_once",
        (rows.chain(rows.contract(OLD), rows.contract(NEW)),),
        "C00700000 is also OPT:AAPL",
        1,
    ),
    (
        "open_interest_is_of_the_new_series",
        (rows.chain(rows.contract(OLD, bid=None, ask=None, open_interest=9), rows.contract(NEW)),),
        "open interest 9 of before the split",
        1,
    ),
]


def test_every_statement_is_a_rule_and_every_rule_is_tested() -> None:
    """No statement is forgotten, and none is without a clean and a dirty session here."""
    names = {script.name for script in sql.market_checks()}
    assert names == {rule.name for rule in MARKET_RULES} == set(CLEAN)
    assert {name for name, *_ in PLANTED} | OF_THEIR_OWN == names


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_session_passes(warehouse: Warehouse, name: str) -> None:
    """What is in order, and what lies on the edge of it, is no finding; an empty session is none either."""
    assert _check(warehouse, name, _split()).passed
    kind, told = CLEAN[name]
    _load(warehouse, kind, *told)
    result = _check(warehouse, name, _split())
    assert (result.passed, result.sample) == (True, ())


@pytest.mark.parametrize(("name", "told", "named", "wrong"), PLANTED)
def test_a_planted_row_is_named(
    warehouse: Warehouse, name: str, told: tuple[MarketRow, ...], named: str, wrong: int
) -> None:
    """The check fails with the number of wrong rows, and a person can find them by name."""
    _load(warehouse, CLEAN[name][0], *told)
    result = _check(warehouse, name, _split())
    assert (result.passed, result.failing_rows) == (False, wrong)
    assert named in result.sample[0]
    kept = warehouse.value(
        "select failing_rows from audit.quality_results where rule = {rule:String}", {"rule": name}
    )
    assert kept == wrong


def test_a_print_told_by_two_sources_is_named(warehouse: Warehouse) -> None:
    """Live and by a file at once would count twice."""
    _load(warehouse, MarketKind.TRADE, rows.trade())
    _load(warehouse, MarketKind.TRADE, rows.trade(), source="ibkr")
    assert _check(warehouse, "prints_have_one_source").sample == ("STK:AAPL 2026-03-03: ibkr and lean",)


def test_a_gap_that_another_source_fills_is_none(warehouse: Warehouse) -> None:
    """The live capture missed an hour, the file has it."""
    _load(warehouse, MarketKind.BAR, *rows.minutes(300), source="ibkr")
    assert _check(warehouse, "bars_have_no_gaps").failing_rows == 90
    _load(warehouse, MarketKind.BAR, *rows.minutes())
    assert _check(warehouse, "bars_have_no_gaps").passed


@pytest.mark.parametrize("days", [31, -31])
def test_a_split_long_ago_or_far_ahead_concerns_nobody(warehouse: Warehouse, days: int) -> None:
    """Strikes that happen to be sevenfold are no twins a month away from a split."""
    _load(warehouse, MarketKind.CHAIN, rows.chain(rows.contract(OLD), rows.contract(NEW)))
    away = _split(rows.SESSION + timedelta(days=days))
    assert _check(warehouse, "series_are_listed_once", away).passed
    assert not _check(warehouse, "series_are_listed_once", _split()).passed


def test_no_more_than_twenty_are_named(warehouse: Warehouse) -> None:
    """All are counted."""
    told = [rows.quote(rows.OPEN + timedelta(seconds=n), bid="11") for n in range(30)]
    _load(warehouse, MarketKind.QUOTE, *told)
    result = _check(warehouse, "quotes_are_not_crossed")
    assert (result.failing_rows, len(result.sample)) == (30, 20)
    assert "14:30:00" in result.sample[0]


def test_a_history_fills_the_gaps_of_the_live_capture(warehouse: Warehouse) -> None:
    """The minutes that were not heard stand beside those that were, and are counted as filled."""
    heard = rows.minutes(300)
    block = MarketBlock(
        kind=MarketKind.BAR, symbol="AAPL", source="ibkr", heard_at=rows.CLOSE, rows=tuple(heard)
    )
    entry = MarketEntry(stream="outbox:market:AAPL", entry_id="1-1", epoch="e", sequence=1, block=block)
    ClickHouseMarketStore(warehouse).record([entry], [], is_repeat=False)
    _load(warehouse, MarketKind.BAR, *rows.minutes()[200:])
    (filled,) = ClickHouseMarketAudit(warehouse).filled(DAY)
    assert (filled.live_only, filled.both, filled.filled) == (200, 100, 90)
    assert [
        (count.source, count.is_live)
        for count in ClickHouseMarketAudit(warehouse).counts(MarketKind.BAR, DAY)
    ] == [
        ("ibkr", True),
        ("lean", False),
    ]


def test_counts_are_by_source(warehouse: Warehouse) -> None:
    """Rows, instruments and ages of each source; a kind without rows has none."""
    _load(
        warehouse, MarketKind.QUOTE, rows.quote(rows.OPEN), rows.quote(), rows.quote(name=FUND, symbol="SPY")
    )
    _load(warehouse, MarketKind.QUOTE, rows.quote(), source="other")
    audit = ClickHouseMarketAudit(warehouse)
    counts = audit.counts(MarketKind.QUOTE, DAY)
    assert [(count.source, count.is_live, count.rows, count.instruments) for count in counts] == [
        ("lean", False, 3, 2),
        ("other", False, 1, 1),
    ]
    assert (counts[0].oldest_at, counts[0].newest_at) == (rows.OPEN, rows.LAST)
    for kind in MarketKind:
        if kind not in (MarketKind.QUOTE, MarketKind.REFUSED):
            assert not audit.counts(kind, DAY)


def test_a_smile_is_of_the_last_chain_and_the_nearest_expiries(warehouse: Warehouse) -> None:
    """Calls above the spot, puts below it; contracts without a volatility are left out."""
    early = rows.chain(rows.contract(rows.option("90", Right.PUT), greeks=rows.greeks()), at=rows.NOON)
    late = rows.chain(
        rows.contract(rows.option("95"), greeks=rows.greeks()),
        rows.contract(rows.option("95", Right.PUT), greeks=rows.greeks(implied_volatility=0.4)),
        rows.contract(rows.option("105"), greeks=rows.greeks(implied_volatility=0.2)),
        rows.contract(rows.option("110")),
        rows.contract(rows.option("105", expiry=date(2026, 5, 1)), greeks=rows.greeks()),
    )
    _load(warehouse, MarketKind.CHAIN, early, late)
    audit = ClickHouseMarketAudit(warehouse)
    points = audit.smiles(rows.SESSION, rows.CLOSE, 3, 1)
    assert [(int(point.strike), point.is_call, point.implied_volatility) for point in points] == [
        (95, False, 0.4),
        (105, True, 0.2),
    ]
    assert len(audit.smiles(rows.SESSION, rows.CLOSE, 3, 2)) == 3
    for until in (rows.LAST - MOMENT, rows.NOON):
        assert [int(point.strike) for point in audit.smiles(rows.SESSION, until, 3, 1)] == [90]
    assert len(audit.smiles(rows.SESSION, rows.NOON - MOMENT, 3, 2)) == 3, "all came later: the last"


def test_a_smile_is_of_one_moment_and_of_the_source_that_tells_most_of_it(warehouse: Warehouse) -> None:
    """Contracts that take turns were looked at hours apart: no curve is drawn through them."""
    hour_old = rows.greeks(at=rows.LAST - timedelta(hours=1))
    turns = [rows.contract(rows.option(strike), greeks=hour_old) for strike in ("101", "102", "103")]
    now = [rows.contract(rows.option(strike), greeks=rows.greeks(at=rows.LAST)) for strike in ("104", "105")]
    _load(warehouse, MarketKind.CHAIN, rows.chain(*turns, now[0]), source="turns")
    _load(warehouse, MarketKind.CHAIN, rows.chain(*now, at=rows.LAST), source="at_once")
    points = ClickHouseMarketAudit(warehouse).smiles(rows.SESSION, rows.CLOSE, 3, 1)
    assert [int(point.strike) for point in points] == [104, 105]


DAYS_BEFORE = [
    date(2026, 2, 24),
    date(2026, 2, 27),
    date(2026, 3, 2),
]  # the fifth, the second, the last session


@pytest.mark.parametrize("day", DAYS_BEFORE)
@pytest.mark.parametrize("kind", [MarketKind.BAR, MarketKind.VOLATILITY])
def test_a_session_without_a_row_is_a_gap_against_the_calendar(
    warehouse: Warehouse, kind: MarketKind, day: date
) -> None:
    """Who was told within five sessions before is missed; who was told in part, or long ago, is not."""
    name = {MarketKind.BAR: "bars_cover_every_session"}.get(kind, "volatility_covers_every_session")
    made = rows.bar if kind is MarketKind.BAR else rows.volatility
    store = ClickHouseMarketStore(warehouse)
    long_ago = date(2026, 2, 23)
    store.load(kind, long_ago, "lean", [made(rows.NOON - (rows.SESSION - long_ago))])
    assert _check(warehouse, name).passed
    store.load(kind, day, "lean", [made(rows.NOON - (rows.SESSION - day))])
    result = _check(warehouse, name)
    assert (result.failing_rows, result.sample[0].endswith(str(day))) == (1, True)
    _load(warehouse, kind, made(rows.NOON))
    assert _check(warehouse, name).passed
