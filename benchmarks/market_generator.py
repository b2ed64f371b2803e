"""The drawn market beside bare NumPy Black-Scholes of the same chains, in one run.

The peer prices calls and puts of all cells at one volatility each, and nothing more. Ours draws the state of
the second, prices on the surface, adds early exercise, spreads, ticks, sizes and what prints took. Then what
the gateway does: every live contract looked at four times in a simulated second. Last the load of 500 symbols
with chains of 1,000 contracts: memory and time of a simulated second.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from drawn_market import quotes_of  # noqa: E402

from simulation.market.chain import Chain  # noqa: E402
from simulation.market.mixing import Reals  # noqa: E402
from simulation.market.paths import moment_of  # noqa: E402
from simulation.market.quotes import Quotes  # noqa: E402
from simulation.market.world import World, new_world  # noqa: E402
from simulation.sample_desk.contracts import UNDERLYINGS, Underlying  # noqa: E402

SESSION = date(2026, 11, 13)
SECONDS = 30
LOOKS = 4
TIMES = 5
SYMBOLS = 500
LOAD_SECONDS = 3
MEGABYTE = 1 << 20


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--symbols", type=int, default=SYMBOLS)
    options = asked.parse_args()
    began = time.process_time()
    world = new_world(7, SESSION, 5)
    print(f"world of 5 sessions, 8 underlyings: {time.process_time() - began:.2f} s")
    _chains(world)
    _gateway(world)
    _alone(world)
    _load(options.symbols)


def _chains(world: World) -> None:
    """Whole chains at once, beside the bare formula of the same cells."""
    quotes = quotes_of(world)
    chains = [chain for item in UNDERLYINGS if (chain := quotes.chains.chain(item, SESSION)) is not None]
    listed = sum(item is not None for chain in chains for item in chain.contracts)
    cells = sum(len(chain.contracts) for chain in chains)
    opens, _ = quotes.paths.bounds(SESSION)
    for chain in chains:
        quotes.printed.options(chain)
    seconds = iter(range(opens + 3_600, opens + 23_000))
    ours = _median(lambda: [_snapshots(quotes, chains, next(seconds)) for _ in range(SECONDS)]) / SECONDS
    inputs = [_plain(chain, quotes, opens + 3_600) for chain in chains]
    bare = _median(lambda: [[_bare(*item) for item in inputs] for _ in range(SECONDS)]) / SECONDS
    print(f"chains: {listed} listed contracts of {cells} cells, {len(chains)} underlyings")
    print(f"  bare Black-Scholes, prices only      {1e3 * bare:8.2f} ms a second of the market")
    print(f"  touches, sizes, prints (ours)        {1e3 * ours:8.2f} ms, {listed / ours:12,.0f} quotes/s")
    print(f"  ours / bare: {ours / bare:.2f}x its time for prices, bids, asks and both sizes")


def _gateway(world: World) -> None:
    """Four looks at every live contract in each simulated second, as the gateway's lines do."""
    live = [item for item in world.listings.by_conid.values() if item.expiry and item.expiry >= SESSION]
    opens = int(world.calendar.session_open(SESSION).timestamp()) + 7_200
    for item in live:
        world.tape.quote(item, moment_of(opens - 1))
    began = time.process_time()
    for second in range(opens, opens + 10):
        for look in range(LOOKS):
            now = moment_of(second) + timedelta(milliseconds=250 * look)
            for item in live:
                world.tape.quote(item, now)
    spent = (time.process_time() - began) / 10
    print(f"gateway: {len(live)} contracts, {LOOKS} looks a second")
    print(
        f"  {spent:.3f} s of a core for a simulated second, {1e6 * spent / len(live) / LOOKS:.1f} us a quote"
    )


def _alone(world: World) -> None:
    """A few contracts through a session, as the broker's matching asks."""
    quotes = quotes_of(world)
    contract = next(
        item for item in world.listings.by_conid.values() if item.symbol.startswith("SPY   261113C")
    )
    opens, closes = quotes.paths.bounds(SESSION)
    began = time.process_time()
    for second in range(opens, closes):
        quotes.touch(contract, second)
    spent = time.process_time() - began
    print(f"one contract, each of {closes - opens} seconds: {1e6 * spent / (closes - opens):.1f} us a touch")


def _load(symbols: int) -> None:
    """Many symbols with a thousand contracts each."""
    process = psutil.Process()
    before, began = process.memory_info().rss, time.process_time()
    world = new_world(7, SESSION, 1, symbols=symbols)
    quotes = quotes_of(world)
    built, drawn = time.process_time() - began, time.process_time()
    more = [item for item in quotes.paths.underlyings if item not in UNDERLYINGS]
    opens, _ = quotes.paths.bounds(SESSION)
    chains = [_warm(quotes, item, opens) for item in more]
    warmed, memory = time.process_time() - drawn, process.memory_info().rss - before
    second = iter(range(opens + 60, opens + 20_000))
    each = _median(lambda: _snapshots(quotes, chains, next(second)), LOAD_SECONDS)
    count = sum(len(chain.cells) for chain in chains)
    print(f"load: {symbols} symbols, {count:,} contracts")
    print(f"  listed and drawn in {built:.1f} s, paths, chains and prints of the session in {warmed:.1f} s")
    print(f"  {memory / MEGABYTE:,.0f} MB; {each:.3f} s for a simulated second, {count / each:,.0f} quotes/s")


def _warm(quotes: Quotes, item: Underlying, opens: int) -> Chain:
    chain = quotes.chains.chain(item, SESSION)
    if chain is None:
        raise SystemExit(f"expected a chain of {item.symbol}, was none")
    quotes._snapshot(chain, opens + 30)
    return chain


def _snapshots(quotes: Quotes, chains: list[Chain], second: int) -> None:
    for chain in chains:
        quotes._snapshot(chain, second)


def _plain(chain: Chain, quotes: Quotes, second: int) -> tuple[Reals, Reals, Reals, Reals]:
    """Spot, strikes, years and volatility of a chain's cells for the peer."""
    spot = np.array([float(quotes.paths.cents(chain.underlying, second, SESSION))])
    years = np.maximum(chain.last - second, 60)[:, None] / 31_536_000.0
    smile = 0.2 - 0.1 * np.log(chain.strikes / spot[0])
    return spot, chain.strikes, years, np.broadcast_to(smile, (len(years), len(smile)))


def _bare(spot: Reals, strikes: Reals, years: Reals, volatility: Reals) -> tuple[Reals, Reals]:
    """Black-Scholes as one writes it down with NumPy; the normal law by Abramowitz and Stegun 7.1.26."""
    root = volatility * np.sqrt(years)
    first = (np.log(spot / strikes) + 0.04 * years) / root + root / 2
    second = first - root
    paid = strikes * np.exp(-0.04 * years)
    calls = spot * _law(first) - paid * _law(second)
    return calls, calls - spot + paid


def _law(x: Reals) -> Reals:
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x) * 0.7071067811865476)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    half = 0.5 * poly * np.exp(-x * x / 2)
    told: Reals = np.where(x > 0, 1.0 - half, half)
    return told


def _median(work: Callable[[], object], times: int = TIMES) -> float:
    work()
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
