"""What the sample desk picks, and when: a series near the money, a moment, a price, a strategy's name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from simulation.sample_desk.contracts import UNDERLYINGS, Contract, ContractMaster, Underlying
from simulation.sample_desk.market import STEPS, Market
from trading.calendar import TradingCalendar
from trading.model.times import NEW_YORK

STRIKES_AWAY_MOST = 2
WEEKS_AHEAD = 3
EVENING_AT = time(20, 35)  # New York; the global session, whose trade date is the next session
EVENING_SECONDS = 1_500
WITHIN_STEP_SECONDS = 600
ONE_DAY_MOST = 3  # calendar days to expiry over a weekend


@dataclass(slots=True, kw_only=True)
class Choices:
    """Draws of one generator on one market; the contracts that are drawn are listed by it."""

    rng: Random
    market: Market
    master: ContractMaster
    calendar: TradingCalendar

    def series(self, session: date, step: int, *, underlying: Underlying | None = None) -> Contract:
        """An option series near the money at this step."""
        chosen = underlying or self.rng.choice(UNDERLYINGS)
        expiry = self.rng.choice(self._expiries(chosen, session))
        width = chosen.strike_step_cents
        nearest = (self.market.spot_cents(chosen, session, step) + width // 2) // width
        strike = (nearest + self.rng.randint(-STRIKES_AWAY_MOST, STRIKES_AWAY_MOST)) * width
        return self.master.option(chosen, expiry, self.rng.choice("CP"), strike)

    def shifted(self, contract: Contract, right: str, cents: int) -> Contract:
        """The series of the same expiry at another strike."""
        if contract.underlying is None or contract.expiry is None:
            raise ValueError(f"contract: expected an option, was {contract.symbol}")
        strike = contract.strike_cents + cents
        return self.master.option(contract.underlying, contract.expiry, right, strike)

    def moment(self, session: date, step: int) -> datetime:
        """A second within the ten minutes after a step of the session."""
        opens, closes = self.calendar.session_open(session), self.calendar.session_close(session)
        start = opens + (closes - opens) * step // STEPS
        return start.replace(microsecond=0) + timedelta(seconds=self.rng.randint(0, WITHIN_STEP_SECONDS))

    def evening_before(self, session: date) -> datetime:
        """A second of the global session that begins the evening before."""
        starts = datetime.combine(session - timedelta(days=1), EVENING_AT, NEW_YORK).astimezone(UTC)
        return starts + timedelta(seconds=self.rng.randint(0, EVENING_SECONDS))

    def price(self, contract: Contract, session: date, step: int) -> Decimal:
        """What it trades at around this step."""
        if contract.asset == "STK" and contract.underlying is not None:
            spot = self.market.spot_cents(contract.underlying, session, step)
            return Decimal(spot * 100 + self.rng.randint(-50, 50)) / 10_000
        cents = self.market.option_cents(contract, session, step) + self.rng.randint(-3, 3)
        return Decimal(max(1, cents)) / 100

    def chance(self, percent: int) -> bool:
        """True this often in a hundred."""
        return self.rng.randrange(100) < percent

    def _expiries(self, underlying: Underlying, session: date) -> tuple[date, ...]:
        """Listed expiries in reach: this and the next session for the daily ones, the next three Fridays."""
        first = session + timedelta(days=(4 - session.weekday()) % 7)
        fridays = [first + timedelta(weeks=week) for week in range(WEEKS_AHEAD)]
        weekly = [self.calendar.session_on_or_before(friday) for friday in fridays]
        reachable = tuple(expiry for expiry in weekly if expiry >= session)
        if not underlying.lists_every_session:
            return reachable
        return tuple(dict.fromkeys((session, self.calendar.next_session(session), *reachable)))


def strategy_of(contract: Contract, session: date) -> str:
    """The order reference of a strategy, by the days that the option has left."""
    if contract.expiry is None:
        return ""
    days = (contract.expiry - session).days
    if days == 0:
        return "zero_dte"
    return "one_dte" if days <= ONE_DAY_MOST else "fourteen_dte"


def close_of(market: Market, contract: Contract, session: date) -> int:
    """The close in cents of what the contract is on."""
    if contract.underlying is None:
        raise ValueError(f"contract: expected an option or share, was {contract.symbol}")
    return market.close_cents(contract.underlying, session)
