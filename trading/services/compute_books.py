"""Bring the P&L of every account up to date for a range of sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trading.model.fills import Venue
from trading.ports.model_runner import SessionRange
from trading.services.compute_pnl import PnlReport, PnlStores, compute_pnl
from trading.settings import LotMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTools:
    """The stores of P&L and the rule by which lots are closed."""

    stores: PnlStores
    method: LotMethod = LotMethod.FIFO


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """What the computation did for one account."""

    venue: Venue
    account: str
    report: PnlReport


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksReport:
    """What the computation did for all accounts."""

    accounts: tuple[AccountBook, ...]

    @property
    def computed(self) -> int:
        """Account sessions that were computed."""
        return sum(len(item.report.computed) for item in self.accounts)

    @property
    def unchanged(self) -> int:
        """Account sessions whose inputs had not changed."""
        return sum(item.report.unchanged for item in self.accounts)

    @property
    def withdrawn(self) -> int:
        """Account sessions that have no facts any more."""
        return sum(len(item.report.withdrawn) for item in self.accounts)

    @property
    def recomputed_sessions(self) -> Sequence[date]:
        """The sessions that changed in any account, ascending: a correction changes later ones too."""
        return sorted({day for item in self.accounts for day in item.report.computed})


def compute_books(upto: date, tools: BookTools) -> BooksReport:
    """Compute every account up to a session; unchanged sessions cost a comparison."""
    return BooksReport(
        accounts=tuple(
            AccountBook(
                venue=venue,
                account=account,
                report=compute_pnl(tools.stores, venue, account, upto, tools.method),
            )
            for venue, account in tools.stores.fills.accounts()
        )
    )


def widened(asked: SessionRange, report: BooksReport) -> SessionRange:
    """The asked sessions and all that were recomputed: what must be compared with the broker again."""
    changed = report.recomputed_sessions
    if not changed:
        return asked
    return SessionRange(first=min(asked.first, changed[0]), last=max(asked.last, changed[-1]))
