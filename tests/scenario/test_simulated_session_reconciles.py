"""A simulated session with corrections, busts and expiry: the platform's books are the broker's.

The simulator keeps its own books, and its statements are written from them; what the platform computes from
the same statements must agree row for row with the simulator's journal, and break nowhere.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from reconciled_desk import desk_in_memory
from simulated_broker import ACCOUNT, CLIENT, Desk

from simulation.broker.trader import SampleTrader
from simulation.gateway import Gateway, GatewayPlan
from simulation.sample_desk import compare
from trading.model.fills import Venue

ORDERS = 40
ACCIDENTS_EVERY = timedelta(minutes=20)


def _simulated(seed: int) -> Desk:
    """Two sessions of orders; every twenty minutes something happens to the newest execution."""
    desk = Desk(seed)
    trader = SampleTrader(broker=desk.broker, accounts=(ACCOUNT,), client_id=CLIENT, orders=ORDERS)
    for session in desk.world.sessions[:2]:
        trader.schedule(session)
    for session in desk.world.sessions[:2]:
        desk.now = max(desk.now, desk.world.calendar.session_open(session) + timedelta(minutes=30))
        for number in range(16):
            desk.wait(ACCIDENTS_EVERY.total_seconds())
            _accident(desk, number)
        desk.heard(desk.broker.close_session(session))
    return desk


def _accident(desk: Desk, number: int) -> None:
    """A quantity, a price, or all of it; twice for some."""
    told = [item.execution for item in desk.broker.executed.told if not item.execution.is_combination]
    exec_id = told[-1 - number % 3].exec_id
    if desk.broker.executed.find(exec_id)[0].busted:
        return
    if number % 4 == 0:
        desk.broker.correct(exec_id, quantity=told[-1 - number % 3].quantity + 1, now=desk.now)
    elif number % 4 == 1:
        desk.broker.correct(exec_id, price=Decimal("1.01"), now=desk.now)
        desk.broker.correct(exec_id, price=Decimal("1.02"), now=desk.now)
    elif number % 4 == 2:
        desk.broker.bust(exec_id, desk.now)


@pytest.mark.parametrize("seed", [7, 8])
def test_the_platform_finds_the_simulators_books_without_a_break(seed: int) -> None:
    """Every session reconciles to zero, and positions, fills and fees are those of the journal."""
    simulated, ours = _simulated(seed), desk_in_memory()
    for session in simulated.world.sessions[:2]:
        ours.take(simulated.broker.confirmation(ACCOUNT, session).encode())
        ours.take(simulated.broker.statement(ACCOUNT, session).encode())
    reports = ours.reconcile(ACCOUNT)
    assert [report.sign_off.session for report in reports] == list(simulated.world.sessions[:2])
    assert [found for report in reports for found in report.standing] == []
    journal = simulated.broker.journal()
    assert journal.corrected and journal.busted
    rows = [
        {
            "venue": fill.revision.venue.value,
            "account": fill.revision.account,
            "fill_id": fill.revision.fill_id,
            "quantity": fill.revision.quantity,
            "price": fill.revision.price,
            "side": fill.revision.side.value,
            "busted": fill.busted,
            "fill_ts": fill.revision.fill_ts,
            "fees": fill.fees,
        }
        for fill in ours.fills.fills(Venue.IBKR, ACCOUNT, simulated.world.sessions)
    ]
    assert not compare(journal, fills=rows)


@pytest.mark.parametrize("first", [date(2026, 11, 27), date(2026, 10, 30)])
def test_an_early_close_and_a_change_of_clocks_reconcile(first: date) -> None:
    """Two accounts over a session that ends at one, and over the end of daylight saving: no break."""
    plan = GatewayPlan(session=first, speed=None, orders=15, control_port=None, sessions=2, accounts=2)
    gateway, ours = Gateway(plan), desk_in_memory()
    for session in gateway.world.sessions:
        gateway.broker.close_session(session)
        for _, text in gateway.broker.files(session):
            ours.take(text.encode())
    for account in gateway.broker.ledgers:
        reports = ours.reconcile(account)
        assert len(reports) == 2 and not any(report.standing for report in reports)
