"""The drawn market behaves like one: correlation, shape of the day, flow, auctions, books, open interest.

Figures are compared with bounds that real tapes keep too (`simulation.market.stylized_facts` prints both).
"""

import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from drawn_market import EARLY_CLOSE, FIRST, bounds, digest, market, options, quotes_of, tape_of, underlying

from simulation.broker.questions import ContractQuery
from simulation.market import exact
from simulation.market.book import window_of
from simulation.market.chain import SALT_CONTRACT
from simulation.market.facts import autocorrelation, minute_returns, share_figures
from simulation.market.flow import CLOSING, OPENING, SWEEP
from simulation.market.mixing import bell, bells, mixed, mixed_more, unit, units
from simulation.market.paths import epoch, moment_of
from simulation.market.profile import MINUTE
from simulation.market.quotes import CROWD, Crowd
from simulation.market.stylized_facts import drawn_share
from simulation.market.volatility_index import VIX1D
from simulation.market.weather import drawn_weather
from simulation.market.world import new_world
from simulation.sample_desk.contracts import UNDERLYINGS

SCRIPT = Path(__file__).parents[3] / "support" / "drawn_market.py"
DIGEST = "c983f7dcd42ee66e79bf5ae50135fb96f45aa4d064bb843a7f390d413deae91d"


def _printed_digest(hash_seed: str, without: str = "") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["NPY_DISABLE_CPU_FEATURES"] = without
    run = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return run.stdout.strip()


def _vector_units() -> str:
    """What this processor can do beyond the oldest that NumPy runs on."""
    known = np.show_config(mode="dicts")
    found = known["SIMD Extensions"]["found"] if known else []
    return " ".join(found)


def test_the_same_seed_gives_the_same_bytes_in_any_interpreter_and_on_any_machine() -> None:
    """Two interpreters print the digest that is here; one with another hash seed, on an old processor."""
    assert {_printed_digest("0"), _printed_digest("4242", _vector_units())} == {DIGEST}
    assert digest(market(8, 2)) != DIGEST


def test_exact_functions_agree_with_the_library() -> None:
    """Logarithm and exponential to the last bits, the normal law to 1e-11 and never falling."""
    values = np.linspace(0.001, 900.0, 10_001)
    assert np.abs(exact.ln(values) - np.log(values)).max() < 1e-14
    powers = np.linspace(-30.0, 30.0, 10_001)
    assert np.abs(exact.exp(powers) / np.exp(powers) - 1.0).max() < 1e-14
    x = np.linspace(-9.0, 9.0, 100_001)
    law = exact.normal(x)
    steps = np.diff(law)
    assert steps.min() > -1e-14 and abs(law[0]) < 1e-14 and abs(law[-1] - 1.0) < 1e-14
    assert np.abs(steps / np.diff(x) - exact.density((x[1:] + x[:-1]) / 2)).max() < 1e-5
    assert exact.normal(np.array([0.0, 1.959963984540054])).tolist() == pytest.approx([0.5, 0.975], abs=1e-11)


def test_arrays_of_random_numbers_are_the_scalar_ones() -> None:
    """The same bits, units and bells one by one and together, negative keys too."""
    keys = np.array([0, 1, 7, -3, 2**40])
    bits = mixed_more(mixed(5), keys, 9)
    assert bits.tolist() == [mixed(5, int(key), 9) for key in keys]
    assert units(bits).tolist() == [unit(5, int(key), 9) for key in keys]
    assert bells(bits).tolist() == [bell(5, int(key), 9) for key in keys]


def test_underlyings_move_together() -> None:
    """Index and fund as one, funds nearly so, companies of a sector more than strangers."""
    quotes = quotes_of(market())
    returns = np.concatenate(
        [np.diff(np.log(quotes.paths.weather(session).knots), axis=1) for session in market().sessions],
        axis=1,
    )
    names = [item.symbol for item in UNDERLYINGS]
    linked = np.corrcoef(returns)

    def between(one: str, other: str) -> float:
        return float(linked[names.index(one), names.index(other)])

    assert between("SPY", "SPX") > 0.999
    assert 0.75 < between("SPY", "QQQ") < 0.97
    assert between("AAPL", "MSFT") > between("AAPL", "TSLA") > 0.15
    assert between("NVDA", "QQQ") > between("NVDA", "IWM")
    assert np.linalg.eigvalsh(linked).max() > 3.5  # one factor moves most of them


