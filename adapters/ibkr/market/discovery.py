"""What is listed: the underlyings as the broker knows them, expiries, contracts of the nearest ones.

A chain is asked for class by class and expiry by expiry (contract details in bulk are throttled, one question
of an expiry is not), and anew with each session, since strikes are added over night. What is chosen of it
follows the spot. Keep out: sending (the session does), lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from adapters.ibkr.market.budget import Budget
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.market.requests import ChainAsked, Described
from trading.calendar import INDEX_CLASSES
from trading.market_settings import ChainMode, MarketSettings

QUESTIONS_AT_ONCE = 10
CONTRACTS_MAX = 100_000  # of all chains together
RETRY_FIRST_S, RETRY_MAX_S = 5.0, 300.0
DOUBLINGS_MAX = 10
NEAR_EXPIRIES, NEAR_STRIKES = 2, 4  # strikes each side of the spot
INDEXES = frozenset({"VIX1D", "VIX9D", "VVIX"}) | INDEX_CLASSES
SHARE, INDEX = "STK", "IND"

Asked = Described | ChainAsked


@dataclass(slots=True)
class Watched:
    """What is known of one symbol."""

    symbol: str
    wants_chain: bool
    sec_type: str
    underlying: KnownContract | None = None
    series: tuple[tuple[date, str], ...] | None = None  # expiry and class, the nearest ones
    contracts: dict[tuple[date, str], tuple[KnownContract, ...]] = field(default_factory=dict)
    problem: str = ""
    is_given_up: bool = False
    tries: int = 0
    retry_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every contract of the chain is known."""
        return self.series is not None and all(each in self.contracts for each in self.series)


@dataclass(slots=True)
class _Open:
    asked: Asked
    watched: Watched
    expires_at: datetime
    contracts: list[KnownContract] = field(default_factory=list)
    chains: list[ChainHeard] = field(default_factory=list)


