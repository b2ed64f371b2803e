"""What the broker answers when it is asked, without changing anything: orders, executions, worth, market."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from simulation.broker.fills import Executions, Told
from simulation.broker.model import (
    CommissionView,
    ExecutionView,
    Greeks,
    OrderView,
    PositionView,
    Quote,
)
from simulation.broker.orders import OrderRegister
from simulation.broker.questions import (
    AccountPnl,
    Bar,
    ChainParameters,
    ContractQuery,
    ContractRecord,
    Day,
    Depth,
    PositionPnl,
    Print,
)
from simulation.broker.valuation import Valuation
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract
from trading.model.times import NEW_YORK

NO_DEPTH = Depth(bids=(), asks=())
ONE_DAY, SOON, DAY_S = timedelta(days=1), timedelta(seconds=1), 86_400
CLOSE_WITHIN_S = 7 * DAY_S
CLOSE_PLACES = 2


class Answers:
    """The questions of the gateway; the broker itself brings what they look at."""

    world: World
    register: OrderRegister
    executed: Executions
    valuation: Valuation
    _now: datetime

    @property
    def now(self) -> datetime:
        """The moment of the last call."""
        return self._now

    @property
    def session(self) -> date:
        """The session under way, or the next one after its booking."""
        return self.world.hours.session_of(self._now)

    # --- questions about orders, positions, accounts

    def next_order_id(self, client_id: int) -> int:
        """The next number that a client may use."""
        return self.register.next_id(client_id)

    def open_orders(self, client_id: int | None) -> list[OrderView]:
        """Live orders of one client, or of all."""
        return [
            order.view()
            for order in self.register.live()
            if client_id is None or order.ticket.client_id == client_id
        ]

    def completed_orders(self) -> list[OrderView]:
        """Orders that ended on the New York day of the last call, in the order of their end."""
        midnight = _midnight(self._now)
        done = [
            order
            for order in self.register.by_perm.values()
            if order.released and order.ended_at is not None and order.ended_at >= midnight
        ]
        return [order.view() for order in sorted(done, key=lambda order: (order.ended_at, order.perm_id))]

    def executions(self, now: datetime) -> list[tuple[ExecutionView, CommissionView | None]]:
        """All revisions of the executions since midnight, New York; a commission only when it is due."""
        midnight = _midnight(now)
        return [
            (told.execution, _due_commission(told, now))
            for told in self.executed.told
            if told.execution.at >= midnight
        ]

    def positions(self) -> list[PositionView]:
        """What all accounts hold."""
        return self.valuation.positions()

    def account_values(self, account: str, now: datetime) -> list[tuple[str, str, str]]:
        """Key, value and currency."""
        return self.valuation.account_values(account, now)

    def pnl(self, account: str, now: datetime) -> AccountPnl:
        """Profit of an account."""
        return self.valuation.pnl(account, now)

    def pnl_single(self, account: str, conid: int, now: datetime) -> PositionPnl:
        """Profit of one position."""
        return self.valuation.pnl_single(account, conid, now)

    # --- questions about the market

    def contracts(self, query: ContractQuery) -> list[ContractRecord]:
        """All contracts that the query fits."""
        return self.world.listings.find(query, self.session)

    def chains(self, symbol: str) -> list[ChainParameters]:
        """The option chain of a symbol, one entry per exchange."""
        return self.world.listings.chains(symbol, self.session)

    def quote(self, conid: int, now: datetime) -> Quote:
        """Touch, last trade and volume."""
        return self.world.tape.quote(self.contract_of(conid), now)

    def next_change(self, conid: int, now: datetime) -> datetime:
        """When quote, greeks or tape may be new: until then nobody needs to ask."""
        return self.world.tape.next_change(self.contract_of(conid), now)

    def day(self, conid: int, now: datetime) -> Day:
        """The day of a share or an index so far; of anything else only when to ask again."""
        contract = self.contract_of(conid)
        midnight = _midnight(now)
        if contract.asset != "STK":
            return Day(open=None, high=None, low=None, close=None, until=midnight + ONE_DAY)
        opens = self.world.hours.next_open(contract, midnight)
        until = opens if now < opens else midnight + ONE_DAY
        bars: list[Bar] = []
        if now >= opens:
            seconds = max(1, int((now - opens).total_seconds()) + 1)
            bars = self.world.tape.bars(contract, now, min(seconds, DAY_S), DAY_S, "TRADES")
            until = until if bars else now + SOON
        told = bars[-1] if bars else None
        return Day(
            open=told.open if told else None,
            high=told.high if told else None,
            low=told.low if told else None,
            close=self._close_before(contract, midnight),
            until=until,
        )

    def _close_before(self, contract: Contract, midnight: datetime) -> Decimal | None:
        """The close of the last session that ended before; None where that was before the world's time."""
        underlying, world = contract.underlying, self.world
        session = world.calendar.session_on_or_before((midnight - ONE_DAY).astimezone(NEW_YORK).date())
        if underlying is None:
            return None
        if (underlying.symbol, session) in world.market.paths:
            return round(world.market.mark(contract, session), CLOSE_PLACES)
        if session in world.sessions:
            bars = world.tape.bars(contract, midnight, CLOSE_WITHIN_S, DAY_S, "TRADES")
            return bars[-1].close if bars else None
        return Decimal(underlying.start_cents) / 100 if underlying.start_cents else None

    def greeks(self, conid: int, now: datetime) -> Greeks | None:
        """Model greeks of an option."""
        return self.world.quotes.greeks(self.contract_of(conid), now)

    def open_interest(self, conid: int) -> int:
        """Open contracts since the morning."""
        return self.world.quotes.open_interest(self.contract_of(conid), self.session)

    def depth(self, conid: int, rows: int, now: datetime) -> Depth:
        """Levels of both sides; none while the contract does not trade."""
        return self.world.quotes.depth(self.contract_of(conid), rows, now) or NO_DEPTH

    def bars(self, conid: int, end: datetime, seconds: int, bar_s: int, what: str) -> list[Bar]:
        """Bars up to `end`, where the last one is cut."""
        return self.world.tape.bars(self.contract_of(conid), end, seconds, bar_s, what)

    def prints(self, conid: int, since: datetime, now: datetime) -> list[Print]:
        """The tape between two moments."""
        return self.world.tape.prints(self.contract_of(conid), since, now)

    def contract_of(self, conid: int) -> Contract:
        """The listed contract of an id."""
        return self.world.listings.contract(conid)


def _due_commission(told: Told, now: datetime) -> CommissionView | None:
    if told.commission is None or told.commission.due_at > now:
        return None
    return told.commission.report


def _midnight(now: datetime) -> datetime:
    local_day = now.astimezone(NEW_YORK).date()
    return datetime(local_day.year, local_day.month, local_day.day, tzinfo=NEW_YORK).astimezone(UTC)
