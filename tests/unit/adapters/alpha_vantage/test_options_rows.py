"""Option rows of Alpha Vantage: a bad one is refused alone, model values that cannot be are dropped."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_desk import NOON, SYMBOL, option_row, strikes

from adapters.alpha_vantage import options
from adapters.alpha_vantage.options import read_chain
from adapters.venue.payload import JsonObject
from simulation.http.vendor_book import ChainBook
from trading.calendar import session_close
from trading.model.market import ChainContract, GreeksSource
from trading.ports.vendor_source import ChainRead

FRIDAY = date(2026, 11, 20)


def read(*rows: object, at: datetime = NOON, symbol: str = SYMBOL) -> ChainRead:
    """The rows as they come from the wire."""
    return read_chain([JsonObject(row) if isinstance(row, dict) else row for row in rows], symbol, at)


def only(told: ChainRead) -> ChainContract:
    """The one contract of a read without refusals."""
    assert told.refused == ()
    assert told.snapshot is not None
    (contract,) = told.snapshot.contracts
    return contract


def test_a_good_row_is_a_contract_with_everything() -> None:
    """Every field arrives under its own name, prices as decimals, greeks with their source and time."""
    contract = only(read(option_row()))
    assert contract.option.occ == "AAPL  261218C00250000"
    assert (contract.bid, contract.ask, contract.last) == (Decimal("5"), Decimal("5.1"), Decimal("5.1"))
    assert (contract.bid_size, contract.ask_size, contract.volume) == (11, 7, 1200)
    assert (contract.open_interest, contract.open_interest_date) == (3400, date(2026, 11, 23))
    assert contract.at == NOON
    greeks = contract.greeks
    assert greeks is not None
    assert (greeks.source, greeks.at, greeks.implied_volatility) == (
        GreeksSource.ALPHA_VANTAGE,
        NOON,
        0.2421,
    )
    assert (greeks.delta, greeks.gamma, greeks.theta, greeks.vega, greeks.rho) == (
        0.51234,
        0.021,
        -0.11,
        0.31,
        0.08,
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bid": "5.20"}, "bid"),  # above the ask
        ({"bid": "-1.00"}, "bid"),
        ({"ask_size": "-7"}, "ask_size"),
        ({"volume": "-1"}, "volume"),
        ({"open_interest": "2.5"}, "open_interest"),
        ({"open_interest": "many"}, "open_interest"),
        ({"last": "1e400"}, "last"),
        ({"contractID": "AAPL  261218C00250000"}, "contractID"),
        ({"contractID": "nonsense"}, "contractID"),
        ({"contractID": "MSFT261218C00250000"}, "contractID"),
        ({"contractID": "AAPL1261218C00250000"}, "contractID"),  # an adjusted series is another contract
        ({"contractID": "XXYYZZ999999C00001000"}, "contractID"),
        ({"strike": "255.00"}, "strike"),
        ({"type": "put"}, "type"),
        ({"type": "straddle"}, "right"),
        ({"expiration": "2026-12-19"}, "expiration"),
        ({"date": "2026-11-24"}, "date"),  # tomorrow
        ({"date": "2026-11-22"}, "date"),  # a Sunday
        ({"date": "yesterday"}, "date"),
    ],
)
def test_a_bad_row_is_refused_by_its_field_and_the_others_arrive(changes: dict[str, str], field: str) -> None:
    """The dead letter has the field, the reason and the row as it came; three good rows are there."""
    told = read(*strikes(240, 255, 260), option_row(**changes))
    assert told.snapshot is not None
    assert len(told.snapshot.contracts) == 3
    (refused,) = told.refused
    assert (refused.field, refused.symbol, refused.feed, refused.at) == (field, SYMBOL, "chain", NOON)
    assert all(value in refused.payload for value in changes.values())
    assert refused.reason


def test_an_expired_contract_is_refused() -> None:
    """What ended before the row's session cannot be in its chain."""
    row = option_row(contractID="AAPL261120C00250000", expiration="2026-11-20")
    (refused,) = read(row).refused
    assert refused.field == "expiration"


@pytest.mark.parametrize("row", ["text", 7, None, [], {}, {"contractID": None}])
def test_what_is_no_row_is_refused(row: object) -> None:
    """Wrong types end nothing."""
    told = read(option_row(), row)
    assert told.snapshot is not None
    assert len(told.refused) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"implied_volatility": "0.00000"}, "implied_volatility out of range"),
        ({"implied_volatility": "12.80000"}, "implied_volatility out of range"),
        ({"implied_volatility": "-0.10000"}, "implied_volatility out of range"),
        ({"delta": "1.20000"}, "delta out of range"),
        ({"gamma": "-0.10000"}, "gamma or vega below zero"),
        ({"vega": "-0.10000"}, "gamma or vega below zero"),
        ({"implied_volatility": ""}, "there are none"),
        ({"implied_volatility": "-"}, "there are none"),
        ({"theta": "n.a."}, "theta is no number"),
    ],
)
def test_nonsense_of_the_model_costs_the_greeks_and_not_the_contract(
    changes: dict[str, str], reason: str
) -> None:
    """Quote and open interest of a deep in-the-money row are facts; its volatility is not."""
    told = read(option_row(**changes))
    contract = only(told)
    assert contract.greeks is None
    assert contract.open_interest == 3400
    assert told.dropped == {reason: 1}


def test_zero_is_no_price_and_its_size_is_none() -> None:
    """The vendor writes 0.00 where nobody quotes."""
    contract = only(read(option_row(bid="0.00", last="0.00")))
    assert (contract.bid, contract.bid_size, contract.last) == (None, None, None)
    assert contract.ask == Decimal("5.1")


