"""Chains: what is known of each expected contract, with counts of what is not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from trading.market import chains
from trading.market.chains import REFUSED_PER_FLUSH_MAX, ChainBoard, broker_greeks
from trading.model.instruments import Option, Right
from trading.model.market import GreeksSource, OptionGreeks, Quote
from trading.ports.market_state import CONTRACT_STALE_AFTER, chain_counts

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
UNSET = 1.7976931348623157e308


def option(strike: int, right: Right = Right.CALL) -> Option:
    """A contract."""
    return Option(symbol="SPY", expiry=date(2026, 11, 20), right=right, strike=Decimal(strike))


def quote(of: Option, bid: str | None = "1.05", at: datetime = NOON) -> Quote:
    """Its quote."""
    return Quote(
        symbol="SPY",
        instrument_id=of.instrument_id,
        at=at,
        bid=None if bid is None else Decimal(bid),
        ask=None if bid is None else Decimal("1.10"),
        bid_size=Decimal(3),
        last=Decimal("1.07"),
        volume=Decimal(12),
    )


def greeks(at: datetime = NOON) -> OptionGreeks:
    """Its model values."""
    return OptionGreeks(at=at, source=GreeksSource.IBKR, implied_volatility=0.2, delta=0.5)


@pytest.fixture
def board() -> ChainBoard:
    """A chain of three contracts, of which four are listed."""
    made = ChainBoard("SPY", "ibkr")
    made.expect([option(500), option(510), option(500, Right.PUT)], listed=4)
    return made


def test_a_chain_is_what_is_known_of_each_contract(board: ChainBoard) -> None:
    """Quote, greeks and open interest come together; a contract that nobody told of is left out."""
    board.spot = Decimal("501.5")
    board.quote(quote(option(500)))
    board.greeks(option(500).instrument_id, greeks(NOON + timedelta(seconds=3)))
    assert board.open_interest(option(500).instrument_id, 1234.0, date(2026, 11, 13))
    board.quote(quote(option(500, Right.PUT)))
    told = board.snapshot(NOON + timedelta(seconds=5))
    assert told is not None
    assert (told.symbol, told.source, told.spot, told.listed) == ("SPY", "ibkr", Decimal("501.5"), 4)
    call, put = told.contracts
    assert call.option == option(500)
    assert (call.bid, call.ask, call.bid_size, call.last, call.volume) == (
        Decimal("1.05"),
        Decimal("1.10"),
        Decimal(3),
        Decimal("1.07"),
        Decimal(12),
    )
    assert (call.open_interest, call.open_interest_date) == (1234, date(2026, 11, 13))
    assert call.greeks == greeks(NOON + timedelta(seconds=3))
    assert call.at == NOON, "the time of its quote; that of the model is the greeks'"
    assert told.watched == 3
    assert (put.greeks, put.open_interest, put.at) == (None, None, NOON)


def test_what_is_not_there_is_counted(board: ChainBoard) -> None:
    """Contracts without a word, without quote, greeks or open interest, and those that are old."""
    board.quote(quote(option(500), at=NOON - CONTRACT_STALE_AFTER - timedelta(seconds=1)))
    board.quote(replace(quote(option(510), at=NOON - CONTRACT_STALE_AFTER), ask=None))
    board.quote(quote(option(500, Right.PUT), bid=None))
    board.greeks(option(500, Right.PUT).instrument_id, greeks())
    board.open_interest(option(510).instrument_id, 5, date(2026, 11, 12))
    board.open_interest(option(500).instrument_id, 5, date(2026, 11, 13))
    told = board.snapshot(NOON)
    assert told is not None
    assert chain_counts(told) == {
        "contracts": 3,
        "listed": 4,
        "skipped": 1,
        "watched": 3,
        "stale": 1,
        "missing_greeks": 2,
        "missing_quote": 1,
        "missing_open_interest": 1,
        "open_interest_date": "2026-11-13",
    }
    bare = chain_counts(replace(told, listed=None, contracts=()))
    assert (bare["skipped"], bare["open_interest_date"], bare["contracts"]) == (None, None, 0)


def test_a_chain_of_which_nothing_is_known_is_none(board: ChainBoard) -> None:
    """An empty chain is not an answer."""
    assert board.snapshot(NOON) is None


def test_contracts_that_stay_keep_what_is_known(board: ChainBoard) -> None:
    """A new choice of strikes forgets only those that leave."""
    board.quote(quote(option(500)))
    board.quote(quote(option(510)))
    board.expect([option(500), option(490)])
    told = board.snapshot(NOON)
    assert told is not None
    assert [contract.option.strike for contract in told.contracts] == [500]
    assert told.listed == 2
    assert set(board.known()) == {option(500).instrument_id, option(490).instrument_id}


def test_a_new_session_begins_without_yesterday_s_words(board: ChainBoard) -> None:
    """Open interest and quotes of the day before are not today's."""
    board.quote(quote(option(500)))
    board.spot = Decimal(500)
    board.begin_session()
    assert board.snapshot(NOON) is None
    assert len(board.known()) == 3
    board.quote(quote(option(500)))
    told = board.snapshot(NOON)
    assert told is not None and told.spot is None