def test_seconds_move_together_too() -> None:
    """Within minutes a fund and its index are one, a company follows its market."""
    quotes, session = quotes_of(market()), market().sessions[0]
    paths = [quotes.paths.path(underlying(name), session).astype(float) for name in ("SPX", "SPY", "NVDA")]
    moves = np.corrcoef([np.diff(np.log(path))[:23_000] for path in paths])
    assert moves[0, 1] > 0.9 and moves[0, 2] > 0.4


def test_the_day_has_its_shape() -> None:
    """Volume and moves are largest at the bells, as on the real tapes: see `stylized_facts`."""
    quotes = quotes_of(market())
    shares = [underlying(name) for name in ("SPY", "AAPL", "TSLA", "MSFT")]
    figures = [
        share_figures(drawn_share(quotes, item, day)) for item in shares for day in market().sessions[:3]
    ]
    mean = {name: float(np.mean([each[name] for each in figures])) for name in figures[0]}
    assert 12 < mean["volume in the first half hour, %"] < 24
    assert 3 < mean["volume in a half hour at noon, %"] < 6
    assert 12 < mean["volume in the last half hour, %"] < 20
    assert mean["move of a minute after the opening, of one at noon"] > 1.7
    assert mean["move of a minute before the close, of one at noon"] > 1.1
    assert mean["autocorrelation of absolute returns, 1 minute"] > 0.08
    assert mean["autocorrelation of absolute returns, 10 minutes"] > 0.04
    assert abs(mean["autocorrelation of returns"]) < 0.1
    assert 0.5 < mean["excess kurtosis of minutes"] < 12
    assert 0.2 < mean["autocorrelation of prints a minute"] < 0.7
    assert 0.2 < mean["autocorrelation of signs, 1 print"] < 0.8
    assert 25 < mean["prints below 100 shares, %"] < 45
    assert mean["seconds with a crossed touch, %"] == 0


def test_volatility_clusters_beyond_the_shape_of_the_day() -> None:
    """With the day's shape divided out, a minute's size tells of the next ones, and less of later ones."""
    quotes, item = quotes_of(market()), underlying("SPY")
    days = [day for day in market().sessions if day != EARLY_CLOSE]
    sizes = np.abs([minute_returns(drawn_share(quotes, item, day)) for day in days])
    flat = (sizes / sizes.mean(axis=0)).ravel()
    assert autocorrelation(flat, 1) > 0.05 and autocorrelation(flat, 3) > 0.04
    assert autocorrelation(flat, 1) > autocorrelation(flat, 150)


def test_nights_have_gaps_and_some_minutes_jump() -> None:
    """Opens differ from closes; over a month there are moves that no usual minute makes."""
    quotes = quotes_of(market())
    weathers = [quotes.paths.weather(session) for session in market().sessions]
    gaps = [np.log(later.knots[:, 0] / sooner.knots[:, -1]) for sooner, later in pairwise(weathers)]
    assert 0.001 < float(np.std(gaps)) < 0.03
    jumps = [(place, jump) for day in weathers for place, own in enumerate(day.jumps) for jump in own]
    assert 10 < len(jumps) < 600
    for day in weathers:
        for place, own in enumerate(day.jumps):
            for jump in own:
                path = quotes.paths.path(UNDERLYINGS[place], day.session)
                start = jump.minute * MINUTE + jump.second
                moved = (int(path[start]) - int(path[start - 1])) / int(path[start - 1])
                assert abs(moved - jump.size) < 0.004 + abs(jump.size) * 0.05


