"""Rows of REALTIME_OPTIONS and HISTORICAL_OPTIONS as a chain: row by row, so a bad one costs only itself.

The vendor tells a row's session and no time: a row of the session under way is as of the moment it was
asked for, one of an earlier session as of that session's close, so an old chain looks old. Prices of 0 are
"there is none". Model values that cannot be are dropped with their reason and the contract is kept: its open
interest and quote are facts, and greeks can be computed anew. Keep out: HTTP, what a chain is for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from adapters.alpha_vantage.rows import estimate, number, object_row, refused_row
from adapters.venue.payload import ROW_ERRORS
from trading.calendar import LATE_CLOSE, is_session, session_close, trading_session
from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_strike
from trading.model.instruments import Option, Right
from trading.model.market import ChainContract, ChainSnapshot, GreeksSource, OptionGreeks, RefusedRow
from trading.model.symbology import from_alpha_vantage
from trading.model.symbols import is_same_symbol
from trading.model.times import parse_date
from trading.ports.vendor_source import ChainRead

FEED = "chain"
SOURCE = "alpha_vantage"
ROWS_MAX = 40_000  # SPX has 25,000
CONTRACTS_REMEMBERED = 80_000  # 59 MB; a chain comes every few seconds with the same ones, expired ones go
DAYS_REMEMBERED = 64
VOLATILITY_MAX = 10.0  # 1,000 %: beyond it the vendor's solver has failed


@dataclass(slots=True)
class _Chain:
    """What is gathered from one answer."""

    symbol: str
    at: datetime
    session: date
    contracts: dict[str, ChainContract] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    days: dict[date, datetime] = field(default_factory=dict)
    repeated: int = 0

    def add(self, row: object) -> None:
        """Take one row, or refuse it."""
        try:
            contract = self._contract(object_row(row))
            told = self.contracts.setdefault(contract.option.instrument_id, contract)
            if told is not contract:
                self._repeat(told, contract)
        except ROW_ERRORS as error:
            self.refused.append(refused_row(self.symbol, FEED, self.at, error, row))

    def _repeat(self, told: ChainContract, again: ChainContract) -> None:
        if told != again:
            raise InvalidFieldError("contractID", "a contract once", again.option.occ)
        self.repeated += 1

    def _contract(self, row: Mapping[str, object]) -> ChainContract:
        option = _option(row, self.symbol)
        told = row.get("date")
        day = _day(told) if isinstance(told, str) else parse_date("date", told)
        at = self._as_of(day)
        if option.expiry < day:
            raise InvalidFieldError("expiration", f"{day} or later", f"{option.expiry}")
        bid, ask = _price(row, "bid"), _price(row, "ask")
        if bid is not None and ask is not None and bid > ask:
            raise InvalidFieldError("bid", f"the ask of {ask} or less", f"{bid}")
        bid_size, ask_size = number(row, "bid_size"), number(row, "ask_size")
        return ChainContract(
            option=option,
            at=at,
            bid=bid,
            ask=ask,
            bid_size=bid_size if bid is not None else None,
            ask_size=ask_size if ask is not None else None,
            last=_price(row, "last"),
            volume=number(row, "volume"),
            open_interest=_whole(row, "open_interest"),
            open_interest_date=day,
            greeks=self._greeks(row, at),
        )

    def _as_of(self, day: date) -> datetime:
        """The moment that the rows of a day are as of."""
        known = self.days.get(day)
        if known is None:
            known = self.days[day] = self._moment_of(day)
        return known

    def _moment_of(self, day: date) -> datetime:
        if day == self.session:
            return min(self.at, session_close(day) + LATE_CLOSE)
        if day > self.session or not is_session(day):
            raise InvalidFieldError("date", f"a session until {self.session}", f"{day}")
        return session_close(day)

    def _greeks(self, row: Mapping[str, object], at: datetime) -> OptionGreeks | None:
        """The vendor's model values, or why there are none."""
        volatility = delta = gamma = vega = None
        try:
            volatility = estimate(row, "implied_volatility")
            delta, gamma = estimate(row, "delta"), estimate(row, "gamma")
            vega, theta, rho = (estimate(row, name) for name in ("vega", "theta", "rho"))
        except InvalidFieldError as error:
            self.dropped[f"{error.field} is no number"] += 1
            return None
        if volatility is None:
            self.dropped["there are none"] += 1
            return None
        nonsense = _nonsense(volatility, delta, gamma, vega)
        if nonsense:
            self.dropped[nonsense] += 1
            return None
        return OptionGreeks(
            at=at,
            source=GreeksSource.ALPHA_VANTAGE,
            implied_volatility=volatility,
            delta=delta,
            gamma=gamma,
            vega=vega,
            theta=theta,
            rho=rho,
        )


