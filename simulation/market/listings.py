"""What is listed: underlyings, their option series, the currency pair; found by id or by description.

All series of the simulated sessions are listed once, at the start, in one fixed order, so that a contract's
id never depends on what clients ask. Those of the sample desk's month keep the ids they had.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from simulation.broker.questions import ChainParameters, ContractQuery, ContractRecord
from simulation.market.hours import TradingHours
from simulation.market.rules import rule_of
from simulation.market.volatility_index import VIX1D
from simulation.sample_desk.contracts import (
    CONID_STEP,
    FIRST_OPTION_CONID,
    UNDERLYINGS,
    Contract,
    ContractMaster,
    Underlying,
    euro_dollar,
    share_of,
)
from simulation.sample_desk.executions import OPTION_EXCHANGES, SHARE_EXCHANGES
from simulation.sample_desk.market import Market
from trading.calendar import TradingCalendar

STRIKES_EACH_SIDE = 20
FRIDAYS_AHEAD = 3
WIDE_EXPIRIES, WIDE_STRIKES = 10, 50  # of a synthetic symbol
SERIES_MOST = 560_000
COMBINATION_CONID = 28_812_380  # how the broker numbers every combination
RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P", "?": "", "0": ""}  # the last two are nobody's


@dataclass(slots=True)
class Listings:
    """Every contract by id, in the order of listing."""

    master: ContractMaster
    hours: TradingHours
    by_conid: dict[int, Contract] = field(default_factory=dict)
    by_symbol: dict[str, list[Contract]] = field(default_factory=dict)

    def contract(self, conid: int) -> Contract:
        """The contract of an id; an unknown one is an error that names it."""
        if conid not in self.by_conid:
            raise ValueError(f"conid: expected a listed contract, was {conid}")
        return self.by_conid[conid]

    def find(self, query: ContractQuery, session: date) -> list[ContractRecord]:
        """All contracts that the query fits, in listing order; expired ones only when asked for."""
        if query.conid:
            found = [self.by_conid[query.conid]] if query.conid in self.by_conid else []
        else:
            candidates = self._of_symbol(query.symbol) if query.symbol else self.by_conid.values()
            found = [contract for contract in candidates if _fits(contract, query)]
        return [
            self.record(contract, session)
            for contract in found
            if query.include_expired or contract.expiry is None or contract.expiry >= session
        ]

    def _of_symbol(self, symbol: str) -> list[Contract]:
        """Contracts under the API's symbol: the underlying's, or a pair's first currency."""
        if not self.by_symbol:
            for contract in self.by_conid.values():
                self.by_symbol.setdefault(_symbol_of(contract), []).append(contract)
        return self.by_symbol.get(symbol, [])

    def record(self, contract: Contract, session: date) -> ContractRecord:
        """The contract master's entry."""
        rule = rule_of(contract)
        is_option = contract.asset == "OPT"
        places = ("CBOE",) if contract.settles_in_cash else OPTION_EXCHANGES
        underlying = contract.underlying
        hours = self.hours.text(contract, session)
        return ContractRecord(
            contract=contract,
            long_name=underlying.description if underlying else contract.description,
            min_tick=Decimal(rule.increments[0][1]) / 100 if contract.asset != "CASH" else Decimal("0.00005"),
            market_rule=rule.rule_id,
            exchanges=("SMART", *places) if is_option else _exchanges(contract),
            primary_exchange="" if is_option or underlying is None else underlying.listing,
            trading_hours=hours,
            liquid_hours=hours,
            last_trade_at=self.hours.last_trade_at(contract) if contract.expiry else None,
        )

    def chains(self, symbol: str, session: date) -> list[ChainParameters]:
        """Expiries and strikes of the symbol's series on each exchange; empty for what has no options."""
        series = [
            contract
            for contract in self.by_conid.values()
            if contract.asset == "OPT"
            and contract.underlying is not None
            and contract.underlying.symbol == symbol
            and contract.expiry is not None
            and contract.expiry >= session
        ]
        if not series or series[0].underlying is None:
            return []
        underlying = series[0].underlying
        exchanges = ("CBOE",) if underlying.is_index else OPTION_EXCHANGES
        return [
            ChainParameters(
                exchange=exchange,
                underlying_conid=underlying.conid,
                trading_class=underlying.option_root,
                multiplier=series[0].multiplier,
                expiries=tuple(sorted({contract.expiry for contract in series if contract.expiry})),
                strikes=tuple(sorted({contract.strike for contract in series if contract.strike})),
            )
            for exchange in ("SMART", *exchanges)
        ]


