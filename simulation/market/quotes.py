"""Quotes of every contract at every second: a touch around the fair price, with the sizes of the book.

Deterministic in (seed, contract, second). Fair prices come from pricing.py, sizes from book.py less what
prints took. Outside its hours a contract has no touch. Whoever asks for a few contracts gets them one by one
over a block of seconds; whoever asks for many of one underlying at one second gets them out of the whole
chain, computed at once: the answers are the same.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from simulation.broker.model import Greeks
from simulation.broker.questions import Depth, DepthRow
from simulation.market import book
from simulation.market.chain import SALT_CONTRACT, Chain, Chains, Ints
from simulation.market.hours import EARLY_OPEN, TradingHours
from simulation.market.hours import local as local_moment
from simulation.market.interest import OpenInterest
from simulation.market.mixing import Reals, mixed, mixed_more
from simulation.market.parts import Touch
from simulation.market.paths import SpotPaths, epoch, moment_of
from simulation.market.pricing import Pricing
from simulation.market.printed import Printed
from simulation.market.rules import rule_of
from simulation.market.sensitivities import Sensitivities, of_chain, of_contract
from simulation.market.volatility_index import VIX1D, VolatilityIndex
from simulation.sample_desk.contracts import Contract, Underlying
from simulation.sample_desk.executions import INDEX_EXCHANGE, OPTION_EXCHANGES, SHARE_EXCHANGES
from trading.model.times import NEW_YORK

EARLY_SPREADS = 4  # wider this often before the bell
DEPTH_MOST = 20
BLOCK_S = 120  # seconds of one contract that are priced together; divides an hour, so it lies in one session
CROWD = 16  # contracts of one underlying asked in one second, from which on the whole chain is priced
CALM_MOST_S = 240
BLOCKS_KEPT = 2_000
SHARE_DAYS_KEPT = 600
SALT_MAKER = 5
NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole chain at one second, by flat number; cents."""

    second: int
    fair: list[float]
    bid: list[int]
    ask: list[int]
    bid_size: list[int]
    ask_size: list[int]


@dataclass(slots=True)
class Crowd:
    """What was asked of one underlying last: second, how many contracts, the chain if it was priced.

    Where many were asked for last time many are expected, and the chain is priced at once.
    """

    second: int = NEVER
    asked: int = 0
    is_expected: bool = False
    snapshot: Snapshot | None = None
    greeks: Sensitivities | None = None
    greeks_second: int = NEVER

    def has(self, second: int) -> bool:
        """Whether the chain was priced for the second."""
        return self.snapshot is not None and self.snapshot.second == second


