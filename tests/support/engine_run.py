"""A sample desk's files through our adapters, our engine and our comparison, without a warehouse."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from adapters.inbox.reader import VenueFileReader
from simulation.sample_desk import Journal
from trading.model.fills import Fill, Source, Venue
from trading.model.money import ZERO
from trading.model.statements import BrokerStatement, StatementKind
from trading.pnl.book import Book, SessionResult
from trading.pnl.engine import SessionInputs, advance
from trading.ports.inbox import ReadFile
from trading.reconciliation.breaks import Break, Pass
from trading.reconciliation.compare import compare
from trading.reconciliation.records import BrokerRecord, OurRecord, Told, standing_fills

EVERYBODY = frozenset(Source)
STATEMENT_ONLY = frozenset({Source.STATEMENT})
Row = dict[str, object]


class EngineRun:
    """One desk; `fills`, `results` and `breaks` are by account."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self.accounts = [str(account["name"]) for account in journal.accounts]
        self.files = list(_read_all(directory / "inbox"))
        self.told = {account: _told(self.files, account) for account in self.accounts}
        self.fills = {account: standing_fills(self.told[account], EVERYBODY) for account in self.accounts}
        self.statements = {account: self._statements(account) for account in self.accounts}
        self.results = {account: list(self._advance(account)) for account in self.accounts}

    def fill_rows(self) -> list[Row]:
        """As core.fills has them, of all venues."""
        accounts = {fill.account for file in self.files for batch in file.batches for fill in batch.fills}
        told = {account: _told(self.files, account) for account in sorted(accounts)}
        return [_fill_row(fill) for item in told.values() for fill in standing_fills(item, EVERYBODY)]

    def daily_rows(self) -> list[Row]:
        """As core.pnl_daily has them."""
        return [
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
            for account, results in self.results.items()
            for result, _ in results
            for row in result.daily
        ]

    def cash_rows(self) -> list[Row]:
        """Balances by evening and currency."""
        return [
            {"account": account, "session": result.session, "currency": currency, "ending": amount}
            for account, results in self.results.items()
            for result, book in results
            for currency, amount in book.cash.items()
        ]

    def break_rows(self) -> list[Row]:
        """As core.breaks has them after the final pass over every session."""
        return [
            {
                "account": item.account,
                "session": item.session,
                "kind": str(item.kind),
                "conid": item.conid,
                "currency": item.currency,
                "difference": item.difference,
                "state": str(item.state),
            }
            for account in self.accounts
            for item in self._breaks(account)
        ]

    def _statements(self, account: str) -> list[BrokerStatement]:
        """One Activity statement a session: of two downloads the later counts."""
        every = [item for file in self.files for item in file.statements]
        own = [item for item in every if item.account == account and item.kind is StatementKind.ACTIVITY]
        newest = {item.to_date: item for item in sorted(own, key=lambda item: str(item.generated_at))}
        return [newest[day] for day in sorted(newest)]

    def _advance(self, account: str) -> Iterator[tuple[SessionResult, Book]]:
        book = Book(venue=Venue.IBKR, account=account)
        for place, statement in enumerate(self.statements[account]):
            day = statement.to_date
            opening = {row.currency: row.starting for row in statement.cash if row.currency != "BASE_SUMMARY"}
            inputs = SessionInputs(
                session=day,
                fills=[fill for fill in _of_day(self.fills[account], day) if not fill.busted],
                cash_flows=[flow for flow in statement.cash_flows if flow.level == "DETAIL"],
                opening_cash=opening if place == 0 else {},
            )
            book, result = advance(book, inputs)
            yield result, book

    def _breaks(self, account: str) -> Iterator[Break]:
        by_statement = standing_fills(self.told[account], STATEMENT_ONLY)
        elsewhere = standing_fills(self.told[account], EVERYBODY - STATEMENT_ONLY)
        for statement, (result, book) in zip(self.statements[account], self.results[account], strict=True):
            day = statement.to_date
            ours = OurRecord(
                result=result,
                fills=_of_day(self.fills[account], day),
                book=book,
                elsewhere=_of_day(elsewhere, day),
                first_session=self.statements[account][0].to_date,
                cash_moved=_moved(result),
                period_fills=_of_day(self.fills[account], day),
                known_fills=self.fills[account],
            )
            theirs = BrokerRecord(
                venue=Venue.IBKR,
                account=account,
                session=day,
                made_in=Pass.FINAL,
                fills=_of_day(by_statement, day),
                positions=statement.positions,
                cash=statement.cash,
                rates_to_base={"USD": Decimal(1)},
            )
            yield from compare(ours, theirs).breaks


def _read_all(inbox: Path) -> Iterator[ReadFile]:
    reader = VenueFileReader()
    for path in sorted(path for path in inbox.rglob("*") if path.is_file()):
        yield reader.read(path.read_bytes(), path.relative_to(inbox).as_posix())


def _told(files: Iterable[ReadFile], account: str) -> Told:
    batches = [batch for file in files for batch in file.batches]
    return Told(
        revisions=[fill for batch in batches for fill in batch.fills if fill.account == account],
        fees=[fee for batch in batches for fee in batch.commissions if fee.account == account],
    )


def _of_day(fills: Iterable[Fill], day: object) -> list[Fill]:
    return [fill for fill in fills if fill.revision.session == day]


def _moved(result: SessionResult) -> dict[str, Decimal]:
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in result.cash:
        if entry.kind != "opening":
            moved[entry.currency] += entry.amount
    return dict(moved)


def _fill_row(fill: Fill) -> Row:
    revision = fill.revision
    return {
        "venue": revision.venue,
        "account": revision.account,
        "fill_id": revision.fill_id,
        "quantity": ZERO if fill.busted else revision.quantity,
        "price": revision.price,
        "side": revision.side,
        "busted": fill.busted,
        "fill_ts": revision.fill_ts,
        "fees": fill.fees,
    }