def test_scheduled_news_is_priced_until_it_comes() -> None:
    """What lives past the news loses variance in its minute; the news is told among the world's events."""
    found = [event for event in market().events if event.kind == "release" and event.at.hour > 14]
    assert found and all(event.is_scheduled for event in found)
    quotes = quotes_of(market())
    session = found[0].at.date()
    chain = quotes.chains.chain(underlying("SPX"), session)
    assert chain is not None
    second = epoch(found[0].at)
    before, after = (
        quotes.pricing.sliced(chain, np.array([at]), slice(0, len(chain.expiries)))[0].theta[:, 0]
        for at in (second - 1, second + 1)
    )
    assert ((before - after) / chain.nature.daily_variance > 0.05).all()


def test_a_short_session_ends_early() -> None:
    """On the day after Thanksgiving trading, touches and volume end at one o'clock."""
    world, share = market(), market().listings.contract(underlying("AAPL").conid)
    opens, closes = bounds(world, EARLY_CLOSE)
    assert closes - opens == 3.5 * 3_600
    trades = list(tape_of(world).trades_between(share, opens, closes + 7_200))
    assert trades[-1].second == closes - 1 and trades[-1].conditions == "6"
    assert world.quotes.touch(share, closes - 1) is not None and world.quotes.touch(share, closes) is None