@dataclass(slots=True)
class Quotes:
    """Touch, greeks, open interest and depth of every contract."""

    seed: int
    paths: SpotPaths
    hours: TradingHours
    chains: Chains
    pricing: Pricing
    printed: Printed
    interest: OpenInterest
    index: VolatilityIndex
    touches: dict[int, tuple[int, Touch | None]] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    blocks: dict[int, tuple[int, Reals, Ints, Ints]] = field(default_factory=dict)
    greek_blocks: dict[int, tuple[int, Sensitivities]] = field(default_factory=dict)
    share_days: dict[tuple[str, date], tuple[Ints, Ints]] = field(default_factory=dict)
    sessions: dict[int, date] = field(default_factory=dict)

    def touch(self, contract: Contract, second: int) -> Touch | None:
        """The touch at a second; None while the contract does not trade. The last answer is kept."""
        kept = self.touches.get(contract.conid)
        if kept is not None and kept[0] == second:
            return kept[1]
        told = self._touch(contract, second)
        self.touches[contract.conid] = (second, told)
        return told

    def spot_cents(self, underlying: Underlying, second: int) -> int:
        """The underlying's price."""
        if underlying.symbol == VIX1D.symbol:
            return self.index.cents(second, self.session_at(second))
        return self.paths.cents(underlying, second, self.session_at(second))

    def fair_cents(self, contract: Contract, second: int) -> float:
        """The model price; the spot itself for what is not an option."""
        underlying, session = _underlying_of(contract), self.session_at(second)
        if contract.asset != "OPT":
            return float(self.spot_cents(underlying, second))
        chain = self.chains.chain(underlying, session)
        if contract.expiry is not None and contract.expiry < session:
            return float(contract.intrinsic_cents(self.spot_cents(underlying, second)))
        if chain is None or contract.conid not in chain.cells:
            raise ValueError(f"contract: expected a listed one, was {contract.symbol}")
        return self._block(contract, chain, second)[0]

    def greeks(self, contract: Contract, now: datetime) -> Greeks | None:
        """Model greeks in dollars; None for what is no option or has ended."""
        second = epoch(now)
        place = self._place(contract, second)
        if place is None:
            return None
        chain, flat = place
        if second >= chain.last[chain.cells[contract.conid].expiry]:
            return None
        crowd = self.crowds.setdefault(chain.underlying.symbol, Crowd())
        if crowd.snapshot is None or not crowd.has(second):
            return self._greeks_alone(contract, chain, second)
        if crowd.greeks is None or crowd.greeks_second != second:
            crowd.greeks, crowd.greeks_second = of_chain(self.pricing, chain, second), second
        return crowd.greeks.of(flat, crowd.snapshot.fair[flat] / 100.0)

    def open_interest(self, contract: Contract, session: date) -> int:
        """Contracts open on the session's morning: more at round strikes, moved by the trades since."""
        return self.interest.of(contract, session)

    def depth(self, contract: Contract, rows: int, now: datetime) -> Depth | None:
        """Some levels of both sides, the touch first; None while the contract does not trade."""
        second = epoch(now)
        touch = self.touch(contract, second)
        if touch is None:
            return None
        taken = self._taken(contract, second)
        rule, many = rule_of(contract), min(rows, DEPTH_MOST)
        return Depth(
            bids=tuple(
                self._row(contract, second, price, book.BID, taken)
                for price in book.prices(rule, touch.bid, many, -1)
            ),
            asks=tuple(
                self._row(contract, second, price, book.ASK, taken)
                for price in book.prices(rule, touch.ask, many, 1)
            ),
        )

    def calm_s(self, contract: Contract, second: int, cents: int) -> int:
        """Seconds in which the touch stays within some cents of where it is, looked up in its future."""
        session = self.session_at(second)
        seconds = np.arange(second, second + CALM_MOST_S + 1)
        if contract.asset == "OPT":
            place = self._place(contract, second)
            if place is None:
                return 0
            _, bid, ask = self.pricing.touches_of(place[0], place[0].cells[contract.conid], seconds)
        else:
            bid, ask = self.pricing.share_touches(_underlying_of(contract), session, seconds)
        moved = (np.abs(bid - bid[0]) > cents) | (np.abs(ask - ask[0]) > cents)
        first = int(np.argmax(moved))
        return (first if moved[first] else CALM_MOST_S) - 1

    def session_at(self, second: int) -> date:
        """The session whose prices stand at a second: the one that began last, at four in the morning."""
        hour = second // 3_600
        found = self.sessions.get(hour)
        if found is None:
            local = moment_of(hour * 3_600).astimezone(NEW_YORK)
            day = local.date() if local.time() >= EARLY_OPEN else local.date() - timedelta(days=1)
            found = self.sessions[hour] = self.hours.calendar.session_on_or_before(day)
        return found

    # --- touches

    def _touch(self, contract: Contract, second: int) -> Touch | None:
        if contract.asset == "OPT":
            return self._option_touch(contract, second)
        if contract.asset != "STK" or contract.settles_in_cash:
            return None
        return self._share_touch(contract, second)

    def _option_touch(self, contract: Contract, second: int) -> Touch | None:
        place = self._place(contract, second)
        if place is None:
            return None
        chain, flat = place
        cell = chain.cells[contract.conid]
        opens, _ = self.paths.bounds(chain.session)
        if not opens <= second < chain.closes[cell.expiry] or second >= chain.last[cell.expiry]:
            return None
        crowd = self.crowds.setdefault(chain.underlying.symbol, Crowd())
        if crowd.second != second:
            crowd.second, crowd.asked, crowd.is_expected = second, 0, crowd.asked > CROWD
        crowd.asked += 1
        if crowd.is_expected or crowd.asked > CROWD or crowd.has(second):
            told = self._snapshot(chain, second)
            return Touch(told.bid[flat], told.ask[flat], told.bid_size[flat], told.ask_size[flat])
        _, bid, ask = self._block(contract, chain, second)
        return self._sized(contract, second, bid, ask)

    def _share_touch(self, contract: Contract, second: int) -> Touch | None:
        session = self.session_at(second)
        if not self.paths.knows(session):
            return None
        opens, closes = self.paths.bounds(session)
        if not epoch(local_moment(session, EARLY_OPEN)) <= second < closes:
            return None
        bids, asks = self._share_day(_underlying_of(contract), session)
        place = max(second - opens, 0)
        bid, ask = int(bids[place]), int(asks[place])
        if second < opens:
            middle, width = (bid + ask) // 2, (ask - bid) * EARLY_SPREADS
            bid, ask = middle - width // 2, middle - width // 2 + width
        return self._sized(contract, second, bid, ask)

    def _share_day(self, underlying: Underlying, session: date) -> tuple[Ints, Ints]:
        key = (underlying.symbol, session)
        if key not in self.share_days:
            if len(self.share_days) >= SHARE_DAYS_KEPT:
                self.share_days.clear()
            opens, closes = self.paths.bounds(session)
            both = self.pricing.share_touches(underlying, session, np.arange(opens, closes))
            self.share_days[key] = both[0].astype(np.int32), both[1].astype(np.int32)
        return self.share_days[key]

    def _block(self, contract: Contract, chain: Chain, second: int) -> tuple[float, int, int]:
        """Fair price, bid and ask out of a block of seconds of this one contract."""
        start = second - second % BLOCK_S
        found = self.blocks.get(contract.conid)
        if found is None or found[0] != start:
            seconds = np.arange(start, start + BLOCK_S)
            fair, bid, ask = self.pricing.touches_of(chain, chain.cells[contract.conid], seconds)
            if len(self.blocks) >= BLOCKS_KEPT:
                self.blocks.clear()
            found = self.blocks[contract.conid] = (start, fair, bid, ask)
        place = second - start
        return float(found[1][place]), int(found[2][place]), int(found[3][place])

    def _greeks_alone(self, contract: Contract, chain: Chain, second: int) -> Greeks:
        """Out of a block of seconds of this one contract."""
        start = second - second % BLOCK_S
        found = self.greek_blocks.get(contract.conid)
        if found is None or found[0] != start:
            seconds = np.arange(start, start + BLOCK_S)
            if len(self.greek_blocks) >= BLOCKS_KEPT:
                self.greek_blocks.clear()
            told = of_contract(self.pricing, chain, chain.cells[contract.conid], seconds)
            found = self.greek_blocks[contract.conid] = (start, told)
        return found[1].of(second - start, self._block(contract, chain, second)[0] / 100.0)

    def _snapshot(self, chain: Chain, second: int) -> Snapshot:
        """The whole chain at a second; the last one is kept."""
        crowd = self.crowds.setdefault(chain.underlying.symbol, Crowd())
        if crowd.snapshot is not None and crowd.snapshot.second == second:
            return crowd.snapshot
        fair, bids, asks = self.pricing.touches_at(chain, second)
        bid, ask = bids.ravel(), asks.ravel()
        windows = book.windows_of(chain.bits, second)
        bits = mixed_more(chain.bits, windows)
        sizes = [
            book.sizes_of(bits, side, cents, book.OPTION_SIZE_MOST)
            for side, cents in ((book.BID, bid), (book.ASK, ask))
        ]
        prints = self.printed.options(chain)
        low, high = prints.between(second - book.PHASE, second)
        cell, cents, taken = prints.flow.cell[low:high], prints.cents[low:high], prints.flow.size[low:high]
        recent = prints.flow.second[low:high] >= windows[cell]
        for size, touch in zip(sizes, (bid, ask), strict=True):
            hit = recent & (cents == touch[cell])
            np.subtract.at(size, cell[hit], taken[hit])
        told = Snapshot(
            second,
            fair.ravel().tolist(),
            bid.tolist(),
            ask.tolist(),
            np.where(bid > 0, np.maximum(sizes[0], 1), 0).tolist(),
            np.maximum(sizes[1], 1).tolist(),
        )
        crowd.snapshot = told
        return told

    def _sized(self, contract: Contract, second: int, bid: int, ask: int) -> Touch:
        taken = self._taken(contract, second)
        return Touch(
            bid,
            ask,
            self._size(contract, second, book.BID, bid, taken) if bid else 0,
            self._size(contract, second, book.ASK, ask, taken),
        )

    # --- sizes

    def _size(self, contract: Contract, second: int, side: int, cents: int, taken: dict[int, int]) -> int:
        """What stands at a price: what was shown less what was taken, one lot at least."""
        bits = self._bits(contract)
        is_option = contract.asset == "OPT"
        most, lot = (book.OPTION_SIZE_MOST, 1) if is_option else (book.SHARE_SIZE_MOST, book.SHARE_LOT)
        size = book.size_of(bits, side, cents, second, most) * lot
        if contract.asset == "STK":
            opens, closes = self.paths.bounds(self.session_at(second))
            favored = book.favored(self.seed, contract.conid, opens)
            size *= book.imbalance(side, favored, second, closes)
        return max(size - taken.get(cents, 0), lot)

    def _bits(self, contract: Contract) -> int:
        """What the contract's random numbers begin with, as in its chain."""
        return mixed(self.seed, SALT_CONTRACT, contract.conid)

    def _taken(self, contract: Contract, second: int) -> dict[int, int]:
        """Size traded at each price in the window so far."""
        told: dict[int, int] = {}
        start = book.window_of(self._bits(contract), second)
        for trade in self.printed.trades(contract, start, second, self.session_at(second)):
            told[trade.cents] = told.get(trade.cents, 0) + trade.size
        return told

    def _row(self, contract: Contract, second: int, price: int, side: int, taken: dict[int, int]) -> DepthRow:
        size = self._size(contract, second, side, price, taken)
        maker = exchange_of(contract, mixed(self.seed, contract.conid, price, side, SALT_MAKER))
        return DepthRow(price=Decimal(price) / 100, size=size, maker=maker)

    def _place(self, contract: Contract, second: int) -> tuple[Chain, int] | None:
        """Chain and flat number of an option that is live on the session; None for all else."""
        if contract.asset != "OPT" or contract.underlying is None:
            return None
        session = self.session_at(second)
        if not self.paths.knows(session):
            return None
        chain = self.chains.chain(contract.underlying, session)
        if chain is None or contract.conid not in chain.flats:
            return None
        return chain, chain.flats[contract.conid]


def exchange_of(contract: Contract, number: int) -> str:
    """One of the exchanges on which the contract trades."""
    if contract.settles_in_cash:
        return INDEX_EXCHANGE
    places = OPTION_EXCHANGES if contract.asset == "OPT" else SHARE_EXCHANGES
    return places[number % len(places)]


def _underlying_of(contract: Contract) -> Underlying:
    if contract.underlying is None:
        raise ValueError(f"contract: expected an underlying, was {contract.symbol}")
    return contract.underlying
