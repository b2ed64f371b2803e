"""Quotes of every contract at every second: a touch around a model price, with sizes from the seed.

Deterministic in (seed, contract, second). An option's fair price is Black-Scholes on the spot of that
second; the touch is that price widened by a spread and rounded outwards to the market rule, so bid is
always below ask and both are allowed prices. Outside its hours a contract has no touch.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Greeks
from simulation.broker.questions import Depth, DepthRow
from simulation.market import black_scholes as model
from simulation.market.hours import EARLY_OPEN, TradingHours
from simulation.market.hours import local as local_moment
from simulation.market.mixing import between, mixed
from simulation.market.parts import Touch
from simulation.market.paths import MILLION, SpotPaths, epoch, moment_of, spot_contract_cents
from simulation.market.rules import rule_of
from simulation.sample_desk.contracts import Contract, Underlying
from simulation.sample_desk.executions import INDEX_EXCHANGE, OPTION_EXCHANGES, SHARE_EXCHANGES
from trading.model.times import NEW_YORK

SPREAD_PER_MILLE = 12  # of an option's price, beside one increment
SHARE_SPREAD_EVERY_CENTS = 40_000  # a cent more for each 400 dollars
EARLY_SPREADS = 4  # wider this often before the bell
OPTION_SIZE_MOST = 60
SHARE_SIZE_MOST = 15  # lots of 100
SIZE_HOLDS_S = 3  # sizes change every few seconds
WIDTH_HOLDS_S = 7
OPEN_INTEREST_MOST = 9_000
DEPTH_MOST = 20
LEVEL_GROWS = 2  # sizes grow this much per level away from the touch
FASTEST_PPM = 60  # of the spot in a second: a bridge moves by 50, its line and pin by a few more
SALT_WIDTH, SALT_BID, SALT_ASK, SALT_INTEREST, SALT_MAKER = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Day:
    """A contract's session in epoch seconds, and the whole sessions left after it."""

    early: int
    opens: int
    closes: int
    bell_opens: int
    bell_closes: int
    last: int | None
    sessions_after: int

    def is_open(self, second: int) -> bool:
        """Whether the contract trades in regular hours."""
        return self.opens <= second < self.closes and (self.last is None or second < self.last)


