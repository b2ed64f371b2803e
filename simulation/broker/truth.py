"""The truth at the end of the day: the journal, the Activity statement and the Trade Confirmation.

Through the sample desk's writers, so a simulated session and the sample month are told alike. A session
that is still running is told as it stands.
"""

from datetime import date, datetime
from decimal import Decimal

from simulation.broker.conduct import Conduct
from simulation.broker.ledger import Ledger
from simulation.market.hours import EARLY_OPEN, local
from simulation.market.world import World
from simulation.sample_desk.activity import activity_statement
from simulation.sample_desk.confirmation import confirmation_rows, confirmation_xml
from simulation.sample_desk.flex_values import money
from simulation.sample_desk.journal import Journal, month_rows
from simulation.sample_desk.month import Evening, Month
from simulation.sample_desk.sources import sources_of

STATEMENT_NAME = "{account}_{session:%Y%m%d}_activity.xml"
CONFIRMATION_NAME = "{account}_{session:%Y%m%d}_confirmation.xml"


def evening_of(ledger: Ledger, session: date) -> Evening:
    """One account and session; a session that the account has not lived is an error that names it."""
    if session in ledger.evenings:
        return ledger.evenings[session]
    if session != ledger.session:
        raise ValueError(f"session: expected one up to {ledger.session}, was {session}")
    return ledger.evening()


def statement_xml(world: World, ledger: Ledger, session: date, conduct: Conduct) -> str:
    """The Activity statement as the broker's web service sends it, wrong where the conduct says so."""
    statement = activity_statement(evening_of(ledger, session), world.market)
    for row in statement.cash:
        if row["currency"] == "USD" and conduct.statement_cash_off:
            for name in ("endingCash", "endingCashSec"):
                row[name] = money(Decimal(row[name]) + conduct.statement_cash_off)
    if conduct.statement_omits_last and statement.trades:
        statement.trades.remove(max(statement.trades, key=lambda row: int(row["transactionID"])))
    return statement.xml()


def confirmation_text(world: World, ledger: Ledger, session: date) -> str:
    """The Trade Confirmation of the evening."""
    evening = evening_of(ledger, session)
    return confirmation_xml(evening, world.market, confirmation_rows(evening, world.market))


def journal_of(world: World, ledgers: dict[str, Ledger], now: datetime) -> Journal:
    """Everything that happened in the simulated sessions, in the shape of the sample desk's journal."""
    evenings = _evenings(ledgers, now)
    month = Month(
        seed=world.seed,
        accounts=tuple(ledger.account for ledger in ledgers.values()),
        sessions=tuple(sorted({evening.session for evening in evenings})),
        market=world.market,
        evenings=evenings,
    )
    rows = month_rows(month, [sources_of(evening, world.market) for evening in evenings])
    return Journal(**rows, files=(), planted=())


def files_of(
    world: World, ledgers: dict[str, Ledger], session: date, conduct: Conduct
) -> list[tuple[str, str]]:
    """Name and text of every file that the broker makes about a session."""
    files = []
    for account, ledger in ledgers.items():
        statement = STATEMENT_NAME.format(account=account, session=session)
        confirmation = CONFIRMATION_NAME.format(account=account, session=session)
        files.append((statement, statement_xml(world, ledger, session, conduct)))
        files.append((confirmation, confirmation_text(world, ledger, session)))
    return files


def _evenings(ledgers: dict[str, Ledger], now: datetime) -> tuple[Evening, ...]:
    """All closed sessions, and the one under way as it stands; not one that has not begun."""
    told: list[Evening] = []
    for ledger in ledgers.values():
        told += ledger.evenings.values()
        if now >= local(ledger.session, EARLY_OPEN):
            told.append(ledger.evening())
    return tuple(sorted(told, key=lambda evening: (evening.session, evening.account.name)))
