"""What the live state is told after a check: the broker's figures, marked placeholders, no guessed rate."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from pnl_samples import CALL, FRIDAY, PUT, fill, named, run

from adapters.memory.live_state import MemoryLiveState
from trading.model.fills import Fill, Venue
from trading.ports.pnl_store import PnlRun
from trading.reconciliation.breaks import Pass
from trading.reconciliation.records import BrokerRecord
from trading.services.rewrite_live_state import closed_positions, daily_pnl, rewrite_live_state

NOW = datetime(2026, 7, 18, 11, 0, tzinfo=UTC)
RUN = PnlRun(
    venue=Venue.IBKR,
    account="U1",
    session=FRIDAY,
    run_id="r",
    previous_run_id="",
    inputs_hash="i",
    settings_hash="s",
    fills=2,
    base_currency="EUR",
    computed_at=NOW,
)
OPENED, CLOSED = fill(1, 1, "2", fee="1"), fill(2, -1, "3", fee="1")
_, RESULT = run([OPENED, CLOSED])


def _told(*fills: Fill, made_in: Pass = Pass.FINAL) -> BrokerRecord:
    return BrokerRecord(
        venue=Venue.IBKR,
        account="U1",
        session=FRIDAY,
        made_in=made_in,
        fills=fills,
        rates_to_base={"USD": Decimal("0.9")},
    )


def _says(told: Fill, realized: str) -> Fill:
    return named(told, broker_realized=Decimal(realized))


def test_a_closed_position_is_told_by_the_brokers_figure() -> None:
    """Ours is 98; the final statement says 97.99, and that is what the live state shows."""
    (final,) = closed_positions(_told(OPENED, _says(CLOSED, "97.99")), RESULT)
    assert (final.instrument, final.realized, final.fees, final.quantity_closed) == (
        "1001", Decimal("97.99"), 2, 1,
    )  # fmt: skip
    assert not final.placeholder
    (evening,) = closed_positions(_told(OPENED, _says(CLOSED, "97.99"), made_in=Pass.PROVISIONAL), RESULT)
    assert evening.realized == 98


def test_what_only_the_broker_realized_is_a_marked_placeholder() -> None:
    """We closed nothing in the put: its figure is there, marked, without a quantity of ours."""
    lone = _says(fill(3, -1, "0", PUT), "-12.63")
    found = {item.instrument: item for item in closed_positions(_told(_says(CLOSED, "98"), lone), RESULT)}
    assert {key: item.placeholder for key, item in found.items()} == {"1001": False, "1002": True}
    assert (found["1002"].realized, found["1002"].quantity_closed) == (Decimal("-12.63"), 0)


def test_a_placeholder_goes_when_the_books_know_better() -> None:
    """The next check replaces the whole session: nothing of an older answer stays."""
    live = MemoryLiveState()
    lone = _says(fill(3, -1, "0", PUT), "-12.63")
    rewrite_live_state(live, _told(_says(CLOSED, "98"), lone), RESULT, RUN, NOW)
    rewrite_live_state(live, _told(_says(CLOSED, "98")), RESULT, RUN, NOW)
    assert [item.instrument for item in live.closed_positions("U1", FRIDAY)] == ["1001"]
    assert live.daily_pnl()["U1"].realized == Decimal("88.2")


def test_the_days_pnl_is_in_base_currency_at_the_statements_rate() -> None:
    """98 dollars at 0.9, fees too."""
    found = daily_pnl(_told(OPENED, CLOSED), RESULT, RUN, NOW)
    assert found is not None
    assert (found.base_currency, found.realized, found.fees, found.unrealized) == (
        "EUR", Decimal("88.2"), Decimal("1.8"), 0,
    )  # fmt: skip


def test_without_a_rate_no_figure_is_claimed() -> None:
    """A currency without a rate is no zero: nothing is put, and what was there stays."""
    assert daily_pnl(replace(_told(CLOSED), rates_to_base={}), RESULT, RUN, NOW) is None
    live = MemoryLiveState()
    rewrite_live_state(live, replace(_told(CLOSED), rates_to_base={}), RESULT, RUN, NOW)
    assert live.daily_pnl() == {}


def test_a_position_without_a_mark_has_no_unrealized_figure() -> None:
    """Unknown, not zero."""
    _, held = run([fill(1, 1, "2", CALL)])
    found = daily_pnl(_told(OPENED), held, RUN, NOW)
    assert found is not None
    assert found.unrealized is None


def test_a_session_that_awaits_its_statement_puts_nothing() -> None:
    """No broker's word, no P&L claim."""
    live = MemoryLiveState()
    rewrite_live_state(live, None, RESULT, RUN, NOW)
    assert live.daily_pnl() == {}
    assert live.closed_positions("U1", FRIDAY) == []
