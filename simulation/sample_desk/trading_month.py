"""What one account does on one session: it opens, closes, combines, corrects, converts, lets options end.

Decisions are draws of a seeded generator with fixed odds; what a month must contain (an exercise, an
assignment, the sale of the delivered shares) is scripted, so that every seed has it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from simulation.sample_desk.accidents import with_accidents
from simulation.sample_desk.choices import Choices, close_of, strategy_of
from simulation.sample_desk.contracts import UNDERLYINGS, Contract
from simulation.sample_desk.endings import ending_of
from simulation.sample_desk.executions import conversion, execution, parts_of
from simulation.sample_desk.market import STEPS
from simulation.sample_desk.numbering import FIRST_LEG_PART, Ids, number_rows
from simulation.sample_desk.trades import Order, Trade, TradeKind

ORDERS_LEAST, ORDERS_MOST = 18, 28
LAST_OPENING_STEP = STEPS - 3
CLOSING_PERCENT = 46  # of the orders, when there is something to close
WHOLE_PERCENT = 60  # of the closing orders close all that is held
FLIP_PERCENT = 4  # of the closing orders trade more than is held
COMBINATION_PERCENT = 16
CONDOR_PERCENT = 25  # of the combinations have four legs
LONG_PERCENT = 60  # of the opening orders buy
EVENING_PERCENT = 25  # of the sessions have a fill in the global session of the evening before
CONVERSION_PERCENT = 15
QUANTITY_MOST, INDEX_QUANTITY_MOST = 10, 3
KEPT_PERCENT = 12  # of in-the-money options are not closed before they expire
DELIVERED_PERCENT = 60  # of the Fridays after the first have the scripted deliveries
DELIVERED = (("AAPL", "C", 1, 2), ("MSFT", "P", -1, 1))  # symbol, right, side, quantity
DEEP_STRIKES = 6
LEFT_OVER = 50  # shares of some deliveries that stay


@dataclass(slots=True, kw_only=True)
class AccountMonth:
    """The trading of one account, session after session; `holdings` is what it has, by contract."""

    account: str
    base_currency: str
    choices: Choices
    ids: Ids
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
        rng = self.choices.rng
        count = rng.randint(ORDERS_LEAST, ORDERS_MOST)
        for step in sorted(rng.randint(0, LAST_OPENING_STEP) for _ in range(count)):
            self._place_some_order(session, step)
        self._leave_before_expiry(session)
        self._book_endings(session)
        return sorted(number_rows(self.ids, self.drafts), key=lambda trade: trade.place)

    def _place_some_order(self, session: date, step: int) -> None:
        held = self._held(lambda conid: conid not in self.kept and self.known[conid].asset == "OPT")
        if held and self.choices.chance(CLOSING_PERCENT):
            self._close(session, step, self.choices.rng.choice(held))
        elif self.choices.chance(COMBINATION_PERCENT):
            self._open_combination(session, step)
        else:
            contract = self.choices.series(session, step)
            most = INDEX_QUANTITY_MOST if contract.settles_in_cash else QUANTITY_MOST
            side = 1 if self.choices.chance(LONG_PERCENT) else -1
            self._order(session, step, contract, side * self.choices.rng.randint(1, most))

    def _held(self, wanted: Callable[[int], bool]) -> list[int]:
        return [conid for conid, quantity in sorted(self.holdings.items()) if quantity and wanted(conid)]

    def _close(self, session: date, step: int, conid: int) -> None:
        held, rng = self.holdings[conid], self.choices.rng
        quantity = abs(held) if self.choices.chance(WHOLE_PERCENT) else rng.randint(1, abs(held))
        if self.choices.chance(FLIP_PERCENT):
            quantity = abs(held) + rng.randint(1, 3)
        self._order(session, step, self.known[conid], -quantity if held > 0 else quantity)

    def _order(self, session: date, step: int, contract: Contract, signed: int) -> None:
        """One order, filled in parts over exchanges, several of them in one second; accidents happen."""
        rng, side = self.choices.rng, 1 if signed > 0 else -1
        at = self.choices.moment(session, step)
        order = self.ids.order(strategy_of(contract, session), at, abs(signed))
        price = self.choices.price(contract, session, step)
        at += timedelta(seconds=rng.randint(0, 20))
        for part in parts_of(rng, abs(signed)):
            at += timedelta(seconds=rng.choice((0, 0, 0, 1, 7)))
            fill = self._execution(session, contract, side, at, order, part, price)
            for told in with_accidents(rng, fill):
                self._add(told)

    def _open_combination(self, session: date, step: int) -> None:
        """A vertical of two legs or a condor of four; the legs share two parts of their execution ids."""
        first = self.choices.series(session, step)
        quantity, group = self.choices.rng.randint(1, 4), self.ids.group()
        at = self.choices.moment(session, step)
        base = self.ids.execution_base(at)
        for part, (contract, side) in enumerate(self._legs(first), start=FIRST_LEG_PART):
            order = self.ids.order(strategy_of(contract, session), at, quantity, group)
            price = self.choices.price(contract, session, step)
            fill = self._execution(session, contract, side, at, order, quantity, price)
            self._add(fill, f"{base}.{part:02d}")

    def _legs(self, first: Contract) -> list[tuple[Contract, int]]:
        shifted = self.choices.shifted
        wing = 2 * first.underlying.strike_step_cents if first.underlying else 0
        legs = [(first, 1), (shifted(first, first.right, wing), -1)]
        if self.choices.chance(CONDOR_PERCENT):
            other = "P" if first.right == "C" else "C"
            legs += [(shifted(first, other, -wing), -1), (shifted(first, other, -2 * wing), 1)]
        return legs

    def _execution(
        self,
        session: date,
        contract: Contract,
        side: int,
        at: datetime,
        order: Order,
        quantity: int,
        price: Decimal,
    ) -> Trade:
        rng = self.choices.rng
        return execution(rng, self.account, session, contract, side, at, order, quantity, price)

    def _add(self, fill: Trade, base: str = "") -> None:
        if not base and not fill.kind.is_booking:
            base = f"{self.ids.execution_base(fill.executed_at)}.01"
        self.drafts.append((fill, base))
        self.known[fill.contract.conid] = fill.contract
        if fill.kind is not TradeKind.CONVERSION:
            self.holdings[fill.contract.conid] += int(fill.signed_quantity)

    def _sell_delivered_shares(self, session: date) -> None:
        """What was delivered leaves in parts on the next session; of some deliveries a left-over stays."""
        for conid in self._held(lambda conid: self.known[conid].asset == "STK"):
            held = self.holdings[conid]
            stays = LEFT_OVER if held >= LEFT_OVER and conid % 2 else 0
            if held != stays:
                self._order(session, self.choices.rng.randint(1, 9), self.known[conid], stays - held)

    def _trade_in_the_evening_before(self, session: date) -> None:
        if not self.choices.chance(EVENING_PERCENT):
            return
        index = next(item for item in UNDERLYINGS if item.is_index)
        contract = self.choices.series(session, 0, underlying=index)
        at = self.choices.evening_before(session)
        quantity = self.choices.rng.randint(1, INDEX_QUANTITY_MOST)
        order = self.ids.order(strategy_of(contract, session), at, quantity)
        price = self.choices.price(contract, session, 0)
        self._add(self._execution(session, contract, 1, at, order, quantity, price))

    def _convert(self, session: date) -> None:
        if not self.choices.chance(CONVERSION_PERCENT) and session != self.sessions[0]:
            return
        rng, at = self.choices.rng, self.choices.moment(session, 2)
        order = self.ids.order("", at, Decimal(rng.randint(50_000, 2_500_000)) / 100)
        price = self.choices.market.euro[session] + Decimal(rng.randint(-40, 40)) / 100_000
        self._add(conversion(self.account, self.base_currency, session, at, order, price))

    def _open_what_will_be_delivered(self, session: date) -> None:
        """Scripted on Fridays: a long call and a short put in the money, both kept to the end."""
        if session.weekday() != 4:
            return
        first = next(day for day in self.sessions if day.weekday() == 4)
        if not self.choices.chance(DELIVERED_PERCENT) and session != first:
            return
        for symbol, right, side, quantity in DELIVERED:
            underlying = next(item for item in UNDERLYINGS if item.symbol == symbol)
            width = underlying.strike_step_cents
            deep = DEEP_STRIKES * width * (1 if right == "P" else -1)
            strike = (self.choices.market.close_cents(underlying, session) + deep) // width * width
            contract = self.choices.master.option(underlying, session, right, strike)
            self.kept.add(contract.conid)
            self._order(session, 3, contract, side * quantity)

    def _leave_before_expiry(self, session: date) -> None:
        """Half an hour before the end most options in the money are closed; the others are let go."""
        for conid in self._expiring(session):
            contract = self.known[conid]
            worth = contract.intrinsic_cents(close_of(self.choices.market, contract, session))
            keeps = contract.settles_in_cash or self.choices.chance(KEPT_PERCENT)
            if worth and not keeps and conid not in self.kept:
                self._order(session, STEPS - 2, contract, -self.holdings[conid])

    def _expiring(self, session: date) -> list[int]:
        return self._held(lambda conid: self.known[conid].expiry == session)

    def _book_endings(self, session: date) -> None:
        for conid in self._expiring(session):
            contract, held = self.known[conid], self.holdings[conid]
            close = close_of(self.choices.market, contract, session)
            for booking in ending_of(self.ids, self.account, session, contract, held, close):
                self._add(booking)
