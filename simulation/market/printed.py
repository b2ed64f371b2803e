"""The tape of every contract: arrays of prints per underlying and session, read as trades.

Keep out: quotes with their last trade, and bars (tape.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from simulation.market.chain import Chain, Chains
from simulation.market.flow import CLOSING, ODD_LOT, OPENING, PLAIN, SWEEP, option_flow, share_flow
from simulation.market.mixing import mixed
from simulation.market.parts import Traded
from simulation.market.paths import SpotPaths
from simulation.market.pricing import Pricing
from simulation.market.prints import Prints
from simulation.market.rules import SHARES
from simulation.sample_desk.contracts import Contract, Underlying
from simulation.sample_desk.executions import INDEX_EXCHANGE, OPTION_EXCHANGES, SHARE_EXCHANGES

# the consolidated tape's letters
CONDITIONS = {
    PLAIN: "",
    ODD_LOT: "I",
    SWEEP: "F",
    OPENING: "O",
    CLOSING: "6",
}
SHARE_MIX = (31, 22, 21, 7, 19)  # percent by exchange
OPTION_MIX = (17, 9, 8, 10, 11, 9, 8, 9, 8, 5, 6)
KEPT_SESSIONS = 2  # of each underlying
SALT_VENUE = 181


def _spread(names: Sequence[str], mix: Sequence[int]) -> tuple[str, ...]:
    return tuple(name for name, percent in zip(names, mix, strict=True) for _ in range(percent))


SHARE_VENUES = _spread(SHARE_EXCHANGES, SHARE_MIX)
OPTION_VENUES = _spread(OPTION_EXCHANGES, OPTION_MIX)


@dataclass(slots=True)
class Printed:
    """All prints; those of an underlying's session are drawn when they are asked for first."""

    seed: int
    paths: SpotPaths
    chains: Chains
    pricing: Pricing
    of_options: dict[tuple[str, date], Prints] = field(default_factory=dict)
    of_shares: dict[tuple[str, date], Prints] = field(default_factory=dict)

    def options(self, chain: Chain) -> Prints:
        """Prints of a chain's session."""
        key = (chain.underlying.symbol, chain.session)
        found = self.of_options.get(key)
        if found is None:
            _forget(self.of_options, key[0])
            found = self.of_options[key] = Prints(
                flow=option_flow(self.seed, self.paths, chain),
                cells=len(chain.contracts),
                rule=chain.rule,
                touches=lambda cells, seconds: self.pricing.touches_of_pairs(chain, cells, seconds),
                spots=lambda seconds: np.zeros_like(seconds),
            )
        return found

    def shares(self, underlying: Underlying, session: date) -> Prints:
        """Prints of a share's session."""
        key = (underlying.symbol, session)
        found = self.of_shares.get(key)
        if found is None:
            _forget(self.of_shares, key[0])
            opens, closes = self.paths.bounds(session)
            found = self.of_shares[key] = Prints(
                flow=share_flow(self.seed, self.paths, underlying, session),
                cells=1,
                rule=SHARES,
                touches=lambda _, seconds: self.pricing.share_touches(underlying, session, seconds),
                spots=lambda seconds: self.paths.path(underlying, session)[
                    np.clip(seconds - opens, 0, closes - opens)
                ].astype(np.int64),
            )
        return found

    def of(self, contract: Contract, session: date) -> tuple[Prints, int] | None:
        """Where a contract's prints are; None for what never trades."""
        underlying = contract.underlying
        if underlying is None or not self.paths.knows(session):
            return None
        if contract.asset != "OPT":
            is_traded = contract.asset == "STK" and not underlying.is_index
            return (self.shares(underlying, session), 0) if is_traded else None
        chain = self.chains.chain(underlying, session)
        if chain is None or contract.conid not in chain.flats:
            return None
        return self.options(chain), chain.flats[contract.conid]

    def trades(self, contract: Contract, first: int, last: int, session: date) -> Iterator[Traded]:
        """Prints of a session from a second to a second, both included, in order."""
        found = self.of(contract, session)
        if found is not None:
            prints, cell = found
            for place in prints.of_cell(cell, first, last).tolist():
                yield told(contract, prints, place)


def told(contract: Contract, prints: Prints, place: int) -> Traded:
    """One print as a value."""
    flow = prints.flow
    sort = int(flow.sort[place])
    venue = mixed(int(flow.bits[place]), SALT_VENUE) % 100
    return Traded(
        second=int(flow.second[place]),
        cents=int(prints.cents[place]),
        size=int(flow.size[place]),
        side=int(flow.side[place]),
        exchange=_venue(contract, venue, is_auction=sort in (OPENING, CLOSING)),
        conditions=CONDITIONS[sort],
    )


def _venue(contract: Contract, number: int, *, is_auction: bool) -> str:
    if contract.settles_in_cash:
        return INDEX_EXCHANGE
    if contract.asset == "OPT":
        return OPTION_VENUES[number]
    if is_auction and contract.underlying is not None:
        return contract.underlying.listing
    return SHARE_VENUES[number]


def _forget(kept: dict[tuple[str, date], Prints], symbol: str) -> None:
    """Drop the oldest sessions of a symbol."""
    own = [key for key in kept if key[0] == symbol]
    for key in own[: max(0, len(own) - KEPT_SESSIONS + 1)]:
        del kept[key]
