"""Ids as the broker gives them: of executions, orders and trades, and row numbers in booking order.

An execution id has four dotted parts; the first two are opaque, the third is 01 for a single order and
counts from 02 for the legs of a combination (01 being the combination itself), the last is the revision. No
two trades of the desk share the first three parts.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import Random

from simulation.sample_desk.trades import Order, Trade

GATEWAYS = ("0000e183", "0001938b", "0001938c", "00025b44", "0000d970", "00011083", "0000f8aa")
FIRST_TRANSACTION = 37_104_000_017
FIRST_TRADE = 1_902_000_003
FIRST_ORDER = 764_000_009
FIRST_ACTION = 104_300_011
LARGEST_STEP = 40  # other customers' rows lie between ours
COMBINATION_PART = 1
FIRST_LEG_PART = 2


class Ids:
    """Counters of one broker; one instance numbers the whole month of all accounts.

    `ahead` moves all numbers up: who goes on after the month starts behind all that the month can have used.
    """

    def __init__(self, rng: Random, ahead: int = 0) -> None:
        self._rng = rng
        self._transaction = FIRST_TRANSACTION + ahead
        self._trade = FIRST_TRADE + ahead
        self._perm = FIRST_ORDER + ahead
        self._action = FIRST_ACTION + ahead
        self._order = count(11)
        self._base = count(0)
        self._group = count(1)

    def transaction(self) -> int:
        """A row of the broker's ledger."""
        self._transaction += self._rng.randint(1, LARGEST_STEP)
        return self._transaction

    def trade(self) -> int:
        """A trade; a correction keeps it."""
        self._trade += self._rng.randint(1, LARGEST_STEP)
        return self._trade

    def action(self) -> int:
        """What ties the legs of an exercise, assignment or expiry."""
        self._action += self._rng.randint(1, LARGEST_STEP)
        return self._action

    def group(self) -> int:
        """A combination order."""
        return next(self._group)

    def order(self, reference: str, placed_at: datetime, quantity: int | Decimal, group: int = 0) -> Order:
        """A new order of the desk."""
        self._perm += self._rng.randint(1, LARGEST_STEP)
        return Order(
            order_id=next(self._order),
            perm_id=self._perm,
            client_id=0 if self._perm % 7 == 0 else 11,
            reference=reference,
            placed_at=placed_at,
            quantity=Decimal(quantity),
            group=group,
        )

    def execution_base(self, at: datetime) -> str:
        """The first two parts of an execution id, never given twice."""
        second = int(at.timestamp()) // 86_400 * 86_400 + next(self._base)
        return f"{self._rng.choice(GATEWAYS)}.{second:08x}"


def number_rows(ids: Ids, drafts: Sequence[tuple[Trade, str]]) -> list[Trade]:
    """Give every print and cancel its row number in the order of their saying; executions get their ids.

    `drafts` holds trades with the base and part of their execution id (empty for bookings), in the order
    made up.
    """
    told = sorted(line for position, (trade, _) in enumerate(drafts) for line in _lines_of(position, trade))
    numbers = {(position, place, is_cancel): ids.transaction() for _, position, place, is_cancel in told}
    return [_numbered(ids, index, trade, base, numbers) for index, (trade, base) in enumerate(drafts)]


def _lines_of(position: int, trade: Trade) -> list[tuple[datetime, int, int, bool]]:
    """When each print and cancel was said; of one moment, the cancel before what replaces it."""
    prints = [(row.said_at, position, place, False) for place, row in enumerate(trade.prints)]
    return prints + [(row.said_at, position, place, True) for place, row in enumerate(trade.cancels)]


def _numbered(
    ids: Ids, index: int, trade: Trade, base: str, numbers: dict[tuple[int, int, bool], int]
) -> Trade:
    prints = tuple(
        replace(row, transaction_id=numbers[index, place, False], exec_id=_revision(base, place))
        for place, row in enumerate(trade.prints)
    )
    cancels = tuple(
        replace(row, transaction_id=numbers[index, place, True]) for place, row in enumerate(trade.cancels)
    )
    return replace(trade, prints=prints, cancels=cancels, trade_id=ids.trade())


def _revision(base: str, place: int) -> str:
    return f"{base}.{place + 1:02d}" if base else ""