@dataclass(slots=True)
class Quotes:
    """Touch, greeks, open interest and depth of every contract."""

    seed: int
    paths: SpotPaths
    hours: TradingHours
    touches: dict[int, tuple[int, Touch | None]] = field(default_factory=dict)
    days: dict[tuple[int, date], Day] = field(default_factory=dict)
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
        return self.paths.cents(underlying, second, self.session_at(second))

    def fair_cents(self, contract: Contract, second: int) -> float:
        """The model price; the spot itself for what is not an option."""
        session = self.session_at(second)
        return self._fair(contract, second, session, self._day(contract, session))

    def _fair(self, contract: Contract, second: int, session: date, day: Day) -> float:
        spot = spot_contract_cents(self.paths, contract, second, session)
        if contract.asset != "OPT":
            return float(spot)
        years = _years(day, second)
        if years <= 0.0:
            return float(contract.intrinsic_cents(spot))
        sigma = _sigma(contract, spot, years)
        return model.value(contract.right, float(spot), float(contract.strike_cents), years, sigma)

    def greeks(self, contract: Contract, now: datetime) -> Greeks | None:
        """Model greeks in dollars; None for what is no option or has ended."""
        if contract.asset != "OPT":
            return None
        second = epoch(now)
        session = self.session_at(second)
        years = _years(self._day(contract, session), second)
        if years <= 0.0:
            return None
        spot = spot_contract_cents(self.paths, contract, second, session)
        sigma = _sigma(contract, spot, years)
        return model.greeks(contract.right, spot / 100, contract.strike_cents / 100, years, sigma)

    def open_interest(self, contract: Contract, session: date) -> int:
        """Contracts open since the morning, more of them at round strikes; the same on each session."""
        if contract.asset != "OPT":
            return 0
        most = OPEN_INTEREST_MOST if contract.strike_cents % 500 == 0 else OPEN_INTEREST_MOST // 6
        return between(0, most, self.seed, contract.conid, SALT_INTEREST)

    def depth(self, contract: Contract, rows: int, now: datetime) -> Depth | None:
        """Some levels of both sides, the touch first; None while the contract does not trade."""
        second = epoch(now)
        touch = self.touch(contract, second)
        if touch is None:
            return None
        levels = range(min(rows, DEPTH_MOST))
        return Depth(
            bids=tuple(row for place in levels if (row := self._level(contract, second, touch, place, -1))),
            asks=tuple(row for place in levels if (row := self._level(contract, second, touch, place, 1))),
        )

    def calm_s(self, contract: Contract, second: int, cents: int) -> int:
        """Seconds in which the spot, and with it the touch, cannot come so far."""
        if contract.underlying is None or cents <= 0:
            return 0
        spot = self.spot_cents(contract.underlying, second)
        return cents * MILLION // (spot * FASTEST_PPM + MILLION)

    def session_at(self, second: int) -> date:
        """The session whose prices stand at a second: the one that began last, at four in the morning."""
        hour = second // 3_600
        found = self.sessions.get(hour)
        if found is None:
            local = moment_of(hour * 3_600).astimezone(NEW_YORK)
            day = local.date() if local.time() >= EARLY_OPEN else local.date() - timedelta(days=1)
            found = self.sessions[hour] = self.hours.calendar.session_on_or_before(day)
        return found

    def is_open(self, contract: Contract, second: int) -> bool:
        """Whether the contract trades in regular hours at a second."""
        return self._day(contract, self.session_at(second)).is_open(second)

    def _touch(self, contract: Contract, second: int) -> Touch | None:
        if contract.asset not in ("OPT", "STK") or (contract.settles_in_cash and contract.asset == "STK"):
            return None
        session = self.session_at(second)
        if not self.paths.knows(session):
            return None
        day = self._day(contract, session)
        regular = day.is_open(second)
        if not regular and not (contract.asset == "STK" and day.early <= second < day.closes):
            return None
        fair = self._fair(contract, second, session, day)
        width = self._width(contract, fair, second) * (1 if regular else EARLY_SPREADS)
        rule = rule_of(contract)
        bid = max(rule.down(int(fair - width / 2)), 0)
        ask = max(rule.up(int(fair + width / 2) + 1), bid + rule.increment(bid))
        sizes = self._sizes(contract, second)
        return Touch(bid, rule.up(ask), sizes[0] if bid else 0, sizes[1])

    def _day(self, contract: Contract, session: date) -> Day:
        key = (contract.conid, session)
        found = self.days.get(key)
        if found is None:
            found = self.days[key] = self._new_day(contract, session)
        return found

    def _new_day(self, contract: Contract, session: date) -> Day:
        hours, calendar = self.hours.of(contract, session), self.hours.calendar
        bell_opens, bell_closes = self.paths.bounds(session)
        expiry, after, last = contract.expiry, 0, None
        if expiry is not None:
            last = epoch(self.hours.last_trade_at(contract))
            after = len(calendar.sessions_between(session, expiry)) - 1 if expiry > session else 0
        return Day(
            early=epoch(local_moment(session, EARLY_OPEN)),
            opens=epoch(hours.opens),
            closes=epoch(hours.closes),
            bell_opens=bell_opens,
            bell_closes=bell_closes,
            last=last,
            sessions_after=after,
        )

    def _width(self, contract: Contract, fair: float, second: int) -> int:
        if contract.asset == "STK":
            return 1 + int(fair) // SHARE_SPREAD_EVERY_CENTS
        step = rule_of(contract).increment(int(fair))
        wider = mixed(self.seed, contract.conid, second // WIDTH_HOLDS_S, SALT_WIDTH) & 1
        return step * (1 + wider) + int(fair) * SPREAD_PER_MILLE // 1000

    def _sizes(self, contract: Contract, second: int) -> tuple[int, int]:
        unit, most = (1, OPTION_SIZE_MOST) if contract.asset == "OPT" else (100, SHARE_SIZE_MOST)
        held = second // SIZE_HOLDS_S
        bid = between(1, most, self.seed, contract.conid, held, SALT_BID)
        ask = between(1, most, self.seed, contract.conid, held, SALT_ASK)
        return bid * unit, ask * unit

    def _level(
        self, contract: Contract, second: int, touch: Touch, place: int, direction: int
    ) -> DepthRow | None:
        rule = rule_of(contract)
        first = touch.ask if direction > 0 else touch.bid
        price = first + direction * place * rule.increment(first)
        if price <= 0 or not first:
            return None
        size = (touch.ask_size if direction > 0 else touch.bid_size) * (1 + place * LEVEL_GROWS)
        maker = exchange_of(contract, mixed(self.seed, contract.conid, place, direction & 3, SALT_MAKER))
        return DepthRow(price=Decimal(price) / 100, size=size, maker=maker)


def exchange_of(contract: Contract, number: int) -> str:
    """One of the exchanges on which the contract trades."""
    if contract.settles_in_cash:
        return INDEX_EXCHANGE
    places = OPTION_EXCHANGES if contract.asset == "OPT" else SHARE_EXCHANGES
    return places[number % len(places)]


def _sigma(contract: Contract, spot: int, years: float) -> float:
    if contract.underlying is None:
        raise ValueError(f"contract: expected an option, was {contract.symbol}")
    return model.volatility(contract.underlying.symbol, float(spot), float(contract.strike_cents), years)


def _years(day: Day, second: int) -> float:
    """Trading time left: whole sessions after this one, and what is left of this one."""
    if day.last is None or second >= day.last:
        return 0.0
    length = day.bell_closes - day.bell_opens
    left = min(max(day.bell_closes - second, 0), length) / length
    return max((day.sessions_after + left) / model.SESSIONS_A_YEAR, model.T_LEAST)
