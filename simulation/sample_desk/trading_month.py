"""What one account does on one session: it opens, closes, combines, corrects, converts, and lets options
end.

Decisions are draws of a seeded generator with fixed odds; a few things that a month must contain (an
exercise, an assignment, the sale of the delivered shares, corrections, busts) are scripted so that every
seed has them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from simulation.sample_desk.accidents import with_accidents
from simulation.sample_desk.contracts import (
    UNDERLYINGS,
    Contract,
    ContractMaster,
    Underlying,
    euro_dollar,
)
from simulation.sample_desk.endings import ending_of
from simulation.sample_desk.fees import conversion_fee, option_fee, share_fee
from simulation.sample_desk.market import STEPS, Market
from simulation.sample_desk.numbering import FIRST_LEG_PART, Ids, number_rows
from simulation.sample_desk.trades import Order, Print, Trade, TradeKind
from trading.calendar import TradingCalendar
from trading.model.times import NEW_YORK

OPTION_EXCHANGES = ("CBOE", "PSE", "AMEX", "NASDAQOM", "PHLX", "BATS", "EDGX", "MIAX", "ISE", "BOX", "MEMX")
SHARE_EXCHANGES = ("ISLAND", "ARCA", "BATS", "IEX", "DRCTEDGE")
ORDERS_LEAST, ORDERS_MOST = 18, 28
CLOSING_PERCENT = 46  # of the orders, when there is something to close
COMBINATION_PERCENT = 16
FLIP_PERCENT = 4  # of the closing orders sell more than is held
EVENING_PERCENT = 25  # of the sessions have a fill in the global session of the evening before
CONVERSION_PERCENT = 15
OPEN_QUANTITY_MOST = 10
KEPT_TO_THE_END_PERCENT = 12  # of in-the-money options are not closed before they expire
EVENING_AT = time(20, 35)


@dataclass(slots=True)
class AccountMonth:
    """The trading of one account, session after session; `holdings` is what it has, by contract."""

    account: str
    base_currency: str
    rng: Random
    ids: Ids
    market: Market
    master: ContractMaster
    calendar: TradingCalendar
    sessions: tuple[date, ...]
    holdings: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    known: dict[int, Contract] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    drafts: list[tuple[Trade, str]] = field(default_factory=list)

    def trade(self, session: date) -> list[Trade]:
        """All trades of one session, numbered, in first-in first-out order."""
        self.drafts = []
        self._sell_delivered_shares(session)
        self._trade_in_the_evening_before(session)
        self._convert(session)
        self._open_what_will_be_delivered(session)
        for step in sorted(self.rng.randint(0, STEPS - 3) for _ in range(self._order_count())):
            self._place_some_order(session, step)
        self._leave_before_expiry(session)
        self._book_endings(session)
        return sorted(number_rows(self.ids, self.drafts), key=lambda trade: trade.place)

    # --- orders

    def _order_count(self) -> int:
        return self.rng.randint(ORDERS_LEAST, ORDERS_MOST)

    def _place_some_order(self, session: date, step: int) -> None:
        held = [
            conid for conid, quantity in sorted(self.holdings.items()) if self._is_closable(conid, quantity)
        ]
        if held and self.rng.randrange(100) < CLOSING_PERCENT:
            self._close(session, step, self.rng.choice(held))
        elif self.rng.randrange(100) < COMBINATION_PERCENT:
            self._open_combination(session, step)
        else:
            contract = self._series(session, step)
            quantity = self.rng.randint(1, OPEN_QUANTITY_MOST)
            side = 1 if self.rng.randrange(100) < 70 else -1
            self._order(session, step, contract, side, quantity)

    def _is_closable(self, conid: int, quantity: int) -> bool:
        return bool(quantity) and conid not in self.kept and self.known[conid].asset == "OPT"

    def _close(self, session: date, step: int, conid: int) -> None:
        held = self.holdings[conid]
        quantity = abs(held) if self.rng.randrange(100) < 60 else self.rng.randint(1, abs(held))
        if self.rng.randrange(100) < FLIP_PERCENT:
            quantity = abs(held) + self.rng.randint(1, 3)
        self._order(session, step, self.known[conid], -1 if held > 0 else 1, quantity)

    def _series(self, session: date, step: int, *, underlying: Underlying | None = None) -> Contract:
        chosen = underlying or self.rng.choice(UNDERLYINGS)
        expiry = self.rng.choice(self._expiries(chosen, session))
        spot = self.market.spot_cents(chosen, session, step)
        nearest = round(spot / chosen.strike_step_cents)
        strike = (nearest + self.rng.randint(-2, 2)) * chosen.strike_step_cents
        return self.master.option(chosen, expiry, self.rng.choice("CP"), strike)

    def _expiries(self, underlying: Underlying, session: date) -> tuple[date, ...]:
        """Listed expiries in reach: this and the next session for the daily ones, the next three Fridays."""
        fridays = [session + timedelta(days=(4 - session.weekday()) % 7 + 7 * week) for week in range(3)]
        weekly = tuple(self.calendar.session_on_or_before(friday) for friday in fridays)
        reachable = tuple(expiry for expiry in weekly if expiry >= session)
        if not underlying.lists_every_session:
            return reachable
        return tuple(dict.fromkeys((session, self.calendar.next_session(session), *reachable)))

    def _open_combination(self, session: date, step: int) -> None:
        """A vertical of two legs or a condor of four; all legs share the first two parts of the execution
        id.
        """
        first = self._series(session, step)
        wing = 2 * first.underlying.strike_step_cents if first.underlying else 0
        legs = [(first, 1), (self._shifted(first, first.right, wing), -1)]
        if self.rng.randrange(100) < 25:
            other = "P" if first.right == "C" else "C"
            legs += [(self._shifted(first, other, -wing), -1), (self._shifted(first, other, -2 * wing), 1)]
        quantity, group = self.rng.randint(1, 4), self.ids.group()
        at = self._at(session, step)
        base = self.ids.execution_base(at)
        for part, (contract, side) in enumerate(legs, start=FIRST_LEG_PART):
            order = self.ids.order(self._strategy(contract, session), at, quantity, group)
            price = self._price(contract, session, step)
            self._add(self._fill(session, contract, side, at, order, quantity, price), f"{base}.{part:02d}")

    def _shifted(self, contract: Contract, right: str, cents: int) -> Contract:
        if contract.underlying is None or contract.expiry is None:
            raise ValueError(f"contract: expected an option, was {contract.symbol}")
        return self.master.option(contract.underlying, contract.expiry, right, contract.strike_cents + cents)

    def _order(self, session: date, step: int, contract: Contract, side: int, quantity: int) -> None:
        """One order, filled in parts over exchanges, several of them in one second."""
        at = self._at(session, step)
        order = self.ids.order(self._strategy(contract, session), at, quantity)
        price = self._price(contract, session, step)
        at += timedelta(seconds=self.rng.randint(0, 20))
        for part in self._parts(quantity):
            at += timedelta(seconds=self.rng.choice((0, 0, 0, 1, 7)))
            self._fill_and_more(self._fill(session, contract, side, at, order, part, price))

    def _parts(self, quantity: int) -> Iterator[int]:
        left = quantity
        while left:
            part = left if self.rng.randrange(100) < 40 else self.rng.randint(1, max(1, left // 2))
            yield part
            left -= part

    # --- fills

    def _fill_and_more(self, fill: Trade) -> None:
        for told in with_accidents(self.rng, fill):
            self._add(told)

    def _fill(
        self,
        session: date,
        contract: Contract,
        side: int,
        at: datetime,
        order: Order,
        quantity: int,
        price: Decimal,
    ) -> Trade:
        fee, liquidity = option_fee(self.rng, quantity, price, side < 0)
        exchange = self.rng.choice(OPTION_EXCHANGES)
        if contract.asset == "STK":
            fee, exchange = share_fee(quantity, price, side < 0), self.rng.choice(SHARE_EXCHANGES)
        if contract.settles_in_cash:
            exchange = "CBOE"
        return Trade(
            account=self.account,
            session=session,
            contract=contract,
            kind=TradeKind.EXECUTION,
            side=side,
            executed_at=at,
            order=order,
            exchange=exchange,
            liquidity=liquidity,
            prints=(Print(said_at=at, quantity=Decimal(quantity), price=price, fee=fee),),
        )

    def _add(self, fill: Trade, base: str = "") -> None:
        if not base and not fill.kind.is_booking:
            base = f"{self.ids.execution_base(fill.executed_at)}.01"
        self.drafts.append((fill, base))
        self.known[fill.contract.conid] = fill.contract
        if fill.kind is not TradeKind.CONVERSION:
            self.holdings[fill.contract.conid] += int(fill.signed_quantity)

    # --- shares, conversions, the evening

    def _sell_delivered_shares(self, session: date) -> None:
        """Most of what was delivered leaves in parts on the next sessions; a left-over of 50 may stay."""
        for conid, held in sorted(self.holdings.items()):
            if self.known[conid].asset != "STK" or not held:
                continue
            quantity = abs(held) - 50 if held > 50 and conid % 2 else abs(held)
            if quantity > 0 and held != 50:
                self._order(
                    session, self.rng.randint(1, 9), self.known[conid], -1 if held > 0 else 1, quantity
                )

    def _trade_in_the_evening_before(self, session: date) -> None:
        if self.rng.randrange(100) >= EVENING_PERCENT:
            return
        index = next(item for item in UNDERLYINGS if item.is_index)
        contract = self._series(session, 0, underlying=index)
        at = datetime.combine(session - timedelta(days=1), EVENING_AT, NEW_YORK).astimezone(UTC)
        at += timedelta(seconds=self.rng.randint(0, 1500))
        quantity = self.rng.randint(1, 3)
        order = self.ids.order(self._strategy(contract, session), at, quantity)
        self._add(self._fill(session, contract, 1, at, order, quantity, self._price(contract, session, 0)))

    def _convert(self, session: date) -> None:
        if self.rng.randrange(100) >= CONVERSION_PERCENT and session != self.sessions[0]:
            return
        at = self._at(session, 2)
        amount = Decimal(self.rng.randint(50_000, 2_500_000)) / 100
        order = self.ids.order("", at, amount)
        side = -1 if self.base_currency == "EUR" else 1
        price = self.market.euro[session] + Decimal(self.rng.randint(-40, 40)) / 100_000
        fee = conversion_fee(amount)
        self._add(
            Trade(
                account=self.account,
                session=session,
                contract=euro_dollar(),
                kind=TradeKind.CONVERSION,
                side=side,
                executed_at=at,
                order=order,
                exchange="IDEALFX",
                liquidity=2,
                prints=(Print(said_at=at, quantity=amount, price=price, fee=fee),),
                fee_currency=self.base_currency,
            )
        )

    # --- endings

    def _open_what_will_be_delivered(self, session: date) -> None:
        """Scripted on Fridays: a long call and a short put in the money, both kept to the end."""
        if session.weekday() != 4 or (self.rng.randrange(100) >= 60 and session != self._first_friday()):
            return
        for symbol, right, side, quantity in (("AAPL", "C", 1, 2), ("MSFT", "P", -1, 1)):
            underlying = next(item for item in UNDERLYINGS if item.symbol == symbol)
            step_cents = underlying.strike_step_cents
            deep = 6 * step_cents * (1 if right == "P" else -1)
            close = self.market.close_cents(underlying, session)
            strike = (close + deep) // step_cents * step_cents
            contract = self.master.option(underlying, session, right, strike)
            self.kept.add(contract.conid)
            self._order(session, 3, contract, side, quantity)

    def _first_friday(self) -> date:
        return next(session for session in self.sessions if session.weekday() == 4)

    def _leave_before_expiry(self, session: date) -> None:
        """Half an hour before the end most options in the money are closed; the others are let go."""
        for conid in self._expiring(session):
            contract, held = self.known[conid], self.holdings[conid]
            close = self.market.close_cents(_required(contract.underlying), session)
            in_the_money = contract.intrinsic_cents(close) > 0
            keeps = contract.settles_in_cash or self.rng.randrange(100) < KEPT_TO_THE_END_PERCENT
            if in_the_money and not keeps and conid not in self.kept:
                self._order(session, STEPS - 2, contract, -1 if held > 0 else 1, abs(held))

    def _expiring(self, session: date) -> list[int]:
        return [
            conid
            for conid, held in sorted(self.holdings.items())
            if held and self.known[conid].expiry == session
        ]

    def _book_endings(self, session: date) -> None:
        for conid in self._expiring(session):
            contract, held = self.known[conid], self.holdings[conid]
            close = self.market.close_cents(_required(contract.underlying), session)
            for booking in ending_of(self.ids, self.account, session, contract, held, close):
                self._add(booking)

    # --- time, price, name

    def _at(self, session: date, step: int) -> datetime:
        opens, closes = self.calendar.session_open(session), self.calendar.session_close(session)
        start = opens + (closes - opens) * step // STEPS
        return start.replace(microsecond=0) + timedelta(seconds=self.rng.randint(0, 600))

    def _price(self, contract: Contract, session: date, step: int) -> Decimal:
        if contract.asset == "STK":
            spot = self.market.spot_cents(_required(contract.underlying), session, step)
            return Decimal(spot * 100 + self.rng.randint(-50, 50)) / 10_000
        cents = self.market.option_cents(contract, session, step) + self.rng.randint(-3, 3)
        return Decimal(max(1, cents)) / 100

    def _strategy(self, contract: Contract, session: date) -> str:
        if contract.expiry is None:
            return ""
        days = (contract.expiry - session).days
        return "zero_dte" if days == 0 else "one_dte" if days <= 3 else "fourteen_dte"


def _required(underlying: Underlying | None) -> Underlying:
    if underlying is None:
        raise ValueError("underlying: expected one for an option or share, was None")
    return underlying
