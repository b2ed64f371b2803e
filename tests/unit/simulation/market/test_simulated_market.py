"""The simulated market: the same answers whatever was asked before, lawful prices, bars made of prints."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_broker import SESSION, world

from simulation.broker.questions import ContractQuery
from simulation.market.hours import BOOKED_AT, local
from simulation.market.mixing import between
from simulation.market.nature import RATE
from simulation.market.parts import LOOKED_BACK_MOST_S
from simulation.market.paths import epoch
from simulation.market.pricing import YEAR_S
from simulation.market.rules import RULES, rule_of
from simulation.market.world import World, new_world, world_after
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.market import STEPS
from simulation.sample_desk.month import draw_month
from trading.calendar import TradingCalendar


def _find(where: World, **named: object) -> list[Contract]:
    query = ContractQuery(**named)  # type: ignore[arg-type]
    return [record.contract for record in where.listings.find(query, SESSION)]


def _at(minutes: float) -> datetime:
    return world().calendar.session_open(SESSION) + timedelta(minutes=minutes)


def _near() -> Contract:
    """An option near the money, which trades every minute."""
    return _find(world(), symbol="SPY", sec_type="OPT", expiry="20261113", right="C", strike=Decimal(673))[0]


def _options() -> list[Contract]:
    return [contract for contract in world().listings.by_conid.values() if contract.asset == "OPT"]


OPTIONS = st.integers(0, 10_000).map(lambda number: _options()[number % len(_options())])


@settings(max_examples=60, deadline=None)
@given(OPTIONS, st.integers(0, 23_399))
def test_quotes_are_lawful_and_uncrossed(contract: Contract, second: int) -> None:
    """Bid below ask, both multiples of the market rule, the fair price between them, sizes above none."""
    where = world()
    moment = epoch(where.calendar.session_open(SESSION)) + second
    touch = where.quotes.touch(contract, moment)
    assert touch is not None
    rule = rule_of(contract)
    assert touch.bid < touch.ask and rule.allows(touch.bid) and rule.allows(touch.ask)
    assert touch.bid <= where.quotes.fair_cents(contract, moment) <= touch.ask
    assert touch.ask_size > 0 and (touch.bid_size > 0) == (touch.bid > 0)


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    """A world that was asked a thousand things and a fresh one say the same."""
    asked, fresh = new_world(7, SESSION, 2), new_world(7, SESSION, 2)
    contracts = list(asked.listings.by_conid.values())
    for place in range(0, 1_000, 7):
        contract = contracts[between(0, len(contracts) - 1, place)]
        asked.tape.quote(contract, _at(300 - place / 5))
        asked.tape.bars(contract, _at(20), 600, 60, "TRADES")
    for contract in contracts[::400]:
        if contract.asset == "CASH":
            continue
        assert asked.tape.quote(contract, _at(61)) == fresh.tape.quote(contract, _at(61))
        assert asked.quotes.greeks(contract, _at(61)) == fresh.quotes.greeks(contract, _at(61))
        assert asked.tape.bars(contract, _at(30), 900, 60, "TRADES") == fresh.tape.bars(
            contract, _at(30), 900, 60, "TRADES"
        )


def test_bars_are_made_of_the_prints() -> None:
    """Volume, count, high and low of a minute are those of its prints, and five-second bars add up to it."""
    tape = world().tape
    for contract in (_find(world(), symbol="SPY", sec_type="STK")[0], _near()):
        (bar,) = tape.bars(contract, _at(11), 60, 60, "TRADES")
        prints = tape.prints(contract, _at(10) - timedelta(seconds=1), _at(11) - timedelta(seconds=1))
        prices = [told.price for told in prints]
        assert (bar.volume, bar.count) == (sum(told.size for told in prints), len(prints))
        assert (bar.high, bar.low, bar.open, bar.close) == (
            max(prices),
            min(prices),
            prices[0],
            prices[-1],
        )
        small = tape.bars(contract, _at(11), 60, 5, "TRADES")
        assert sum(item.volume for item in small) == bar.volume


def test_as_many_bars_are_told_as_a_gateway_lets_be_asked_for() -> None:
    """None is left out unsaid: a share's touch has a bar in each second of five hours."""
    (share,) = _find(world(), symbol="SPY", sec_type="STK")
    bars = world().tape.bars(share, _at(300), 18_000, 1, "BID")
    assert [bar.at for bar in bars] == [_at(0) + timedelta(seconds=n) for n in range(18_000)]
    for seconds, bar_s in ((0, 60), (60, 0), (LOOKED_BACK_MOST_S + 1, 60)):
        with pytest.raises(ValueError, match="seconds: expected 1 to"):
            world().tape.bars(share, _at(300), seconds, bar_s, "BID")


