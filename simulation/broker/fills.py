"""Executions: a deal becomes trades in the books, execution messages, and commission reports that come due.

An execution id has four dotted parts, the last its revision; a part of an order that trades in one second
on several exchanges gives one execution for each. A combination gives one for itself (part 01) and one for
each leg (02 and on): the legs are what is held and what the statement lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from random import Random

from simulation.broker.conduct import Conduct
from simulation.broker.fees import commission_of
from simulation.broker.ledger import Ledger
from simulation.broker.matching import ADDED
from simulation.broker.model import Commissioned, CommissionView, Executed, ExecutionView
from simulation.broker.orders import Part, Working
from simulation.market.listings import combination_of
from simulation.market.mixing import mixed
from simulation.market.quotes import exchange_of
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.executions import parts_of
from simulation.sample_desk.numbering import COMBINATION_PART, FIRST_LEG_PART, Ids
from simulation.sample_desk.trades import Cancel, Order, Print, Trade, TradeKind

FIRST_REVISION = 1
REVISIONS_MOST = 99  # two digits
PRICE_PLACES = Decimal("0.00000001")
SALT_EXCHANGE = 21


@dataclass(slots=True)
class Told:
    """One execution message as it was told, and its commission report with the moment it is known."""

    execution: ExecutionView
    commission: Commissioned | None


@dataclass(slots=True)
class Executions:
    """All executions of the broker's life, in the order of telling; all revisions."""

    seed: int
    ids: Ids
    conduct: Conduct
    ledgers: dict[str, Ledger]
    told: list[Told] = field(default_factory=list)
    by_base: dict[str, tuple[str, Working]] = field(default_factory=dict)
    leg_filled: dict[tuple[int, int], tuple[Decimal, Decimal]] = field(default_factory=dict)

    def fill(
        self, order: Working, quantity: int, cents: tuple[int, ...], liquidity: int, at: datetime
    ) -> Iterator[list[Told]]:
        """Execute a quantity; gives the messages of each part, in order, as they happen.

        `cents` has the price of each of the order's contracts; a single order has one.
        """
        if self.conduct.commission_rebate:
            liquidity = ADDED
        rng = Random(f"parts {self.seed} {order.perm_id} {int(at.timestamp())} {order.filled}")
        for number, part in enumerate(parts_of(rng, quantity)):
            exchange = self._exchange(order, at, number)
            base = self.ids.execution_base(at)
            order.money += self._net(order, cents) * part
            order.filled += part
            if order.is_combination:
                yield self._combination(order, part, cents, liquidity, at, exchange, base)
            else:
                fill_id = f"{base}.{COMBINATION_PART:02d}"
                yield [self._single(order, order.parts[0], part, cents[0], liquidity, at, exchange, fill_id)]

    def correct(
        self, order: Working, trade: Trade, quantity: Decimal | None, price: Decimal | None, now: datetime
    ) -> Told:
        """Print a trade again with another quantity or price, under the next revision of its id."""
        revision = len(trade.prints) + FIRST_REVISION
        if revision > REVISIONS_MOST:
            raise ValueError(f"exec_id: expected at most {REVISIONS_MOST} revisions of {trade.fill_id}")
        last = trade.last
        many, at_price = quantity or last.quantity, price if price is not None else last.price
        whole = commission_of(
            trade.contract, int(many), at_price, trade.side, trade.liquidity, trade.exchange
        )
        printed = Print(
            said_at=now,
            quantity=many,
            price=at_price,
            fee=whole - trade.fee,
            exec_id=f"{trade.fill_id}.{revision:02d}",
            transaction_id=0,
        )
        cancel = Cancel(said_at=now, fee=Decimal(0), transaction_id=self.ids.transaction())
        printed = replace(printed, transaction_id=self.ids.transaction())
        changed = replace(trade, prints=(*trade.prints, printed), cancels=(*trade.cancels, cancel))
        effect = self.ledgers[trade.account].change(changed)
        before = self._told_as(last.exec_id)
        view = replace(
            before,
            exec_id=printed.exec_id,
            quantity=many,
            price=at_price,
            cumulative=before.cumulative + many - last.quantity,
        )
        return self._tell(view, printed.fee, effect.realized if effect.closed else None, now, order)

    def _told_as(self, exec_id: str) -> ExecutionView:
        return next(told.execution for told in reversed(self.told) if told.execution.exec_id == exec_id)

    def bust(self, trade: Trade, now: datetime) -> None:
        """Take a trade back for good, with its fee; nobody is told before the statement."""
        cancel = Cancel(said_at=now, fee=-trade.fee, transaction_id=self.ids.transaction())
        self.ledgers[trade.account].change(replace(trade, cancels=(*trade.cancels, cancel)))

    def find(self, exec_id: str) -> tuple[Trade, Working]:
        """The trade of this session that an execution id, with or without revision, belongs to."""
        base = exec_id if exec_id.count(".") == FIRST_LEG_PART else exec_id.rpartition(".")[0]
        account, order = self.by_base.get(base, ("", None))
        if order is None or base not in self.ledgers[account].trades:
            raise ValueError(f"exec_id: expected an execution of this session, was {exec_id}")
        return self.ledgers[account].trades[base], order

    def _single(
        self,
        order: Working,
        part: Part,
        quantity: int,
        cents: int,
        liquidity: int,
        at: datetime,
        exchange: str,
        fill_id: str,
    ) -> Told:
        """One execution of one contract, booked and told."""
        price = Decimal(cents) / 100
        fee = commission_of(part.contract, quantity, price, part.side, liquidity, exchange)
        exec_id = f"{fill_id}.{FIRST_REVISION:02d}"
        printed = Print(
            said_at=at,
            quantity=Decimal(quantity),
            price=price,
            fee=fee,
            exec_id=exec_id,
            transaction_id=self.ids.transaction(),
        )
        ledger = self.ledgers[order.ticket.account]
        trade = Trade(
            account=order.ticket.account,
            session=ledger.session,
            contract=part.contract,
            kind=TradeKind.EXECUTION,
            side=part.side,
            executed_at=at,
            order=_order_of(order, part),
            exchange=exchange,
            liquidity=liquidity,
            prints=(printed,),
            trade_id=self.ids.trade(),
        )
        effect = ledger.add(trade)
        self.by_base[fill_id] = (trade.account, order)
        cumulative, average = self._leg_so_far(order, part, Decimal(quantity), price)
        view = self._view(order, part.contract, part.side, quantity, price, at, exchange, exec_id, liquidity)
        view = replace(view, cumulative=cumulative + self.conduct.cumulative_off, average_price=average)
        return self._tell(view, fee, effect.realized if effect.closed else None, at, order)

    def _combination(
        self,
        order: Working,
        quantity: int,
        cents: tuple[int, ...],
        liquidity: int,
        at: datetime,
        exchange: str,
        base: str,
    ) -> list[Told]:
        underlying = order.parts[0].contract.underlying
        if underlying is None:
            raise ValueError(f"legs: expected options or shares, was {order.parts[0].contract.symbol}")
        net = Decimal(self._net_cents(order, cents)) / 100
        exec_id = f"{base}.{COMBINATION_PART:02d}.{FIRST_REVISION:02d}"
        bag = combination_of(underlying)
        view = self._view(order, bag, order.side, quantity, net, at, exchange, exec_id, liquidity)
        view = replace(view, is_combination=True, cumulative=order.filled, average_price=order.average_price)
        whole = Told(execution=view, commission=None)
        self.told.append(whole)
        legs = [
            self._single(
                order,
                part,
                quantity * part.ratio,
                cents[place],
                liquidity,
                at,
                exchange,
                f"{base}.{FIRST_LEG_PART + place:02d}",
            )
            for place, part in enumerate(order.parts)
        ]
        return [whole, *legs]

    def _view(
        self,
        order: Working,
        contract: Contract,
        side: int,
        quantity: int,
        price: Decimal,
        at: datetime,
        exchange: str,
        exec_id: str,
        liquidity: int,
    ) -> ExecutionView:
        return ExecutionView(
            exec_id=exec_id,
            at=at,
            account=order.ticket.account,
            contract=contract,
            exchange=exchange,
            side=side,
            quantity=Decimal(quantity),
            price=price,
            perm_id=order.perm_id,
            client_id=order.ticket.client_id,
            order_id=order.ticket.order_id,
            cumulative=order.filled,
            average_price=order.average_price,
            order_ref=order.ticket.order_ref,
            liquidity=liquidity,
        )

    def _tell(
        self, view: ExecutionView, fee: Decimal, realized: Decimal | None, now: datetime, order: Working
    ) -> Told:
        report = None
        if not self.conduct.commission_never:
            realized = None if self.conduct.realized_unset else realized
            report = Commissioned(
                report=CommissionView(exec_id=view.exec_id, amount=fee, currency="USD", realized=realized),
                client_id=order.ticket.client_id,
                due_at=now + self.conduct.commission_delay,
            )
        told = Told(execution=view, commission=report)
        self.told.append(told)
        return told

    def _leg_so_far(
        self, order: Working, part: Part, quantity: Decimal, price: Decimal
    ) -> tuple[Decimal, Decimal]:
        key = (order.perm_id, part.contract.conid)
        done, money = self.leg_filled.get(key, (Decimal(0), Decimal(0)))
        done, money = done + quantity, money + quantity * price
        self.leg_filled[key] = (done, money)
        return done, (money / done).quantize(PRICE_PLACES).normalize()

    def _exchange(self, order: Working, at: datetime, number: int) -> str:
        chosen = mixed(self.seed, order.perm_id, int(at.timestamp()), number, SALT_EXCHANGE)
        return exchange_of(order.parts[0].contract, chosen)

    def _net(self, order: Working, cents: tuple[int, ...]) -> Decimal:
        return Decimal(self._net_cents(order, cents)) / 100

    def _net_cents(self, order: Working, cents: tuple[int, ...]) -> int:
        """Price of one unit of the order: of a combination the sum of its legs, from the order's side."""
        if not order.is_combination:
            return cents[0]
        legs = zip(order.parts, cents, strict=True)
        return order.side * sum(part.side * part.ratio * price for part, price in legs)


def executed(told: Told) -> Executed:
    """The message of an execution."""
    return Executed(execution=told.execution)


def _order_of(order: Working, part: Part) -> Order:
    return Order(
        order_id=order.ticket.order_id,
        perm_id=order.perm_id,
        client_id=order.ticket.client_id,
        reference=order.ticket.order_ref,
        placed_at=order.placed_at.replace(microsecond=0),
        quantity=order.ticket.quantity * part.ratio,
        group=order.group_number,
    )
