"""Money that moves without a trade: deposits, withdrawals, dividends and their tax, interest, fees."""

from datetime import date
from decimal import Decimal
from random import Random

from simulation.sample_desk.books import Book
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.numbering import Ids
from simulation.sample_desk.trades import CashEvent

DEPOSIT_ON = 2  # place of the session in the month
INTEREST_ON = 13
FEES_ON = 6
WITHDRAWAL_ON = 17
DIVIDEND_PERCENT = 30  # of the sessions on which shares are held over night
DIVIDEND_CENTS_MOST = 90
TAX = Decimal("0.15")
CENT = Decimal("0.01")


def draw_cash_events(
    rng: Random, ids: Ids, account: str, session: date, sessions: tuple[date, ...], book: Book
) -> tuple[CashEvent, ...]:
    """The session's cash events; `book` still stands at the evening before."""
    place = sessions.index(session)
    told: list[tuple[str, Decimal, str, str, Contract | None]] = []
    month = f"{session:%b-%Y}".upper()
    if place == DEPOSIT_ON:
        amount = Decimal(rng.randint(500_000, 5_000_000)) / 100
        told.append(
            ("USD", amount, "Deposits/Withdrawals", "CASH RECEIPTS / ELECTRONIC FUND TRANSFERS", None)
        )
    if place == WITHDRAWAL_ON:
        amount = -Decimal(rng.randint(100_000, 900_000)) / 100
        told.append(("USD", amount, "Deposits/Withdrawals", "DISBURSEMENT", None))
    if place == FEES_ON:
        told.append(("USD", Decimal("-4.5"), "Other Fees", f"OPRA NP L1 FOR {month}", None))
    if place == INTEREST_ON:
        amount = Decimal(rng.randint(100, 40_000)) / 100
        told.append(("USD", amount, "Broker Interest Received", f"USD CREDIT INT FOR {month}", None))
        told.append(("EUR", Decimal("-0.17"), "Broker Interest Paid", f"EUR DEBIT INT FOR {month}", None))
    events = [_event(ids, account, session, *row) for row in told]
    return (*events, *_dividends(rng, ids, account, session, book))


def _dividends(rng: Random, ids: Ids, account: str, session: date, book: Book) -> list[CashEvent]:
    events = []
    for conid, contract in sorted(book.contracts.items()):
        held = book.position(conid)
        if contract.asset != "STK" or held <= 0 or rng.randrange(100) >= DIVIDEND_PERCENT:
            continue
        rate = Decimal(rng.randint(10, DIVIDEND_CENTS_MOST)) / 100
        gross = (held * rate).quantize(CENT)
        action = ids.action()
        isin = contract.underlying.isin if contract.underlying else ""
        name = f"{contract.symbol}({isin}) CASH DIVIDEND USD {rate} PER SHARE"
        rows = ((gross, "Dividends", f"{name} (Ordinary Dividend)"),)
        taxed = (-(gross * TAX).quantize(CENT), "Withholding Tax", f"{name} - US TAX")
        for amount, kind, description in (*rows, taxed):
            events.append(_event(ids, account, session, "USD", amount, kind, description, contract, action))
    return events


def _event(
    ids: Ids,
    account: str,
    session: date,
    currency: str,
    amount: Decimal,
    kind: str,
    description: str,
    contract: Contract | None,
    action: int = 0,
) -> CashEvent:
    return CashEvent(
        account=account,
        session=session,
        currency=currency,
        amount=amount,
        kind=kind,
        description=description,
        transaction_id=ids.transaction(),
        contract=contract,
        action_id=action,
    )