def test_a_locked_market_is_a_market() -> None:
    """Bid at the ask stays as told; what follows from it is decided elsewhere."""
    contract = only(read(option_row(bid="5.10")))
    assert contract.bid == contract.ask


def test_a_chain_of_friday_is_as_of_fridays_close() -> None:
    """An old chain looks old: its time is its session's, not that of the question."""
    told = read(option_row(date="2026-11-20"))
    assert told.snapshot is not None
    assert told.snapshot.at == session_close(FRIDAY)


def test_after_the_close_the_day_is_as_of_its_last_quarter() -> None:
    """Options on indexes trade a quarter of an hour longer; after it a chain does not get younger."""
    close = session_close(NOON.date())
    assert only(read(option_row(), at=close + timedelta(minutes=10))).at == close + timedelta(minutes=10)
    assert only(read(option_row(), at=close + timedelta(hours=2))).at == close + timedelta(minutes=15)


def test_a_contract_told_twice_counts_once() -> None:
    """The same again is counted as repeated, another version of it is refused."""
    told = read(option_row(), option_row(), option_row(bid="4.00"))
    assert told.snapshot is not None
    assert len(told.snapshot.contracts) == 1
    assert told.repeated == 1
    assert [row.field for row in told.refused] == ["contractID"]


def test_index_weeklies_are_of_their_index() -> None:
    """SPXW contracts belong to the chain of SPX, under their own class."""
    row = option_row(contractID="SPXW261218C06700000", symbol="SPX", strike="6700.00")
    contract = only(read(row, symbol="SPX"))
    assert (contract.option.symbol, contract.option.trading_class) == ("SPX", "SPXW")


def test_a_class_of_shares_has_its_chain() -> None:
    """The id has no mark between the letters; the contract is of what was asked for."""
    row = option_row(contractID="BRKB261218C00500000", symbol="BRK.B", strike="500.00")
    option = only(read(row, symbol="BRK B")).option
    assert (option.symbol, option.trading_class) == ("BRK B", "BRKB")
    assert option.instrument_id == "OPT:BRKB  261218C00500000"
    (refused,) = read(row, symbol="BRK A").refused
    assert refused.field == "contractID"
    (refused,) = read(option_row(contractID="SPXW261218C00500000", strike="500.00"), symbol="SPY").refused
    assert refused.field == "contractID"


def test_more_rows_than_any_chain_has_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is named in the dead letter."""
    monkeypatch.setattr(options, "ROWS_MAX", 2)
    told = read(*strikes(240, 250, 260))
    assert told.snapshot is not None
    assert len(told.snapshot.contracts) == 2
    assert [row.field for row in told.refused] == ["data"]


@given(st.lists(st.sampled_from([*strikes(230, 240, 250), option_row(bid="-1"), "x"]), max_size=12))
def test_every_row_is_taken_refused_or_repeated(rows: list[object]) -> None:
    """Nothing is left out unsaid, in any order and repetition; contracts come in the order of their names."""
    told = read(*rows)
    contracts = () if told.snapshot is None else told.snapshot.contracts
    assert len(contracts) + len(told.refused) + told.repeated == len(rows)
    names = [contract.option.instrument_id for contract in contracts]
    assert names == sorted(set(names))
    if told.snapshot is not None:
        assert told.snapshot.listed == len(rows) - told.repeated


def test_a_real_chain_arrives_whole(shared_data: Path) -> None:
    """GOOG on 2015-12-24: every contract of the file, and the volatilities that cannot be are named."""
    at = datetime(2015, 12, 24, 17, 0, tzinfo=UTC)
    rows = ChainBook(shared_data / "lean-goog-options-20151224", "GOOG").options("GOOG", at)
    assert rows is not None
    told = read(*rows, at=at, symbol="GOOG")
    assert told.snapshot is not None
    assert told.refused == ()
    assert len(told.snapshot.contracts) == len(rows) == 2_016
    without = sum(1 for contract in told.snapshot.contracts if contract.greeks is None)
    assert without == sum(told.dropped.values()) == 154


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ask", "1e10"),
        ("last", "1e25"),
        ("bid_size", "10000000000"),
        ("volume", "1e18"),
        ("open_interest", "1e25"),
        ("open_interest", "9223372036854775807"),
    ],
)
def test_what_no_column_holds_is_refused_when_it_is_read(name: str, value: str) -> None:
    """It would be in the live chain and in the dead letter of every one of its snapshots."""
    told = read(option_row(**{name: value}), *strikes(240))
    assert told.snapshot is not None
    assert len(told.snapshot.contracts) == 1
    (refused,) = told.refused
    assert (refused.field, value in refused.reason, value in refused.payload) == (name, True, True)


@pytest.mark.parametrize(
    ("named", "is_refused"),
    [("AAPL", False), ("aapl", False), (None, False), ("", False), ("MSFT", True), (7, True)],
)
def test_a_symbol_that_contradicts_the_id_is_refused(named: object, is_refused: bool) -> None:
    """A row of another share under this one's id is nobody's."""
    refused = read(option_row(symbol=named)).refused
    assert [row.field for row in refused] == (["symbol"] if is_refused else [])


def test_the_class_of_an_index_or_of_shares_confirms_its_symbol() -> None:
    """SPXW is a class of SPX, and BRK-B one of four spellings."""
    told = {"contractID": "SPXW261218C06800000", "strike": "6800.00"}
    for named in ("SPX", "SPXW"):
        assert only(read(option_row(**told, symbol=named), symbol="SPX")).option.trading_class == "SPXW"
    told = {"contractID": "BRKB261218C00500000", "strike": "500.00"}
    for named in ("BRK.B", "BRK-B", "BRKB"):
        assert only(read(option_row(**told, symbol=named), symbol="BRK B")).option.symbol == "BRK B"
