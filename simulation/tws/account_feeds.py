"""Subscriptions about accounts: positions, values and portfolio, summary, profit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from simulation.broker.model import PositionView
from simulation.tws.replies import Message
from simulation.tws.replies import account as say
from simulation.tws.subscriptions import Subscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

POSITIONS_EVERY = timedelta(seconds=1)
VALUES_EVERY = timedelta(minutes=3)  # as a real gateway, but at once when a position changed
PROFIT_EVERY = timedelta(seconds=1)
CENT = Decimal("0.01")
Holding = tuple[str, int]


class PositionFeed(Subscription):
    """Every change of a position; one that is gone is told with quantity 0."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[Holding, PositionView] = {}

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + POSITIONS_EVERY
        held = {_key(view): view for view in state.positions() if view.quantity}
        gone = [_empty(view) for key, view in self._told.items() if key not in held]
        changed = [view for key, view in held.items() if self._told.get(key) != view]
        self._told = held
        return [say.position(view) for view in (*changed, *gone)]


class AccountFeed(Subscription):
    """Values and portfolio of one account: all at first and every three minutes, as far as it changed.

    Between that, a position whose quantity changed is told at once, with the values it changed; prices alone
    wait for the next round, as at a real gateway.
    """

    def __init__(self, account: str) -> None:
        super().__init__()
        self.account = account
        self._values: set[tuple[str, str, str]] = set()
        self._rows: dict[int, say.PortfolioRow] = {}
        self._round_at: datetime | None = None

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + POSITIONS_EVERY
        held = {view.contract.conid: view for view in self._positions(state)}
        is_round = self._is_round(now)
        looked_at = held if is_round else self._moved(held)
        gone = [row for conid, row in self._rows.items() if conid not in held]
        if not is_round and not looked_at and not gone:
            return []
        rows = {conid: portfolio_row(state, view, now) for conid, view in looked_at.items()}
        changed = [row for conid, row in rows.items() if self._rows.get(conid) != row]
        self._rows = {conid: row for conid, row in self._rows.items() if conid in held} | rows
        told = [say.portfolio_value(row) for row in (*changed, *map(_sold, gone))]
        return [*self._changed_values(state, now), *told, say.account_time(now)]

    def whole(self, state: "GatewayState", now: datetime) -> list[Message]:
        """Everything, and the mark that it was everything."""
        return [*self.news(state, now), say.account_download_end(self.account)]

    def _is_round(self, now: datetime) -> bool:
        if self._round_at is not None and now - self._round_at < VALUES_EVERY:
            return False
        self._round_at = now
        return True

    def _moved(self, held: Mapping[int, PositionView]) -> dict[int, PositionView]:
        return {conid: view for conid, view in held.items() if self._quantity(conid) != view.quantity}

    def _quantity(self, conid: int) -> Decimal:
        row = self._rows.get(conid)
        return row.position.quantity if row else Decimal(0)

    def _changed_values(self, state: "GatewayState", now: datetime) -> list[Message]:
        values = state.broker.account_values(self.account, now)
        changed = [value for value in values if value not in self._values]
        self._values = set(values)
        return [say.account_value(self.account, *value) for value in changed]

    def _positions(self, state: "GatewayState") -> Sequence[PositionView]:
        return [view for view in state.positions() if view.account == self.account and view.quantity]


class SummaryFeed(Subscription):
    """Some figures of all accounts: all at first, then what changed."""

    def __init__(self, request_id: int, tags: Iterable[str]) -> None:
        super().__init__()
        self.request_id = request_id
        self._tags = frozenset(tags)
        self._told: set[tuple[str, str, str, str]] = set()

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + VALUES_EVERY
        figures = [
            (account, *value)
            for account in state.accounts
            for value in state.broker.account_values(account, now)
            if value[0] in self._tags or "All" in self._tags
        ]
        changed = [figure for figure in figures if figure not in self._told]
        self._told = set(figures)
        return [say.account_summary(self.request_id, *figure) for figure in changed]


class ProfitFeed(Subscription):
    """Profit of an account, told when it changed."""

    def __init__(self, request_id: int, account: str) -> None:
        super().__init__()
        self.request_id, self.account = request_id, account
        self._told: object = None

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + PROFIT_EVERY
        pnl = state.broker.pnl(self.account, now)
        if pnl == self._told:
            return []
        self._told = pnl
        return [say.profit(self.request_id, pnl)]


class ProfitSingleFeed(Subscription):
    """Profit of one position, told when it changed."""

    def __init__(self, request_id: int, account: str, conid: int) -> None:
        super().__init__()
        self.request_id, self.account, self.conid = request_id, account, conid
        self._told: object = None

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + PROFIT_EVERY
        pnl = state.broker.pnl_single(self.account, self.conid, now)
        if pnl == self._told:
            return []
        self._told = pnl
        return [say.profit_single(self.request_id, pnl)]


def portfolio_row(state: "GatewayState", view: PositionView, now: datetime) -> say.PortfolioRow:
    """A position at the middle of its quote, or at its cost where there is no quote."""
    contract = view.contract
    quote = state.broker.quote(contract.conid, now)
    cost = view.average_cost / contract.multiplier
    price = (quote.bid + quote.ask) / 2 if quote.bid and quote.ask else (quote.last or cost)
    value = (price * view.quantity * contract.multiplier).quantize(CENT)
    unrealized = (value - view.average_cost * view.quantity).quantize(CENT)
    realized = state.broker.pnl_single(view.account, contract.conid, now).realized or Decimal(0)
    return say.PortfolioRow(position=view, price=price, value=value, unrealized=unrealized, realized=realized)


def _key(view: PositionView) -> Holding:
    return view.account, view.contract.conid


def _empty(view: PositionView) -> PositionView:
    return PositionView(
        account=view.account, contract=view.contract, quantity=Decimal(0), average_cost=Decimal(0)
    )


def _sold(row: say.PortfolioRow) -> say.PortfolioRow:
    nothing = Decimal(0)
    return say.PortfolioRow(
        position=_empty(row.position),
        price=row.price,
        value=nothing,
        unrealized=nothing,
        realized=row.realized,
    )
