"""What a fill's row is against what was told before: new, corrected or duplicate, counted alike everywhere.

New: a fill never seen. Corrected: a cancel, or a known fill with a higher revision or another quantity,
price or side. Duplicate: anything else that is known; a row that is told again word for word is always
one.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum

from trading.model.fills import FillKind, FillRevision, Side


class Outcome(StrEnum):
    """What one row turned out to be."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CORRECTED = "corrected"


class ToldBefore(IntEnum):
    """What one row is against the rows before it in the same attempt.

    Figures and revision are told apart, because a row corrects a fill only by what neither the rows before
    it nor the warehouse know.
    """

    FIRST = 0
    NOTHING_NEW = 1
    OTHER_FIGURES = 2
    HIGHER_REVISION = 3
    BOTH = 4
    IDENTICAL = 5


Figures = tuple[Decimal, Decimal, Side]


class KnownFill:
    """What is known of one fill: its versions' hashes, their figures, and the highest revision."""

    __slots__ = ("_figures", "_hashes", "_highest")

    def __init__(self, versions: Iterable[tuple[FillRevision, str]] = ()) -> None:
        self._hashes: set[str] = set()
        self._figures: set[Figures] = set()
        self._highest = -1
        for revision, content_hash in versions:
            self.add(revision, content_hash)

    def add(self, revision: FillRevision, content_hash: str) -> None:
        """Learn one more version."""
        self._hashes.add(content_hash)
        self._figures.add(_figures(revision))
        self._highest = max(self._highest, revision.revision)

    def judge(self, revision: FillRevision, content_hash: str) -> Outcome:
        """Say what the row is against this knowledge."""
        if content_hash in self._hashes:
            return Outcome.DUPLICATE
        if not self._hashes:
            return Outcome.CORRECTED if revision.kind is FillKind.CANCEL else Outcome.NEW
        differs = revision.revision > self._highest or _figures(revision) not in self._figures
        return Outcome.CORRECTED if differs else Outcome.DUPLICATE

    def told_before(self, revision: FillRevision, content_hash: str) -> ToldBefore:
        """Say what the row is against the rows before it."""
        if content_hash in self._hashes:
            return ToldBefore.IDENTICAL
        if not self._hashes:
            return ToldBefore.FIRST
        is_higher = revision.revision > self._highest
        if _figures(revision) not in self._figures:
            return ToldBefore.BOTH if is_higher else ToldBefore.OTHER_FIGURES
        return ToldBefore.HIGHER_REVISION if is_higher else ToldBefore.NOTHING_NEW


def told_before(revisions: Sequence[FillRevision], hashes: Sequence[str]) -> list[ToldBefore]:
    """Compare each row with the rows before it; most fills come once, and cost one look into a dictionary."""
    marks = [ToldBefore.FIRST] * len(revisions)
    first: dict[tuple[str, str, str], int] = {}
    repeated: dict[tuple[str, str, str], KnownFill] = {}
    for place, revision in enumerate(revisions):
        key = (revision.venue, revision.account, revision.fill_id)
        earlier = first.setdefault(key, place)
        if earlier == place:
            continue
        known = repeated.get(key)
        if known is None:
            known = repeated[key] = KnownFill([(revisions[earlier], hashes[earlier])])
        marks[place] = known.told_before(revision, hashes[place])
        known.add(revision, hashes[place])
    return marks


def _figures(revision: FillRevision) -> Figures:
    return (revision.quantity, revision.price, revision.side)
