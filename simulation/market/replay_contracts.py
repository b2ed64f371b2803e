"""Contracts of a recorded market: minted from the names of its files, found by id or by description.

An id depends on the contract's symbol alone (a hash; of the few that collide in a folder the later in the
order of symbols takes the next free one), so the same series has the same id in every folder and every run.
Shares and indexes that the broker's own ids are known of keep them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

from simulation.broker.questions import ChainParameters
from simulation.market.hours import TradingHours
from simulation.market.lean import is_index
from simulation.market.lean_names import Series
from simulation.market.listings import Listings
from simulation.sample_desk.contracts import (
    UNDERLYINGS,
    Contract,
    ContractMaster,
    Underlying,
    euro_dollar,
    plain,
    share_of,
)
from trading.model.symbols import occ_root

FIRST_CONID, LAST_CONID = 900_000_000, 2_100_000_000  # above the sample desk's, below the largest int
KNOWN_SHARES = {"GOOG": (208813720, "NASDAQ"), "IBM": (8314, "NYSE"), "BAC": (10098, "NYSE")}
DEFAULT_STEP_CENTS = 100
DEFAULT_LISTING, INDEX_LISTING = "NYSE", "CBOE"


@dataclass(slots=True)
class RecordedListings(Listings):
    """Listings of several classes on one underlying: SPX and SPXW are two chains of the index."""

    def chains(self, symbol: str, session: date) -> list[ChainParameters]:
        """Class by class, each on its exchanges."""
        classes: dict[str, dict[int, Contract]] = {}
        for contract in self.by_conid.values():
            if contract.asset == "OPT" and contract.underlying is not None:
                classes.setdefault(contract.underlying.option_root, {})[contract.conid] = contract
        return [
            chain
            for root in sorted(classes)
            for chain in Listings.chains(
                Listings(master=self.master, hours=self.hours, by_conid=classes[root]), symbol, session
            )
        ]


def recorded_listings(
    series: Iterable[Series], spots: Iterable[str], hours: TradingHours
) -> RecordedListings:
    """Every series and everything they are on, in the order of their symbols."""
    ordered = sorted(series)
    symbols = sorted({*spots, *(each.underlying for each in ordered)})
    taken: dict[int, str] = {}
    shares = {symbol: _share(symbol, ordered, taken) for symbol in symbols}
    master = ContractMaster()
    for each in ordered:
        master.listed[each.symbol] = _option(each, shares[each.underlying], taken)
    contracts = [*map(share_of, shares.values()), euro_dollar(), *master.listed.values()]
    return RecordedListings(
        master=master, hours=hours, by_conid={contract.conid: contract for contract in contracts}
    )


def conid_of(symbol: str, taken: dict[int, str]) -> int:
    """The id of a symbol; it counts as taken from now on."""
    bits = int.from_bytes(sha256(symbol.encode()).digest()[:8], "big")
    conid = FIRST_CONID + bits % (LAST_CONID - FIRST_CONID)
    while conid in taken:
        conid += 1
    taken[conid] = symbol
    return conid


def _share(symbol: str, series: Sequence[Series], taken: dict[int, str]) -> Underlying:
    known: Mapping[str, Underlying] = {each.symbol: each for each in UNDERLYINGS}
    if symbol in known:
        return known[symbol]
    conid, listing = KNOWN_SHARES.get(symbol, (0, INDEX_LISTING if is_index(symbol) else DEFAULT_LISTING))
    return Underlying(
        symbol=symbol,
        option_root=occ_root(symbol),
        conid=conid or conid_of(symbol, taken),
        description=symbol,
        isin="",
        listing=listing,
        start_cents=0,
        strike_step_cents=_step_cents([each.strike for each in series if each.underlying == symbol]),
        lists_every_session=False,
        is_index=is_index(symbol),
    )


def _option(series: Series, share: Underlying, taken: dict[int, str]) -> Contract:
    root = occ_root(series.root)
    underlying = share if share.option_root == root else replace(share, option_root=root)
    strike = series.strike.normalize()
    return Contract(
        conid=conid_of(series.symbol, taken),
        asset="OPT",
        symbol=series.symbol,
        description=f"{root} {series.expiry:%d%b%y} {plain(strike)} {series.right}".upper(),
        currency="USD",
        multiplier=100,
        underlying=underlying,
        expiry=series.expiry,
        right=series.right,
        strike=strike,
    )


def _step_cents(strikes: Iterable[Decimal]) -> int:
    """The smallest distance between strikes."""
    ordered = sorted({int(strike * 100) for strike in strikes})
    return min((b - a for a, b in pairwise(ordered)), default=DEFAULT_STEP_CENTS)