def test_contracts_that_are_not_expected_are_left_aside(board: ChainBoard) -> None:
    """Another strike, or a share."""
    board.quote(quote(option(999)))
    board.greeks("STK:SPY", greeks())
    board.open_interest("STK:SPY", 5, date(2026, 11, 13))
    assert board.snapshot(NOON) is None


@pytest.mark.parametrize("told", [UNSET, -1.0, float("nan"), float("inf")])
def test_open_interest_that_is_no_number_is_refused(board: ChainBoard, told: float) -> None:
    """Unset is not zero; zero is."""
    assert not board.open_interest(option(500).instrument_id, told, date(2026, 11, 13))
    assert board.open_interest(option(500).instrument_id, 0.0, date(2026, 11, 13))


def told_greeks(**changed: float) -> OptionGreeks | None:
    """Model values as the broker tells them."""
    values = {
        "implied_volatility": 0.2,
        "delta": -0.5,
        "gamma": 0.01,
        "vega": 0.3,
        "theta": -0.05,
        "price": 1.07,
        "underlying": 501.5,
    }
    return broker_greeks(NOON, **(values | changed))


def test_a_flood_of_wrong_greeks_is_counted_and_bounded(board: ChainBoard) -> None:
    """Each flush tells so many at most; the count tells all."""
    wrong = replace(greeks(), delta=7.0)
    for _ in range(REFUSED_PER_FLUSH_MAX + 5):
        assert board.refuses(option(500).instrument_id, wrong, NOON)
    assert len(board.flush_refused()) == REFUSED_PER_FLUSH_MAX
    assert board.refused == REFUSED_PER_FLUSH_MAX + 5


def test_a_chain_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that lists without end does not take the memory."""
    monkeypatch.setattr(chains, "CONTRACTS_MAX", 2)
    board = ChainBoard("SPY", "ibkr")
    board.expect([option(500), option(510), option(520)], listed=3)
    assert list(board.known().values()) == [option(500), option(510)]


def test_greeks_that_are_not_computed_are_none() -> None:
    """-2 for greeks, -1 for prices, 1.797e308 for all; a delta of -1 and a vega of 0 are values."""
    whole = told_greeks()
    assert whole is not None
    assert (whole.delta, whole.theta, whole.underlying_price) == (-0.5, -0.05, 501.5)
    partly = told_greeks(delta=-2.0, gamma=UNSET, price=-1.0, underlying=UNSET, theta=float("nan"))
    assert partly is not None
    assert (partly.delta, partly.gamma, partly.price, partly.underlying_price) == (None, None, None, None)
    assert partly.theta is None
    deep = told_greeks(delta=-1.0, vega=0.0)
    assert deep is not None
    assert (deep.delta, deep.vega) == (-1.0, 0.0)


@pytest.mark.parametrize("volatility", [-1.0, UNSET, 0.0, float("nan"), 205.6, 1e299])
def test_without_a_volatility_there_are_no_greeks(volatility: float) -> None:
    """A model that found no volatility has no greeks either."""
    assert told_greeks(implied_volatility=volatility) is None
