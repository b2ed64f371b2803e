"""Batches made ready for staging under one attempt: without what they tell twice, laid out in columns when
asked.

Several batches are one attempt, told one after the other: each row knows its batch and what it is against all
rows before it, so that the counts of each batch are those that it would have alone. Rows that no column can
hold exactly are parted off here, so that one of them never holds a file up.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1

import pyarrow as pa

from adapters.clickhouse.fill_rows import (
    UNFIT_ERRORS,
    batch_column,
    commissions_table,
    fits,
    keys_table,
    revisions_table,
)
from trading.errors import shown
from trading.model.fills import CommissionFact, FillBatch, FillRevision, RejectedRow, content_hashes
from trading.services.judge_fills import ToldBefore, told_before

STAGED_ROWS_MAX = 200_000  # rows per insert: bounds the memory of one block in Python and in the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFills:
    """The distinct rows of some batches, with their content hashes, what each is against the rows before it,
    and the place of its batch.
    """

    batch_ids: Sequence[str]
    revisions: Sequence[FillRevision]
    hashes: Sequence[str]
    marks: Sequence[int]
    owners: Sequence[int]
    repeated: Sequence[int]  # of each batch: rows that were told before, word for word

    def only(self, wanted: Collection[str]) -> "ToldFills":
        """Return the rows with these hashes."""
        return _picked(self, [place for place, name in enumerate(self.hashes) if name in wanted])

    def key_tables(self) -> Iterator[pa.Table]:
        """Yield what is needed to judge the rows: their keys and figures, without the rest."""
        for part in _parts(len(self.revisions)):
            keys = keys_table(self.revisions[part], self.hashes[part], self._batches(part))
            yield keys.append_column("told_before", pa.array(self.marks[part], pa.uint8()))

    def full_tables(self, received_at: datetime) -> list[pa.Table]:
        """Return the rows as columns of core.fill_staging; raises one of UNFIT_ERRORS for a misfit."""
        tables = []
        for part in _parts(len(self.revisions)):
            owned = self._batches(part)
            table = revisions_table(self.revisions[part], self.hashes[part], owned, received_at)
            tables.append(table.append_column("told_before", pa.array(self.marks[part], pa.uint8())))
        return tables

    def _batches(self, part: slice) -> pa.Array:
        return batch_column(self.batch_ids, self.owners[part])


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFees:
    """The distinct fees of some batches, with their content hashes and the places of their batches."""

    batch_ids: Sequence[str]
    facts: Sequence[CommissionFact]
    hashes: Sequence[str]
    owners: Sequence[int]

    def tables(self, received_at: datetime) -> Iterator[pa.Table]:
        """Yield the fees as columns of core.commission_staging."""
        for part in _parts(len(self.facts)):
            owned = batch_column(self.batch_ids, self.owners[part])
            yield commissions_table(self.facts[part], self.hashes[part], owned, received_at)


def told_fills(batches: Sequence[FillBatch]) -> ToldFills:
    """Leave out what the batches tell twice and mark other versions of a fill that they told before."""
    revisions = [revision for batch in batches for revision in batch.fills]
    hashes = content_hashes(revisions)
    marks = told_before(revisions, hashes)
    owners = [place for place, batch in enumerate(batches) for _ in batch.fills]
    repeated = Counter(
        owner for owner, mark in zip(owners, marks, strict=True) if mark is ToldBefore.IDENTICAL
    )
    every = ToldFills(
        batch_ids=_batch_ids(batches, hashes),
        revisions=revisions,
        hashes=hashes,
        marks=marks,
        owners=owners,
        repeated=[repeated[place] for place in range(len(batches))],
    )
    if not repeated:
        return every
    return _picked(every, [place for place, mark in enumerate(marks) if mark is not ToldBefore.IDENTICAL])


def told_fees(batches: Sequence[FillBatch], batch_ids: Sequence[str]) -> ToldFees:
    """Leave out the fees that the batches tell twice: the table would hold them twice until it merges."""
    distinct: dict[tuple[object, ...], tuple[CommissionFact, str, int]] = {}
    for place, batch in enumerate(batches):
        for fact in batch.commissions:
            name = fact.content_hash
            key = (fact.venue, fact.account, fact.session, fact.commission_key, fact.source, name)
            distinct.setdefault(key, (fact, name, place))
    rows = distinct.values()
    return ToldFees(
        batch_ids=batch_ids,
        facts=[fact for fact, _, _ in rows],
        hashes=[name for _, name, _ in rows],
        owners=[place for _, _, place in rows],
    )


def without_unfit(batch: FillBatch) -> tuple[list[FillRevision], list[RejectedRow]]:
    """Part the fills that the columns hold from those that they do not, which go to the dead letter."""
    good = [fits(revision) for revision in batch.fills]
    kept = [revision for revision, is_good in zip(batch.fills, good, strict=True) if is_good]
    return kept, [_refused(row) for row, is_good in zip(batch.fills, good, strict=True) if not is_good]


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, STAGED_ROWS_MAX):
        yield slice(start, start + STAGED_ROWS_MAX)


def _picked(told: ToldFills, places: Sequence[int]) -> ToldFills:
    return ToldFills(
        batch_ids=told.batch_ids,
        revisions=[told.revisions[place] for place in places],
        hashes=[told.hashes[place] for place in places],
        marks=[told.marks[place] for place in places],
        owners=[told.owners[place] for place in places],
        repeated=told.repeated,
    )


def _refused(revision: FillRevision) -> RejectedRow:
    return RejectedRow(
        venue=revision.venue,
        source=revision.source,
        reason=f"fill {shown(revision.fill_id)}: expected figures that the warehouse's columns hold, was "
        f"quantity {revision.quantity}, price {revision.price}, multiplier {revision.multiplier}",
        payload=revision.raw,
        account=revision.account,
    )


def _batch_ids(batches: Sequence[FillBatch], hashes: Sequence[str]) -> list[str]:
    ids, start = [], 0
    for batch in batches:
        ids.append(_batch_id(batch, hashes[start : start + len(batch.fills)]))
        start += len(batch.fills)
    return ids


def _batch_id(batch: FillBatch, hashes: Sequence[str]) -> str:
    """Hash of what the batch says, whatever the order of its rows and the name of its file."""
    told = [*hashes, *(f"{fact.commission_key}={fact.content_hash}" for fact in batch.commissions)]
    told += [f"{row.reason}={row.payload}" for row in batch.rejected]
    text = "\x1f".join((str(batch.venue), str(batch.source), *sorted(told)))
    return sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


__all__ = ["UNFIT_ERRORS", "ToldFees", "ToldFills", "told_fees", "told_fills", "without_unfit"]
