"""Chains: the newest quote, greeks and open interest of each expected contract, told as one snapshot.

A contract that nobody told of is not in the snapshot; one whose quote is old is in it with the time of that
quote, whatever its model was told since (who is missing and who is old is counted by `chain_counts` of the
port). A snapshot says how many contracts are watched of those that are listed. Open interest is the broker's
of the morning, so it carries its date.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from trading.market.numbers import model_value
from trading.model.instruments import Option
from trading.model.market import (
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    OptionGreeks,
    Quote,
    RefusedRow,
)

CONTRACTS_MAX = 50_000  # of one symbol
OPEN_INTEREST_LIMIT = 1e12  # the broker's "unset" is far above it
REFUSED_PER_FLUSH_MAX = 100  # more are counted only
VOLATILITY_MAX = 10.0  # 1,000 %: beyond it the model has failed
SLACK = 1e-6  # of a model's rounding
NO_VALUE, NO_GREEK = -1.0, -2.0  # "not computed", of values and of greeks


@dataclass(slots=True)
class _Contract:
    """What is known of one contract."""

    option: Option
    quote: Quote | None = None
    greeks: OptionGreeks | None = None
    open_interest: int | None = None
    open_interest_date: date | None = None


@dataclass(slots=True)
class ChainBoard:
    """One symbol's chain; `source` names who tells it."""

    symbol: str
    source: str
    spot: Decimal | None = None
    listed: int | None = None
    refused: int = 0
    _contracts: dict[str, _Contract] = field(default_factory=dict)
    _refused: list[RefusedRow] = field(default_factory=list)

    def expect(self, options: Iterable[Option], listed: int | None = None) -> None:
        """Say which contracts belong to the chain; what is known of those that stay is kept."""
        wanted = {
            option.instrument_id: option for _, option in zip(range(CONTRACTS_MAX), options, strict=False)
        }
        known = self._contracts
        self._contracts = {
            name: known.get(name) or _Contract(option=option) for name, option in wanted.items()
        }
        self.listed = listed

    def begin_session(self) -> None:
        """Forget quotes, greeks and open interest of the session before."""
        self._contracts = {name: _Contract(option=each.option) for name, each in self._contracts.items()}
        self.spot = None

    def quote(self, quote: Quote) -> None:
        """Hear a contract's quote; contracts that are not expected are left aside."""
        known = self._contracts.get(quote.instrument_id)
        if known is not None:
            known.quote = quote

    def greeks(self, instrument_id: str, greeks: OptionGreeks | None) -> None:
        """Hear a contract's model values; None says that the model has none now."""
        known = self._contracts.get(instrument_id)
        if known is not None:
            known.greeks = greeks

    def open_interest(self, instrument_id: str, contracts: float, of: date) -> bool:
        """Hear a contract's open interest of the morning of `of`; False where it is no whole number."""
        if not 0 <= contracts < OPEN_INTEREST_LIMIT or contracts != int(contracts):
            return False
        known = self._contracts.get(instrument_id)
        if known is not None:
            known.open_interest, known.open_interest_date = int(contracts), of
        return True

    def refuses(self, instrument_id: str, greeks: OptionGreeks, at: datetime) -> bool:
        """Put aside model values that no option can have; True where they are."""
        name, reason = nonsense(greeks)
        if name:
            self.refuse(instrument_id, name, reason, repr(greeks), at)
        return bool(name)

    def refuse(self, instrument_id: str, field: str, reason: str, payload: str, at: datetime) -> None:
        """Put aside what was told of a contract."""
        self.refused += 1
        if len(self._refused) < REFUSED_PER_FLUSH_MAX:
            name = f"{instrument_id} {field}"
            row = RefusedRow(
                symbol=self.symbol, feed="chain", at=at, field=name, reason=reason, payload=payload
            )
            self._refused.append(row)

    def flush_refused(self) -> tuple[RefusedRow, ...]:
        """Tell what was refused since the last flush."""
        told, self._refused = self._refused, []
        return tuple(told)

    def snapshot(self, at: datetime) -> ChainSnapshot | None:
        """Tell the chain as it stands; None while nothing is known of any contract."""
        contracts = tuple(
            _told(each, at) for each in self._contracts.values() if each.quote is not None or each.greeks
        )
        if not contracts:
            return None
        return ChainSnapshot(
            symbol=self.symbol,
            at=at,
            source=self.source,
            spot=self.spot,
            contracts=contracts,
            listed=len(self._contracts) if self.listed is None else self.listed,
            watched=len(self._contracts),
        )

    def known(self) -> Mapping[str, Option]:
        """The expected contracts by their name."""
        return {name: each.option for name, each in self._contracts.items()}


def broker_greeks(
    at: datetime,
    *,
    implied_volatility: float,
    delta: float,
    gamma: float,
    vega: float,
    theta: float,
    price: float,
    underlying: float,
) -> OptionGreeks | None:
    """The broker's model values: -1, -2 and unset are None; without a volatility that can be there are none.

    On its last day an option far from the money has a price that no volatility gives: a model says hundreds.
    """
    volatility = model_value(implied_volatility, NO_VALUE)
    if volatility is None or not 0 < volatility <= VOLATILITY_MAX:
        return None
    return OptionGreeks(
        at=at,
        source=GreeksSource.IBKR,
        implied_volatility=volatility,
        delta=model_value(delta, NO_GREEK),
        gamma=model_value(gamma, NO_GREEK),
        vega=model_value(vega, NO_GREEK),
        theta=model_value(theta, NO_GREEK),
        price=model_value(price, NO_VALUE),
        underlying_price=model_value(underlying, NO_VALUE),
    )


def nonsense(greeks: OptionGreeks) -> tuple[str, str]:
    """The field that no option can have so, and what was expected of it; empty texts where there is none."""
    if greeks.delta is not None and abs(greeks.delta) > 1 + SLACK:
        return "delta", "expected -1 to 1"
    for name in ("gamma", "vega"):
        value = getattr(greeks, name)
        if value is not None and value < -SLACK:
            return name, "expected 0 or more"
    return "", ""


def _told(known: _Contract, at: datetime) -> ChainContract:
    quote, greeks = known.quote, known.greeks
    heard = quote or greeks
    return ChainContract(
        option=known.option,
        at=at if heard is None else heard.at,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        bid_size=quote.bid_size if quote else None,
        ask_size=quote.ask_size if quote else None,
        last=quote.last if quote else None,
        volume=quote.volume if quote else None,
        open_interest=known.open_interest,
        open_interest_date=known.open_interest_date,
        greeks=greeks,
    )
