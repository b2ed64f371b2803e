"""A batch made ready for staging: without what it tells twice, and laid out in columns when asked.

Rows that no column can hold exactly are parted off here, so that one of them never holds a file up.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1

import pyarrow as pa

from adapters.clickhouse.fill_rows import UNFIT_ERRORS, fits, keys_table, revisions_table
from trading.errors import shown
from trading.model.fills import FillBatch, FillRevision, RejectedRow, content_hashes
from trading.services.judge_fills import ToldBefore, told_before

STAGED_ROWS_MAX = 200_000  # rows per insert: bounds the memory of one block in Python and in the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFills:
    """The distinct rows of a batch with their content hashes and what each is against the rows before it."""

    batch_id: str
    revisions: Sequence[FillRevision]
    hashes: Sequence[str]
    marks: Sequence[int]
    repeated: int

    def only(self, wanted: Collection[str]) -> "ToldFills":
        """Return the rows with these hashes."""
        places = [place for place, name in enumerate(self.hashes) if name in wanted]
        return _picked(self, places)

    def key_tables(self) -> Iterator[pa.Table]:
        """Yield what is needed to judge the rows: their keys and figures, without the rest."""
        for part in self._parts():
            keys = keys_table(self.revisions[part], self.hashes[part])
            yield keys.append_column("told_before", pa.array(self.marks[part], pa.uint8()))

    def full_tables(self, received_at: datetime) -> list[pa.Table]:
        """Return the rows as columns of core.fill_staging; raises one of UNFIT_ERRORS for a misfit."""
        tables = []
        for part in self._parts():
            table = revisions_table(self.revisions[part], self.hashes[part], self.batch_id, received_at)
            tables.append(table.append_column("told_before", pa.array(self.marks[part], pa.uint8())))
        return tables

    def _parts(self) -> Iterator[slice]:
        for start in range(0, len(self.revisions), STAGED_ROWS_MAX):
            yield slice(start, start + STAGED_ROWS_MAX)


def told_fills(batch: FillBatch) -> ToldFills:
    """Leave out what the batch tells twice and mark other versions of a fill that it told before."""
    hashes = content_hashes(batch.fills)
    marks = told_before(batch.fills, hashes)
    every = ToldFills(
        batch_id=_batch_id(batch, hashes), revisions=batch.fills, hashes=hashes, marks=marks, repeated=0
    )
    kept = [place for place, mark in enumerate(marks) if mark is not ToldBefore.IDENTICAL]
    return every if len(kept) == len(marks) else _picked(every, kept, len(marks) - len(kept))


def without_unfit(batch: FillBatch) -> tuple[list[FillRevision], list[RejectedRow]]:
    """Part the fills that the columns hold from those that they do not, which go to the dead letter."""
    good = [fits(revision) for revision in batch.fills]
    kept = [revision for revision, is_good in zip(batch.fills, good, strict=True) if is_good]
    return kept, [_refused(row) for row, is_good in zip(batch.fills, good, strict=True) if not is_good]


def _picked(told: ToldFills, places: Sequence[int], repeated: int = 0) -> ToldFills:
    return ToldFills(
        batch_id=told.batch_id,
        revisions=[told.revisions[place] for place in places],
        hashes=[told.hashes[place] for place in places],
        marks=[told.marks[place] for place in places],
        repeated=repeated,
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


def _batch_id(batch: FillBatch, hashes: Sequence[str]) -> str:
    """Hash of what the batch says, whatever the order of its rows and the name of its file."""
    told = [*hashes, *(f"{fact.commission_key}={fact.content_hash}" for fact in batch.commissions)]
    told += [f"{row.reason}={row.payload}" for row in batch.rejected]
    text = "\x1f".join((str(batch.venue), str(batch.source), *sorted(told)))
    return sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


__all__ = ["STAGED_ROWS_MAX", "UNFIT_ERRORS", "ToldFills", "told_fills", "without_unfit"]