def test_a_chain_at_once_and_a_contract_alone_are_the_same() -> None:
    """Touches, sizes, fair prices and greeks do not depend on how many contracts were asked for."""
    session = market().sessions[0]
    crowd, alone = quotes_of(market(7, 1)), quotes_of(new_world(7, FIRST, 1))
    opens, _ = bounds(market(), session)
    for symbol in ("SPX", "TSLA"):
        series = options(market(7, 1), symbol, session)
        for second in (opens, opens + 1_234, opens + 20_003):
            together = [crowd.touch(item, second) for item in series]
            for item, touch in list(zip(series, together, strict=True))[:: len(series) // 40]:
                alone.crowds.clear()
                assert alone.touch(item, second) == touch
                alone.crowds.clear()
                assert alone.fair_cents(item, second) == crowd.fair_cents(item, second)
                now = moment_of(second)
                greeks = crowd.greeks(item, now)
                assert crowd.crowds[symbol].has(second) and not alone.crowds.get(symbol, Crowd()).has(second)
                assert alone.greeks(item, now) == greeks


def test_a_chain_that_many_looked_at_is_priced_at_once_the_next_second() -> None:
    """The first look prices the chain where the second before had a crowd; lone looks price one contract."""
    world = new_world(7, FIRST, 1)
    quotes = quotes_of(world)
    chain = options(world, "SPY", FIRST)[: CROWD + 2]
    opens, _ = bounds(world, FIRST)
    for item in chain:
        quotes.touch(item, opens + 600)
    quotes.touch(chain[0], opens + 607)
    assert quotes.crowds["SPY"].has(opens + 607)
    quotes.touch(chain[0], opens + 615)
    assert not quotes.crowds["SPY"].has(opens + 615)


def test_volume_is_the_sum_of_prints_and_bars() -> None:
    """Of a share and of the busiest option, at several moments of the day, auctions included."""
    world, session = market(), market().sessions[1]
    opens, closes = bounds(world, session)
    share = world.listings.contract(underlying("MSFT").conid)
    busiest = max(options(world, "SPY", session), key=lambda item: tape_of(world).volume(item, closes - 1))
    for contract in (share, busiest):
        for second in (opens, opens + 1_000, closes - 1):
            prints = world.tape.prints(contract, moment_of(opens - 1), moment_of(second))
            volume = world.tape.quote(contract, moment_of(second)).volume
            assert sum(told.size for told in prints) == volume and (volume or second == opens)
        bars = world.tape.bars(contract, moment_of(closes), closes - opens, 60, "TRADES")
        assert sum(bar.volume for bar in bars) == tape_of(world).volume(contract, closes - 1)


def test_informed_traders_come_before_moves() -> None:
    """Before the largest moves more is traded in their direction than against it."""
    quotes, session = quotes_of(market()), market().sessions[0]
    opens, closes = bounds(market(), session)
    right = wrong = 0
    for name in ("SPY", "TSLA", "AAPL"):
        prints = quotes.printed.shares(underlying(name), session)
        prints.between(opens, closes)
        path = quotes.paths.path(underlying(name), session).astype(float)
        move = path[180:] - path[:-180]
        for start in np.argsort(np.abs(move))[-400::8]:
            near = np.abs(prints.flow.second - opens - start) <= 5
            bought = int((prints.flow.side * prints.flow.size)[near].sum())
            right += bought * np.sign(move[start]) > 0
            wrong += bought * np.sign(move[start]) < 0
    assert right > 1.5 * wrong


def test_sweeps_walk_through_the_book_in_one_second() -> None:
    """A sweep's prints are of one second and side, each further level at a worse price or the same."""
    quotes, session = quotes_of(market()), market().sessions[0]
    opens, closes = bounds(market(), session)
    prints = quotes.printed.shares(underlying("SPY"), session)
    prints.between(opens, closes)
    flow = prints.flow
    (deeper,) = np.nonzero((flow.level > 0) & (flow.sort == SWEEP))
    assert len(deeper) > 100
    assert (flow.second[deeper] == flow.second[deeper - 1]).all()
    assert (flow.side[deeper] == flow.side[deeper - 1]).all()
    assert (flow.side[deeper] * (prints.cents[deeper] - prints.cents[deeper - 1]) > 0).all()


def test_auctions_open_and_close_a_share() -> None:
    """One print at the opening price in the first second, one at the close in the last, on the listing."""
    world, session = market(), market().sessions[0]
    opens, closes = bounds(world, session)
    share = world.listings.contract(underlying("AAPL").conid)
    trades = list(tape_of(world).trades_between(share, opens, closes))
    first, last = trades[0], trades[-1]
    path = quotes_of(world).paths.path(underlying("AAPL"), session)
    assert (first.second, first.cents, first.conditions) == (opens, int(path[0]), "O")
    assert (last.second, last.cents, last.conditions) == (closes - 1, int(path[-1]), "6")
    assert first.exchange == last.exchange == "NASDAQ"
    total = sum(trade.size for trade in trades)
    assert 0.02 < last.size / total < 0.15 and first.size < last.size
    prints = quotes_of(world).printed.shares(underlying("AAPL"), session)
    assert int((prints.flow.sort == OPENING).sum()) == int((prints.flow.sort == CLOSING).sum()) == 1


def test_an_imbalance_builds_before_the_close() -> None:
    """In the last minutes one side of the book is several times the other, at noon neither."""
    world, session = market(), market().sessions[0]
    _, closes = bounds(world, session)
    share = world.listings.contract(underlying("AAPL").conid)

    def lean(end: int) -> float:
        books = [world.quotes.depth(share, 5, moment_of(second)) for second in range(end - 120, end, 4)]
        bids = sum(row.size for book in books if book for row in book.bids)
        asks = sum(row.size for book in books if book for row in book.asks)
        return abs(float(np.log(bids / asks)))

    assert lean(closes) > 1.0 > 0.5 > lean(closes - 7_200)


def test_a_book_agrees_with_its_touch_and_is_eaten_by_prints() -> None:
    """The first rows are the touch; what a window's prints took is missing until the next window."""
    world, session = market(), market().sessions[0]
    opens, _ = bounds(world, session)
    eaten = 0
    for contract in (world.listings.contract(underlying("SPY").conid), options(world, "SPY", session)[40]):
        bits = mixed(world.seed, SALT_CONTRACT, contract.conid)
        for second in range(opens + 60, opens + 660, 3):
            touch, book = (
                world.quotes.touch(contract, second),
                world.quotes.depth(contract, 8, moment_of(second)),
            )
            assert touch is not None and book is not None
            assert (book.asks[0].price * 100, book.asks[0].size) == (touch.ask, touch.ask_size)
            if touch.bid:
                assert (book.bids[0].price * 100, book.bids[0].size) == (touch.bid, touch.bid_size)
            asks, bids = [row.price for row in book.asks], [row.price for row in book.bids]
            assert asks == sorted(set(asks)) and bids == sorted(set(bids), reverse=True)
            assert all(row.size > 0 for row in (*book.asks, *book.bids))
            start = window_of(bits, second)
            before = world.quotes.depth(contract, 8, moment_of(start))
            assert before is not None
            taken = {trade.cents for trade in tape_of(world).trades_between(contract, start + 1, second)}
            for now, then in ((book.asks, before.asks), (book.bids, before.bids)):
                known = {row.price: row.size for row in then}
                for row in now:
                    if row.price in known and int(row.price * 100) in taken:
                        assert row.size <= known[row.price]
                        eaten += row.size < known[row.price]
                    elif row.price in known:
                        assert row.size == known[row.price]
    assert eaten > 10


def test_open_interest_is_round_and_moves_over_night() -> None:
    """More at round strikes; the same all day; another figure the next morning, moved by what was traded."""
    world = market()
    first, second = world.sessions[:2]
    series = [item for item in options(world, "SPY", first) if item.expiry and item.expiry >= second]
    counts = {item.conid: world.quotes.open_interest(item, first) for item in series}
    round_ones = [counts[item.conid] for item in series if item.strike_cents % 1_000 == 0]
    others = [counts[item.conid] for item in series if item.strike_cents % 500]
    assert np.mean(round_ones) > 1.8 * np.mean(others)
    moved = [item for item in series if world.quotes.open_interest(item, second) != counts[item.conid]]
    closes = bounds(world, first)[1]
    assert len(moved) > 30
    for item in moved:
        change = world.quotes.open_interest(item, second) - counts[item.conid]
        assert abs(change) <= tape_of(world).volume(item, closes + 900)


def test_the_volatility_index_is_listed_and_follows_its_surface() -> None:
    """VIX1D is found as an index, has a value and bars, and is near the at-the-money volatility of a day."""
    world, session = market(), market().sessions[0]
    query = ContractQuery(symbol="VIX1D", sec_type="IND")
    (record,) = world.listings.find(query, session)
    at = world.calendar.session_open(session) + timedelta(hours=2)
    quote = world.tape.quote(record.contract, at)
    assert quote.bid is None and quote.last is not None and 6 < quote.last < 40
    bars = world.tape.bars(record.contract, at, 1_800, 300, "TRADES")
    assert len(bars) == 6 and abs(bars[-1].close - quote.last) < 1
    weather, place = quotes_of(world).paths.weather(session), list(UNDERLYINGS).index(underlying("SPX"))
    usual = 12.5 * np.sqrt(weather.level[place][120])
    assert 0.75 * usual < float(quote.last) < 1.5 * usual
    assert world.quotes.touch(record.contract, epoch(at)) is None
    values = {world.quotes.spot_cents(VIX1D, second) for second in range(epoch(at), epoch(at) + 600, 15)}
    assert len(values) > 10


def test_more_symbols_leave_the_others_as_they_are() -> None:
    """Synthetic companies have chains of a thousand contracts, sectors, and move nobody else's prices."""
    plain, more = market(7, 1), market(7, 1, 12)
    assert plain.market.paths.items() <= more.market.paths.items()
    assert (
        list(plain.listings.by_conid)[9:]
        == [conid for conid in more.listings.by_conid if conid in plain.listings.by_conid][9:]
    )
    session = more.sessions[0]
    series = options(more, "ZAAC", session)
    assert len(series) == 1_000
    second = bounds(more, session)[0] + 3_600
    touches = [more.quotes.touch(item, second) for item in series]
    assert all(touch is not None and touch.bid < touch.ask for touch in touches)
    with pytest.raises(ValueError, match="symbols: expected 0 to 500, was 501"):
        new_world(7, FIRST, 1, symbols=501)


def test_weather_goes_on_where_the_closes_are() -> None:
    """The first session opens near the closes it is given, whatever they are."""
    sessions = market().sessions[:1]
    closes = [12_345 + 100 * place for place in range(len(UNDERLYINGS))]
    (day,) = drawn_weather(7, sessions, (390,), UNDERLYINGS, closes, ())
    assert (np.abs(day.knots[:, 0] / np.array(closes) - 1.0) < 0.06).all()