class Discovery:
    """The questions about what is listed, and their answers."""

    def __init__(self, market: MarketSettings, budget: Budget, timeout: timedelta) -> None:
        self._expiries_max = market.chain_expiries_max
        self._strikes_each_side = market.chain_strikes_each_side
        self._timeout = timeout
        self._open: dict[int, _Open] = {}
        self._session: date | None = None
        self.watched = {
            name: Watched(
                symbol=name,
                wants_chain=plan.chain is not ChainMode.NONE,
                sec_type=INDEX if name in INDEXES else SHARE,
            )
            for name, plan in budget.symbols.items()
            if plan.level1
        }
        self._unsettled = dict(self.watched)  # those that something may be asked about

    # asking

    def begin_session(self, session: date) -> bool:
        """Ask for the chains anew when the session is another one; True when it is."""
        if session == self._session:
            return False
        self._session = session
        self._unsettled = dict(self.watched)
        for watched in self.watched.values():
            watched.series, watched.contracts = None, {}
            watched.is_given_up, watched.tries, watched.retry_at = False, 0, None
        return True

    def due(self, now: datetime) -> Iterator[tuple[Watched, Asked]]:
        """What is to be asked now; each must be `sent` or it comes again."""
        room = QUESTIONS_AT_ONCE - len(self._open)
        if room <= 0 or not self._unsettled:
            return
        busy = {id(each.watched) for each in self._open.values()}
        for watched in list(self._unsettled.values()):
            if room <= 0:
                return
            is_resting = watched.retry_at is not None and watched.retry_at > now
            if id(watched) in busy or watched.is_given_up or is_resting:
                continue
            asked = self._next(watched)
            if asked is None:
                del self._unsettled[watched.symbol]
            else:
                room -= 1
                yield watched, asked

    def sent(self, number: int, watched: Watched, asked: Asked, now: datetime) -> None:
        """Note that a question was sent."""
        self._open[number] = _Open(asked=asked, watched=watched, expires_at=now + self._timeout)

    def next_due(self) -> datetime | None:
        """When a question is given up, or asked again."""
        retries = [each.retry_at for each in self.watched.values() if each.retry_at and not each.is_given_up]
        return min([*(each.expires_at for each in self._open.values()), *retries], default=None)

    def expire(self, now: datetime) -> list[tuple[Watched, str]]:
        """Give up the questions whose time is over; they are asked again."""
        over = [number for number, each in self._open.items() if each.expires_at <= now]
        gone = []
        for number in over:
            open_ = self._open.pop(number)
            self._rest(open_.watched, "no answer about what is listed", now)
            gone.append((open_.watched, open_.watched.problem))
        return gone

    def forget_questions(self) -> None:
        """The connection is gone: what was asked is asked again."""
        self._open.clear()
        for watched in self.watched.values():
            watched.retry_at = None

    # answers

    def is_open(self, number: int) -> bool:
        """Whether a number is a question's."""
        return number in self._open

    def heard_contract(self, number: int, contract: KnownContract) -> None:
        """A row of an answer."""
        open_ = self._open.get(number)
        if open_ is not None and len(open_.contracts) < CONTRACTS_MAX:
            open_.contracts.append(contract)

    def heard_chain(self, number: int, heard: ChainHeard) -> None:
        """A row of an answer."""
        open_ = self._open.get(number)
        if open_ is not None:
            open_.chains.append(heard)

    def ended(self, number: int, now: datetime) -> Watched | None:
        """An answer is whole; returns whose it was."""
        open_ = self._open.pop(number, None)
        if open_ is None:
            return None
        watched, asked = open_.watched, open_.asked
        watched.tries, watched.retry_at, watched.problem = 0, None, ""
        if isinstance(asked, ChainAsked):
            watched.series = self._nearest(open_.chains) or None
            if watched.series is None:
                self._rest(watched, "the broker lists no options of it", now)
        elif asked.expiry is not None:
            found = tuple(each for each in open_.contracts if each.option is not None)
            watched.contracts[asked.expiry, asked.trading_class] = found
        elif open_.contracts:
            watched.underlying = open_.contracts[0]
        else:
            self._rest(watched, "the answer had no contract", now)
        return watched

    def failed(self, number: int, text: str, *, is_unknown: bool, now: datetime) -> Watched | None:
        """A question was refused: an unknown symbol is tried as an index, then left alone for the session."""
        open_ = self._open.pop(number, None)
        if open_ is None:
            return None
        watched, asked = open_.watched, open_.asked
        watched.problem = text
        if isinstance(asked, Described) and asked.expiry is not None and is_unknown:
            watched.contracts[asked.expiry, asked.trading_class] = ()
        elif is_unknown and watched.sec_type == SHARE and watched.underlying is None:
            watched.sec_type = INDEX
        elif is_unknown:
            watched.is_given_up = True
        else:
            self._rest(watched, text, now)
        return watched

    # the chain

    def chosen(self, symbol: str, spot: Decimal | None) -> tuple[KnownContract, ...]:
        """The contracts around the spot, by expiry, strike and right; none while something is not known."""
        return self._around_spot(symbol, spot, self._expiries_max, self._strikes_each_side)

    def near(self, symbol: str, spot: Decimal | None) -> frozenset[int]:
        """Those of them that are the nearest in both ways, by their numbers."""
        strikes = min(NEAR_STRIKES, self._strikes_each_side)
        return frozenset(each.conid for each in self._around_spot(symbol, spot, NEAR_EXPIRIES, strikes))

    def _around_spot(
        self, symbol: str, spot: Decimal | None, expiries: int, each_side: int
    ) -> tuple[KnownContract, ...]:
        watched = self.watched[symbol]
        if spot is None or not watched.is_whole or watched.series is None:
            return ()
        days = sorted({day for day, _ in watched.series})[:expiries]
        chosen: list[KnownContract] = []
        for series in (each for each in watched.series if each[0] in days):
            contracts = watched.contracts[series]
            strikes = sorted({each.option.strike for each in contracts if each.option is not None})
            kept = _around(strikes, spot, each_side)
            chosen += sorted(
                (each for each in contracts if each.option is not None and each.option.strike in kept),
                key=lambda each: (each.option.strike, each.option.right) if each.option else (),
            )
        return tuple(chosen)

    def listed(self, symbol: str) -> int:
        """How many contracts the chosen expiries have."""
        return sum(len(each) for each in self.watched[symbol].contracts.values())

    def _next(self, watched: Watched) -> Asked | None:
        if watched.underlying is None:
            return Described(symbol=watched.symbol, sec_type=watched.sec_type)
        if not watched.wants_chain:
            return None
        if watched.series is None:
            return ChainAsked(
                symbol=watched.symbol, sec_type=watched.sec_type, conid=watched.underlying.conid
            )
        for expiry, trading_class in watched.series:
            if (expiry, trading_class) not in watched.contracts:
                return Described(
                    symbol=watched.symbol, sec_type="OPT", expiry=expiry, trading_class=trading_class
                )
        return None

    def _nearest(self, heard: list[ChainHeard]) -> tuple[tuple[date, str], ...]:
        at_smart = [each for each in heard if each.exchange == "SMART"] or heard
        first = self._session or date.min
        series = {(day, each.trading_class) for each in at_smart for day in each.expiries if day >= first}
        days = sorted({day for day, _ in series})[: self._expiries_max]
        return tuple(sorted(each for each in series if each[0] in days))

    def _rest(self, watched: Watched, text: str, now: datetime) -> None:
        watched.tries += 1
        pause = min(RETRY_FIRST_S * 2 ** min(watched.tries - 1, DOUBLINGS_MAX), RETRY_MAX_S)
        watched.problem, watched.retry_at = text, now + timedelta(seconds=pause)


def _around(strikes: list[Decimal], spot: Decimal, each_side: int) -> frozenset[Decimal]:
    if not strikes:
        return frozenset()
    nearest = min(range(len(strikes)), key=lambda place: (abs(strikes[place] - spot), place))
    return frozenset(strikes[max(0, nearest - each_side) : nearest + each_side + 1])
