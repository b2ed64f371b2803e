"""Compare every account with its broker over a range of sessions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from trading.errors import LiveStateUnavailableError
from trading.ports.model_runner import SessionRange
from trading.services.reconcile_session import ReconcileReport, ReconcileStores, reconcile_range
from trading.settings import ReconciliationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileTools:
    """The stores of reconciliation and what counts as a break."""

    stores: ReconcileStores
    settings: ReconciliationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSummary:
    """What the comparison of all accounts found and changed."""

    reports: tuple[ReconcileReport, ...]

    @property
    def states(self) -> Mapping[str, int]:
        """Account sessions by their standing."""
        return Counter(report.sign_off.state.value for report in self.reports)

    @property
    def open_breaks(self) -> int:
        """Breaks that nobody explains."""
        return sum(len(report.open_breaks) for report in self.reports)

    @property
    def new_events(self) -> int:
        """Break events that this comparison added."""
        return sum(len(report.new_events) for report in self.reports)

    @property
    def lock_events(self) -> int:
        """Locks set or lifted by this comparison."""
        return sum(len(report.lock_events) for report in self.reports)

    @property
    def fills_matched(self) -> int:
        """Fills found on both sides."""
        return sum(report.fills_matched for report in self.reports)


def reconcile_books(sessions: SessionRange, tools: ReconcileTools) -> ReconcileSummary:
    """Compare every account over the sessions; running it again with the same facts writes nothing.

    A live state that is down holds up no account: its error is raised when all of them are stored.
    """
    reports: list[ReconcileReport] = []
    missed: list[LiveStateUnavailableError] = []
    for venue, account in tools.stores.fills.accounts():
        try:
            reports += reconcile_range(
                tools.stores, tools.settings, venue, account, sessions.first, sessions.last
            )
        except LiveStateUnavailableError as error:
            missed.append(error)
    if missed:
        raise missed[0]
    return ReconcileSummary(reports=tuple(reports))
