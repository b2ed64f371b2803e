"""What accounts are worth: margin, account values by the API's names, profit of the day.

Positions are valued at the model price of the moment, so that a value moves smoothly and exists outside
hours too. Money of other currencies is brought to the account's base at the session's rate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from simulation.broker.fees import commission_of
from simulation.broker.ledger import COST_PLACES, Ledger
from simulation.broker.margin import Requirement, requirement
from simulation.broker.matching import TOOK
from simulation.broker.model import Margin, PositionView, Ticket
from simulation.broker.orders import Part, Working
from simulation.broker.questions import AccountPnl, PositionPnl
from simulation.market.paths import epoch
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract

CENT = Decimal("0.01")
PRICE_PLACES = Decimal("0.0001")
LEVERAGE = Decimal(4)  # buying power is this often the available funds, for a margin account
ZERO = Decimal(0)
Values = list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Worth:
    """An account at a moment, in its base currency."""

    cash: Decimal
    options: Decimal
    shares: Decimal
    unrealized: Decimal
    margin: Requirement

    @property
    def net_liquidation(self) -> Decimal:
        """Everything turned into money."""
        return self.cash + self.options + self.shares

    @property
    def available(self) -> Decimal:
        """What may still be bound."""
        return self.cash + self.shares - self.margin.initial


@dataclass(slots=True)
class Valuation:
    """Values accounts of one world."""

    world: World
    ledgers: dict[str, Ledger]

    def price(self, contract: Contract, now: datetime) -> Decimal:
        """The model price in dollars."""
        cents = self.world.quotes.fair_cents(contract, epoch(now))
        return (Decimal(round(cents * 100)) / 10_000).quantize(PRICE_PLACES)

    def positions(self) -> list[PositionView]:
        """What all accounts hold."""
        return [
            PositionView(
                account=name,
                contract=contract,
                quantity=quantity,
                average_cost=(-cash / quantity).quantize(COST_PLACES, ROUND_HALF_EVEN).normalize(),
            )
            for name, ledger in self.ledgers.items()
            for contract, quantity, cash in ledger.holdings()
        ]

    def worth(self, account: str, now: datetime, more: Iterable[tuple[Part, Decimal]] = ()) -> Worth:
        """The account at a moment; `more` adds signed quantities that it does not have, for what-if."""
        ledger = self.ledgers[account]
        options = shares = unrealized = ZERO
        held: dict[int, tuple[Contract, Decimal]] = {}
        for contract, quantity, cash in ledger.holdings():
            value = quantity * self.price(contract, now) * contract.multiplier
            options, shares = (
                (options + value, shares) if contract.asset == "OPT" else (options, shares + value)
            )
            unrealized += value + cash
            held[contract.conid] = (contract, quantity)
        for part, quantity in more:
            before = held.get(part.contract.conid, (part.contract, ZERO))[1]
            held[part.contract.conid] = (part.contract, before + quantity)
        rate = self._rate(ledger, "USD")
        bound = requirement(
            held.values(), lambda item: self.price(item, now), lambda item: self._spot(item, now)
        )
        return Worth(
            cash=self._cash(ledger),
            options=options * rate,
            shares=shares * rate,
            unrealized=unrealized * rate,
            margin=Requirement(initial=bound.initial * rate, maintenance=bound.maintenance * rate),
        )

    def refusal(self, order: Working, now: datetime) -> str | None:
        """Why an order cannot be paid for; orders that only close are never refused."""
        account = order.ticket.account
        opening = [(part, self._opens(account, part, order.ticket.quantity)) for part in order.parts]
        if not any(quantity for _, quantity in opening):
            return None
        before = self.worth(account, now)
        after = self.worth(account, now, opening)
        cost = sum((self._debit(part, quantity, now) for part, quantity in opening), ZERO)
        needed = after.margin.initial - before.margin.initial + max(cost, ZERO)
        if needed <= before.available:
            return None
        have, need = before.available.quantize(CENT), needed.quantize(CENT)
        return (
            "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
            f"[{have} USD] MUST EXCEED THE INITIAL MARGIN [{need} USD]"
        )

    def what_if(self, ticket: Ticket, parts: Iterable[Part], now: datetime, *, unset: bool) -> Margin:
        """What an order would bind; with `unset` the numbers are missing, as they sometimes are."""
        if unset:
            return _no_margin()
        signed = [(part, ticket.quantity * part.ratio * part.side) for part in parts]
        before, after = self.worth(ticket.account, now), self.worth(ticket.account, now, signed)
        equity = before.cash + before.shares
        fee = sum((self._fee(part, quantity, now) for part, quantity in signed), ZERO)
        change = -sum((self._debit(part, quantity, now) for part, quantity in signed), ZERO) - fee
        return Margin(
            initial_before=_cents(before.margin.initial),
            initial_change=_cents(after.margin.initial - before.margin.initial),
            initial_after=_cents(after.margin.initial),
            maintenance_before=_cents(before.margin.maintenance),
            maintenance_change=_cents(after.margin.maintenance - before.margin.maintenance),
            maintenance_after=_cents(after.margin.maintenance),
            equity_before=_cents(equity),
            equity_change=_cents(change),
            equity_after=_cents(equity + change),
            commission=fee,
        )

    def account_values(self, account: str, now: datetime) -> Values:
        """Key, value and currency, as the account updates tell them."""
        ledger = self.ledgers[account]
        worth, base = self.worth(account, now), ledger.account.base_currency
        equity = worth.cash + worth.shares
        excess = equity - worth.margin.maintenance
        cushion = excess / worth.net_liquidation if worth.net_liquidation else ZERO
        in_base = {
            "AvailableFunds": worth.available,
            "BuyingPower": worth.available * LEVERAGE,
            "EquityWithLoanValue": equity,
            "ExcessLiquidity": excess,
            "FullAvailableFunds": worth.available,
            "FullExcessLiquidity": excess,
            "FullInitMarginReq": worth.margin.initial,
            "FullMaintMarginReq": worth.margin.maintenance,
            "GrossPositionValue": abs(worth.options) + abs(worth.shares),
            "InitMarginReq": worth.margin.initial,
            "LookAheadAvailableFunds": worth.available,
            "LookAheadExcessLiquidity": excess,
            "LookAheadInitMarginReq": worth.margin.initial,
            "LookAheadMaintMarginReq": worth.margin.maintenance,
            "MaintMarginReq": worth.margin.maintenance,
            "NetLiquidation": worth.net_liquidation,
            "TotalCashValue": worth.cash,
        }
        plain = [
            ("AccountCode", account, ""),
            ("AccountReady", "true", ""),
            ("AccountType", "INDIVIDUAL", ""),
            ("Cushion", str(cushion.quantize(Decimal("0.000001"))), ""),
        ]
        values = [*plain, *((key, _text(value), base) for key, value in in_base.items())]
        return values + self._by_currency(ledger, worth)

    def pnl(self, account: str, now: datetime) -> AccountPnl:
        """Profit of the day, of what is held, and of what was closed today."""
        ledger = self.ledgers[account]
        worth = self.worth(account, now)
        realized = ledger.realized() * self._rate(ledger, "USD")
        return AccountPnl(
            daily=_cents(worth.unrealized + realized),
            unrealized=_cents(worth.unrealized),
            realized=_cents(realized),
        )

    def pnl_single(self, account: str, conid: int, now: datetime) -> PositionPnl:
        """Profit of one position."""
        ledger = self.ledgers[account]
        found = [row for row in ledger.holdings() if row[0].conid == conid]
        realized = ledger.realized(conid)
        if not found:
            return PositionPnl(
                quantity=ZERO, daily=_cents(realized), unrealized=None, realized=realized, value=None
            )
        contract, quantity, cash = found[0]
        value = quantity * self.price(contract, now) * contract.multiplier
        return PositionPnl(
            quantity=quantity,
            daily=_cents(value + cash + realized),
            unrealized=_cents(value + cash),
            realized=_cents(realized),
            value=_cents(value),
        )

    def _by_currency(self, ledger: Ledger, worth: Worth) -> Values:
        base = ledger.account.base_currency
        realized = ledger.realized()
        rate = self._rate(ledger, "USD")
        rows: Values = [
            ("CashBalance", _text(worth.cash), "BASE"),
            ("NetLiquidationByCurrency", _text(worth.net_liquidation), "BASE"),
            ("OptionMarketValue", _text(worth.options), "BASE"),
            ("RealizedPnL", _text(realized * rate), "BASE"),
            ("StockMarketValue", _text(worth.shares), "BASE"),
            ("UnrealizedPnL", _text(worth.unrealized), "BASE"),
        ]
        for currency in sorted({*ledger.book.cash, "USD", base}):
            rows.append(("CashBalance", _text(ledger.book.cash[currency]), currency))
            rows.append(("ExchangeRate", str(self._rate(ledger, currency)), currency))
        rows.append(("OptionMarketValue", _text(worth.options / rate), "USD"))
        rows.append(("RealizedPnL", _text(realized), "USD"))
        rows.append(("StockMarketValue", _text(worth.shares / rate), "USD"))
        rows.append(("UnrealizedPnL", _text(worth.unrealized / rate), "USD"))
        return rows

    def _opens(self, account: str, part: Part, quantity: Decimal) -> Decimal:
        """The signed part of an order that opens or turns a position; 0 when it only closes."""
        held = self.ledgers[account].position(part.contract.conid)
        signed = quantity * part.ratio * part.side
        if held * signed >= 0:
            return signed
        return signed + held if abs(signed) > abs(held) else ZERO

    def _debit(self, part: Part, signed: Decimal, now: datetime) -> Decimal:
        """Cash that a quantity costs; shares bind margin instead of their whole price."""
        if part.contract.asset != "OPT":
            return ZERO
        return signed * self.price(part.contract, now) * part.contract.multiplier

    def _fee(self, part: Part, signed: Decimal, now: datetime) -> Decimal:
        price = self.price(part.contract, now)
        return commission_of(part.contract, int(abs(signed)), price, part.side, TOOK, "CBOE")

    def _spot(self, contract: Contract, now: datetime) -> Decimal:
        if contract.underlying is None:
            return ZERO
        return Decimal(self.world.quotes.spot_cents(contract.underlying, epoch(now))) / 100

    def _cash(self, ledger: Ledger) -> Decimal:
        told = (amount * self._rate(ledger, currency) for currency, amount in ledger.book.cash.items())
        return sum(told, ZERO)

    def _rate(self, ledger: Ledger, currency: str) -> Decimal:
        base = ledger.account.base_currency
        if currency == base:
            return Decimal(1)
        euro = self.world.market.euro[min(ledger.session, self.world.sessions[-1])]
        return euro if currency == "EUR" else (1 / euro).quantize(COST_PLACES)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def _text(amount: Decimal) -> str:
    return f"{_cents(amount):f}"


def _no_margin() -> Margin:
    return Margin(
        initial_before=None,
        initial_change=None,
        initial_after=None,
        maintenance_before=None,
        maintenance_change=None,
        maintenance_after=None,
        equity_before=None,
        equity_change=None,
        equity_after=None,
        commission=None,
    )