def read_chain(rows: Sequence[object], symbol: str, at: datetime) -> ChainRead:
    """Read the rows of one answer, asked for at the market's time `at`; nothing about a row raises."""
    chain = _Chain(symbol, at, trading_session(at))
    for row in rows[:ROWS_MAX]:
        chain.add(row)
    if len(rows) > ROWS_MAX:
        error = InvalidFieldError("data", f"at most {ROWS_MAX} rows", len(rows))
        chain.refused.append(refused_row(symbol, FEED, at, error, {"rows": len(rows)}))
    contracts = tuple(chain.contracts[name] for name in sorted(chain.contracts))
    snapshot = None
    if contracts:
        snapshot = ChainSnapshot(
            symbol=symbol,
            at=max(contract.at for contract in contracts),
            source=SOURCE,
            spot=None,
            contracts=contracts,
            listed=len(rows) - chain.repeated,
        )
    return ChainRead(
        snapshot=snapshot,
        refused=tuple(chain.refused),
        dropped=dict(chain.dropped),
        rows=len(rows),
        repeated=chain.repeated,
    )


def _option(row: Mapping[str, object], symbol: str) -> Option:
    """The contract of the id, which the other fields must confirm."""
    told = tuple(row.get(name) for name in ("contractID", "expiration", "strike", "type"))
    option = _confirmed(symbol, *told) if all(isinstance(value, str) for value in told) else _read(*told)
    if option.symbol != symbol:
        raise InvalidFieldError("contractID", f"a contract on {symbol}", told[0])
    named = row.get("symbol")
    if named and named != symbol and not _is_of(named, option):
        raise InvalidFieldError("symbol", f"{symbol} as in contractID", named)
    return option


def _is_of(named: object, option: Option) -> bool:
    """Whether the row's symbol is the underlying's or the class's."""
    return isinstance(named, str) and (
        is_same_symbol(named, option.symbol) or is_same_symbol(named, option.root)
    )


@lru_cache(maxsize=CONTRACTS_REMEMBERED)
def _confirmed(symbol: str, contract_id: object, expiration: object, strike: object, right: object) -> Option:
    """Of a class of shares when its name was asked for: the id has no place for the mark in BRK B."""
    option = _read(contract_id, expiration, strike, right)
    is_of_class = option.symbol != symbol and is_same_symbol(option.root, symbol)
    return replace(option, symbol=symbol) if is_of_class else option


def _read(contract_id: object, expiration: object, strike: object, right: object) -> Option:
    try:
        option = from_alpha_vantage(contract_id if isinstance(contract_id, str) else "")
    except InvalidFieldError as cause:
        raise InvalidFieldError("contractID", "the OCC symbol of a contract", contract_id) from cause
    told = (
        ("expiration", parse_date("expiration", expiration), option.expiry),
        ("strike", parse_strike(strike), option.strike),
        ("type", Right.parse(right), option.right),
    )
    for name, said, expected in told:
        if said != expected:
            raise InvalidFieldError(name, f"{expected} as in contractID", f"{said}")
    return option


@lru_cache(maxsize=DAYS_REMEMBERED)
def _day(text: str) -> date:
    return parse_date("date", text)


def _nonsense(volatility: float, delta: float | None, gamma: float | None, vega: float | None) -> str:
    if not 0.0 < volatility <= VOLATILITY_MAX:
        return "implied_volatility out of range"
    if delta is not None and not -1.0 <= delta <= 1.0:
        return "delta out of range"
    if (gamma is not None and gamma < 0.0) or (vega is not None and vega < 0.0):
        return "gamma or vega below zero"
    return ""


def _price(row: Mapping[str, object], name: str) -> Decimal | None:
    return number(row, name) or None


def _whole(row: Mapping[str, object], name: str) -> int | None:
    told = number(row, name)
    if told is not None and told != int(told):
        raise InvalidFieldError(name, "a whole number", f"{told}")
    return None if told is None else int(told)
