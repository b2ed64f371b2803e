"""The two sides of a comparison, each as one value: what we have in the books and what the broker says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from trading.model.fills import CommissionFact, Fill, FillKind, FillRevision, Source, Venue, precedence
from trading.model.money import ZERO
from trading.model.statements import CashBalance, StatementPosition
from trading.pnl.book import Book, Lot, SessionResult
from trading.reconciliation.breaks import Pass

PENNY_BAR = Decimal("0.005")  # a break is half a cent or more per contract and day


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that any source told of one session: every revision and every fee."""

    revisions: Sequence[FillRevision] = ()
    fees: Sequence[CommissionFact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRecord:
    """What the broker says of a session. positions and cash are None where no statement ends on this session.

    `period_start` is the first day of the statement that ends here: its cash report counts from there.
    """

    venue: Venue
    account: str
    session: date
    made_in: Pass
    fills: Sequence[Fill]
    positions: Sequence[StatementPosition] | None = None
    cash: Sequence[CashBalance] | None = None
    period_start: date | None = None
    rates_to_base: Mapping[str, Decimal] = field(default_factory=dict)
    statement_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurRecord:
    """Our books of the same session.

    fills as they stand; `elsewhere` the same fills as told by others than the broker's statement (None where
    no such source told anything on the day, so nothing can be missing there); `book` at the end of the
    session; `latest` is the account's newest book, which knows best what history is missing; `cash_moved` and
    `period_fills` cover the statement's period. `known_fills` are the fills that rules look at (openings of
    what is in question). `marks` are our own, where there are any.
    """

    result: SessionResult
    fills: Sequence[Fill]
    book: Book
    elsewhere: Sequence[Fill] | None = None
    latest: Book | None = None
    first_session: date | None = None
    cash_moved: Mapping[str, Decimal] = field(default_factory=dict)
    period_fills: Sequence[Fill] = ()
    known_fills: Sequence[Fill] = ()
    marks: Mapping[str, Decimal] = field(default_factory=dict)

    def missing_lots(self, instrument_id: str) -> tuple[Lot, ...]:
        """Closings without a known opening, in the newest book that we have."""
        lots = (self.latest or self.book).lots
        return tuple(
            lot
            for lot in lots
            if lot.contract.instrument_id == instrument_id and lot.origin == "missing_history"
        )


def standing_fills(told: Told, sources: frozenset[Source]) -> list[Fill]:
    """The fills as they stand by the word of some sources alone: highest revision, fees summed, busts
    applied.
    """
    chosen = [revision for revision in told.revisions if revision.source in sources]
    cancels = [revision for revision in chosen if revision.kind is FillKind.CANCEL]
    winners: dict[str, FillRevision] = {}
    first: dict[str, FillRevision] = {}
    for revision in chosen:
        if revision.kind is FillKind.CANCEL:
            continue
        winner = winners.get(revision.fill_id)
        if winner is None or precedence(revision) > precedence(winner):
            winners[revision.fill_id] = revision
        earliest = first.setdefault(revision.fill_id, revision)
        if _place(revision) < _place(earliest):
            first[revision.fill_id] = revision
    fees = _fees_by_fill(told, sources, cancels, chosen)
    return [
        _standing(winner, first[fill_id], fees.get(fill_id, {}), cancels)
        for fill_id, winner in winners.items()
    ]


def _standing(
    winner: FillRevision, first: FillRevision, fees: Mapping[str, Decimal], cancels: Sequence[FillRevision]
) -> Fill:
    busted = bool(winner.trade_id) and any(
        cancel.cancels_trade_id == winner.trade_id
        and _number(cancel.transaction_id) > _number(winner.transaction_id)
        for cancel in cancels
    )
    key = f"{_place(first)[1]:020d}:{winner.fill_id}"
    winner = replace(winner, quantity=ZERO) if busted else winner
    return Fill(revision=winner, fees=fees, fifo_ts=first.fill_ts, fifo_key=key, busted=busted)


def _fees_by_fill(
    told: Told, sources: frozenset[Source], cancels: Sequence[FillRevision], chosen: Sequence[FillRevision]
) -> Mapping[str, dict[str, Decimal]]:
    by_trade = {
        revision.trade_id: revision.fill_id for revision in chosen if revision.kind is not FillKind.CANCEL
    }
    belongs = {cancel.fill_id: by_trade.get(cancel.cancels_trade_id, cancel.fill_id) for cancel in cancels}
    best: dict[str, CommissionFact] = {}
    for fact in told.fees:
        known = best.get(fact.commission_key)
        if fact.source in sources and (known is None or _rank(fact) > _rank(known)):
            best[fact.commission_key] = fact
    fees: dict[str, dict[str, Decimal]] = {}
    for fact in best.values():
        amounts = fees.setdefault(belongs.get(fact.fill_id, fact.fill_id), {})
        amounts[fact.currency] = amounts.get(fact.currency, ZERO) + fact.amount
    return fees


def _rank(fact: CommissionFact) -> tuple[int, str]:
    return (fact.source.rank, fact.content_hash)


def _place(revision: FillRevision) -> tuple[datetime, int]:
    """Place of one version in FIFO; a version that names no row (live, confirmation) comes behind one that
    does.
    """
    return (revision.fill_ts, _number(revision.transaction_id) or 2**64 - 1)


def _number(transaction_id: str) -> int:
    return int(transaction_id) if transaction_id.isascii() and transaction_id.isdigit() else 0
