"""A desk in memory for scenarios: read files, compute P&L, reconcile; every store in reach of the test."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from adapters.ibkr.read_file import read
from adapters.memory.break_store import MemoryBreakStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.pnl_store import MemoryPnlStore
from adapters.memory.statement_store import MemoryStatementStore
from trading.model.fills import FillBatch, Venue
from trading.model.statements import BrokerStatement
from trading.ports.break_store import BreakStore
from trading.ports.clock import Clock
from trading.ports.fill_store import FillStore
from trading.ports.live_state import LiveState
from trading.ports.pnl_store import PnlStore
from trading.ports.statement_store import StatementStore
from trading.services.compute_pnl import PnlReport, PnlStores, compute_pnl
from trading.services.reconcile_session import ReconcileReport, ReconcileStores, reconcile_range
from trading.settings import AccountPolicy, LotMethod, ReconciliationSettings

FIRST, LAST = date(2000, 1, 1), date(2060, 1, 1)
SETTINGS = ReconciliationSettings(
    break_at=Decimal("0.005"),
    lock_contract_below=Decimal(100),
    lock_underlying_below=Decimal(1000),
    provisional_after_close_min=45,
    final_at=time(6, 30),
    final_retry_until=time(9, 0),
    final_retry_every_min=15,
    default_account=AccountPolicy(entries_before_reconciled=False),
    accounts={},
)


class SteppingClock(Clock):
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """One second later than before."""
        self._now += timedelta(seconds=1)
        return self._now


@dataclass(slots=True)
class Desk:
    """All stores of a desk and its use cases."""

    fills: FillStore
    statements: StatementStore
    pnl: PnlStore
    breaks: BreakStore
    live_state: LiveState
    clock: Clock = field(default_factory=SteppingClock)

    @property
    def pnl_stores(self) -> PnlStores:
        """For compute_pnl."""
        return PnlStores(fills=self.fills, statements=self.statements, pnl=self.pnl, clock=self.clock)

    @property
    def reconcile_stores(self) -> ReconcileStores:
        """For reconcile_session and what a person does after it."""
        return ReconcileStores(
            fills=self.fills,
            statements=self.statements,
            pnl=self.pnl,
            breaks=self.breaks,
            live_state=self.live_state,
            clock=self.clock,
        )

    def take(self, source: Path | bytes) -> None:
        """Store all that a file of the broker says."""
        file = read(source)
        for batch in file.batches:
            self.take_batch(batch)
        for statement in file.statements:
            self.statements.record(statement, self.clock.now())

    def take_batch(self, batch: FillBatch) -> None:
        """Store one batch."""
        self.fills.record(batch, self.clock.now())

    def take_statement(self, statement: BrokerStatement) -> None:
        """Store one statement with its trades."""
        self.take_batch(statement.batch)
        self.statements.record(statement, self.clock.now())

    def compute(self, account: str, method: LotMethod = LotMethod.FIFO) -> PnlReport:
        """Bring the account's P&L up to date."""
        return compute_pnl(self.pnl_stores, Venue.IBKR, account, LAST, method)

    def reconcile(self, account: str) -> list[ReconcileReport]:
        """Compute, then check every session of the account."""
        self.compute(account)
        return list(reconcile_range(self.reconcile_stores, SETTINGS, Venue.IBKR, account, FIRST, LAST))


def desk_in_memory() -> Desk:
    """An empty desk."""
    fills = MemoryFillStore()
    return Desk(
        fills=fills,
        statements=MemoryStatementStore(),
        pnl=MemoryPnlStore(fills),
        breaks=MemoryBreakStore(fills),
        live_state=MemoryLiveState(),
    )