def test_volume_and_last_trade_follow_the_prints() -> None:
    """The session's volume is the sum of its prints so far; the last trade is the newest of them."""
    tape, contract = world().tape, _near()
    opens = world().calendar.session_open(SESSION)
    prints = tape.prints(contract, opens - timedelta(seconds=1), _at(30))
    quote = tape.quote(contract, prints[-1].at)  # the second of the print itself
    assert quote.volume == sum(told.size for told in prints)
    assert (quote.last, quote.last_size) == (prints[-1].price, prints[-1].size)


def test_seconds_meet_the_quarter_hours_of_the_path() -> None:
    """The bridge begins and ends on the sample desk's steps, so closes and marks agree."""
    where = world()
    for underlying in {contract.underlying for contract in _options() if contract.underlying}:
        opens, closes = where.quotes.paths.bounds(SESSION)
        for step in range(STEPS + 1):
            second = opens + (closes - opens) * step // STEPS
            assert where.quotes.paths.cents(underlying, second, SESSION) == where.market.spot_cents(
                underlying, SESSION, step
            )


@settings(max_examples=40, deadline=None)
@given(OPTIONS, st.integers(0, 23_000), st.integers(1, 60))
def test_a_calm_is_as_long_as_it_is_said_to_be(contract: Contract, second: int, cents: int) -> None:
    """Until a calm ends, neither side of the touch is further away than was asked; it ends where one is."""
    quotes = world().quotes
    start = epoch(world().calendar.session_open(SESSION)) + second
    calm = quotes.calm_s(contract, start, cents)
    here, later = quotes.touch(contract, start), quotes.touch(contract, start + calm)
    assert here is not None
    for moment in range(start, start + calm + 1, max(1, calm // 5)):
        later = quotes.touch(contract, moment)
        assert later is None or max(abs(later.bid - here.bid), abs(later.ask - here.ask)) <= cents


def test_greeks_have_the_signs_and_parity_of_a_model() -> None:
    """Calls gain with the spot, puts lose, both lose with time, call minus put is the forward."""
    where = world()
    for strike in (6_650, 6_730, 6_800):
        call, put = (
            _find(
                where, symbol="SPX", sec_type="OPT", expiry="20261120", right=right, strike=Decimal(strike)
            )[0]
            for right in "CP"
        )
        ours, theirs = where.quotes.greeks(call, _at(60)), where.quotes.greeks(put, _at(60))
        assert ours is not None and theirs is not None
        assert 0 < ours.delta < 1 and ours.delta - theirs.delta == pytest.approx(1, abs=0.001)
        assert ours.gamma > 0 and ours.vega > 0 and ours.theta < 0
        years = (where.hours.last_trade_at(call) - _at(60)).total_seconds() / YEAR_S
        carried = ours.underlying / (1 + 0.012 * years) - strike / (1 + RATE * years)
        assert ours.price - theirs.price == pytest.approx(carried, abs=1e-6)


def test_a_contract_that_has_ended_has_no_touch_and_no_greeks() -> None:
    """After its last trade there is nothing to quote; it is found only when expired ones are asked for."""
    where = world()
    contract = _find(where, symbol="AAPL", sec_type="OPT", expiry="20261113")[0]
    after = local(SESSION, BOOKED_AT)
    quote = where.tape.quote(contract, after)
    assert (quote.bid, quote.ask) == (None, None) and where.quotes.greeks(contract, after) is None
    assert where.quotes.depth(contract, 5, after) is None
    later = date(2026, 11, 16)
    assert not where.listings.find(ContractQuery(conid=contract.conid), later)
    assert where.listings.find(ContractQuery(conid=contract.conid, include_expired=True), later)


def test_funds_and_indexes_trade_a_quarter_of_an_hour_longer() -> None:
    """SPY's options to 16:15 on their last day, AAPL's to 16:00, the index's on all but their last day."""
    where = world()
    bell = where.calendar.session_close(SESSION)

    def closes(symbol: str, expiry: str) -> timedelta:
        contract = _find(where, symbol=symbol, sec_type="OPT", expiry=expiry)[0]
        return where.hours.of(contract, SESSION).closes - bell

    quarter = timedelta(minutes=15)
    assert closes("SPY", "20261113") == quarter and closes("AAPL", "20261113") == timedelta()
    assert closes("SPX", "20261113") == timedelta() and closes("SPX", "20261120") == quarter


def test_shares_trade_early_only_for_those_who_may() -> None:
    """Before the bell a share has a wider touch, an option none."""
    share = _find(world(), symbol="SPY", sec_type="STK")[0]
    early = _at(-60)
    wide, narrow = world().tape.quote(share, early), world().tape.quote(share, _at(1))
    assert wide.ask and wide.bid and narrow.ask and narrow.bid
    assert wide.ask - wide.bid > narrow.ask - narrow.bid
    assert world().tape.quote(_options()[0], early).bid is None


def test_an_index_has_a_value_and_no_touch() -> None:
    """Its quote is a last price, its bars are without volume, it has no book."""
    index = _find(world(), symbol="SPX", sec_type="IND")[0]
    quote = world().tape.quote(index, _at(5))
    assert quote.bid is None and quote.last is not None
    (bar,) = world().tape.bars(index, _at(5), 60, 60, "TRADES")
    assert bar.low <= bar.close <= bar.high and bar.count == -1
    assert world().quotes.depth(index, 5, _at(5)) is None


def test_a_book_goes_away_from_its_touch() -> None:
    """Levels are lawful, ordered, and as many as were asked for."""
    contract = _near()
    depth, touch = world().quotes.depth(contract, 4, _at(5)), world().tape.quote(contract, _at(5))
    assert depth is not None and (depth.bids[0].price, depth.asks[0].price) == (touch.bid, touch.ask)
    bids, asks = [row.price for row in depth.bids], [row.price for row in depth.asks]
    assert len(asks) == 4 and asks == sorted(asks) and bids == sorted(bids, reverse=True)


def test_contracts_are_found_by_any_part_of_their_description() -> None:
    """By id, by local symbol, by class, by month; what is not listed is not found."""
    where = world()
    (spy,) = _find(where, conid=756733)
    option = _find(where, symbol="SPY", sec_type="OPT", expiry="20261113", right="CALL", strike=Decimal(673))
    assert spy.symbol == "SPY" and len(option) == 1
    assert _find(where, local_symbol=option[0].symbol, sec_type="OPT") == option
    assert {item.underlying.symbol for item in _find(where, trading_class="SPXW", sec_type="OPT")} == {"SPX"}  # type: ignore[union-attr]
    months = {
        item.expiry.month
        for item in _find(where, symbol="SPY", sec_type="OPT", expiry="202611")
        if item.expiry
    }
    assert months == {11}
    assert not _find(where, symbol="GME") and not _find(where, conid=1)
    assert not _find(where, symbol="SPY", sec_type="OPT", currency="EUR")


def test_chains_name_every_listed_series() -> None:
    """Every expiry and strike of a chain is a contract, on each exchange alike; others have none."""
    chains = world().listings.chains("NVDA", SESSION)
    assert chains[0].exchange == "SMART" and len({item.expiries for item in chains}) == 1
    series = _find(world(), symbol="NVDA", sec_type="OPT")
    assert {item.expiry for item in series} == set(chains[0].expiries)
    assert {item.strike for item in series} == set(chains[0].strikes)
    assert world().listings.chains("EUR", SESSION) == []


def test_market_rules_step_from_nickels_to_dimes() -> None:
    """The index and the plain classes change their increment at three dollars, the funds never."""
    assert RULES[67].allows(295) and not RULES[67].allows(305) and RULES[67].allows(310)
    assert RULES[109].allows(299) and not RULES[109].allows(301) and RULES[110].allows(12_301)
    assert (RULES[67].down(309), RULES[67].up(301)) == (300, 310)


def test_the_world_goes_on_after_the_month() -> None:
    """Contract ids and closes of the sample desk's month are kept; new series come behind them."""
    month = draw_month(3, date(2026, 10, 15), 3, 1, TradingCalendar())
    where = world_after(month, 2)
    assert where.sessions[0] == where.calendar.next_session(month.sessions[-1])
    known = {item.conid: item for evening in month.evenings for item in evening.contracts.values()}
    for conid, contract in known.items():
        assert where.listings.contract(conid) == contract
    spot = where.market.paths["SPY", where.sessions[0]][0]
    before = month.market.close_cents(where.listings.contract(756733).underlying, month.sessions[-1])  # type: ignore[arg-type]
    assert abs(spot - before) * 100 < before * 2


@pytest.mark.parametrize("sessions", [0, 61])
def test_a_world_has_bounds(sessions: int) -> None:
    """The error names them."""
    with pytest.raises(ValueError, match="sessions: expected 1 to 60"):
        new_world(7, SESSION, sessions)


def test_a_session_that_was_not_drawn_has_no_prices() -> None:
    """The error names the session; there is no silent price."""
    underlying = world().listings.contract(756733).underlying
    assert underlying is not None
    after = epoch(world().calendar.session_open(date(2026, 12, 1)))
    with pytest.raises(ValueError, match="session: expected one of the simulated ones, was 2026-12-01"):
        world().quotes.spot_cents(underlying, after)