def listed(
    market: Market,
    sessions: Sequence[date],
    hours: TradingHours,
    known: Iterable[Contract] = (),
    synthetic: Sequence[Underlying] = (),
) -> Listings:
    """List all series of the sessions around each opening, after those that are known already.

    Synthetic underlyings come last, listed at the first opening only, so that no id depends on them.
    """
    master = ContractMaster(listed=_by_symbol(known))
    for session in sessions:
        for underlying in UNDERLYINGS:
            _list_series(master, underlying, session, market, hours.calendar)
    for underlying in synthetic:
        _list_wide(master, underlying, sessions[0], market, hours.calendar)
    if len(master.listed) > SERIES_MOST:
        raise ValueError(f"series: expected at most {SERIES_MOST}, was {len(master.listed)}")
    spots = [share_of(underlying) for underlying in (*UNDERLYINGS, VIX1D, *synthetic)]
    contracts = [*spots, euro_dollar(), *master.listed.values()]
    return Listings(master=master, hours=hours, by_conid={contract.conid: contract for contract in contracts})


def expiries(underlying: Underlying, session: date, calendar: TradingCalendar) -> tuple[date, ...]:
    """Listed expiries: this and the next session for the daily ones, then the next Fridays."""
    first = session + timedelta(days=(4 - session.weekday()) % 7)
    fridays = [calendar.session_on_or_before(first + timedelta(weeks=week)) for week in range(FRIDAYS_AHEAD)]
    weekly = [expiry for expiry in fridays if expiry >= session]
    daily = [session, calendar.next_session(session)] if underlying.lists_every_session else []
    return tuple(sorted({*daily, *weekly}))


def combination_of(underlying: Underlying) -> Contract:
    """How the broker names a combination on an underlying."""
    return Contract(
        conid=COMBINATION_CONID,
        asset="BAG",
        symbol=underlying.symbol,
        description=f"{underlying.symbol} COMB",
        currency="USD",
        multiplier=1,
        underlying=underlying,
    )


def _by_symbol(known: Iterable[Contract]) -> dict[str, Contract]:
    """The known series in the order of their ids, which must be without holes: the next id counts on."""
    options = sorted({item.conid: item for item in known if item.asset == "OPT"}.items())
    for place, (conid, contract) in enumerate(options):
        if conid != FIRST_OPTION_CONID + CONID_STEP * place:
            raise ValueError(f"known: expected all series from the first on, was {contract.symbol} {conid}")
    return {contract.symbol: contract for _, contract in options}


def _list_series(
    master: ContractMaster, underlying: Underlying, session: date, market: Market, calendar: TradingCalendar
) -> None:
    width = underlying.strike_step_cents
    nearest = (market.paths[underlying.symbol, session][0] + width // 2) // width
    lowest = max(1, nearest - STRIKES_EACH_SIDE)
    for expiry in expiries(underlying, session, calendar):
        for strike in range(lowest, nearest + STRIKES_EACH_SIDE + 1):
            for right in "CP":
                master.option(underlying, expiry, right, strike * width)


def _list_wide(
    master: ContractMaster, underlying: Underlying, session: date, market: Market, calendar: TradingCalendar
) -> None:
    """A chain of a thousand contracts: ten expiries, fifty strikes, calls and puts."""
    width = underlying.strike_step_cents
    nearest = (market.paths[underlying.symbol, session][0] + width // 2) // width
    lowest = max(1, nearest - WIDE_STRIKES // 2)
    first = session + timedelta(days=(4 - session.weekday()) % 7)
    for week in range(WIDE_EXPIRIES):
        expiry = calendar.session_on_or_before(first + timedelta(weeks=week))
        for strike in range(lowest, lowest + WIDE_STRIKES):
            for right in "CP":
                master.option(underlying, expiry, right, strike * width)


def _exchanges(contract: Contract) -> tuple[str, ...]:
    if contract.asset == "CASH":
        return ("IDEALPRO",)
    if contract.settles_in_cash:
        return ("CBOE",)
    return ("SMART", *SHARE_EXCHANGES)


def _symbol_of(contract: Contract) -> str:
    return contract.underlying.symbol if contract.underlying else contract.symbol.partition(".")[0]


def _fits(contract: Contract, query: ContractQuery) -> bool:
    """Whether the contract is among those that a description names; what tells most apart comes first."""
    if query.strike and query.strike != contract.strike:
        return False
    if query.expiry and not _expires(contract, query.expiry):
        return False
    underlying, is_option = contract.underlying, contract.asset == "OPT"
    root = underlying.option_root if underlying is not None and is_option else ""
    said = (
        (RIGHTS.get(query.right.upper(), query.right), contract.right),
        (query.sec_type, "IND" if contract.settles_in_cash and not is_option else contract.asset),
        (query.symbol, _symbol_of(contract)),
        (query.currency, contract.currency),
        (query.local_symbol, contract.symbol),
        (query.trading_class if is_option else "", root),
        (query.multiplier if is_option else "", str(contract.multiplier)),
    )
    return not any(asked and asked != is_so for asked, is_so in said)


def _expires(contract: Contract, text: str) -> bool:
    """Whether the contract expires on the day or in the month that the text names."""
    return contract.expiry is not None and f"{contract.expiry:%Y%m%d}".startswith(text[:8])
