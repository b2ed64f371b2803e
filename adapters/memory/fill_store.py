"""Fills in memory: the same judgements and winners as in the warehouse, written a second time in Python."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha1

from trading.model.fills import (
    CommissionFact,
    CoverageInterval,
    Fill,
    FillBatch,
    FillKind,
    FillRevision,
    Venue,
    precedence,
)
from trading.model.money import ZERO
from trading.ports.fill_store import BatchReport, FillStore
from trading.services.judge_fills import KnownFill, Outcome

WITHOUT_NUMBER = 2**64 - 1  # a fill without a broker's number comes after those that have one

FillKey = tuple[Venue, str, str]


class MemoryFillStore(FillStore):
    """The port in one process; keeps every version, as the warehouse does."""

    def __init__(self) -> None:
        self._versions: dict[FillKey, dict[str, FillRevision]] = defaultdict(dict)
        self._fees: dict[FillKey, CommissionFact] = {}
        self._told_fees: dict[tuple[str, ...], CommissionFact] = {}
        self._standing: dict[FillKey, Fill] = {}  # fills as they stand, until the next batch
        self.batches: list[BatchReport] = []
        self.rejected: dict[str, str] = {}
        self.coverage: set[CoverageInterval] = set()

    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        """Store what is new of a batch and say what it did."""
        self._standing = {}
        counts: dict[Outcome, int] = defaultdict(int)
        touched: set[tuple[str, date]] = set()
        for revision in batch.fills:
            counts[self._store(revision, touched)] += 1
        for fact in batch.commissions:
            self._store_fee(fact, touched)
        for row in batch.rejected:
            self.rejected[row.payload] = row.reason
        self.coverage.update(batch.coverage)
        times = [revision.fill_ts for revision in batch.fills]
        report = BatchReport(
            batch_id=_batch_id(batch),
            origin=batch.origin,
            total=batch.total_rows,
            new=counts[Outcome.NEW],
            duplicates=counts[Outcome.DUPLICATE],
            corrected=counts[Outcome.CORRECTED],
            rejected=sum(row.is_trade_row for row in batch.rejected),
            first_fill_at=min(times, default=None),
            last_fill_at=max(times, default=None),
            touched=tuple(sorted(touched)),
        )
        self.batches.append(report)
        return report

    def fills(self, venue: Venue, account: str, sessions: Collection[date]) -> Sequence[Fill]:
        """Return the fills whose winning revision lies in these sessions, in FIFO order."""
        if not self._standing:
            self._standing = self._all_standing()
        asked = set(sessions)
        kept = [
            fill
            for key, fill in self._standing.items()
            if key[:2] == (venue, account) and fill.revision.session in asked
        ]
        return sorted(kept, key=lambda fill: (fill.fifo_ts, fill.fifo_key))

    def revisions(self, venue: Venue, account: str, fill_id: str) -> Sequence[FillRevision]:
        """Return every version of one fill, lowest precedence first."""
        return sorted(self._versions.get((venue, account, fill_id), {}).values(), key=precedence)

    def sessions_with_fills(self, venue: Venue, account: str, start: date, end: date) -> Sequence[date]:
        """Return the sessions in [start, end] that hold any fill revision, ascending."""
        told = {revision.session for revision in self._of(venue, account)}
        return sorted(session for session in told if start <= session <= end)

    def accounts(self) -> Sequence[tuple[Venue, str]]:
        """Return every (venue, account) that has fills."""
        return sorted({key[:2] for key in self._versions})

    def account_of(self, exec_id: str) -> str | None:
        """Return whose execution this is, where its fill is stored."""
        told = (row for versions in self._versions.values() for row in versions.values())
        return min((row.account for row in told if row.exec_id == exec_id), default=None)

    def has_fee(self, commission_key: str) -> bool:
        """Say whether a fee is stored under this key."""
        return any(key[2] == commission_key for key in self._fees)

    def told(
        self, venue: Venue, account: str, session: date
    ) -> tuple[list[FillRevision], list[CommissionFact]]:
        """Return every version of every fill of a session, and every fee of these fills."""
        revisions = [revision for revision in self._of(venue, account) if revision.session == session]
        fill_ids = {revision.fill_id for revision in revisions}
        facts = (fact for fact in self._told_fees.values() if (fact.venue, fact.account) == (venue, account))
        return revisions, [fact for fact in facts if fact.fill_id in fill_ids]

    def _store(self, revision: FillRevision, touched: set[tuple[str, date]]) -> Outcome:
        versions = self._versions[(revision.venue, revision.account, revision.fill_id)]
        content_hash = revision.content_hash
        known = KnownFill((told, name) for name, told in versions.items())
        outcome = known.judge(revision, content_hash)
        if content_hash not in versions:
            versions[content_hash] = revision
            touched.update((revision.account, told.session) for told in versions.values())
            touched.update((fill.account, fill.session) for fill in self._tied_to(revision))
        return outcome

    def _store_fee(self, fact: CommissionFact, touched: set[tuple[str, date]]) -> None:
        key = (fact.venue, fact.account, fact.commission_key)
        told_key = (fact.venue, fact.account, fact.commission_key, fact.source, fact.content_hash)
        self._told_fees.setdefault(told_key, fact)
        told = self._fees.get(key)
        if told is None or _fee_precedence(fact) > _fee_precedence(told):
            self._fees[key] = fact
            touched.update({(fact.account, fact.session)} if fact.session else ())

    def _of(self, venue: Venue, account: str) -> Iterable[FillRevision]:
        for key, versions in self._versions.items():
            if key[:2] == (venue, account):
                yield from versions.values()

    def _tied_to(self, row: FillRevision) -> list[FillRevision]:
        """What a cancel takes back, and what a row without execution id may have been told as before."""
        is_cancel = row.kind is FillKind.CANCEL
        trade_id = row.cancels_trade_id if is_cancel else "" if row.exec_id else row.trade_id
        told = self._of(row.venue, row.account) if trade_id else ()
        return [fill for fill in told if fill.kind is not FillKind.CANCEL and fill.trade_id == trade_id]

    def _all_standing(self) -> dict[FillKey, Fill]:
        """Every fill as it stands; one pass over all, so that a store of thousands stays usable in tests."""
        cancels: dict[FillKey, list[FillRevision]] = defaultdict(list)  # by venue, account, cancelled trade
        owners: dict[FillKey, str] = {}  # by venue, account, trade: its first fill
        counting = self._counting()
        for key, rows in counting.items():
            for row in rows:
                trade = (*key[:2], row.cancels_trade_id or row.trade_id)
                if row.kind is not FillKind.CANCEL:
                    owners[trade] = min(owners.get(trade, key[2]), key[2])
                elif row.cancels_trade_id:
                    cancels[trade].append(row)
        cancels.update({trade: _that_count(rows) for trade, rows in cancels.items()})
        fees = self._fees_by_fill(cancels, owners)
        found = {key: self._fill(key, rows, cancels, fees.get(key, {})) for key, rows in counting.items()}
        return {key: fill for key, fill in found.items() if fill is not None}

    def _counting(self) -> Mapping[FillKey, list[FillRevision]]:
        """Every row but those that say without a number what the statement says with one."""
        numbered = {
            (row.venue, row.account, row.trade_id)
            for versions in self._versions.values()
            for row in versions.values()
            if row.transaction_id and row.kind is not FillKind.CANCEL
        }
        return {
            key: [row for row in versions.values() if not _gives_way(row, numbered)]
            for key, versions in self._versions.items()
        }

    def _fill(
        self,
        key: FillKey,
        rows: Sequence[FillRevision],
        cancels: Mapping[FillKey, list[FillRevision]],
        fees: Mapping[str, Decimal],
    ) -> Fill | None:
        versions = [row for row in rows if row.kind is not FillKind.CANCEL]
        if not versions:
            return None
        winner = max(versions, key=precedence)
        told = cancels.get((*key[:2], winner.trade_id), []) if winner.trade_id else []
        busted = _is_bust(winner, told)
        numbers = [number for row in versions if (number := _number(row.transaction_id))]
        return Fill(
            revision=replace(winner, quantity=ZERO) if busted else winner,
            fees=fees,
            fifo_ts=min(row.fill_ts for row in versions),
            fifo_key=f"{min(numbers, default=WITHOUT_NUMBER):020d}:{key[2]}",
            busted=busted,
        )

    def _fees_by_fill(
        self, cancels: Mapping[FillKey, list[FillRevision]], owners: Mapping[FillKey, str]
    ) -> Mapping[FillKey, dict[str, Decimal]]:
        """Sum the fees; those of a cancel belong to the first fill of the cancelled trade."""
        moved = {
            (*trade[:2], cancel.fill_id): owners[trade]
            for trade, rows in cancels.items()
            for cancel in rows
            if trade in owners
        }
        sums: dict[FillKey, dict[str, Decimal]] = defaultdict(dict)
        for fact in self._fees.values():
            key = (fact.venue, fact.account, fact.fill_id)
            amounts = sums[(*key[:2], moved.get(key, fact.fill_id))]
            amounts[fact.currency] = amounts.get(fact.currency, ZERO) + fact.amount
        return sums


def _fee_precedence(fact: CommissionFact) -> tuple[int, str]:
    return (fact.source.rank, fact.content_hash)


def _gives_way(row: FillRevision, numbered: Collection[FillKey]) -> bool:
    if row.exec_id or row.transaction_id or not row.trade_id or row.kind is FillKind.CANCEL:
        return False
    return (row.venue, row.account, row.trade_id) in numbered


def _that_count(cancels: list[FillRevision]) -> list[FillRevision]:
    """Leave out a trade's cancels without a number once the statement has told them with theirs."""
    numbered = [cancel for cancel in cancels if _number(cancel.transaction_id)]
    return numbered or cancels


def _is_bust(winner: FillRevision, cancels: list[FillRevision]) -> bool:
    """By the broker's numbers; confirmations have none, there revision n ends by the n-th cancel."""
    newest = max((_number(cancel.transaction_id) for cancel in cancels), default=0)
    if newest or not cancels:
        return newest > _number(winner.transaction_id)
    return len({cancel.fill_id for cancel in cancels}) >= max(winner.revision, 1)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _batch_id(batch: FillBatch) -> str:
    told = sorted(revision.content_hash for revision in batch.fills)
    return sha1("\x1f".join(told).encode(), usedforsecurity=False).hexdigest()
