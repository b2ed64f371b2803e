"""The broker's own books: first-in first-out lots, realized P&L, cash; apart from the desk's engine.

Everything is kept as signed cash. A lot remembers the cash that opened it (negative for a buy, fee
included); what a closing realizes is the cash that opened plus the cash that closed. A delivery adds the
option's opening cash to the shares, so premium and its fee move into their basis and nothing realizes on
the option.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.trades import CashEvent, Trade, TradeKind

NANO = Decimal("0.000000001")  # money has nine decimals
ZERO = Decimal(0)


@dataclass(slots=True)
class Lot:
    """What one trade opened and nobody closed yet; `cash` is the opening cash of what is left."""

    trade: Trade
    quantity: Decimal
    cash: Decimal
    opened_at: datetime
    transaction_id: int

    def take(self, quantity: Decimal) -> Decimal:
        """Close `quantity` (unsigned) of the lot and give its share of the opening cash."""
        whole = abs(self.quantity)
        if quantity == whole:
            share, self.quantity, self.cash = self.cash, ZERO, ZERO
            return share
        share = (self.cash * quantity / whole).quantize(NANO, ROUND_HALF_EVEN)
        self.quantity += -quantity if self.quantity > 0 else quantity
        self.cash -= share
        return share


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a trade did: its cash, what it closed, and the broker's figures of it."""

    trade: Trade
    proceeds: Decimal
    net_cash: Decimal
    closed: Decimal
    opened: Decimal
    cost: Decimal
    realized: Decimal
    moved_premium: Decimal = ZERO

    @property
    def open_close(self) -> str:
        """O, C, or C;O for a flip through zero."""
        return ";".join(mark for mark, quantity in (("C", self.closed), ("O", self.opened)) if quantity)


@dataclass(slots=True)
class Book:
    """Lots and cash of one account."""

    account: str
    lots: dict[int, deque[Lot]] = field(default_factory=lambda: defaultdict(deque))
    contracts: dict[int, Contract] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def position(self, conid: int) -> Decimal:
        """Open quantity, signed."""
        return sum((lot.quantity for lot in self.lots.get(conid, ())), ZERO)

    def apply(self, trade: Trade, premium: Decimal = ZERO, multiplier: int | None = None) -> Effect:
        """Book one trade; `premium` is the option's opening cash that a delivery brings into the shares."""
        if trade.kind is TradeKind.CONVERSION:
            return self._convert(trade)
        size = trade.contract.multiplier if multiplier is None else multiplier
        proceeds = -trade.signed_quantity * trade.last.price * size
        net_cash = proceeds - trade.fee
        self.cash[trade.contract.currency] += net_cash
        self.contracts[trade.contract.conid] = trade.contract
        closed, opening_cash = self._close(trade)
        opened = trade.quantity - closed
        total = net_cash + premium
        closing_cash = _share(total, closed, trade.quantity)
        if opened:
            lot = opened_lot(trade, opened * trade.side, total - closing_cash)
            self.lots[trade.contract.conid].append(lot)
        moves = trade.kind.moves_premium
        # The broker's `cost` of a closing is the opening cash, of an opening the basis with its sign turned.
        cost = opening_cash - (total - closing_cash)
        return Effect(
            trade=trade,
            proceeds=proceeds,
            net_cash=net_cash,
            closed=closed,
            opened=opened,
            cost=cost,
            realized=ZERO if moves or not closed else opening_cash + closing_cash,
            moved_premium=opening_cash + closing_cash if moves else ZERO,
        )

    def move_cash(self, event: CashEvent) -> None:
        """Book money that moved without a trade."""
        self.cash[event.currency] += event.amount

    def _close(self, trade: Trade) -> tuple[Decimal, Decimal]:
        """Take from the oldest lots of the other side; gives the closed quantity and its opening cash."""
        lots, left, cash = self.lots[trade.contract.conid], trade.quantity, ZERO
        while left and lots and (lots[0].quantity > 0) != (trade.side > 0):
            taken = min(left, abs(lots[0].quantity))
            cash += lots[0].take(taken)
            left -= taken
            if not lots[0].quantity:
                lots.popleft()
        return trade.quantity - left, cash

    def _convert(self, trade: Trade) -> Effect:
        """A conversion moves cash between two currencies and pays its fee; it opens nothing."""
        proceeds = -trade.signed_quantity * trade.last.price
        base = trade.contract.symbol.partition(".")[0]
        self.cash[base] += trade.signed_quantity
        self.cash[trade.contract.currency] += proceeds
        self.cash[trade.fee_currency] -= trade.fee
        return Effect(
            trade=trade, proceeds=proceeds, net_cash=ZERO, closed=ZERO, opened=ZERO, cost=ZERO, realized=ZERO
        )


def opened_lot(trade: Trade, quantity: Decimal, cash: Decimal) -> Lot:
    """The lot that a trade opens."""
    return Lot(
        trade=trade,
        quantity=quantity,
        cash=cash,
        opened_at=trade.executed_at,
        transaction_id=trade.last.transaction_id,
    )


def _share(cash: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    if not part:
        return ZERO
    return cash if part == whole else (cash * part / whole).quantize(NANO, ROUND_HALF_EVEN)
