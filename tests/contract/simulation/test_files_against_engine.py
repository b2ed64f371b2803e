"""The sample desk's files, read by our adapters and run through our engine, end in the journal, row for row.

The simulator and the engine share no code for this: zero differences mean that two books agree.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.ibkr.read_file import BrokerFile, read
from simulation.sample_desk import Journal, compare, write_sample_desk
from trading.model.fills import Fill, Source, Venue
from trading.pnl.book import Book, SessionResult
from trading.pnl.engine import SessionInputs, advance
from trading.reconciliation.records import Told, standing_fills

EVERYBODY = frozenset(Source)


class EngineRun:
    """All files of a desk, read once and taken through the engine account by account."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self.journal = journal
        self.files = [read(path) for path in sorted((directory / "inbox").iterdir())]
        self.fills = {account: _fills(self.files, account) for account in _accounts(journal)}
        self.results = {account: list(self._advance(account)) for account in _accounts(journal)}

    def _advance(self, account: str) -> Iterator[tuple[SessionResult, Book]]:
        book = Book(venue=Venue.IBKR, account=account)
        statements = [item for file in self.files for item in file.statements if item.kind == "activity"]
        own = sorted((item for item in statements if item.account == account), key=lambda item: item.to_date)
        for place, statement in enumerate(own):
            day = statement.to_date
            opening = {row.currency: row.starting for row in statement.cash if row.currency != "BASE_SUMMARY"}
            inputs = SessionInputs(
                session=day,
                fills=[fill for fill in self.fills[account] if fill.revision.session == day and not fill.busted],
                cash_flows=[flow for flow in statement.cash_flows if flow.level == "DETAIL"],
                opening_cash=opening if place == 0 else {},
            )
            book, result = advance(book, inputs)
            yield result, book


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> EngineRun:
    """A month without planted breaks."""
    directory = tmp_path_factory.mktemp("honest")
    return EngineRun(directory, write_sample_desk(directory, seed=7, planted=False))


def test_no_row_of_any_file_is_refused(honest: EngineRun) -> None:
    """Every message and every element reads without a refusal and without an unknown name."""
    batches = [batch for file in honest.files for batch in file.batches]
    assert [row for batch in batches for row in batch.rejected] == []
    assert [name for file in honest.files for item in file.statements for name in item.unknown_fields] == []


def test_fills_of_all_sources_together_are_the_journals(honest: EngineRun) -> None:
    """Live, same-day, confirmation and statement give each fill once, as the journal has it."""
    rows = [_fill_row(fill) for fills in honest.fills.values() for fill in fills]
    assert [str(item) for item in compare(honest.journal, fills=rows)] == []


def test_engine_books_the_journals_profit_and_positions(honest: EngineRun) -> None:
    """Realized P&L, fees, quantities and end positions agree per account, session and contract."""
    rows = [
        {
            "account": account,
            "session": row.session,
            "conid": row.contract.conid,
            "quantity_bought": row.quantity_bought,
            "quantity_sold": row.quantity_sold,
            "fees": row.fees,
            "realized": row.realized,
            "position_end": row.position_end,
        }
        for account, results in honest.results.items()
        for result, _ in results
        for row in result.daily
    ]
    assert [str(item) for item in compare(honest.journal, pnl_daily=rows)] == []


def test_engine_ends_with_the_journals_cash(honest: EngineRun) -> None:
    """The cash of every currency and evening agrees to the ninth decimal."""
    rows = [
        {"account": account, "session": result.session, "currency": currency, "ending": amount}
        for account, results in honest.results.items()
        for result, book in results
        for currency, amount in book.cash.items()
    ]
    assert [str(item) for item in compare(honest.journal, cash=rows)] == []


def _accounts(journal: Journal) -> list[str]:
    return [account["name"] for account in journal.accounts]


def _fills(files: list[BrokerFile], account: str) -> list[Fill]:
    batches = [batch for file in files for batch in file.batches]
    told = Told(
        revisions=[fill for batch in batches for fill in batch.fills if fill.account == account],
        fees=[fee for batch in batches for fee in batch.commissions if fee.account == account],
    )
    return standing_fills(told, EVERYBODY)


def _fill_row(fill: Fill) -> dict[str, object]:
    revision = fill.revision
    return {
        "venue": revision.venue,
        "account": revision.account,
        "fill_id": revision.fill_id,
        "quantity": Decimal(0) if fill.busted else revision.quantity,
        "price": revision.price,
        "side": revision.side,
        "busted": fill.busted,
        "fill_ts": revision.fill_ts,
        "fees": fill.fees,
    }
