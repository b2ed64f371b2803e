"""A broker of two contracts for tests of the wire: market orders fill at once, limit orders wait.

Small on purpose: what is tested with it is how things are told, not what happens.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simulation.broker.model import (
    BrokerSays,
    Commissioned,
    CommissionView,
    Executed,
    ExecutionView,
    Greeks,
    Margin,
    OrderTold,
    OrderView,
    PositionView,
    Quote,
    Refused,
    Status,
    Ticket,
    WhatIf,
)
from simulation.broker.questions import (
    AccountPnl,
    Bar,
    ChainParameters,
    ContractQuery,
    ContractRecord,
    Day,
    Depth,
    DepthRow,
    PositionPnl,
    Print,
)
from simulation.market.clock import SimulatedClock
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, ContractMaster, share_of
from simulation.tws.contracts import sec_type_of

ACCOUNT = "DU1234567"
OPENED_AT = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
SPY = next(each for each in UNDERLYINGS if each.symbol == "SPY")
SHARE = share_of(SPY)
OPTION = ContractMaster().option(SPY, OPENED_AT.date(), "C", 67_000)
COMMISSION_AFTER = timedelta(seconds=1)
NOTHING = Decimal(0)


def hand_clock() -> SimulatedClock:
    """A clock that stands until the test moves it."""
    return SimulatedClock(OPENED_AT, None)


class SmallBroker:
    """Quotes never move unless the test sets them."""

    def __init__(self) -> None:
        self.orders: dict[int, OrderView] = {}
        self.told: list[tuple[ExecutionView, CommissionView | None]] = []
        self.held: dict[int, Decimal] = {}
        self.bid, self.ask = Decimal("1.20"), Decimal("1.25")
        self.late: list[Commissioned] = []
        self.commission_after = COMMISSION_AFTER
        self.prints_told: list[Print] = []
        self.rows = 2
        self.told_day: Day | None = None
        self.last, self.volume = Decimal("1.22"), 1_234
        self.margin = Margin(
            initial_before=Decimal("1000.5"),
            initial_change=Decimal(250),
            initial_after=Decimal("1250.5"),
            maintenance_before=None,
            maintenance_change=None,
            maintenance_after=None,
            equity_before=Decimal(50_000),
            equity_change=Decimal(-1),
            equity_after=Decimal(49_999),
            commission=Decimal("0.65"),
        )

    # orders

    def place(self, ticket: Ticket, now: datetime) -> list[BrokerSays]:
        perm_id = 600_000_000 + len(self.orders) + 1
        order = OrderView(
            ticket=ticket,
            perm_id=perm_id,
            status=Status.PRE_SUBMITTED,
            filled=NOTHING,
            remaining=ticket.quantity,
            average_price=NOTHING,
            last_price=NOTHING,
            placed_at=now,
        )
        if ticket.what_if:
            return [WhatIf(order=order, margin=self.margin)]
        self.orders[perm_id] = order
        says: list[BrokerSays] = [OrderTold(order=order)]
        return [*says, *(self.fill(perm_id, ticket.quantity, now) if ticket.order_type == "MKT" else [])]

    def fill(
        self, perm_id: int, quantity: Decimal, now: datetime, exchange: str = "CBOE"
    ) -> list[BrokerSays]:
        order = self.orders[perm_id]
        contract = order.ticket.contract or OPTION
        side = 1 if order.ticket.action == "BUY" else -1
        filled = order.filled + quantity
        is_whole = filled == order.ticket.quantity
        execution = ExecutionView(
            exec_id=f"0000e0d5.{int(now.timestamp()):08x}.{len(self.told) + 1:02d}.01",
            at=now,
            account=order.ticket.account,
            contract=contract,
            exchange=exchange,
            side=side,
            quantity=quantity,
            price=self.ask if side > 0 else self.bid,
            perm_id=perm_id,
            client_id=order.ticket.client_id,
            order_id=order.ticket.order_id,
            cumulative=filled,
            average_price=self.ask,
            order_ref=order.ticket.order_ref,
            liquidity=2,
        )
        report = CommissionView(
            exec_id=execution.exec_id, amount=Decimal("0.65") * quantity, currency="USD", realized=None
        )
        self.told.append((execution, report))
        self.held[contract.conid] = self.held.get(contract.conid, NOTHING) + side * quantity
        self.orders[perm_id] = replace(
            order,
            status=Status.FILLED if is_whole else Status.SUBMITTED,
            filled=filled,
            remaining=order.ticket.quantity - filled,
            average_price=self.ask,
            last_price=self.ask,
            ended_at=now if is_whole else None,
        )
        due_at = now + self.commission_after
        commissioned = Commissioned(report=report, client_id=order.ticket.client_id, due_at=due_at)
        return [Executed(execution=execution), OrderTold(order=self.orders[perm_id]), commissioned]

    def cancel(self, client_id: int, order_id: int, now: datetime) -> list[BrokerSays]:
        for perm_id, order in self.orders.items():
            if (order.ticket.client_id, order.ticket.order_id) == (client_id, order_id):
                self.orders[perm_id] = replace(order, status=Status.CANCELLED, ended_at=now)
                notice = Refused(
                    client_id=client_id, order_id=order_id, code=202, text="Order Canceled - reason:"
                )
                return [OrderTold(order=self.orders[perm_id], open_order=False), notice]
        text = f"OrderId {order_id} that needs to be cancelled is not found."
        return [Refused(client_id=client_id, order_id=order_id, code=10147, text=text)]

    def global_cancel(self, now: datetime) -> list[BrokerSays]:
        tickets = [order.ticket for order in self.open_orders(None)]
        return [said for each in tickets for said in self.cancel(each.client_id, each.order_id, now)]

    def advance(self, now: datetime) -> list[BrokerSays]:
        return []

    # questions

    def next_order_id(self, client_id: int) -> int:
        return 1 + max((o.ticket.order_id for o in self.orders.values()), default=0)

    def open_orders(self, client_id: int | None) -> list[OrderView]:
        wanted = [o for o in self.orders.values() if client_id in (None, o.ticket.client_id)]
        return [order for order in wanted if not order.status.is_done]

    def completed_orders(self) -> list[OrderView]:
        return [order for order in self.orders.values() if order.status.is_done]

    def executions(self, now: datetime) -> list[tuple[ExecutionView, CommissionView | None]]:
        return list(self.told)

    def positions(self) -> list[PositionView]:
        contracts = {each.conid: each for each in (SHARE, OPTION)}
        return [
            PositionView(
                account=ACCOUNT,
                contract=contracts[conid],
                quantity=held,
                average_cost=Decimal("125.65"),
            )
            for conid, held in self.held.items()
        ]

    def account_values(self, account: str, now: datetime) -> list[tuple[str, str, str]]:
        return [("NetLiquidation", "246447.83", "USD"), ("AccountType", "INDIVIDUAL", "")]

    def pnl(self, account: str, now: datetime) -> AccountPnl:
        return AccountPnl(daily=Decimal("12.5"), unrealized=None, realized=None)

    def pnl_single(self, account: str, conid: int, now: datetime) -> PositionPnl:
        held = self.held.get(conid, NOTHING)
        return PositionPnl(
            quantity=held, daily=None, unrealized=Decimal(-3), realized=None, value=Decimal(125)
        )

    # contracts and market

    def contracts(self, query: ContractQuery) -> list[ContractRecord]:
        return [_record(each) for each in (SHARE, OPTION) if _matches(each, query)]

    def chains(self, symbol: str) -> list[ChainParameters]:
        return [
            ChainParameters(
                exchange=exchange,
                underlying_conid=SPY.conid,
                trading_class=symbol,
                multiplier=100,
                expiries=(OPENED_AT.date(), OPENED_AT.date() + timedelta(days=3)),
                strikes=(Decimal(669), Decimal(670), Decimal("670.5")),
            )
            for exchange in ("SMART", "CBOE")
        ]

    def quote(self, conid: int, now: datetime) -> Quote:
        return Quote(
            at=now,
            bid=self.bid,
            ask=self.ask,
            bid_size=10,
            ask_size=11,
            last=self.last,
            last_size=3,
            volume=self.volume + sum(each.size for each in self.prints_told if each.at <= now),
        )

    def next_change(self, conid: int, now: datetime) -> datetime:
        return now

    def day(self, conid: int, now: datetime) -> Day:
        return self.told_day or Day(open=None, high=None, low=None, close=None, until=now + timedelta(days=1))

    def greeks(self, conid: int, now: datetime) -> Greeks | None:
        return Greeks(
            implied_volatility=0.15,
            delta=0.5,
            gamma=0.02,
            vega=0.3,
            theta=-0.4,
            price=1.22,
            underlying=671.5,
        )

    def open_interest(self, conid: int) -> int:
        return 4_321

    def depth(self, conid: int, rows: int, now: datetime) -> Depth:
        step = Decimal("0.01")
        bids = tuple(DepthRow(price=self.bid - n * step, size=10 + n, maker="CBOE") for n in range(self.rows))
        asks = tuple(DepthRow(price=self.ask + n * step, size=20 + n, maker="ARCA") for n in range(self.rows))
        return Depth(bids=bids, asks=asks)

    def bars(self, conid: int, end: datetime, seconds: int, bar_s: int, what: str) -> Sequence[Bar]:
        start = int((end - timedelta(seconds=seconds)).timestamp())
        first = -(-start // bar_s) * bar_s
        starts = range(first, int(end.timestamp()), bar_s)
        return [
            Bar(
                at=datetime.fromtimestamp(at, UTC),
                open=Decimal("1.2"),
                high=Decimal("1.3"),
                low=Decimal("1.1"),
                close=Decimal("1.25"),
                volume=100,
                average=Decimal("1.22"),
                count=7,
            )
            for at in starts
        ]

    def prints(self, conid: int, since: datetime, now: datetime) -> Sequence[Print]:
        return [each for each in self.prints_told if since < each.at <= now]


def _record(contract: Contract) -> ContractRecord:
    is_option = contract.asset == "OPT"
    return ContractRecord(
        contract=contract,
        long_name="SPDR S&P 500 ETF TRUST",
        min_tick=Decimal("0.01"),
        market_rule=110 if is_option else 26,
        exchanges=("SMART", "CBOE"),
        primary_exchange="" if is_option else "ARCA",
        trading_hours="20261113:0930-20261113:1615",
        liquid_hours="20261113:0930-20261113:1615",
        last_trade_at=OPENED_AT + timedelta(hours=6, minutes=15) if is_option else None,
    )


def _matches(contract: Contract, query: ContractQuery) -> bool:
    if query.conid:
        return query.conid == contract.conid
    return (
        query.symbol in ("", "SPY")
        and query.sec_type in ("", sec_type_of(contract))
        and query.strike in (None, contract.strike)
        and query.right in ("", contract.right)
    )
