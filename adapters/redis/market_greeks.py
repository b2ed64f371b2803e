"""Which greeks of single contracts are written, so that only those that changed are written again.

Keep out: the writing.
"""

from datetime import datetime, timedelta

from adapters.redis import keys
from trading.model.instruments import Option
from trading.model.market import ChainContract, ChainSnapshot, OptionGreeks


class GreeksTold:
    """Which greeks of a symbol's contracts are written; all are again before their life is half over."""

    def __init__(self) -> None:
        self._keys: dict[Option, str] = {}
        self._told: dict[Option, OptionGreeks] = {}
        self._all_at: datetime | None = None
        self._newest: dict[str, datetime] = {}  # by source

    def is_older(self, chain: ChainSnapshot) -> bool:
        """Say whether a later chain of the same source was told: this one is history."""
        newest = self._newest.get(chain.source)
        return newest is not None and chain.at < newest

    def changed(self, chain: ChainSnapshot) -> dict[str, ChainContract]:
        """Return the contracts whose greeks are not written, by their key."""
        told = {} if self.is_old(chain.at) else self._told
        return {
            self._key(chain.symbol, contract.option): contract
            for contract in chain.contracts
            if contract.greeks is not None and told.get(contract.option) != contract.greeks
        }

    def remember(self, chain: ChainSnapshot, *, is_all: bool) -> None:
        """They are written now; contracts that are not in the chain any more are forgotten."""
        self._newest[chain.source] = chain.at
        self._told = {each.option: each.greeks for each in chain.contracts if each.greeks is not None}
        self._keys = {option: self._key(chain.symbol, option) for option in self._told}
        if is_all:
            self._all_at = chain.at

    def is_old(self, at: datetime) -> bool:
        """Say whether all are due again; by the market's time, so that a replay writes the same."""
        half_life = timedelta(seconds=(keys.OPTION_GREEKS.ttl_s or 0) / 2)
        return self._all_at is None or not timedelta(0) <= at - self._all_at < half_life

    def _key(self, symbol: str, option: Option) -> str:
        known = self._keys.get(option)
        if known is None:
            known = keys.OPTION_GREEKS.at(sym=symbol, occ=option.occ.replace(" ", ""))
            self._keys[option] = known
        return known
